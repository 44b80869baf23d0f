import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import own_judges
import pytest
from drawn import picture
from own_judges import FOUND, box
from tiny_dataset import Row, make_table

from diptych.errors import ConfigError
from diptych.judges import make_judge
from diptych.judges.contract import Box, Trait
from diptych.scores import Score, make_score
from diptych.scores.batches import Batch
from diptych.scores.tables import score_table


@pytest.fixture(autouse=True)
def _own_judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    own_judges.install(monkeypatch)
    yield
    FOUND.clear()


def cook(attribute: str, score: float = 0.8, sure: float = 0.9, *, trait: str = "attribute") -> Box:
    """Return a cook with an attribute, or one of which none is likely."""
    others = tuple(Trait(trait, value, 0.1) for value in ("orange", "purple") if value != attribute)
    told = (Trait(trait, attribute, sure),) if attribute else ()
    return Box("cook", score, (0.0, 0.0, 9.0, 9.0), (*others, *told))


def made(judge: dict[str, Any] | None = None, **options: Any) -> Score:
    """Return the score with a judge of such options."""
    return make_score("perceived_attribute", {"judge": make_judge("own_boxes", judge or {}), **options})


def look(*found: list[Box], **options: Any) -> list[dict[str, Any]]:
    """Score one picture of each of the lists, and one row without a picture at the end."""
    heights = range(21, 21 + len(found))
    FOUND.update(zip(heights, found, strict=True))
    rows = [Row(picture(0, (30, height)), size=(30, height)) for height in heights]
    batch = Batch(make_table([*rows, Row(None, status="not_found", size=None)]).to_batches()[0])
    score = made(**options)
    records = score_table(batch, score.columns, score.score(batch)).to_pylist()
    return [{name: value for name, value in row.items() if name != "key"} for row in records]


NONE = {"attribute": None, "attribute_confidence": None, "attribute_class": None}


def test_attribute_is_that_of_the_surest_figure_which_has_one() -> None:
    boat = box("boat", 0.99, colour="red")
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


def test_value_that_is_less_likely_than_not_is_none_unless_the_rule_asks_for_less() -> None:
    rows = look([cook("orange", 0.8, 0.5)], [cook("orange", 0.8, 0.51)])
    assert [row["attribute"] for row in rows] == [None, "orange", None]
    rows = look([cook("orange", 0.8, 0.5)], trait_threshold=0.4)
    assert (rows[0]["attribute"], rows[0]["attribute_confidence"]) == ("orange", 0.5)


def test_any_trait_of_the_judge_can_be_asked_for() -> None:
    (row, _) = look([box("boat", colour="red"), cook("orange", 0.9)], trait="colour")
    assert (row["attribute"], row["attribute_class"]) == ("red", "boat")


def test_columns_say_which_words_they_can_hold() -> None:
    words = {column.name: column.words for column in made().columns}
    assert words["attribute"] == ("orange", "purple")
    assert words["attribute_class"] == ("boat", "cook", "fish", "house")


def test_confidence_is_a_single_float_in_its_range() -> None:
    FOUND[32] = [cook("orange", 0.8, 1.0)]
    batch = Batch(make_table([Row(picture(0))]).to_batches()[0])
    confidence = made().score(batch)["attribute_confidence"]
    assert confidence.dtype == np.float32
    assert confidence.tolist() == [1.0]


def test_everything_that_changes_a_value_is_in_the_identity() -> None:
    scores = [made(), made(threshold=0.5), made(trait_threshold=0.6), made(trait="colour"), made({"name": "other"})]
    assert len({json.dumps(score.identity, sort_keys=True) for score in scores}) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trait": "color"}, "this judge does not fit: unknown trait 'color'; did you mean 'colour'?"),
        ({"trait_threshold": 1.5}, "trait_threshold: a threshold is at least 0 and below 1, not 1.5"),
        ({"threshold": 2.0}, "score 'perceived_attribute': threshold: a threshold is at least 0 and below 1, not 2.0"),
        ({"treshold": 0.5}, "unknown option 'treshold'; did you mean 'threshold'"),
    ],
)
def test_wrong_options_say_what_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(**options)
    assert message in str(caught.value)


def test_judge_that_tells_no_traits_is_refused() -> None:
    with pytest.raises(ConfigError, match="this judge does not fit: it tells no traits"):
        made({"plain": True})
