"""``diptych evaluate compare``: two models of a store, or of two, over the images that both made for a prompt.

Computed from the scores of the images as a run computes it; distances, which belong to no image, are those that the
run computed. Numbers of different identity are not compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.config.identity import short_id
from diptych.data.checks import NOT_ASKED
from diptych.data.column_names import find_name, full_name
from diptych.data.generated_columns import CATEGORY, compared_columns
from diptych.data.sql import quoted
from diptych.errors import ConfigError, StoreError
from diptych.evaluate.comparisons.means import DifferenceMaker, adjusted
from diptych.evaluate.comparisons.pairs import images_of, needed_columns, pair, value_text
from diptych.evaluate.metrics.means import MeasuredMean
from diptych.evaluate.score_names import metric_of
from diptych.evaluate.terminal import p_value_text, printable
from diptych.intervals import is_resolved
from diptych.lookup import describe_unknown
from diptych.store.rows import EQUAL_N, HOW_COMPARED, LEFT_OUT_A, LEFT_OUT_B, SETTING_A, SETTING_B
from diptych.store.store import DifferenceRow, Store

Columns = dict[str, list[str]]


Identities = Mapping[str, Sequence[Mapping[str, Any]]]  # of each metric


@dataclass(frozen=True)
class Comparison:
    """What ``compare_labels`` found.

    Attributes:
        a: Label.
        b: Label.
        rows: One difference per metric, value = a - b.
        refused: Metric -> why it is not compared.
    """

    a: str
    b: str
    rows: Sequence[DifferenceRow]
    refused: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; what is not known is null."""
        rows = [{name: _known(value) for name, value in asdict(row).items()} for row in self.rows]
        return {"a": self.a, "b": self.b, "differences": rows, "refused": dict(self.refused)}

    def lines(self) -> Iterator[str]:
        """Yield it as sentences."""
        for row in self.rows:
            yield sentence(row)
        for metric, reason in self.refused.items():
            yield printable(f"{metric}: not compared: {reason}")


class StoredNumbers(NamedTuple):
    """Images of a store: the text of the columns that decide pairs, their categories, and their numbers."""

    columns: Columns
    categories: list[Any]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class ComparedModel:
    """One of the two: a run of a store and a label in it."""

    store: Store
    run_id: str
    label: str
    by: str

    def identities(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return metric -> its identities, for everything that the run has results of about the label."""
        sql = (
            "SELECT DISTINCT metric, groups, identity FROM results JOIN identities USING (identity_id) "
            "WHERE run_id = ? ORDER BY metric, identity"
        )
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.store.query(sql, [self.run_id]):
            known = found.setdefault(row["metric"], [])
            if value_text(row["groups"].get(self.by, self.label)) == self.label and row["identity"] not in known:
                known.append(row["identity"])
        return {metric: identities for metric, identities in found.items() if identities}

    def numbers(self, metric: str, identity: Mapping[str, Any]) -> StoredNumbers:
        """Return the label's images for a metric: the text of the columns that decide the pairs, and the numbers.

        Images of datasets that the run scored but did not take the mean of are left out, as they are there.
        """
        names = (*needed_columns(self.by), "dataset", CATEGORY)
        columns = ", ".join(f"{self.store.image_sql(name)} AS {quoted(name)}" for name in names)
        sql = (
            f"SELECT {columns}, value, reason FROM scores "
            f"JOIN images USING (run_id, dataset, key) WHERE run_id = ? AND score = ? AND images.dataset IN "
            f"(SELECT dataset FROM results WHERE run_id = ? AND metric = ?) ORDER BY images.dataset, key"
        )
        rows = [
            row
            for row in self.store.query(sql, [self.run_id, self.column(metric, identity)["score"], self.run_id, metric])
            if value_text(row[self.by]) == self.label and row["reason"] != NOT_ASKED
        ]
        values = np.array([np.nan if row["value"] is None else row["value"] for row in rows], np.float64)
        columns_found = {name: [value_text(row[name]) for row in rows] for name in names if name != CATEGORY}
        return StoredNumbers(columns_found, [row[CATEGORY] for row in rows], values)

    def column(self, metric: str, identity: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the store says of the score column that a metric is a mean of: name, unit, range, directions."""
        name = full_name(metric.rpartition(".")[0], identity["column"])
        (row,) = self.store.query("SELECT * FROM score_columns WHERE run_id = ? AND score = ?", [self.run_id, name])
        return row


Both = tuple[
    tuple[ComparedModel, Identities, str], tuple[ComparedModel, Identities, str]
]  # each with its metric's name


def compare_labels(
    path: Path, a: str, b: str, *, metric: str | None = None, by: str = "model", other: Path | None = None
) -> Comparison:
    """Return the differences of two labels in every metric that both have, or in one.

    Args:
        path: The store.
        a: ``LABEL`` or ``RUN:LABEL``.
        b: The same.
        metric: Only this one.
        by: The column whose values the labels are.
        other: The store of ``b``, if it is another.

    Raises:
        StoreError: If a store or a label is not there, or no number of the two is comparable.
        ConfigError: If ``by`` or ``metric`` is unknown.
    """
    if by not in compared_columns():
        raise ConfigError(f"--by: {describe_unknown('column', by, compared_columns())}")
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(path, read_only=True))
        second = store
        if other is not None and other.absolute() != path.absolute():
            second = stack.enter_context(Store.open(other, read_only=True))
        return _compare(find_side(store, a, by), find_side(second, b, by), metric)


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
        raise StoreError(f"{store.path}: {describe_unknown(by, text, labels)}")
    if len(found) != 1:
        names = ", ".join(row["name"] for row in runs if row["run_id"] in found) or f"none of that name has {label!r}"
        raise StoreError(f"{store.path}: {len(found)} runs have {by} {label!r} ({names}); write it as RUN:{label}")
    return ComparedModel(store, next(iter(found)), label, by)


