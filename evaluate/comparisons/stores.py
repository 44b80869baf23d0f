"""``diptych evaluate compare``: two models of a store, or of two, over the images that both made for a prompt.

Computed from the scores of the images as a run computes it; distances, which belong to no image, are those that the
run computed. Numbers of different identity are not compared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from diptych.addresses import Address
from diptych.config.identity import short_id
from diptych.data.column_names import find_name
from diptych.data.generated_columns import BENCHMARK, compared_columns
from diptych.errors import ConfigError, StoreError
from diptych.evaluate.comparisons.compared_images import images_of, value_text
from diptych.evaluate.comparisons.families import adjusted
from diptych.evaluate.comparisons.means import DifferenceMaker
from diptych.evaluate.comparisons.pairs import pairs_by_dataset
from diptych.evaluate.comparisons.sentences import sentence
from diptych.evaluate.comparisons.stored_models import ComparedModel, prompt_sets, protocol_of
from diptych.evaluate.comparisons.stored_pairs import pair_sentence, stored_pair_distances
from diptych.evaluate.metrics.contract import ALIASES, SET_METRICS, metric_name
from diptych.evaluate.metrics.means import MeasuredMean
from diptych.evaluate.score_names import metric_of_identity
from diptych.evaluate.terminal import printable
from diptych.lookup import describe_unknown
from diptych.storage.store_path import read_path
from diptych.store.rows import HOW_COMPARED
from diptych.store.store import DifferenceRow, ResultRow, Store

Identities = Mapping[str, Sequence[Mapping[str, Any]]]  # of each metric


@dataclass(frozen=True)
class Comparison:
    """What ``compare_labels`` found.

    Attributes:
        a: Label.
        b: Label.
        rows: One difference per metric and dataset, value = a - b.
        refused: Metric -> why it is not compared.
        of_datasets: Whether a run has several datasets, so that each difference says of which it is.
        apart: How far apart their pictures are, one per encoder and dataset.
    """

    a: str
    b: str
    rows: Sequence[DifferenceRow]
    refused: Mapping[str, str]
    of_datasets: bool
    apart: Sequence[ResultRow] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; what is not known is null."""
        differences, apart = (
            [{name: _known(value) for name, value in asdict(row).items()} for row in rows]
            for rows in (self.rows, self.apart)
        )
        told = {"differences": differences, "pair_distances": apart, "refused": dict(self.refused)}
        return {"a": self.a, "b": self.b, **told}

    def lines(self) -> Iterator[str]:
        """Yield it as sentences."""
        for row in self.rows:
            yield sentence(row, of_dataset=self.of_datasets)
        for each in self.apart:
            yield pair_sentence(each, self.a, self.b, of_dataset=self.of_datasets)
        for metric, reason in self.refused.items():
            yield printable(f"{metric}: not compared: {reason}")


Both = tuple[
    tuple[ComparedModel, Identities, str], tuple[ComparedModel, Identities, str]
]  # each with its metric's name


def compare_labels(
    path: Address, a: str, b: str, *, metric: str | None = None, by: str = "model", other: Address | None = None
) -> Comparison:
    """Return the differences of two labels in every metric that both have, or in one.

    Args:
        path: The store.
        a: ``LABEL`` or ``RUN:LABEL``.
        b: The same.
        metric: Only this one; by the name of a set metric, also an alias such as ``kid``, all its values.
        by: The column whose values the labels are.
        other: The store of ``b``, if it is another.

    Raises:
        StoreError: If a store or a label is not there, or no number of the two is comparable.
        ConfigError: If ``by`` or ``metric`` is unknown, or both are the same.
    """
    if by not in compared_columns():
        raise ConfigError(f"--by: {describe_unknown('column', by, compared_columns())}")
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(path, read_only=True))
        second = store
        if other is not None and read_path(other).absolute() != read_path(path).absolute():
            second = stack.enter_context(Store.open(other, read_only=True))
        first, last = find_side(store, a, by), find_side(second, b, by)
        is_one_store = second is store or (
            other is not None and read_path(other).resolve() == read_path(path).resolve()
        )
        if is_one_store and (first.run_id, first.label) == (last.run_id, last.label):
            raise ConfigError(f"{path}: {a} and {b} are the same images of run {first.run_id}; name two to compare")
        return _compare(first, last, metric)


