"""Funnel: how many rows each rule takes, and the pictures on either side of the line that it draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.reports.charts import histogram
from diptych.reports.links import MISSING, Filter, Range, gallery
from diptych.reports.pages import DATA, PART, file_name, span_name
from diptych.reports.pages.scores import pack
from diptych.reports.read.moved_lines import MovedLine, moved_line
from diptych.reports.read.numbers import exact, plain_name, short
from diptych.reports.read.pool import ONE_OF_EACH, Pool
from diptych.reports.read.report import Report, Shot
from diptych.reports.read.rows import Floats
from diptych.reports.read.thresholds import Threshold

BESIDE_THE_LINE = 12
LOST_SHOWN = 12
LINES_PER_FILE = 7  # a rule counts as one and each of its lines as one more
COPIES_SHOWN = 5
CLUSTERS = 4
SIGNS = {">": ">", ">=": "\N{GREATER-THAN OR EQUAL TO}", "<": "<", "<=": "\N{LESS-THAN OR EQUAL TO}"}


class Edges(NamedTuple):
    """The rows on either side of a threshold, nearest first: row numbers of the pool and their values."""

    rejected: list[int]
    kept: list[int]
    values: npt.NDArray[np.float64]


def edges(pool: Pool, rule: int, threshold: Threshold, count: int = BESIDE_THE_LINE) -> Edges:
    """Return the rows that a rule rejects by the smallest margin, and those kept at the end that lie nearest to it.

    Args:
        pool: The pool.
        rule: Number of the step in the funnel.
        threshold: One of the rule's.
        count: Rows on each side.
    """
    values = threshold.as_compared(pool.values(threshold.expression))
    keep, failed = pool.decided
    is_known = ~np.isnan(values)
    fails = is_known & ~threshold.keeps(values)
    away = np.abs(values - threshold.line)
    return Edges(_nearest(away, (failed == rule) & fails, count), _nearest(away, keep & is_known, count), values)


def rows_shown(pool: Pool) -> list[int]:
    """Return all row numbers of a pool that this page shows: those next to a line, and copies of one picture."""
    found = [row for rows in largest_clusters(pool) for row in rows[:COPIES_SHOWN]]
    for number, step in enumerate(pool.steps):
        for threshold in pool.thresholds.get(step["rule"], []):
            beside = edges(pool, number, threshold)
            found += [*beside.rejected, *beside.kept]
    return sorted(set(found))


def largest_clusters(pool: Pool) -> list[list[int]]:
    """Return the row numbers of the largest groups of copies, in each the row first that the others are copies of."""
    stands_for = pool.stands_for
    counts = np.bincount(stands_for)
    firsts = np.flatnonzero(counts > 1)
    order = np.lexsort((firsts, -counts[firsts]))[:CLUSTERS]
    chosen = [(first, np.flatnonzero(stands_for == first)) for first in firsts[order]]
    return [[int(first), *(int(row) for row in rows if row != first)] for first, rows in chosen]


def funnel(report: Report) -> list[dict[str, Any]]:
    """Return for each pool a file with its steps and first rules, and further ones for the others."""
    return [part for pool in report.pools for part in _parts(_Shown(report, pool))]


def first_file(report: Report, number: int) -> str:
    """Return the file that begins the funnel of pool ``number``."""
    before = sum(len(_runs(pool)) for pool in report.pools[:number])
    return file_name("funnel", before)


def _runs(pool: Pool) -> list[list[int]]:
    """Return the numbers of the steps that are shown, as they are cut into files; at least one file."""
    shown = [number for number, step in enumerate(pool.steps) if _is_shown(step)]
    sizes = [len(pool.thresholds.get(pool.steps[number]["rule"], [])) + 1 for number in shown]
    return pack(shown, sizes, LINES_PER_FILE) or [[]]


@dataclass(frozen=True)
class _Shown:
    """A pool in its report."""

    report: Report
    pool: Pool

    @property
    def label(self) -> str:
        return self.pool.label

    @cached_property
    def places(self) -> dict[int, int]:
        """Row number of the pool -> row of the report."""
        starts, start = {}, 0
        for shard in self.pool.dataset.shards:
            starts[shard.name] = start
            start += shard.rows
        columns = self.report.rows.columns
        return {
            starts[columns["shard"][row]] + columns["shard_row"][row]: row
            for row, dataset in enumerate(columns["dataset"])
            if dataset == self.label
        }

    def shots(self, positions: Sequence[int], values: npt.NDArray[np.float64]) -> list[Shot]:
        """Return the pictures of some rows of the pool with their values."""
        rows = {self.places[position]: float(values[position]) for position in positions if position in self.places}
        return self.report.shots(rows, {row: short(float(f"{value:.3g}")) for row, value in rows.items()})


def _parts(shown: _Shown) -> list[dict[str, Any]]:
    pool, report = shown.pool, shown.report
    total = pool.dataset.rows
    start = sum(len(_runs(other)) for other in report.pools[: report.pools.index(pool)])
    runs = _runs(pool)
    places = {number: file_name("funnel", start + part) for part, run in enumerate(runs) for number in run}
    common = {
        "pool": pool.label,
        "total": total,
        "kept": pool.select.manifest["kept"],
        "kept_href": gallery({"dataset": pool.label, "decision": "kept"}),
        "all_href": gallery({"dataset": pool.label}),
    }
    steps = [_step(pool, number, step, places.get(number, "")) for number, step in enumerate(pool.steps)]
    found = []
    for part, run in enumerate(runs):
        rules = [_rule(shown, number) for number in run]
        found.append(
            {
                **common,
                "steps": steps if part == 0 else [],
                "statuses": _statuses(pool) if part == 0 else [],
                "rules": rules,
                PART: _part_name(report, pool, [rule["title"] for rule in rules]),
                "clusters": _clusters(shown) if part == len(runs) - 1 else [],
                DATA: {line["file"]: line["data"] for rule in rules for line in rule["lines"]},
            }
        )
    return found


def _part_name(report: Report, pool: Pool, titles: Sequence[str]) -> str:
    """Return what a file is about: the rules in it, and of which pool where there are several."""
    own = [pool.label] if len(report.pools) > 1 or not titles else []
    return ": ".join([*own, *([span_name(titles)] if titles else [])])


def _step(pool: Pool, number: int, step: dict[str, Any], file: str) -> dict[str, Any]:
    total = pool.dataset.rows
    lost = step["rows_in"] - step["rows_out"]
    return {
        **step,
        "title": plain_name(step["rule"]),
        "lost": lost,
        "kept_percent": round(100 * step["rows_out"] / total, 3) if total else 0,
        "lost_percent": round(100 * lost / total, 3) if total else 0,
        "href": gallery({"dataset": pool.label, "decision": step["rule"]}),
        "anchor": f"{file}#rule-{number}" if file else "",
    }


def _is_shown(step: dict[str, Any]) -> bool:
    return step["rule"] not in {"readable", "heic", ONE_OF_EACH} and step["rows_in"] > step["rows_out"]


def _statuses(pool: Pool) -> list[dict[str, Any]]:
    found = pool.query("data.status AS status, count(*) AS n", "GROUP BY 1 ORDER BY n DESC, status").to_pylist()
    return [
        {**row, "href": gallery({"dataset": pool.label, "status": row["status"]})}
        for row in found
        if row["status"] != "ok"
    ]


def _rule(shown: _Shown, number: int) -> dict[str, Any]:
    """Return what the page says of a rule; each of its lines has a data file to count with."""
    step, report = shown.pool.steps[number], shown.report
    thresholds = shown.pool.thresholds.get(step["rule"], [])
    return {
        "title": plain_name(step["rule"]),
        "anchor": f"rule-{number}",
        "where": step["where"],
        "lost": step["rows_in"] - step["rows_out"],
        "only": step["lost_only_here"],
        "href": gallery({"dataset": shown.label, "decision": step["rule"]}),
        "lines": [
            {**_line(shown, number, threshold), "file": f"line-{report.pools.index(shown.pool)}-{number}-{place}"}
            for place, threshold in enumerate(thresholds)
        ],
        "examples": [] if thresholds else _examples(shown, step["rule"]),
    }


def _line(shown: _Shown, number: int, threshold: Threshold) -> dict[str, Any]:
    pool = shown.pool
    beside = edges(pool, number, threshold)
    keep, _ = pool.decided
    name = shown.report.column_named(threshold.name, shown.pool)
    values: Floats = beside.values.astype(np.float32) if threshold.is_single else beside.values
    groups = {"kept": np.where(keep, values, np.nan), "lost": np.where(keep, np.nan, values)}
    chart = histogram(groups, [threshold.line], stacked=True)
    moved = moved_line(pool, number, threshold, chart.low, chart.high)
    return {
        "name": name,
        "title": plain_name(name) if threshold.column else name,
        "operator": SIGNS[threshold.operator],
        "value_text": exact(threshold.value),
        "keeps_above": threshold.keeps_above,
        "chart": chart,
        "data": _data(pool, number, threshold, moved),
        "alone": moved.alone.kept(threshold, moved.own),
        "links": [[_bar_link(pool, name, bin_.range, which) for bin_ in chart.bins] for which in ("kept", "lost")],
        "rejected": shown.shots(beside.rejected, beside.values),
        "kept": shown.shots(beside.kept, beside.values),
        "unknown": int(np.isnan(beside.values).sum()),
        "unknown_href": gallery({"dataset": pool.label, name: MISSING}),
    }


def _data(pool: Pool, number: int, threshold: Threshold, moved: MovedLine) -> dict[str, Any]:
    """Return what the slider of a line counts with."""
    return {
        **moved._asdict(),
        "alone": moved.alone._asdict(),
        "final": moved.final._asdict() if moved.final else None,
        "operator": threshold.operator,
        "value": threshold.value,
        "is_single": threshold.is_single,
        "is_raised": threshold.is_raised,
        "rule": {"name": pool.steps[number]["rule"], "around": threshold.around},
    }


def _bar_link(pool: Pool, name: str, wanted: Range, which: str) -> str:
    decisions = ["kept"] if which == "kept" else [step["rule"] for step in pool.steps]
    filters: dict[str, Filter] = {"dataset": pool.label, "decision": decisions, name: wanted}
    return gallery(filters, sort=name)


def _nearest(away: npt.NDArray[np.float64], candidates: npt.NDArray[np.bool_], count: int) -> list[int]:
    rows = np.flatnonzero(candidates)
    order = np.lexsort((rows, away[rows]))
    return [int(row) for row in rows[order][:count]]


def _examples(shown: _Shown, rule: str) -> list[Shot]:
    report = shown.report
    rows = [row for row in report.rows.where(dataset=shown.label, decision=rule) if report.pictures[row].thumbnail]
    return report.shots(rows[:LOST_SHOWN])


def _clusters(shown: _Shown) -> list[dict[str, Any]]:
    """Return the largest groups of copies, the picture that stands for each first."""
    report, decisions = shown.report, shown.report.rows.columns["decision"]
    found = []
    for positions in largest_clusters(shown.pool):
        rows = [shown.places[position] for position in positions[:COPIES_SHOWN]]
        notes = {row: decisions[row].replace("_", " ") for row in rows}
        found.append({"size": len(positions), "shots": report.shots(rows, notes)})
    return found
