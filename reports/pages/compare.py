"""Compare: the same prompt and seed by every model, side by side; what is better only where the interval says so."""

from typing import Any

from diptych.reports.pages.scores import difference_rows
from diptych.reports.report import Report

WITHOUT_SCRIPTS = 12


def compare(report: Report) -> list[dict[str, Any]]:
    """Return one part; nothing where no prompt and seed has two pictures."""
    groups = comparable(report)
    if not groups:
        return []
    settings = list(dict.fromkeys(value for value in report.rows.columns["setting"] if value is not None))
    verdicts = [row for row in difference_rows(report) if row["is_overall"]]
    return [
        {
            "models": report.models,
            "settings": settings,
            "verdicts": verdicts,
            "rows": [_row(report, found) for found in groups[:WITHOUT_SCRIPTS]],
            "total": len(groups),
        }
    ]


def comparable(report: Report) -> list[dict[str, int]]:
    """Return for each prompt, seed and setting with at least two models' pictures: model -> row, in the models' order.

    Where there is one model only, its settings take the place of models.
    """
    columns = report.rows.columns
    across = "model" if len(report.models) > 1 else "setting"
    fixed = "setting" if across == "model" else "model"
    found: dict[tuple[int, str], dict[str, int]] = {}
    for row, pair in enumerate(report.pairs):
        if pair >= 0:
            group = found.setdefault((pair, columns[fixed][row]), {})
            group.setdefault(columns[across][row], row)
    return [group for group in found.values() if len(group) > 1]


def _row(report: Report, group: dict[str, int]) -> dict[str, Any]:
    first = next(iter(group.values()))
    columns = report.rows.columns
    return {
        "caption": report.shot(first).text,
        "seed": columns["seed"][first],
        "setting": columns["setting"][first],
        "cells": [{"label": label, "shot": report.shot(row)} for label, row in group.items()],
    }
