"""Distributions: every score of every model or decision, with its table; each bar leads to its images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from diptych.reports.charts import Histogram, histogram
from diptych.reports.links import MISSING, Filter, gallery
from diptych.reports.pages import PART, span_name
from diptych.reports.pages.scores import pack
from diptych.reports.read.numbers import number, plain_name, short
from diptych.reports.read.order import RESULTS, metrics_of
from diptych.reports.read.report import COLOURS, Report
from diptych.reports.read.rows import Floats
from diptych.reports.read.whole import WholeGroup, whole_groups
from diptych.reports.wording import isolated, side_of

GROUPS_PER_FILE = 10  # rows of bars
MAX_GROUPS = 6
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def distributions(report: Report) -> list[dict[str, Any]]:
    """Return files of a few scores each."""
    constants: list[dict[str, Any]] = []
    blocks: list[dict[str, Any]] = []
    for name in _in_order(report):
        groups = whole_groups(report, name)
        known = [group.values[~np.isnan(group.values)] for group in groups]
        different = {float(end) for values in known if len(values) for end in (values.min(), values.max())}
        if len(different) == 1:
            value, n = short(different.pop()), sum(map(len, known))
            constants.append({"title": plain_name(name), "value": value, "n": n})
        elif different:
            blocks.append(_block(report, name, groups, f"score-{len(blocks)}"))
    files = pack(blocks, [len(block["chart"].series) for block in blocks], GROUPS_PER_FILE)
    index = [
        {"title": block["title"], "part": part, "anchor": block["anchor"]}
        for part, inside in enumerate(files)
        for block in inside
    ]
    common = {"index": index, "quantiles": QUANTILES, "constants": constants}
    return [{"blocks": part, PART: span_name([block["title"] for block in part]), **common} for part in files]


def _in_order(report: Report) -> list[str]:
    """Return the scores that numbers of the store are means of first, then those of generated images, then others."""
    results = report.query(RESULTS)
    read = [report.column_of(next(row for row in results if row["metric"] == metric)) for metric in metrics_of(results)]
    generated = np.asarray([model is not None for model in report.rows.columns["model"]], bool)

    def rank(name: str) -> tuple[int, bool, bool, str]:
        has_generated = bool(np.isfinite(report.rows.numbers[name][generated]).any())
        better = _better(report, name, for_data=not has_generated, for_models=has_generated)
        place = read.index(name) if name in read else len(read)
        return (place, not has_generated, not better, name)

    return sorted(report.rows.numbers, key=rank)


def _block(report: Report, name: str, whole: Sequence[WholeGroup], anchor: str) -> dict[str, Any]:
    present, filters = _groups(report, whole)
    groups = {label: present[label] for label in list(present)[:MAX_GROUPS]}
    chart = histogram(groups, _thresholds(report, name))
    meaning = report.rows.meanings.get(name)
    has_models = any("model" in filters[label] for label in present)
    has_pools = any("decision" in filters[label] for label in present)
    return {
        "name": name,
        "title": plain_name(name),
        "anchor": anchor,
        "description": meaning.description if meaning else "",
        "unit": meaning.unit if meaning else "",
        "better": _better(report, name, for_data=has_pools or not has_models, for_models=has_models),
        "identity": meaning.identity_id if meaning else "",
        "chart": chart,
        "labels": [_label(filters[series.label], series.label) for series in chart.series],
        "more": [
            {"label": _label(filters[label], label), "href": gallery(filters[label], sort=name)}
            for label in list(present)[MAX_GROUPS:]
        ],
        "styles": [_style(report, filters[series.label], number) for number, series in enumerate(chart.series)],
        "links": _links(chart, name, filters),
        "missing": [gallery({**filters[series.label], name: MISSING}) for series in chart.series],
        "all": [gallery(filters[series.label], sort=name) for series in chart.series],
        "table": [_quantiles(groups[series.label]) for series in chart.series],
    }


def _better(report: Report, name: str, *, for_data: bool, for_models: bool) -> str:
    """Return which way is better for what the images are there for; where that differs, of which it is said."""
    meaning = report.rows.meanings.get(name)
    if meaning is None:
        return ""
    asked = [(for_data, meaning.better_for_data, "training data"), (for_models, meaning.better_for_models, "models")]
    found = {purpose: side_of(better) for is_asked, better, purpose in asked if is_asked}
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return ", ".join(f"{words} for {purpose}" for purpose, words in found.items() if words)


def _style(report: Report, wanted: dict[str, Filter], number: int) -> str:
    """Return the class of a group's colour: its model's, that of what is lost, or one by its place."""
    if isinstance(wanted.get("model"), str):
        return f"c{report.colour(str(wanted['model']))}"
    if "decision" in wanted:
        return "c1" if wanted["decision"] == ["kept"] else "lost"
    return f"c{(number + 2) % COLOURS + 1}"


def _label(wanted: dict[str, Filter], plain: str) -> str:
    """Return the words of a group: those of ``plain`` with each name by itself."""
    names = [str(wanted[key]) for key in ("model", "dataset") if key in wanted]
    rest = plain.removeprefix(names[0])
    return isolated(names[0]) + (f" ({isolated(names[1])})" if len(names) > 1 else rest)


def _groups(report: Report, whole: Sequence[WholeGroup]) -> tuple[dict[str, Floats], dict[str, dict[str, Filter]]]:
    """Return values and gallery filters by group: one per model, else one per dataset, pools apart by decision."""
    filters: dict[str, dict[str, Filter]] = {}
    present: dict[str, Floats] = {}
    many = len({group.dataset for group in whole if group.model}) > 1
    rules = {pool.label: [step["rule"] for step in pool.steps] for pool in report.pools}
    for group in sorted(whole, key=lambda group: group.is_kept is False):  # what is kept before what is lost
        dataset = group.dataset
        if group.model is not None:
            label = f"{group.model} ({dataset})" if many else group.model
            wanted: dict[str, Filter] = {"model": group.model, **({"dataset": dataset} if many else {})}
        elif group.is_kept is not None:
            label = f"{dataset}: {'kept' if group.is_kept else 'lost'}"
            wanted = {"dataset": dataset, "decision": ["kept"] if group.is_kept else rules[dataset]}
        else:
            label, wanted = dataset, {"dataset": dataset}
        if not np.isnan(group.values).all():
            present[label], filters[label] = group.values, wanted
    return present, filters


def _thresholds(report: Report, name: str) -> list[float]:
    found = [
        threshold.line
        for pool in report.pools
        for thresholds in pool.thresholds.values()
        for threshold in thresholds
        if name == report.column_named(threshold.name, pool)
    ]
    return list(dict.fromkeys(found))


def _links(chart: Histogram, name: str, filters: dict[str, dict[str, Filter]]) -> list[list[str]]:
    return [
        [gallery({**filters[series.label], name: bin_.range}, sort=name) for bin_ in chart.bins]
        for series in chart.series
    ]


def _quantiles(values: Floats) -> list[str]:
    known = values[~np.isnan(values)].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # between huge or infinite values there may be none
        return [number(float(np.quantile(known, share))) for share in QUANTILES]