def _compare(a: ComparedModel, b: ComparedModel, only: str | None) -> Comparison:
    of_a, of_b = a.identities(), b.identities()
    names = {metric: _counterpart(metric, of_a, of_b) for metric in of_a}
    names |= {metric: metric for metric in of_b if metric not in names.values()}
    if only is not None:
        only = find_name(only, names, what="metric", where="--metric: ")
    rows, refused = [], {}
    for metric in sorted(names) if only is None else [only]:
        both = ((a, of_a, metric), (b, of_b, names[metric]))
        reason, row = _refusal(both), None
        if reason is None:
            (identity,) = of_a[metric]
            row = _row(both, identity) if "column" in identity else _stored(a, b, metric)
        if row is not None:
            rows.append(row)
        else:
            refused[metric] = reason or "the run did not compute the difference of these two"
    if not rows:
        why = "; ".join(f"{metric}: {reason}" for metric, reason in refused.items()) or "the runs hold no results"
        raise StoreError(f"{a.label} and {b.label} cannot be compared: {why}")
    # As in a run, each metric is a family of its own; here it has the one comparison that was asked for.
    return Comparison(a.label, b.label, [row for one in rows for row in adjusted([one])], refused)


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


def _row(both: Both, identity: Mapping[str, Any]) -> DifferenceRow:
    (a, _, metric), (b, *_) = both
    left, right = (side.numbers(name, identity) for side, _, name in both)
    columns = {name: [*left.columns[name], *right.columns[name]] for name in left.columns}
    columns[a.by] = ["a"] * len(left.values) + ["b"] * len(right.values)  # the labels may be equal in two runs
    facts = a.column(metric, identity)
    kind = metric_of(identity["column"], facts)
    numbers = kind.prepare(np.concatenate([left.values, right.values]))
    images = images_of(columns, [*left.categories, *right.categories], numbers, a.by)
    everything = np.ones(len(images.values), bool)
    directions = facts["better_for_data"], facts["better_for_models"]
    ready = MeasuredMean(metric, kind, identity, images.values, everything, *directions)
    return DifferenceMaker(a.run_id, ready, short_id(identity)).row(a.label, b.label, pair(images, "a", "b", by=a.by))


def _stored(a: ComparedModel, b: ComparedModel, metric: str) -> DifferenceRow | None:
    """Return the difference of all images that the run computed, turned round where it is b - a."""
    if (a.run_id, a.store.path) != (b.run_id, b.store.path):
        return None
    sql = "SELECT * FROM differences WHERE run_id = ? AND metric = ? AND a = ? AND b = ?"
    for names, is_turned in (((a.label, b.label), False), ((b.label, a.label), True)):
        for row in a.store.query(sql, [a.run_id, metric, *names]):
            if row["groups"].keys() - set(HOW_COMPARED):
                continue
            found = DifferenceRow(**row)
            return found.turned() if is_turned else found
    return None


def sentence(row: DifferenceRow) -> str:
    """Return a difference as a sentence; its verdict is that of ``is_resolved``, as in a report."""
    a, b, metric = printable(row.a), printable(row.b), printable(row.metric)
    if row.value is None or not np.isfinite(row.value):
        return f"{metric}: {a} and {b} cannot be compared: {row.reason}"
    of = f"{row.n:,} pairs of {row.n_clusters:,} prompts"
    if row.ci_low is None or row.ci_high is None or not np.isfinite(row.ci_low):
        return f"{metric}: {a} - {b} = {row.value:+.5g}, without an interval ({row.reason}; {of}{_how_compared(row)})."
    numbers = f"{row.value:+.5g}, 95 % interval {row.ci_low:+.5g} to {row.ci_high:+.5g}, {of}"
    numbers += f", p {p_value_text(row.p_adjusted)}{_how_compared(row)}"
    if not is_resolved(row.ci_low, row.ci_high, row.p_adjusted):
        return f"{metric}: {a} and {b} cannot be told apart by these images ({numbers})."
    direction = "higher" if row.value > 0 else "lower"
    verdict = "better" if row.better == direction else "worse"
    return f"{metric}: {a} is {direction if row.better is None else verdict} than {b} ({numbers})."


def _how_compared(row: DifferenceRow) -> str:
    """Return that the sides had two settings, or that images were left out or drawn, where that is so."""
    of_a, of_b = row.groups.get(SETTING_A), row.groups.get(SETTING_B)
    told = "" if of_a is None else f", with the setting {of_a} against {of_b}"
    left_out = [(row.groups.get(name), label) for name, label in ((LEFT_OUT_A, row.a), (LEFT_OUT_B, row.b))]
    if any(n for n, _ in left_out):
        parts = " and ".join(f"{n:,} of {label}" for n, label in left_out if n)
        told += f", over the images that both have, {parts} left out"
    if EQUAL_N in row.groups:
        told += f", at {row.groups[EQUAL_N]:,} images of each, drawn"
    return printable(told)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
