import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from drawn import picture
from own_detectors import FOUND, SEEN, TARGET
from tiny_dataset import Row, make_table

from diptych.errors import ConfigError
from diptych.judges.boxes import DETECTORS, Detection
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.run import score_table


@pytest.fixture(autouse=True)
def _own_detector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(DETECTORS, "own", TARGET)
    SEEN.clear()
    yield
    FOUND.clear()


def cook(attribute: str, score: float = 0.8, sure: float = 0.9) -> Detection:
    return Detection("cook", score, (0.0, 0.0, 9.0, 9.0), "", attribute, sure)


def look(*found: list[Detection], **options: Any) -> list[dict[str, Any]]:
    """Score one picture of each of the lists, and one row without a picture at the end."""
    heights = range(21, 21 + len(found))
    FOUND.update(zip(heights, found, strict=True))
    rows = [Row(picture(0, (30, height)), size=(30, height)) for height in heights]
    batch = Batch(make_table([*rows, Row(None, status="not_found", size=None)]).to_batches()[0])
    score = make_score("perceived_attribute", {"detector": "own", **options})
    records = score_table(batch, score.columns, score.score(batch)).to_pylist()
    return [{name: value for name, value in row.items() if name != "key"} for row in records]


NONE = {"attribute": None, "attribute_confidence": None, "attribute_class": None}


def test_attribute_is_that_of_the_surest_figure_which_has_one() -> None:
    boat = Detection("boat", 0.99, (0.0, 0.0, 9.0, 9.0), "red")
    purple, orange = cook("purple", 0.9, 0.75), cook("orange", 0.8, 0.99)
    first, second, missing = look([boat, purple, orange], [cook("", 0.95), orange])
    assert first == {
        "attribute": "purple",
        "attribute_confidence": 0.75,
        "attribute_class": "cook",
        "reason": None,
    }
    assert (second["attribute"], second["attribute_confidence"]) == ("orange", pytest.approx(0.99))
    assert missing == {**NONE, "reason": "not_found"}


def test_picture_without_a_visible_attribute_says_so() -> None:
    rows = look([], [cook("")], [cook("orange", 0.3)], [cook("orange", 0.31)])
    assert rows[:3] == [{**NONE, "reason": "none_detected"}] * 3
    assert rows[3]["attribute"] == "orange"


def test_threshold_decides_which_figures_are_there() -> None:
    (row, _) = look([cook("purple", 0.55)], threshold=0.6)
    assert row == {**NONE, "reason": "none_detected"}


def test_confidence_is_a_single_float_in_its_range() -> None:
    FOUND[32] = [cook("orange", 0.8, 1.0)]
    batch = Batch(make_table([Row(picture(0))]).to_batches()[0])
    confidence = make_score("perceived_attribute", {"detector": "own"}).score(batch)["attribute_confidence"]
    assert confidence.dtype == np.float32
    assert confidence.tolist() == [1.0]


def test_everything_that_changes_a_value_is_in_the_identity() -> None:
    options = [{}, {"threshold": 0.5}, {"detector_options": {"name": "other"}}]
    identities = [make_score("perceived_attribute", {"detector": "own", **given}).identity for given in options]
    assert len({json.dumps(identity, sort_keys=True) for identity in identities}) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detector_options": {"attributes": False}}, "this detector sees no attributes"),
        ({"threshold": 2.0}, "score 'perceived_attribute': threshold: a threshold is at least 0 and below 1, not 2.0"),
        ({"treshold": 0.5}, "unknown option 'treshold'; did you mean 'threshold'"),
    ],
)
def test_wrong_options_say_what_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_score("perceived_attribute", {"detector": "own", **options})
    assert message in str(caught.value)
