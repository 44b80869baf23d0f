from pathlib import Path

import diptych.demo
from diptych.demo.measure import clip_quality
from diptych.demo.measure.clip_quality import measure_clip
from diptych.demo.world.faults import may_describe
from diptych.demo.world.scenes import scene

MODELS = Path(diptych.demo.__file__).parent / "models"


def test_mismatched_captions_are_about_other_things() -> None:
    scenes = [scene(seed) for seed in range(30)]
    pairs = clip_quality._other_captions(scenes)
    assert pairs[:, 0].tolist() == list(range(30))
    assert not any(may_describe(scenes[other], scenes[shown]) for shown, other in pairs)


def test_shipped_clip_tells_held_out_scenes_apart() -> None:
    figures = measure_clip(MODELS / "clip", rows=100, web_rows=200)
    assert figures["image_to_text_recall_at_1"].value >= 0.8
    assert figures["matched_auc"].value >= 0.99
