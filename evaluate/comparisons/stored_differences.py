"""The differences of two sides of a store in one metric: from their images, or of a distance as the run has them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from diptych.config.identity import short_id
from diptych.data.column_names import find_name
from diptych.data.generated_columns import BENCHMARK
from diptych.evaluate.comparisons.compared_images import images_of
from diptych.evaluate.comparisons.means import DifferenceMaker
from diptych.evaluate.comparisons.pairs import ImagePairs, pairs_by_dataset
from diptych.evaluate.comparisons.stored_models import ComparedModel, prompt_sets, protocol_of
from diptych.evaluate.metrics.contract import ALIASES, SET_METRICS, metric_name
from diptych.evaluate.metrics.means import MeasuredMean
from diptych.evaluate.score_names import metric_of_identity
from diptych.store.rows import HOW_COMPARED
from diptych.store.store import DifferenceRow

Identities = Mapping[str, Sequence[Mapping[str, Any]]]  # of each metric
Both = tuple[
    tuple[ComparedModel, Identities, str], tuple[ComparedModel, Identities, str]
]  # each with its metric's name


def differences_between(both: Both, *, is_refused: bool) -> list[DifferenceRow]:
    """Return the differences of a metric, one a dataset: from its images, or of a distance those that the run has."""
    (a, of_a, metric), (b, *_) = both
    if not all("column" in identity for identity in of_a.get(metric, ())):
        return list(_stored(a, b, metric))
    return [] if is_refused else _rows(both, of_a[metric][0])


def metrics_named(only: str, names: Iterable[str], *both: Identities) -> list[str]:
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


def counterpart(metric: str, of_a: Identities, of_b: Identities) -> str:
    """Return what the other run calls a metric: the same, or what has its identity under another label."""
    same = [other for other, found in of_b.items() if found == of_a[metric] and other not in of_a]
    return metric if metric in of_b or len(same) != 1 else same[0]


def refusal(both: Both) -> str | None:
    """Return why a metric of two sides is not compared: one has none, or they were made in two ways."""
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
    (a, *_), (b, *_) = both
    maker, every = pairs_between(both, identity)
    return [maker.row(a.label, b.label, pairs) for pairs in every]


def pairs_between(both: Both, identity: Mapping[str, Any]) -> tuple[DifferenceMaker, list[ImagePairs]]:
    """Return the pairs of images of two sides with the numbers of a metric, apart by dataset, and what makes rows."""
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
    return maker, pairs_by_dataset(images, "a", "b", by=a.by)


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