def find_side(store: Store, text: str, by: str) -> ComparedModel:
    """Return the run and the label that ``LABEL`` or ``RUN:LABEL`` stands for.

    Raises:
        StoreError: If no run of the store has it, or several have.
    """
    runs = store.query("SELECT run_id, name FROM runs ORDER BY run_id")
    if not runs:
        raise StoreError(f"{store.path}: the store holds no run; make one with: diptych evaluate run CONFIG")
    sql = f"SELECT DISTINCT run_id, {store.image_sql(by)} AS label FROM images WHERE label IS NOT NULL"
    labels: dict[str, set[str]] = {}
    for row in store.query(sql):
        labels.setdefault(value_text(row["label"]), set()).add(row["run_id"])
    run, colon, label = text.partition(":")
    wanted = {row["run_id"] for row in runs if run in (row["run_id"], row["name"])}
    if text in labels:
        found, label = labels[text], text
    elif colon and label in labels and wanted:
        found = labels[label] & wanted
    else:
        raise StoreError(f"{store.path}: {_another_column(store, text, by) or describe_unknown(by, text, labels)}")
    if len(found) != 1:
        names = ", ".join(row["name"] for row in runs if row["run_id"] in found) or f"none of that name has {label!r}"
        raise StoreError(f"{store.path}: {len(found)} runs have {by} {label!r} ({names}); write it as RUN:{label}")
    return ComparedModel(store, next(iter(found)), label, by)


def _another_column(store: Store, text: str, by: str) -> str | None:
    """Return the sentence for a label that is a value of another column, None if it is of none."""
    for name in compared_columns():
        sql = f"SELECT DISTINCT {store.image_sql(name)} AS label FROM images WHERE label IS NOT NULL"
        if text in {value_text(row["label"]) for row in store.query(sql)}:
            return f"{text!r} is a value of {name}, not of {by}; to compare by it add: --by {name}"
    return None


def _compare(a: ComparedModel, b: ComparedModel, only: str | None) -> Comparison:
    apart, of_datasets = stored_pair_distances(a, b), any(side.has_several_datasets for side in (a, b))
    if only is not None:
        apart = [row for row in apart if only in (row.metric, row.metric.rpartition(".")[2])]
        if apart:
            return Comparison(a.label, b.label, (), {}, of_datasets, apart)
    of_a, of_b = a.identities(), b.identities()
    names = {metric: _counterpart(metric, of_a, of_b) for metric in of_a}
    names |= {metric: metric for metric in of_b if metric not in names.values()}
    rows: list[DifferenceRow] = []
    refused = {}
    for metric in sorted(names) if only is None else _named(only, names, of_a, of_b):
        both = ((a, of_a, metric), (b, of_b, names[metric]))
        reason = _refusal(both)
        found = _found(both, is_refused=reason is not None)
        rows += found
        if not found:
            refused[metric] = reason or "the run did not compute the difference of these two"
    if not rows and not apart:
        why = "; ".join(f"{metric}: {reason}" for metric, reason in refused.items()) or "the runs hold no results"
        raise StoreError(f"{a.label} and {b.label} cannot be compared: {why}")
    # As in a run, each metric is a family of its own; here it has the comparison alone that was asked for.
    return Comparison(a.label, b.label, adjusted(rows), refused, of_datasets, apart)


def _found(both: Both, *, is_refused: bool) -> list[DifferenceRow]:
    """Return the differences of a metric, one a dataset: from its images, or of a distance those that the run has."""
    (a, of_a, metric), (b, *_) = both
    if not all("column" in identity for identity in of_a.get(metric, ())):
        return list(_stored(a, b, metric))
    return [] if is_refused else _rows(both, of_a[metric][0])


