"""Judges: how far two of them, or one and people, say the same of the same images, and where they split."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diptych.reports.charts import Scale, estimate, scale_of
from diptych.reports.links import Range, gallery
from diptych.reports.read.counted import scored_link
from diptych.reports.read.numbers import interval, number, plain_name, short
from diptych.reports.read.order import RESULTS
from diptych.reports.read.report import Report, Shot
from diptych.reports.read.rows import group_word
from diptych.store.agreements import (
    AGREEMENT,
    BALANCED,
    FIRST_SPLIT,
    IN_TWO,
    KAPPA,
    RANK_CHANGE,
    RANK_CORRELATION,
    SPLITS,
    joint_name,
)

MAX_SHOTS = 24  # of one way to split
FEW_WAYS = 6  # to split, each of which has a sheet of its own

Row = Mapping[str, Any]


def agreement(report: Report) -> list[dict[str, Any]]:
    """Return one part; nothing where the run holds no judges against each other."""
    asked = report.run.get("config", {}).get("agreements") or ()
    results = report.query(RESULTS)
    pairs = [_pair(report, one, results) for one in asked]
    return [{"pairs": [pair for pair in pairs if pair["rows"]]}] if any(pair["rows"] for pair in pairs) else []


def _pair(report: Report, asked: Mapping[str, Any], results: Sequence[Row]) -> dict[str, Any]:
    a, b = asked["a"], asked["b"]
    of = {
        what: [row for row in results if row["metric"] == joint_name(a, b, what)]
        for what in (KAPPA, AGREEMENT, BALANCED, RANK_CHANGE, RANK_CORRELATION)
    }
    kappas = sorted((row for row in of[KAPPA] if row["n"]), key=lambda row: len(row["groups"]))
    scale = scale_of([row[name] for row in kappas for name in ("value", "ci_low", "ci_high")], keep=[0.0])
    return {
        "a": plain_name(a),
        "b": plain_name(b),
        "truth": bool(asked.get("truth")),
        "ticks": scale.ticks(3),
        "zero": scale.at(0.0),
        "rows": [{**_row(report, row, of, scale), "group": _group(row, kappas)} for row in kappas],
        "silent": sum(not row["n"] for row in of[KAPPA]),
        "ranks": [{"model": group_word(row["groups"]["model"]), **_rank(row)} for row in of[RANK_CHANGE]],
        "correlation": [f"{_told(row)}: {row['note']}" for row in of[RANK_CORRELATION] if row["note"]],
        "sheets": _sheets(report, joint_name(a, b, SPLITS), joint_name(a, b, FIRST_SPLIT)),
        "identities": list(dict.fromkeys(row["identity_id"] for row in of[KAPPA])),
    }


def _row(report: Report, row: Row, of: Mapping[str, Sequence[Row]], scale: Scale) -> dict[str, Any]:
    beside = {what: _same(row, of[what]) for what in (AGREEMENT, BALANCED)}
    return {
        "dataset": row["dataset"] if len(report.rows.folders) > 1 else "",
        "kappa": _told(row),
        "at": estimate(scale, row["value"], row["ci_low"], row["ci_high"]),
        "agreement": _told(beside[AGREEMENT]),
        "balanced": _told(beside[BALANCED]),
        "caution": (beside[AGREEMENT] or {}).get("caution") or "",
        "n": row["n"],
        "n_unscored": row["n_unscored"] or 0,
        "href": scored_link(report, row),
    }


def _group(row: Row, others: Sequence[Row]) -> str:
    """Return what a group is called, with its columns where another one is called the same."""
    words = _words(row)
    said = {tuple(other["groups"]) for other in others if other["dataset"] == row["dataset"] and _words(other) == words}
    columns = f" ({', '.join(map(plain_name, row['groups']))})" if len(said) > 1 else ""
    return f"{words}{columns}" or "all"


def _words(row: Row) -> str:
    return ", ".join(group_word(value) for value in row["groups"].values())


def _same(row: Row, others: Sequence[Row]) -> Row | None:
    """Return the number of another kind about the same images."""
    key = row["dataset"], row["groups"]
    return next((other for other in others if (other["dataset"], other["groups"]) == key), None)


def _told(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return "" if row is None else str(row["reason"] or "").replace("_", " ")
    return f"{number(row['value'], step=0.01)} ({interval(row['ci_low'], row['ci_high'], step=0.01)})"


def _rank(row: Row) -> dict[str, str]:
    lower = short(abs(row["value"]))
    change = f"{lower} {'lower' if row['value'] > 0 else 'higher'}" if row["value"] else "none"
    ends = interval(row["ci_low"], row["ci_high"], step=1.0, signed=True)
    return {"change": f"{change} ({ends})", "note": row["note"]}


def _sheets(report: Report, splits: str, first: str) -> list[dict[str, Any]]:
    """Return the images on which the two split: by what each says, or those first on which they split most often."""
    splits, first = report.score_named(splits), report.score_named(first)
    numbers, words = report.rows.numbers.get(splits), report.rows.words.get(first)
    if numbers is None or words is None:
        return []
    apart = np.flatnonzero(np.nan_to_num(numbers) > 0)
    ways: dict[str, list[int]] = {}
    for row in apart[np.argsort(-numbers[apart], kind="stable")].tolist():
        ways.setdefault(words[row] or "", []).append(row)
    if len(ways) <= FEW_WAYS:
        return [_sheet(report, way, rows, {}, gallery({first: way})) for way, rows in ways.items()]
    rows = [row for found in ways.values() for row in found]
    rows.sort(key=lambda row: -numbers[row])
    notes = {row: words[row] or "" for row in rows}
    return [_sheet(report, "", rows, notes, gallery({splits: Range(1.0)}, sort=f"-{splits}"))]


def _sheet(report: Report, way: str, rows: Sequence[int], notes: Mapping[int, str], href: str) -> dict[str, Any]:
    shots: list[Shot] = report.shots(rows[:MAX_SHOTS], notes)
    says = way.split(IN_TWO) if way else []
    return {"says": says, "total": len(rows), "shots": shots, "href": href}
