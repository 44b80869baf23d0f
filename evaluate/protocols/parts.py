"""The number of an image that a rule makes of several scores: the mean of those that are about it.

It is a column beside those of the scores, which the store has too, so that an image shows what its number is made of.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED
from diptych.data.column_names import full_name
from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.inputs.scored_rows import ScoredColumn, ScoredRows
from diptych.evaluate.protocols import find_protocol
from diptych.evaluate.protocols.choices import ProtocolChoice, part_label
from diptych.evaluate.protocols.contract import ProtocolRule, RulePart
from diptych.evaluate.score_names import metric_of
from diptych.scores import Column

MEAN_OF_PARTS = "mean_of_parts"
VERSION = 1
FACTS = vars(
    Column(
        MEAN_OF_PARTS,
        "Mean of the scores of an image that are about its prompt, each from 0 to 1",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    )
)


class PartValues(NamedTuple):
    """A score of a rule by image.

    Attributes:
        column: As it is stored.
        part: Of the rule; None is its own score.
        values: float64 (N,), from 0 to 1; NaN where there is no number.
        is_about: bool (N,): whether it is about the prompt, and asked, or counts something where nothing is.
    """

    column: ScoredColumn
    part: RulePart | None
    values: npt.NDArray[np.float64]
    is_about: npt.NDArray[np.bool_]


def with_means_of_parts(rows: ScoredRows, choices: Iterable[ProtocolChoice]) -> ScoredRows:
    """Return a dataset with the column of each rule that makes a number of several scores, where these were scored."""
    made: dict[str, ScoredColumn] = {}
    for choice in choices:
        rules = find_protocol(choice.protocol).rules
        for name in choice.counted:
            label, rule = choice.label(name), rules[name]
            if rule.beside and full_name(label, str(rule.column)) in rows.scored:
                made[full_name(label, MEAN_OF_PARTS)] = _mean(label, [*_parts(rows, label, rule)])
    return replace(rows, made=made) if made else rows


def _parts(rows: ScoredRows, label: str, rule: ProtocolRule) -> Iterator[PartValues]:
    own = rows.score(full_name(label, str(rule.column)))
    yield PartValues(own, None, _from_0_to_1(own), own.is_asked)
    categories = rows.values(CATEGORY).to_pylist() if rows.has(CATEGORY) else [None] * len(rows)
    for name, part in rule.beside.items():
        column = rows.score(full_name(part_label(label, name), part.column))
        values, is_asked = _from_0_to_1(column), column.is_asked
        is_own = np.array([not part.categories or not set(part.categories).isdisjoint(one or ()) for one in categories])
        if part.nothing_asked is not None:
            values, is_asked = np.where(is_asked, values, part.nothing_asked), np.ones(len(rows), bool)
        yield PartValues(column, part, values, is_asked & is_own)


def _mean(label: str, parts: list[PartValues]) -> ScoredColumn:
    """Return the mean of parts; NaN, with its reason, where one that is about the image has no number."""
    own = parts[0]
    about, values = np.array([one.is_about for one in parts]), np.array([one.values for one in parts])
    lacking = about & np.isnan(values) & own.is_about
    counted = np.where(about, np.nan_to_num(values), 0.0).sum(axis=0) / np.maximum(about.sum(axis=0), 1)
    numbers = np.where(own.is_about & ~lacking.any(axis=0), counted, np.nan)
    reasons: list[str | None] = [None if is_about else NOT_ASKED for is_about in own.is_about]
    for row in np.flatnonzero(lacking.any(axis=0)).tolist():
        reasons[row] = parts[int(np.argmax(lacking[:, row]))].column.reasons[row]
    return ScoredColumn(label, FACTS, _identity(parts), numbers, None, reasons)


def _identity(parts: Iterable[PartValues]) -> Mapping[str, Any]:
    told = [
        {
            **one.column.source,
            "categories": list(one.part.categories) if one.part else [],
            "nothing_asked": one.part.nothing_asked if one.part else None,
        }
        for one in parts
    ]
    return {"score": MEAN_OF_PARTS, "version": VERSION, "parts": told}


def _from_0_to_1(column: ScoredColumn) -> npt.NDArray[np.float64]:
    """Return the numbers of a column as its metric has them, from 0 for its lowest to 1 for its highest."""
    metric = metric_of(column.column, column.facts)
    assert metric.low is not None, column.column
    assert metric.high is not None, column.column
    return (metric.prepare(column.values) - metric.low) / (metric.high - metric.low)