def _named(only: str, names: Iterable[str], *both: Identities) -> list[str]:
    """Return the metrics that a name stands for: one, or all values of the set metric of that name.

    Raises:
        ConfigError: If there is none, or several labels have one.
    """
    known, metric = sorted(names), metric_name(only)
    made = {one.get("metric") for has in both for found in has.values() for one in found}
    aliases = [alias for alias, name in ALIASES.items() if name in made]  # among the nearest names, to no other end
    if metric in SET_METRICS and all(only not in (name, name.rpartition(".")[2]) for name in known):
        of_it = {name for has in both for name, found in has.items() for one in found if one.get("metric") == metric}
        if of_it & {*known}:
            return sorted(of_it & {*known})
    return [find_name(only, known if metric in SET_METRICS else [*known, *aliases], what="metric", where="--metric: ")]


def _counterpart(metric: str, of_a: Identities, of_b: Identities) -> str:
    """Return what the other run calls a metric: the same, or what has its identity under another label."""
    same = [other for other, found in of_b.items() if found == of_a[metric] and other not in of_a]
    return metric if metric in of_b or len(same) != 1 else same[0]


def _refusal(both: Both) -> str | None:
    for side, has, metric in both:
        if metric not in has:
            return f"run {side.run_id} has no {metric} of {side.label}"
    first, *others = [identity for _, has, metric in both for identity in has[metric]]
    other = next((identity for identity in others if identity != first), None)
    return None if other is None else f"made in two ways: {first_difference(first, other)}"


def first_difference(left: Any, right: Any, where: str = "") -> str:
    """Return in words where two identities differ first.

    >>> first_difference({"score": {"version": 1, "weights": "ab"}}, {"score": {"version": 1, "weights": "cd"}})
    "score.weights is 'ab' in one and 'cd' in the other"
    """
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for name in sorted({*left, *right}):
            if left.get(name) != right.get(name):
                return first_difference(left.get(name), right.get(name), f"{where}.{name}" if where else name)
    shown = [f"{str(value)[:16]!r}" if isinstance(value, str) else str(value)[:40] for value in (left, right)]
    return f"{where} is {shown[0]} in one and {shown[1]} in the other"


def _rows(both: Both, identity: Mapping[str, Any]) -> list[DifferenceRow]:
    (a, _, metric), (b, *_) = both
    left, right = (side.numbers(name, identity) for side, _, name in both)
    columns = {name: [*left.columns[name], *right.columns[name]] for name in left.columns}
    columns[BENCHMARK] = prompt_sets((a, left), (b, right))
    columns[a.by] = ["a"] * len(left.values) + ["b"] * len(right.values)  # the labels may be equal in two runs
    facts = a.column(metric, identity)
    kind = metric_of_identity(identity, facts)
    numbers = kind.prepare(np.concatenate([left.values, right.values]))
    categories, wanted = ([*left.categories, *right.categories], [*left.wanted, *right.wanted])
    images = images_of(columns, categories, wanted, numbers, a.by)
    everything = np.ones(len(images.values), bool)
    directions = facts["better_for_data"], facts["better_for_models"]
    ready = MeasuredMean(metric, kind, identity, images.values, everything, *directions)
    maker = DifferenceMaker(a.run_id, ready, short_id(identity), protocol_of(identity))
    return [maker.row(a.label, b.label, pairs) for pairs in pairs_by_dataset(images, "a", "b", by=a.by)]


def _stored(a: ComparedModel, b: ComparedModel, metric: str) -> Iterator[DifferenceRow]:
    """Yield the differences of all images of a dataset that the run computed, turned round where they are b - a."""
    if (a.run_id, a.store.path) != (b.run_id, b.store.path):
        return
    sql = "SELECT * FROM differences WHERE run_id = ? AND metric = ? AND a = ? AND b = ? ORDER BY dataset"
    for names, is_turned in (((a.label, b.label), False), ((b.label, a.label), True)):
        for row in a.store.query(sql, [a.run_id, metric, *names]):
            if not row["groups"].keys() - set(HOW_COMPARED):
                found = DifferenceRow(**row)
                yield found.turned() if is_turned else found


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
