"""``diptych evaluate compare``: models of a store, or of two, over the images that both of a pair made for a prompt.

Computed from the scores of the images as a run computes it; distances, which belong to no image, are those that the
run computed. Numbers of different identity are not compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from diptych.addresses import Address
from diptych.data.column_names import find_name
from diptych.data.generated_columns import compared_columns
from diptych.errors import ConfigError, StoreError
from diptych.evaluate.chosen_run import known_runs
from diptych.evaluate.comparisons.compared_images import value_text
from diptych.evaluate.comparisons.families import adjusted
from diptych.evaluate.comparisons.ranked import ranking_lines
from diptych.evaluate.comparisons.sentences import sentence
from diptych.evaluate.comparisons.stored_differences import counterpart, differences_between, metrics_named, refusal
from diptych.evaluate.comparisons.stored_models import ComparedModel
from diptych.evaluate.comparisons.stored_pairs import pair_sentence, stored_pair_distances
from diptych.evaluate.terminal import printable
from diptych.lookup import describe_unknown
from diptych.storage.store_path import read_path
from diptych.store.rankings import Ranking, rankings
from diptych.store.store import DifferenceRow, ResultRow, Store


class NotCompared(NamedTuple):
    """A metric by which two labels are not compared, and why."""

    a: str
    b: str
    metric: str
    reason: str


class PairDistance(NamedTuple):
    """How far apart the pictures of two labels are, by one encoder over one dataset."""

    a: str
    b: str
    row: ResultRow


class _Pair(NamedTuple):
    """What was found of two labels."""

    rows: Sequence[DifferenceRow]
    not_compared: Sequence[NotCompared]
    apart: Sequence[PairDistance]


@dataclass(frozen=True)
class Comparison:
    """What ``compare_labels`` found.

    Attributes:
        labels: What was compared, each with each, in the order in which it was named.
        rows: One difference per metric, dataset and two labels, value = a - b.
        not_compared: By which metrics two labels are not compared, and why.
        of_datasets: Whether a run has several datasets, so that each difference says of which it is.
        apart: How far apart their pictures are, one per encoder, dataset and two labels.
    """

    labels: Sequence[str]
    rows: Sequence[DifferenceRow]
    not_compared: Sequence[NotCompared]
    of_datasets: bool
    apart: Sequence[PairDistance] = ()

    @property
    def rankings(self) -> list[Ranking]:
        """The order of three or more labels by each metric and dataset."""
        return rankings(map(asdict, self.rows))

    @property
    def refused(self) -> dict[str, str]:
        """Metric -> why it is not compared, of the first two labels of which it is not."""
        return {each.metric: each.reason for each in self.not_compared[::-1]}

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; what is not known is null."""
        differences, apart = (
            [{name: _known(value) for name, value in asdict(row).items()} for row in rows]
            for rows in (self.rows, [each.row for each in self.apart])
        )
        told = {"differences": differences, "pair_distances": apart}
        if len(self.labels) == 2:
            return {"a": self.labels[0], "b": self.labels[1], **told, "refused": self.refused}
        refused_pairs = [each._asdict() for each in self.not_compared]
        ranked = [each.to_json() for each in self.rankings]
        return {"labels": list(self.labels), "rankings": ranked, **told, "refused": refused_pairs}

    def lines(self) -> Iterator[str]:
        """Yield it as sentences, behind the order where there are several."""
        for ranking in self.rankings:
            yield from ranking_lines(ranking, of_dataset=self.of_datasets)
        for row in self.rows:
            yield sentence(row, of_dataset=self.of_datasets)
        for each in self.apart:
            yield pair_sentence(each.row, each.a, each.b, of_dataset=self.of_datasets)
        for refused in self.not_compared:
            which = "" if len(self.labels) == 2 else f"{refused.a} and {refused.b} "
            yield printable(f"{refused.metric}: {which}not compared: {refused.reason}")


def compare_labels(
    path: Address,
    *labels: str,
    metric: str | None = None,
    by: str = "model",
    other: Address | None = None,
    margins: Mapping[str, float] | None = None,
) -> Comparison:
    """Return the differences of labels, each from each, in every metric that both have, or in one.

    Args:
        path: The store.
        labels: Each ``LABEL`` or ``RUN:LABEL``; none takes all that the only run of the store has.
        metric: Only this one; by the name of a set metric, also an alias such as ``kid``, all its values.
        by: The column whose values the labels are.
        other: The store of the second of two, if it is another.
        margins: By metric: the largest difference that counts as none.

    Raises:
        StoreError: If a store or a label is not there, or no number of any two is comparable.
        ConfigError: If ``by``, ``metric`` or a margin is unknown, two are the same, or there are too few or too many.
    """
    if by not in compared_columns():
        raise ConfigError(f"--by: {describe_unknown('column', by, compared_columns())}")
    if other is not None and len(labels) != 2:
        raise ConfigError(f"--other: of two labels the second is in another store; {len(labels)} were named")
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(path, read_only=True))
        named = labels or labels_of(store, by)
        if len(named) < 2:
            raise ConfigError(f"{path}: one {by} alone is there to compare ({', '.join(named)}); name two or more")
        stores = [store] * len(named)
        if other is not None and read_path(other).absolute() != read_path(path).absolute():
            stores[1] = stack.enter_context(Store.open(other, read_only=True))
        sides = [find_side(where, text, by) for where, text in zip(stores, named, strict=True)]
        check_different(sides, named)
        return _compared(_named_apart(sides, named), metric, margins or {})


