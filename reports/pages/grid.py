"""Settings: two axes of the grid at a time, the same prompt and seed in every cell, each mean with its interval."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from diptych.reports.pages import PART, TITLE
from diptych.reports.pages.scores import typical_step
from diptych.reports.read.columns import grid_axes, label_of
from diptych.reports.read.numbers import interval, number, plain_name
from diptych.reports.read.order import RESULTS, metrics_of
from diptych.reports.read.report import Report
from diptych.reports.read.rows import as_text
from diptych.reports.wording import isolated, side_of

MAX_CELLS = 100
MAX_PROMPTS = 60
HEATS = 6
MAX_PROMPT = 70  # characters of a prompt that is chosen from a list

Cell = dict[str, Any]

COUNTS = "SELECT dataset, model, setting, count(*) AS n FROM images WHERE run_id = ? GROUP BY ALL"


def grid(report: Report) -> list[dict[str, Any]]:
    """Return a file for each dataset made with more than one setting; of several models only, where there is none."""
    found = _datasets(report)
    several = {label: groups for label, groups in found.items() if len({group["setting"] for group in groups}) > 1}
    shown = several or {label: groups for label, groups in found.items() if len(groups) > 1}
    title = "Settings" if several else "Models"
    return [{TITLE: title, **_part(report, label, groups)} for label, groups in shown.items()]


def _part(report: Report, dataset: str, groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    axes = choose_axes(groups)
    pairs = _shared_pairs(report, groups)
    results = _of_cells([row for row in report.query(RESULTS) if row["dataset"] == dataset], groups)
    metrics, cells = _cells(report, groups, pairs, results)
    *panels, down, across = axes if len(axes) > 1 else ["", *axes]
    return {
        "dataset": dataset,
        PART: dataset,
        "down": label_of(down) if down else "",
        "across": label_of(across),
        "panels": _panels(cells, panels, down, across),
        "metrics": metrics,
        "prompts": pairs,
        "more": max(0, len(groups) - MAX_CELLS),
    }


def _of_cells(results: Sequence[dict[str, Any]], groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the results that are of one model and setting each; where there is one model, those of a setting are.

    Those that say both come last, so that they go before others of the same cell.
    """
    values = {axis: {group[axis] for group in groups} for axis in ("model", "setting")}
    only = {axis: next(iter(found)) for axis, found in values.items() if len(found) == 1}
    of_cells = [
        {**row, "groups": {**only, **row["groups"]}}
        for row in sorted(results, key=lambda row: len(row["groups"]))
        if row["groups"] and set(row["groups"]) <= set(values)
    ]
    return [row for row in of_cells if set(row["groups"]) == set(values)]


def _datasets(report: Report) -> dict[str, list[dict[str, Any]]]:
    """Return by dataset the combinations of model and setting in the order in which they come, with their rows."""
    columns = report.rows.columns
    found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for row, model in enumerate(columns["model"]):
        if model is not None:
            dataset, key = columns["dataset"][row], (model, columns["setting"][row])
            fresh = {axis: columns[axis][row] for axis in _told_by()} | {"dataset": dataset, "rows": []}
            found.setdefault(dataset, {}).setdefault(key, fresh)["rows"].append(row)
    return {dataset: list(groups.values()) for dataset, groups in found.items()}


def _told_by() -> tuple[str, ...]:
    """Return the columns that tell cells apart."""
    return (*grid_axes(), "setting")


