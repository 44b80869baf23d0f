"""What an evaluation has found so far, on its way into the store."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.config.identity import short_id
from diptych.store.store import AuditRow, DifferenceRow, ResultRow, SpreadRow


class ImageValues(NamedTuple):
    """A column of numbers or words by row of a dataset.

    Attributes:
        numbers: float64 (N,): NaN where there is no number.
        texts: Words; None of a column of numbers.
        reasons: Why there is nothing.
    """

    numbers: npt.NDArray[np.float64]
    texts: Sequence[str | None] | None
    reasons: Sequence[str | None]


class ImageColumn(NamedTuple):
    """What an evaluation found of each image of a dataset, beside the scores.

    Attributes:
        dataset: Its label.
        name: Of the column, ``label.column``.
        description: What it is.
        identity: Of what decides it.
        values: By row.
    """

    dataset: str
    name: str
    description: str
    identity: Mapping[str, Any]
    values: ImageValues


@dataclass
class Findings:
    """Rows of one run in the order in which they were found, and the identities that they name."""

    run_id: str
    identities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    results: list[ResultRow] = field(default_factory=list)
    differences: list[DifferenceRow] = field(default_factory=list)
    spreads: list[SpreadRow] = field(default_factory=list)
    audits: list[AuditRow] = field(default_factory=list)
    image_columns: list[ImageColumn] = field(default_factory=list)

    def add_results(self, rows: Iterable[ResultRow]) -> None:
        """Add results; a number that two entries of a config ask for, each among others, is there once."""
        known = set(map(_asked, self.results))
        for row in rows:
            if _asked(row) not in known:
                known.add(_asked(row))
                self.results.append(row)

    def add_differences(self, rows: Iterable[DifferenceRow]) -> None:
        """Add differences; one that two entries of a config ask for is there once."""
        known = set(map(_compared, self.differences))
        for row in rows:
            if _compared(row) not in known:
                known.add(_compared(row))
                self.differences.append(row)

    def add_spreads(self, rows: Iterable[SpreadRow]) -> None:
        """Add variances between and within prompts; those that two entries of a config ask for are there once."""
        known = set(map(_asked, self.spreads))
        for row in rows:
            if _asked(row) not in known:
                known.add(_asked(row))
                self.spreads.append(row)

    def placed_results(self) -> list[ResultRow]:
        """Return the results, each with the place of its metric in the order in which the metrics were found."""
        places = {metric: place for place, metric in enumerate(dict.fromkeys(row.metric for row in self.results))}
        return [replace(row, place=places[row.metric]) for row in self.results]

    def identify(self, identity: Mapping[str, Any]) -> str:
        """Note an identity and return its id."""
        identity_id = short_id(identity)
        self.identities[identity_id] = identity
        return identity_id


def _asked(row: ResultRow | SpreadRow) -> Hashable:
    """Return which number a result is, in whatever order its groups stand."""
    return row.metric, row.dataset, frozenset(row.groups.items()), row.identity_id


def _compared(row: DifferenceRow) -> Hashable:
    """Return which two numbers a difference is of."""
    return row.metric, row.dataset, frozenset(row.groups.items()), row.a, row.b, row.identity_id
