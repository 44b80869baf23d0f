"""What a gate asks of a number, as it is written on the command line: ``clip_score=28``, ``fid=2%``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from diptych.errors import ConfigError

Kind = Literal["min", "max", "max-regress"]


@dataclass(frozen=True)
class Criterion:
    """One demand.

    Attributes:
        kind: ``min`` and ``max`` bound the number itself, ``max-regress`` how much worse it may be than another.
        metric: Its name as it was given.
        bound: In the unit of the metric, or a share of the other number.
        is_relative: Whether it is a share.
    """

    kind: Kind
    metric: str
    bound: float
    is_relative: bool = False

    def __str__(self) -> str:
        """Return it as it is written.

        >>> str(Criterion("max-regress", "fid", 0.02, is_relative=True)), str(Criterion("min", "clip_score", 28.0))
        ('max-regress fid=2%', 'min clip_score=28')
        """
        return f"{self.kind} {self.metric}={100.0 * self.bound:g}%" if self.is_relative else self._absolute

    @property
    def _absolute(self) -> str:
        return f"{self.kind} {self.metric}={self.bound:g}"


def parse_criteria(kind: Kind, texts: Sequence[str]) -> list[Criterion]:
    """Return the demands of an option.

    Raises:
        ConfigError: If one is not written as ``METRIC=NUMBER``; of a regression as ``METRIC=NUMBER%``, too.

    >>> parse_criteria("max-regress", ["fid=2%"])
    [Criterion(kind='max-regress', metric='fid', bound=0.02, is_relative=True)]
    """
    return [_parsed(kind, text) for text in texts]


def _parsed(kind: Kind, text: str) -> Criterion:
    metric, _, number = (part.strip() for part in text.rpartition("="))
    is_relative = kind == "max-regress" and number.endswith("%")
    try:
        bound = float(number.removesuffix("%") if is_relative else number)
    except ValueError:
        bound = math.nan
    is_regress = kind == "max-regress"
    if not metric or not math.isfinite(bound) or (is_regress and bound < 0.0):
        least = " from 0, or a share such as 2%" if is_regress else ""
        raise ConfigError(f"--{kind}: {text!r} is no bound; write METRIC=NUMBER with a number{least}")
    return Criterion(kind, metric, bound / 100.0 if is_relative else bound, is_relative)
