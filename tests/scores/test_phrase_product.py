"""Products over noun phrases: yes against no, upstream's rounding and its limit, and what has no answer."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import own_judges
import pyarrow as pa
import pytest
from drawn import picture
from own_judges import SAID

from diptych.data.schema import data_schema
from diptych.judges.contract import Answer, Query
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.phrase_product import yes_against_no


@dataclass(frozen=True)
class LikelyAnswers:
    """Says yes and no as likely as a test has it by the question; what is in no table is refused."""

    likely: dict[str, tuple[float, float]]
    identity: dict[str, Any] = field(default_factory=lambda: {"judge": "likely"})

    def answers(self, images: Sequence[Any], questions: Sequence[Sequence[Query]]) -> list[list[Answer]]:
        return [[self._answer(one) for one in asked] for asked in questions]

    def _answer(self, query: Query) -> Answer:
        if query.text not in self.likely:
            return Answer(query.text, query.choices, (), "", "refused")
        return Answer(query.text, query.choices, self.likely[query.text], "yes")


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    own_judges.install(monkeypatch)
    yield
    SAID.clear()


def scored(likely: dict[str, tuple[float, float]], asked: list[str], counting: str) -> tuple[float, str | None, str]:
    """Return value, reason and outcomes of one picture of which some phrases are asked."""
    row = {
        "key": "0",
        "image": {"bytes": picture(0), "path": None},
        "caption": "a cat",
        "width": 48,
        "height": 32,
        "status": "ok",
        "checks": json.dumps({"questions": [{"question": one} for one in asked]}) if asked else "",
    }
    table = pa.Table.from_pylist([row], schema=data_schema([pa.field("checks", pa.string())]))
    score = make_score("phrase_product", {"judge": LikelyAnswers(likely), "counting": counting})
    found = score.score(Batch(table))
    return float(found["phrase_product"][0]), found["reason"][0], found["question_outcomes"][0]


def test_value_is_the_product_of_yes_against_no() -> None:
    likely = {"a cat?": (0.6, 0.2), "a dog?": (0.1, 0.4)}
    for counting in ("official", "corrected"):
        value, reason, outcomes = scored(likely, ["a cat?", "a dog?"], counting)
        assert (value, reason) == (pytest.approx(0.75 * 0.2), None)
        assert [float(word) for word in outcomes.split()] == pytest.approx([0.75, 0.2])


def test_upstream_rounds_each_and_the_product_to_four_digits() -> None:
    likely = {"a cat?": (0.25, 0.5), "a dog?": (1e-5, 1.0)}
    assert scored(likely, ["a cat?", "a cat?"], "official")[0] == pytest.approx(0.1111)
    assert scored(likely, ["a cat?", "a cat?"], "corrected")[0] == pytest.approx(1 / 9)
    assert scored(likely, ["a cat?", "a dog?"], "official")[0] == 0.0
    assert scored(likely, ["a cat?", "a dog?"], "corrected")[0] == pytest.approx(1e-5 / 3, rel=1e-3)


def test_upstream_asks_of_no_phrase_behind_the_eighth() -> None:
    likely = {"a cat?": (1.0, 0.0), "a dog?": (0.5, 0.5)}
    asked = ["a cat?"] * 8 + ["a dog?"]
    assert [scored(likely, asked, rule)[0] for rule in ("official", "corrected")] == [1.0, 0.5]


def test_phrase_without_an_answer_leaves_no_product() -> None:
    value, reason, outcomes = scored({"a cat?": (0.5, 0.5)}, ["a cat?", "a dog?"], "corrected")
    assert (np.isnan(value), reason, outcomes) == (True, "phrase_unanswered", "0.5 refused")
    asked = ["a cat?"] * 8 + ["a dog?"]
    assert scored({"a cat?": (0.5, 0.5)}, asked, "official")[:2] == (pytest.approx(0.0039), None), "nobody asks of it"


def test_picture_of_which_no_phrase_is_asked_is_not_scored() -> None:
    value, reason, _ = scored({}, [], "corrected")
    assert (np.isnan(value), reason) == (True, "not_asked")


def test_answer_without_yes_and_no_tells_nothing() -> None:
    assert yes_against_no(Answer("a cat?", (), (), "yes")) is None
    assert yes_against_no(Answer("a cat?", ("yes", "no"), (0.0, 0.0), "yes")) is None
    assert yes_against_no(Answer("a cat?", ("no", "yes"), (0.25, 0.75), "yes")) == 0.75
