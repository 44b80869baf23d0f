"""Which models and settings are worth their seconds: the Pareto front of a score against the time of an image.

A point is a model with a setting. One is dominated by another that is as fast or faster and resolved to be better over
the images that both made of a prompt; it is on the front where all that are as fast are resolved to be worse. What is
between is said not to be resolved. Times are taken as they are noted, without an error.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np

from diptych.addresses import Address
from diptych.data.column_names import find_name
from diptych.data.timings import seconds_per_image
from diptych.errors import ConfigError, DiptychError, StoreError
from diptych.evaluate.chosen_run import chosen_run
from diptych.evaluate.comparisons.compared_images import value_text
from diptych.evaluate.comparisons.families import adjusted
from diptych.evaluate.comparisons.stored_differences import pairs_between, refusal
from diptych.evaluate.comparisons.stored_models import ComparedModel
from diptych.evaluate.terminal import text_table
from diptych.intervals import is_resolved
from diptych.store.store import DifferenceRow, Store

Place = Literal["front", "not resolved", "dominated", "no time"]
Key = tuple[str, str]  # model and setting


class FrontPoint(NamedTuple):
    """A model with a setting.

    Attributes:
        model: Label.
        setting: Label.
        value: The score, over its own images.
        seconds: Of an image; None where the datasets do not note it.
        place: Where it lies.
        by: The points that dominate it, or from which it is not resolved, model and setting of each.
    """

    model: str
    setting: str
    value: float | None
    seconds: float | None
    place: Place
    by: tuple[Key, ...]


@dataclass(frozen=True)
class ParetoFront:
    """The points of a run by one metric, the fastest first."""

    metric: str
    better: str
    points: Sequence[FrontPoint]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {**asdict(self), "points": [point._asdict() for point in self.points]}

    def lines(self) -> Iterator[str]:
        """Yield it as a table."""
        rows = [
            (
                f"{point.model}, {point.setting}",
                "-" if point.value is None else f"{point.value:.5g}",
                "-" if point.seconds is None else f"{point.seconds:.3g}",
                point.place + (f": {', '.join(map(' '.join, point.by))}" if point.by else ""),
            )
            for point in self.points
        ]
        yield from text_table(
            (self.metric, f"value, {self.better} is better", "seconds an image", "on the front"), rows
        )


def pareto_front(path: Address, *, metric: str, run: str | None = None) -> ParetoFront:
    """Return where the models and settings of a run lie.

    Args:
        path: The store.
        metric: A mean of a score of images.
        run: Name or id; None takes the only one.

    Raises:
        StoreError: If there is no such store or run, or nothing to be compared.
        ConfigError: If the metric is unknown, belongs to no image, or has no better side.
    """
    with Store.open(path, read_only=True) as store:
        run_id = chosen_run(store, run).run_id
        points = _points(store, run_id)
        if len(points) < 2:
            raise StoreError(f"{path}: one model with one setting alone has no front; evaluate more of them together")
        name, rows, values = _compared(points, metric)
        better = rows[0].better
        if better is None:
            raise ConfigError(f"--metric: neither way is better by {name}; name one with a better side")
        seconds = _seconds(store, run_id)
    placed = [_placed(key, values, seconds, rows) for key in points]
    known = sorted(placed, key=lambda point: (point.seconds is None, point.seconds or 0.0, point.model, point.setting))
    return ParetoFront(name, better, known)


def _points(store: Store, run_id: str) -> dict[Key, ComparedModel]:
    columns = ", ".join(f"{store.image_sql(name)} AS {name}" for name in ("model", "setting"))
    judged = "dataset IN (SELECT dataset FROM results WHERE run_id = ?)"  # and no reference
    sql = f"SELECT DISTINCT {columns} FROM images WHERE run_id = ? AND model IS NOT NULL AND {judged}"
    rows = store.query(sql, [run_id, run_id])
    keys = sorted((value_text(row["model"]), value_text(row["setting"])) for row in rows)
    return {key: ComparedModel(store, run_id, key[0], "model", setting=key[1]) for key in keys}


def _compared(
    points: Mapping[Key, ComparedModel], given: str
) -> tuple[str, list[DifferenceRow], dict[Key, float | None]]:
    """Return the full name of a metric, the differences of each two points by it, and its value for each."""
    known = {key: point.identities() for key, point in points.items()}
    metric = find_name(
        given, sorted({name for has in known.values() for name in has}), what="metric", where="--metric: "
    )
    rows = []
    for first, last in combinations(points, 2):
        both = ((points[first], known[first], metric), (points[last], known[last], metric))
        if why := refusal(both):
            raise StoreError(f"{metric}: {why}")
        identity = known[first][metric][0]
        if "column" not in identity:
            raise ConfigError(f"--metric: {metric} belongs to no image; name a mean of a score")
        maker, every = pairs_between(both, identity)
        if len(every) != 1:
            raise ConfigError(f"{metric}: {' '.join(first)} is in several datasets; evaluate each in a run of its own")
        rows.append(maker.row(repr(first), repr(last), every[0]))  # joined, two points may have one name
    return metric, adjusted(rows), {key: _value(point, metric, known[key][metric]) for key, point in points.items()}


def _value(point: ComparedModel, metric: str, identities: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the metric over the images of a point: their difference from 0."""
    side = (point, {metric: identities}, metric)
    maker, every = pairs_between((side, side), identities[0])
    row = maker.row("", "", every[0]._replace(b=np.zeros(len(every[0].a))))
    return None if row.value is None or not np.isfinite(row.value) else float(row.value)


def _seconds(store: Store, run_id: str) -> dict[Key, float]:
    """Return the seconds of an image of each point, as the datasets of a run note them."""
    found: dict[Key, float] = {}
    for row in store.query("SELECT path FROM datasets WHERE run_id = ? ORDER BY dataset", [run_id]):
        try:
            found |= seconds_per_image(row["path"])
        except (DiptychError, OSError):
            continue  # it lies elsewhere by now
    return found


def _placed(
    key: Key, values: Mapping[Key, float | None], seconds: Mapping[Key, float], rows: Sequence[DifferenceRow]
) -> FrontPoint:
    """Return a point with its place among all."""
    own, value = seconds.get(key), values[key]
    if own is None:
        return FrontPoint(*key, value, None, "no time", ())
    faster = [other for other in values if other != key and other in seconds and seconds[other] <= own]
    verdicts = {other: _verdict(key, other, rows) for other in faster}
    for place, wanted in (("dominated", "better"), ("not resolved", "not resolved")):
        by = tuple(other for other in faster if verdicts[other] == wanted)
        if by:
            return FrontPoint(*key, value, own, "dominated" if place == "dominated" else "not resolved", by)
    return FrontPoint(*key, value, own, "front", ())


def _verdict(own: Key, other: Key, rows: Sequence[DifferenceRow]) -> str:
    """Return whether another point is resolved to be better or worse than one."""
    (row,) = (row for row in rows if {row.a, row.b} == {repr(own), repr(other)})
    row = row if row.a == repr(other) else row.turned()
    if row.value is None or not is_resolved(row.ci_low, row.ci_high, row.p_adjusted):
        return "not resolved"
    return "better" if row.better == ("higher" if row.value > 0.0 else "lower") else "worse"
