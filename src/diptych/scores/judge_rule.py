"""What all scores have in common that are a rule over what one judge saw; the rule itself is up to each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic

from diptych.errors import ConfigError
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


def check_threshold(value: float, least: float, where: str) -> None:
    """Raise if a threshold is out of range.

    Raises:
        ConfigError: If it is not in [0, 1), or lower than what the judge tells at all.
    """
    if not 0.0 <= value < 1.0:
        raise ConfigError(f"{where}: a threshold is at least 0 and below 1, not {value}")
    if value < least:
        raise ConfigError(f"{where}: {value} is too low: what is less sure than {least} this judge does not tell")
