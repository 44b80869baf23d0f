"""What scores have in common that are a rule over what one judge saw."""

from dataclasses import dataclass, field
from typing import Any

from diptych.judges.contract import Box
from diptych.judges.evidence import BOXES
from diptych.scores import looks_of
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with


@dataclass(frozen=True)
class Boxes:
    """A judge that sees nothing."""

    identity: dict[str, Any] = field(default_factory=lambda: {"judge": "blind"})

    def boxes(self, images: Any) -> list[list[Box]]:
        return [[] for _ in images]


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
