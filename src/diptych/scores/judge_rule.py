"""What all scores have in common that are a rule over what one judge saw; the rule itself is up to each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import BAD_CHECKS, CHECKS, Checks, read_checks
from diptych.errors import ConfigError
from diptych.judges.contract import Record
from diptych.scores import Reads
from diptych.scores.batches import Batch
from diptych.scores.looks import Look


class CheckedRow(NamedTuple, Generic[Record]):
    """A row whose prompt asks for something: its number in the batch, what that is, what the judge saw if it could."""

    number: int
    checks: Checks
    seen: list[Record] | None


class JudgedRow(NamedTuple, Generic[Record]):
    """The same of a row at which the judge could look."""

    number: int
    checks: Checks
    seen: list[Record]


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

    def checked_rows(
        self, batch: Batch, why_not: Callable[[Checks], str | None], reasons: npt.NDArray[np.object_]
    ) -> Iterator[CheckedRow[Record]]:
        """Yield the rows whose prompt asks for what the rule judges.

        Args:
            batch: The rows.
            why_not: Says why what a prompt asks for has no number whatever the picture is; None where it has.
            reasons: Where that is written, objects (N,); why a judge could not look stands in its evidence.
        """
        for number, (text, seen) in enumerate(zip(batch.column(CHECKS), batch.evidence(self.look), strict=True)):
            checks = read_checks(text)
            reasons[number] = BAD_CHECKS if checks is None else why_not(checks)
            if checks is not None and reasons[number] is None:
                yield CheckedRow(number, checks, seen)

    def judged_rows(
        self, batch: Batch, why_not: Callable[[Checks], str | None], reasons: npt.NDArray[np.object_]
    ) -> Iterator[JudgedRow[Record]]:
        """Yield those of ``checked_rows`` at which the judge could look."""
        for number, checks, seen in self.checked_rows(batch, why_not, reasons):
            if seen is not None:
                yield JudgedRow(number, checks, seen)


def check_threshold(value: float, least: float, where: str) -> None:
    """Raise if a threshold is out of range.

    Raises:
        ConfigError: If it is not in [0, 1), or lower than what the judge tells at all.
    """
    if not 0.0 <= value < 1.0:
        raise ConfigError(f"{where}: a threshold is at least 0 and below 1, not {value}")
    if value < least:
        raise ConfigError(f"{where}: {value} is too low: what is less sure than {least} this judge does not tell")
