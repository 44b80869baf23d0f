"""What all scores have in common that are a rule over what one judge saw; the rule itself is up to each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic

from diptych.judges.contract import Record
from diptych.scores import Reads
from diptych.scores.looks import Look


@dataclass(frozen=True, eq=False)
class JudgeRule(Generic[Record]):
    """A rule on one judge; a score of it has ``columns`` and ``score`` as well.

    Attributes:
        look: At what the judge sees.
        score_name: Of the score, for its identity.
        version: Raised where the rule gives another number for the same evidence.
        reads: What it looks at of a batch.
    """

    look: Look[Record]

    score_name: ClassVar[str]
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = frozenset({"evidence"})

    @property
    def looks(self) -> tuple[Look[Any], ...]:
        """What it asks of judges."""
        return (self.look,)

    @property
    def options(self) -> Mapping[str, Any]:
        """JSON-able facts of the rule that change a number."""
        return {}

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, what of the rule changes a number, and what is asked of which judge."""
        return {"score": self.score_name, "version": self.version, **self.options, **self.look.identity}
