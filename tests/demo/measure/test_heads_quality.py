import json
from pathlib import Path

import diptych.demo
from diptych.demo.measure.heads_quality import measure_heads

MODELS = Path(diptych.demo.__file__).parent / "models"


def test_shipped_heads_find_flagged_pictures_and_quality() -> None:
    figures = measure_heads(MODELS / "clip", MODELS / "heads", rows=300)
    assert figures["flagged_auc"].value >= 0.99
    assert figures["aesthetic_spearman"].value >= 0.8
    assert json.dumps({name: figure._asdict() for name, figure in figures.items()})