def choose_axes(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the axes that vary, the last two of which make the table; each cell is exactly one group.

    What the columns of the data do not tell apart (two settings that differ in their negative prompt, say) is told
    apart by the setting's label.
    """
    varying = [axis for axis in grid_axes() if len({as_text(group[axis]) for group in groups}) > 1]
    cells = {tuple(as_text(group[axis]) for axis in varying) for group in groups}
    if len(cells) == len(groups):
        return varying
    return [axis for axis in ("model", "setting") if len({as_text(group[axis]) for group in groups}) > 1]


def _shared_pairs(report: Report, groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return prompts and seeds of which every cell has a picture; if there is none, those that most cells have."""
    counts: dict[int, int] = {}
    first: dict[int, int] = {}
    for group in groups:
        for pair in dict.fromkeys(report.pairs[row] for row in group["rows"]):
            counts[pair] = counts.get(pair, 0) + 1
    for row, pair in enumerate(report.pairs):
        first.setdefault(pair, row)
    counts.pop(-1, None)
    most = max(counts.values(), default=0)
    chosen = [pair for pair in sorted(counts) if counts[pair] == most][:MAX_PROMPTS]
    columns = report.rows.columns
    return [
        {"pair": pair, "text": _prompt(report.shot(first[pair]).text), "sample": columns["sample"][first[pair]]}
        for pair in chosen
    ]


def _prompt(text: str) -> str:
    return isolated(text if len(text) <= MAX_PROMPT else text[: MAX_PROMPT - 1] + "\N{HORIZONTAL ELLIPSIS}")


def _cells(
    report: Report,
    groups: Sequence[dict[str, Any]],
    pairs: Sequence[dict[str, Any]],
    results: Sequence[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[Cell]]:
    """Return the metrics that the store has per model and setting, and a cell for each group."""
    names = metrics_of(results)
    metrics = []
    for number_, name in enumerate(names):
        first = next(row for row in results if row["metric"] == name)
        metrics.append({"name": name, "title": plain_name(name), "better": side_of(first["better"]), "id": number_})
    found = {(row["metric"], row["groups"]["model"], row["groups"]["setting"]): row for row in results}
    own = {name: [row for row in results if row["metric"] == name] for name in names}
    ranges = {name: _range([row["value"] for row in rows]) for name, rows in own.items()}
    steps = {name: typical_step(rows) for name, rows in own.items()}
    counts = {(row["dataset"], row["model"], row["setting"]): row["n"] for row in report.query(COUNTS)}
    wanted = pairs[0]["pair"] if pairs else -1
    cells = []
    for group in groups[:MAX_CELLS]:
        row = next((row for row in group["rows"] if report.pairs[row] == wanted), group["rows"][0])
        values = [
            _value(found.get((name, group["model"], group["setting"])), ranges[name], steps[name]) for name in names
        ]
        cells.append(
            {
                **{axis: as_text(group[axis]) for axis in _told_by()},
                "shot": report.shot(row),
                "values": values,
                "n": counts[group["dataset"], group["model"], group["setting"]],
                "href": report.link(group["dataset"], {"model": group["model"], "setting": group["setting"]}),
            }
        )
    return metrics, cells


def _range(values: Sequence[float | None]) -> tuple[float, float]:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 0.0)


def _value(row: Mapping[str, Any] | None, span: tuple[float, float], step: float | None) -> dict[str, Any] | None:
    if row is None or row["value"] is None:
        return None
    part = (row["value"] - span[0]) / (span[1] - span[0]) if span[1] > span[0] else 0.5
    if row["better"] == "lower":
        part = 1 - part
    return {
        "value": number(row["value"], step=step),
        "interval": interval(row["ci_low"], row["ci_high"], step=step),
        "n": row["n"],
        "caution": row["caution"] or "",
        "heat": None if row["better"] is None else min(HEATS - 1, int(part * HEATS)),
    }


def _panels(cells: Sequence[Cell], panels: Sequence[str], down: str, across: str) -> list[dict[str, Any]]:
    def values(axis: str) -> list[str]:
        return sorted(dict.fromkeys(cell[axis] for cell in cells), key=_as_number) if axis else [""]

    found = []
    for combination in product(*(values(axis) for axis in panels)):
        own = [cell for cell in cells if tuple(cell[axis] for axis in panels) == combination]
        if not own:
            continue
        table = [
            {
                "label": label,
                "cells": [
                    next((cell for cell in own if (not down or cell[down] == label) and cell[across] == top), None)
                    for top in values(across)
                ],
            }
            for label in values(down)
        ]
        found.append({"title": ", ".join(map(isolated, combination)), "columns": values(across), "rows": table})
    return found


def _as_number(text: str) -> tuple[float, int]:
    """Sort numbers by size and leave words in the order in which they came."""
    try:
        return (float(text), 0)
    except ValueError:
        return (0.0, 0)
