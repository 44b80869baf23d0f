"""What scores have in common that are a rule over what one judge saw."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from drawn import picture

from diptych.data.checks import CHECKS, NOT_ASKED, Checks
from diptych.data.schema import data_schema
from diptych.judges.contract import Box
from diptych.judges.evidence import BOXES
from diptych.scores import looks_of
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with


@dataclass(frozen=True)
class Boxes:
    """A judge that sees nothing, and breaks down over some pictures."""

    identity: dict[str, Any] = field(default_factory=lambda: {"judge": "blind"})
    broken: tuple[int, ...] = ()

    def boxes(self, images: Any) -> list[list[Box] | None]:
        return [None if number in self.broken else [] for number in range(len(images))]


@dataclass(frozen=True, eq=False)
class Crowd(JudgeRule[Box]):
    """Of these tests."""

    threshold: float

    score_name = "crowd"
    version = 3

    @property
    def options(self) -> dict[str, float]:
        return {"threshold": self.threshold}


@dataclass(frozen=True, eq=False)
class Plain(JudgeRule[Box]):
    """Of these tests, without options."""

    score_name = "plain"


def test_identity_is_name_version_options_and_what_is_asked_of_the_judge() -> None:
    look = look_with(Boxes(), BOXES)
    asked = {"judge": {"judge": "blind"}, "evidence": "boxes", "asked": None}
    assert Crowd(look, 0.5).identity == {"score": "crowd", "version": 3, "threshold": 0.5, **asked}
    assert Plain(look).identity == {"score": "plain", "version": 1, **asked}


def test_a_rule_reads_evidence_and_nothing_else() -> None:
    look = look_with(Boxes(), BOXES)
    assert Plain(look).reads == {"evidence"}
    assert looks_of(Plain(look)) == (look,)


def test_rows_to_judge_are_those_that_ask_and_that_the_judge_saw() -> None:
    one_cat = json.dumps({"include": [{"class": "cat", "count": 1}]})
    asked = [one_cat, "", "a cat", one_cat, json.dumps({"texts": ["TEA"]})]
    rows = [
        {"key": str(number), "image": {"bytes": picture(number), "path": None}, "status": "ok", CHECKS: text}
        for number, text in enumerate(asked)
    ]
    batch = Batch(pa.Table.from_pylist(rows, schema=data_schema([pa.field(CHECKS, pa.string())])))
    reasons = np.full(len(rows), None, object)

    def why_not(checks: Checks) -> str | None:
        return None if checks.include else NOT_ASKED

    rule = Plain(look_with(Boxes(broken=(3,)), BOXES))
    asking = [(row.number, row.checks.labels, row.seen) for row in rule.checked_rows(batch, why_not, reasons)]
    assert asking == [(0, {"cat"}, []), (3, {"cat"}, None)]
    assert reasons.tolist() == [None, "not_asked", "bad_checks", None, "not_asked"]
    assert [row.number for row in rule.judged_rows(batch, why_not, reasons)] == [0]