def labels_of(store: Store, by: str) -> tuple[str, ...]:
    """Return all values of a column in the only run of a store, but for those of references, which nothing is told of.

    Raises:
        StoreError: If there are several runs, or none.
    """
    runs = store.query("SELECT name FROM runs ORDER BY name")
    if len(runs) != 1:
        names = ", ".join(row["name"] for row in runs) or "none"
        raise StoreError(f"{store.path}: the store holds {len(runs)} runs ({names}); name what to compare: RUN:LABEL")
    judged = "dataset IN (SELECT dataset FROM results)"
    rows = store.query(
        f"SELECT DISTINCT {store.image_sql(by)} AS label FROM images WHERE label IS NOT NULL AND {judged}"
    )
    return tuple(sorted(value_text(row["label"]) for row in rows))


def check_different(sides: Sequence[ComparedModel], named: Sequence[str]) -> None:
    """Refuse to compare a label with itself.

    Raises:
        ConfigError: If two are the same.
    """
    for (first, a), (last, b) in combinations(zip(sides, named, strict=True), 2):
        if (first.store.path.resolve(), first.run_id, first.label) == (
            last.store.path.resolve(),
            last.run_id,
            last.label,
        ):
            said = f"{a} and {b} are the same images of run {first.run_id}; name others to compare"
            raise ConfigError(f"{first.store.path}: {said}")


def _named_apart(sides: Sequence[ComparedModel], named: Sequence[str]) -> list[tuple[str, ComparedModel]]:
    """Return the sides with what each is called: its label, or as it was named where several of three have that."""
    labels = [side.label for side in sides]
    apart = len(sides) > 2 and len(set(labels)) < len(labels)
    return [(text if apart else side.label, side) for side, text in zip(sides, named, strict=True)]


def find_side(store: Store, text: str, by: str) -> ComparedModel:
    """Return the run and the label that ``LABEL`` or ``RUN:LABEL`` stands for.

    Raises:
        StoreError: If no run of the store has it, or several have.
    """
    runs = known_runs(store)
    sql = f"SELECT DISTINCT run_id, {store.image_sql(by)} AS label FROM images WHERE label IS NOT NULL"
    labels: dict[str, set[str]] = {}
    for row in store.query(sql):
        labels.setdefault(value_text(row["label"]), set()).add(row["run_id"])
    run, colon, label = text.partition(":")
    wanted = {each.run_id for each in runs if run in each}
    if text in labels:
        found, label = labels[text], text
    elif colon and label in labels and wanted:
        found = labels[label] & wanted
    else:
        raise StoreError(f"{store.path}: {_another_column(store, text, by) or describe_unknown(by, text, labels)}")
    if len(found) != 1:
        names = ", ".join(each.name for each in runs if each.run_id in found) or f"none of that name has {label!r}"
        raise StoreError(f"{store.path}: {len(found)} runs have {by} {label!r} ({names}); write it as RUN:{label}")
    return ComparedModel(store, next(iter(found)), label, by)


def _another_column(store: Store, text: str, by: str) -> str | None:
    """Return the sentence for a label that is a value of another column, None if it is of none."""
    for name in compared_columns():
        sql = f"SELECT DISTINCT {store.image_sql(name)} AS label FROM images WHERE label IS NOT NULL"
        if text in {value_text(row["label"]) for row in store.query(sql)}:
            return f"{text!r} is a value of {name}, not of {by}; to compare by it add: --by {name}"
    return None


def _compared(sides: Sequence[tuple[str, ComparedModel]], only: str | None, margins: Mapping[str, float]) -> Comparison:
    """Return the differences of each two of some sides.

    Raises:
        StoreError: If none of any two can be had.
        ConfigError: If no two have the metric, or a margin is of none.
    """
    pairs = [_pair(*first, *last, only) for first, last in combinations(sides, 2)]
    labels = [label for label, _ in sides]
    rows = [row for found in pairs for row in found.rows]
    refused = [each for found in pairs for each in found.not_compared]
    apart = [each for found in pairs for each in found.apart]
    if not rows and not apart:
        what = " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))
        whys = dict.fromkeys(f"{each.metric}: {each.reason}" for each in refused)
        raise StoreError(f"{what} cannot be compared: {'; '.join(whys) or 'the runs hold no results'}")
    # As in a run, each metric is a family of its own; here it has the comparisons alone that were asked for.
    several = any(side.has_several_datasets for _, side in sides)
    metrics = list(dict.fromkeys(row.metric for row in rows))
    wide = {find_name(name, metrics, what="metric", where="--margin: "): margin for name, margin in margins.items()}
    return Comparison(labels, adjusted(rows, wide), refused, several, apart)


def _pair(a: str, of_a: ComparedModel, b: str, of_b: ComparedModel, only: str | None) -> _Pair:
    """Return the differences of two, by what they are not compared, and how far apart their pictures are."""
    apart = [PairDistance(a, b, row) for row in stored_pair_distances(of_a, of_b)]
    if only is not None:
        apart = [each for each in apart if only in (each.row.metric, each.row.metric.rpartition(".")[2])]
        if apart:
            return _Pair([], [], apart)
    left, right = of_a.identities(), of_b.identities()
    names = {metric: counterpart(metric, left, right) for metric in left}
    names |= {metric: metric for metric in right if metric not in names.values()}
    rows: list[DifferenceRow] = []
    refused = []
    for metric in sorted(names) if only is None else metrics_named(only, names, left, right):
        both = ((of_a, left, metric), (of_b, right, names[metric]))
        reason = refusal(both)
        found = differences_between(both, is_refused=reason is not None)
        rows += [replace(row, a=a, b=b) for row in found]
        if not found:
            refused.append(NotCompared(a, b, metric, reason or "the run did not compute the difference of these two"))
    return _Pair(rows, refused, apart)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
