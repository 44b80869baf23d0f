"""The order of several that were compared each with each: ranks with intervals, groups that cannot be told apart.

Everything follows from which differences are resolved, see ``diptych.intervals.is_resolved``. That verdict holds for
all of a family at once with 95 percent (Holm 1979), so the ranks and the groups do, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, NamedTuple

from diptych.intervals import is_resolved
from diptych.store.rows import HOW_COMPARED

Row = Mapping[str, Any]

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class RankedLabel(NamedTuple):
    """One of those that were compared.

    Attributes:
        label: A model, or a value of another column.
        rank: Its place, from 1.
        best: The best place that it may have: behind those that are resolved to be better.
        worst: The worst place: before those that it is resolved to be better than.
        groups: Numbers of the groups that it is in, from 0.
        wins: Prompts in which it has the better number, over all comparisons; None where no prompt has one.
        ties: Prompts in which both have the same.
        losses: Prompts in which the other has the better one.
    """

    label: str
    rank: int
    best: int
    worst: int
    groups: tuple[int, ...]
    wins: int | None
    ties: int | None
    losses: int | None


@dataclass(frozen=True)
class Ranking:
    """The order of several by one metric over one dataset.

    Attributes:
        metric: Its name.
        dataset: Label.
        better: ``higher`` or ``lower``; None where neither way is, so that the highest stands first.
        labels: In their order.
        groups: Those that cannot be told apart from each other, in order; one may be in several.
        unknown: Pairs whose difference has no interval, so that nothing tells them apart.
    """

    metric: str
    dataset: str
    better: str | None
    labels: tuple[RankedLabel, ...]
    groups: tuple[tuple[str, ...], ...]
    unknown: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {**asdict(self), "labels": [each._asdict() for each in self.labels]}


def rankings(rows: Iterable[Row]) -> list[Ranking]:
    """Return the order of the labels by each metric and dataset in which three or more were compared each with each.

    Args:
        rows: Differences as ``DifferenceRow`` has them, by column. Those that are cut by a column, such as the
            category, are left out.
    """
    kinds: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not row["groups"].keys() - set(HOW_COMPARED):
            kinds.setdefault((row["metric"], row["dataset"]), []).append(row)
    found = []
    for (metric, dataset), own in kinds.items():
        labels = list(dict.fromkeys(row[side] for row in own for side in ("a", "b")))
        if len(labels) > 2 and len(own) == len(labels) * (len(labels) - 1) // 2:
            found.append(_ranking(metric, dataset, labels, own))
    return found


def group_letter(number: int) -> str:
    """Return what a group is called.

    >>> group_letter(0), group_letter(27)
    ('a', 'b2')
    """
    turn, place = divmod(number, len(LETTERS))
    return f"{LETTERS[place]}{turn + 1 if turn else ''}"


def _ranking(metric: str, dataset: str, labels: Sequence[str], rows: Sequence[Row]) -> Ranking:
    better = rows[0]["better"]
    beaten = [pair for row in rows if (pair := _told(row)) is not None]
    ahead = {label: sum(winner == label for winner, _ in beaten) for label in labels}
    behind = {label: sum(loser == label for _, loser in beaten) for label in labels}
    gains = {label: _gain(label, rows) for label in labels}
    order = sorted(labels, key=lambda label: (behind[label] - ahead[label], -gains[label], label))
    groups = _groups(order, beaten)
    ranked = tuple(
        RankedLabel(
            label,
            rank,
            1 + behind[label],
            len(order) - ahead[label],
            tuple(number for number, group in enumerate(groups) if label in group),
            *(_prompts(label, rows, *names) for names in (("wins", "losses"), ("ties", "ties"), ("losses", "wins"))),
        )
        for rank, label in enumerate(order, 1)
    )
    unknown = tuple((row["a"], row["b"]) for row in rows if not (_is_known(row["value"]) and _is_known(row["ci_low"])))
    return Ranking(metric, dataset, better, ranked, groups, unknown)


def _told(row: Row) -> tuple[str, str] | None:
    """Return the better and the worse of two; None where they are not told apart."""
    if not _is_known(row["value"]) or not is_resolved(row["ci_low"], row["ci_high"], row["p_adjusted"]):
        return None
    return (row["a"], row["b"]) if _signed(row) > 0.0 else (row["b"], row["a"])


def _signed(row: Row) -> float:
    """Return a difference, above 0 where ``a`` stands before ``b``."""
    value = float(row["value"]) if _is_known(row["value"]) else 0.0
    return -value if row["better"] == "lower" else value


def _is_known(value: float | None) -> bool:
    """Return whether a number is there: in the store it is else null, before it is written NaN."""
    return value is not None and isfinite(value)


def _gain(label: str, rows: Sequence[Row]) -> float:
    """Return by how much a label is before the others, on average."""
    gains = [_signed(row) * (1.0 if row["a"] == label else -1.0) for row in rows if label in (row["a"], row["b"])]
    return sum(gains) / len(gains)


def _prompts(label: str, rows: Sequence[Row], of_a: str, of_b: str) -> int | None:
    counts = [row[of_a] if row["a"] == label else row[of_b] for row in rows if label in (row["a"], row["b"])]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _groups(order: Sequence[str], told: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return the largest groups in which no two are told apart (insert and absorb, Piepho 2004).

    >>> _groups("abc", [("a", "c")])
    (('a', 'b'), ('b', 'c'))
    """
    groups = [frozenset(order)]
    for pair in told:
        split = [part for group in groups for part in _without(group, pair)]
        groups = [group for group in dict.fromkeys(split) if not any(group < other for other in split)]
    inside = [tuple(label for label in order if label in group) for group in groups]
    return tuple(sorted(inside, key=lambda group: [order.index(label) for label in group]))


def _without(group: frozenset[str], pair: tuple[str, str]) -> list[frozenset[str]]:
    return [group - {label} for label in pair] if group >= {*pair} else [group]
