"""The numbers of a run that a gate looks at, and the run whose they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.data.column_names import find_name
from diptych.errors import StoreError
from diptych.evaluate.chosen_run import ChosenRun, chosen_run, known_runs
from diptych.evaluate.comparisons.compared_images import value_text
from diptych.evaluate.metrics.contract import metric_name
from diptych.lookup import describe_unknown
from diptych.store.agreements import BOTH
from diptych.store.rows import NOISE_FLOOR, SIDE
from diptych.store.store import Store

Row = Mapping[str, Any]
MODEL = "model"


@dataclass(frozen=True)
class GatedRun:
    """A run of a store, or what it has of one model.

    Attributes:
        store: The store.
        run_id: Of the run.
        name: Of the run.
        label: The model; None takes all of the run.
        rows: The results about images, with their identities.
        alone: Datasets that have no other model, so that a number of all their images is one of the model.
    """

    store: Store
    run_id: str
    name: str
    label: str | None
    rows: Sequence[Row]
    alone: frozenset[str] = frozenset()

    @property
    def said(self) -> str:
        """What it is called: the run, with the model if it is of one."""
        return self.name if self.label is None else f"{self.name}:{self.label}"

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics."""
        return list(dict.fromkeys(row["metric"] for row in self.rows))

    def named(self, given: str) -> list[str]:
        """Return the metrics that a name stands for: one, or all values of the set metric of that name.

        Raises:
            ConfigError: If it is none, or several labels have it.
        """
        of_set = [row["metric"] for row in self.rows if row["identity"].get("metric") == metric_name(given)]
        is_own = any(given in (name, name.rpartition(".")[2]) for name in self.metrics)
        if of_set and not is_own:
            return list(dict.fromkeys(of_set))
        return [find_name(given, self.metrics, what="metric")]

    def whole(self, metric: str) -> list[Row]:
        """Return the numbers of a metric, of each dataset those that are cut by the fewest columns beside the model."""
        own = [row for row in self.rows if row["metric"] == metric and self.is_about(row)]
        by_dataset: dict[str, list[Row]] = {}
        for row in own:
            by_dataset.setdefault(row["dataset"], []).append(row)
        return [row for rows in by_dataset.values() for row in _least_cut(rows)]

    def is_about(self, row: Row) -> bool:
        """Return whether a number is about the model, where there is one."""
        if self.label is None:
            return True
        if MODEL in row["groups"]:
            return value_text(row["groups"][MODEL]) == self.label
        return row["dataset"] in self.alone

    def with_interval(self, row: Row) -> list[str]:
        """Return what the same set metric has of the same images with an interval, such as the corrected distance."""
        kind = row["identity"].get("metric")
        return [
            each["metric"]
            for each in self.rows
            if kind is not None
            and each["identity"].get("metric") == kind
            and each["ci_low"] is not None
            and (each["dataset"], each["groups"]) == (row["dataset"], row["groups"])
        ]


def _least_cut(rows: Sequence[Row]) -> list[Row]:
    cuts = [len(row["groups"].keys() - {MODEL}) for row in rows]
    least = [row for row, cut in zip(rows, cuts, strict=True) if cut == min(cuts)]
    return [row for row in least if MODEL in row["groups"]] or least


def find_gated(store: Store, given: str | None) -> GatedRun:
    """Return what ``RUN``, ``MODEL`` or ``RUN:MODEL`` stands for; nothing is the only run.

    Raises:
        StoreError: If there is none, or several.
    """
    runs = known_runs(store)
    if given is None or any(given in run for run in runs):
        return _run(store, chosen_run(store, given), None)
    run, colon, label = given.partition(":")
    wanted = [each for each in runs if not colon or run in each]
    label = label if colon else given
    sql = f"SELECT DISTINCT run_id, {store.image_sql(MODEL)} AS label FROM images WHERE label IS NOT NULL"
    known = {(row["run_id"], value_text(row["label"])) for row in store.query(sql)}
    found = [each for each in wanted if (each.run_id, label) in known]
    if len(found) > 1:
        runs_said = ", ".join(each.name for each in found)
        raise StoreError(f"{store.path}: {len(found)} runs have model {label!r} ({runs_said}); write it as RUN:{label}")
    if not found:
        names = [*(each.name for each in runs), *{model for _, model in known}]
        raise StoreError(f"{store.path}: {describe_unknown('run or model', given, names)}")
    return _run(store, found[0], label)


def _run(store: Store, run: ChosenRun, label: str | None) -> GatedRun:
    sql = (
        "SELECT results.*, identity FROM results JOIN identities USING (identity_id) WHERE run_id = ? "
        "ORDER BY place, metric, dataset, CAST(groups AS VARCHAR)"
    )
    rows = store.query(sql, [run.run_id])
    about = [row for row in rows if not row["groups"].keys() & {SIDE, NOISE_FLOOR} and BOTH not in row["identity"]]
    models = f"SELECT dataset, {store.image_sql(MODEL)} AS label FROM images WHERE run_id = ? GROUP BY ALL"
    known: dict[str, set[str]] = {}
    for row in store.query(models, [run.run_id]):
        known.setdefault(row["dataset"], set()).add(value_text(row["label"]))
    alone = frozenset(dataset for dataset, labels in known.items() if labels == {label})
    return GatedRun(store, run.run_id, run.name, label, about, alone)
