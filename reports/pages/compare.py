"""Compare: the same prompt and seed by every model, side by side; what is better only where the interval says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.reports.read.report import Report
from diptych.reports.verdicts import verdicts_of

WITHOUT_SCRIPTS = 12

Group = dict[str, int]


def compare(report: Report) -> list[dict[str, Any]]:
    """Return one part; nothing where no prompt and seed has two pictures."""
    groups = comparable(report)
    if not groups:
        return []
    settings = list(dict.fromkeys(value for value in report.rows.columns["setting"] if value is not None))
    return [
        {
            "models": report.models,
            "settings": settings,
            "own": own_settings(report, groups),
            "verdicts": verdicts_of(report),
            "rows": [_row(report, found) for found in groups[:WITHOUT_SCRIPTS]],
            "total": len(groups),
        }
    ]


def comparable(report: Report) -> list[Group]:
    """Return for each prompt, seed and setting with at least two models' pictures: model -> row, in the models' order.

    Models that ran with one setting each, and not the same one, are put together by prompt and seed alone, as their
    paired differences are. Where there is one model only, its settings take the place of models. Where several datasets
    have a model's picture, each is in a group, if it can be with the others of its dataset.
    """
    columns = report.rows.columns
    is_by_model = len(report.models) > 1
    across = columns["model"] if is_by_model else columns["setting"]
    ways = _ways_by_benchmark(report) if is_by_model else {}
    found: dict[tuple[int, str | None], list[Group]] = {}
    for row, pair in enumerate(report.pairs):
        if pair < 0:
            continue
        model, setting = columns["model"][row], columns["setting"][row]
        for fixed in ways[columns["benchmark"][row]][model, setting] if is_by_model else [model]:
            _add(found.setdefault((pair, fixed), []), across[row], row, columns["dataset"])
    return [group for groups in found.values() for group in groups if len(group) > 1]


def _add(groups: list[Group], label: str, row: int, datasets: Sequence[str]) -> None:
    """Put a picture into the first group that lacks its label, into one with its dataset before others."""
    free = [group for group in groups if label not in group]
    near = [group for group in free if datasets[row] in {datasets[other] for other in group.values()}]
    if not free:
        groups.append({})
    (near or free or groups[-1:])[0][label] = row


def _ways_by_benchmark(report: Report) -> dict[Any, dict[tuple[str, str], list[str | None]]]:
    columns = report.rows.columns
    settings: dict[Any, dict[str, set[str]]] = {}
    for benchmark, model, setting in zip(columns["benchmark"], columns["model"], columns["setting"], strict=True):
        if model is not None:
            settings.setdefault(benchmark, {}).setdefault(model, set()).add(setting)
    return {benchmark: ways(found) for benchmark, found in settings.items()}


def ways(settings: Mapping[str, set[str]]) -> dict[tuple[str, str], list[str | None]]:
    """Return for each model and setting what the pictures that they are compared with have in common.

    That is the setting, or None where each model stands for itself with the one setting that it has.

    >>> ways({"a": {"s"}, "b": {"t"}})
    {('a', 's'): [None], ('b', 't'): [None]}
    >>> ways({"a": {"s"}, "b": {"s"}})
    {('a', 's'): ['s'], ('b', 's'): ['s']}
    """
    single = {model: next(iter(found)) for model, found in settings.items() if len(found) == 1}
    differ = len(set(single.values())) > 1
    is_by_setting = not differ or len(single) < len(settings)
    return {
        (model, setting): [*([setting] if is_by_setting else []), *([None] if differ and model in single else [])]
        for model, found in settings.items()
        for setting in found
    }


def names_of(report: Report, group: Group) -> list[tuple[str, str]]:
    """Return what to call each picture of a group: its label, and its setting where the models' settings differ."""
    settings = [report.rows.columns["setting"][row] for row in group.values()]
    differ = len(report.models) > 1 and len(set(settings)) > 1
    return [(label, setting if differ else "") for label, setting in zip(group, settings, strict=True)]


def own_settings(report: Report, groups: list[Group]) -> list[tuple[str, str]]:
    """Return the models that are compared though their settings differ, each with its setting."""
    return list(dict.fromkeys(name for group in groups for name in names_of(report, group) if name[1]))


def _row(report: Report, group: Group) -> dict[str, Any]:
    first = next(iter(group.values()))
    columns = report.rows.columns
    names = names_of(report, group)
    return {
        "caption": report.shot(first).text,
        "draw": report.draws[report.pairs[first]],
        "setting": "" if names[0][1] or len(report.models) < 2 else columns["setting"][first],
        "cells": [
            {"label": label, "setting": setting, "shot": report.shot(row)}
            for (label, setting), row in zip(names, group.values(), strict=True)
        ],
    }
