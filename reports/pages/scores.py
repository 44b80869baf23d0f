"""Scores: every number of the store with its interval, and the paired differences with what they settle."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from diptych.reports.charts import Scale, estimate, scale_of
from diptych.reports.pages import PART, span_name
from diptych.reports.read.counted import scored_link, unscored_link
from diptych.reports.read.numbers import half_width, interval, number, plain_name
from diptych.reports.read.order import RESULTS, SPREADS, metrics_of
from diptych.reports.read.report import Report
from diptych.reports.read.rows import as_text, group_word
from diptych.reports.verdicts import difference_rows, orders
from diptych.reports.wording import side_of_all
from diptych.store.rankings import Ranking, group_letter
from diptych.store.rows import NOISE_FLOOR

Item = TypeVar("Item")

MAX_ROWS = 48
ROWS_PER_FILE = 80
MAX_NOTES = 2
# What of an identity is said beside its code, as those who make numbers call it; the whole of it stands on the page of
# provenance.
METHOD = (
    *("convention", "kernel", "size_bias", "rule", "column"),
    *("order", "splits", "subsets", "images_per_prompt"),
    *("encoder", "architecture", "network", "layer", "weights_sha256", "preprocess", "interpolation"),
    *("judge", "question", "trait", "threshold"),
)
HASH = 8  # digits of a sha256 that are said


def scores(report: Report) -> list[dict[str, Any]]:
    """Return files of whole metrics, as many in each as make about ``ROWS_PER_FILE`` rows."""
    results = report.query(RESULTS)
    differences, ranked, spreads = difference_rows(report), orders(report), report.query(SPREADS)
    metrics = [
        {
            **_metric(report, name, [row for row in results if row["metric"] == name], differences),
            "spreads": [_spread(row) for row in spreads if row["metric"] == name][:MAX_ROWS],
            "orders": [_order(each, ranked[name]) for each in ranked.get(name, [])],
        }
        for name in metrics_of(results)
    ]
    for place, metric in enumerate(metrics):
        metric["anchor"] = f"metric-{place}"
    files = pack(metrics, [metric["size"] for metric in metrics], ROWS_PER_FILE)
    index = [
        {"title": metric["title"], "anchor": metric["anchor"], "part": part}
        for part, inside in enumerate(files)
        for metric in inside
    ]
    titles = [[metric["title"] for metric in inside] for inside in files]
    return [
        {"metrics": inside, "index": index, PART: span_name(names)} for inside, names in zip(files, titles, strict=True)
    ]


def pack(items: Sequence[Item], sizes: Sequence[int], room: int) -> list[list[Item]]:
    """Cut a list into runs whose sizes add up to ``room`` at most; an item that is larger has a run of its own.

    >>> pack("abcd", [3, 3, 9, 1], 6)
    [['a', 'b'], ['c'], ['d']]
    """
    runs: list[list[Item]] = []
    left = 0
    for item, size in zip(items, sizes, strict=True):
        if not runs or size > left:
            runs.append([])
            left = room
        runs[-1].append(item)
        left -= size
    return runs


def _metric(
    report: Report, name: str, rows: list[dict[str, Any]], differences: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    better = side_of_all(rows)
    floors = {_about(row): row["value"] for row in rows if NOISE_FLOOR in row["groups"]}
    rows = [row for row in rows if NOISE_FLOOR not in row["groups"]] or rows
    blocks = _blocks(report, rows, floors, names_side=not better)
    own = [row for row in differences if row["metric"] == name]
    return {
        "title": plain_name(name),
        "better": better,
        "unit": unit_of(rows[0]["unit"]),
        "identities": [
            {"id": found, "method": method_of(report.identities.get(found) or {})}
            for found in dict.fromkeys(row["identity_id"] for row in rows)
        ],
        "blocks": blocks,
        "differences": own,
        "size": len(own) + sum(len(block["rows"]) for block in blocks),
    }


def _order(ranking: Ranking, orders: Sequence[Ranking]) -> dict[str, Any]:
    """Return the order of several models: who may have which rank, and who cannot be told apart."""
    return {
        "dataset": ranking.dataset if len(orders) > 1 else "",
        "rows": [
            {
                "label": each.label,
                "rank": each.rank,
                "span": f"{each.best} to {each.worst}" if each.best < each.worst else str(each.best),
                "groups": " ".join(map(group_letter, each.groups)),
                "won": "" if each.wins is None else f"{each.wins:,}, {each.ties:,}, {each.losses:,}",
            }
            for each in ranking.labels
        ],
    }


def _spread(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return how much of the variance of a score is between prompts."""
    return {
        "of": ", ".join(group_word(value) for value in row["groups"].values()) or row["dataset"],
        "between": number(row["variance_between"]),
        "within": number(row["variance_within"]),
        "icc": number(row["icc"], step=0.01),
        "n": row["n"],
        "n_clusters": row["n_clusters"],
    }


def unit_of(unit: str | None) -> str:
    """Return a unit in words; pure numbers have none."""
    return str(unit or "")


def method_of(identity: Mapping[str, Any]) -> str:
    """Return how a number was made, from the facts of its identity that a reader knows by name; outer ones first.

    >>> method_of({"metric": "clip_score", "score": {"encoder": {"architecture": "ViT-L-14", "device": "cpu"}}})
    'architecture ViT-L-14'
    """
    facts: dict[str, str] = {}
    waiting: list[Mapping[str, Any]] = [identity]
    while waiting:
        part = waiting.pop(0)
        for name in METHOD:
            if isinstance(part.get(name), str | int | float):
                facts.setdefault(name, as_text(part[name]))
        waiting += [value for value in part.values() if isinstance(value, Mapping)]
    return ", ".join(_fact(name, facts[name]) for name in METHOD if facts.get(name))


def _fact(name: str, value: str) -> str:
    what = name.removesuffix("_sha256")
    return f"{what.replace('_', ' ')} {value if what == name else value[:HASH]}"


def notes_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the notes of some numbers, each once; of many different ones the first, as an example."""
    notes = list(dict.fromkeys(row["note"] for row in rows if row["note"]))
    return notes if len(notes) <= MAX_NOTES else [f"for example: {notes[0]}"]


def _about(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return which images a number is of, but for the noise floor."""
    groups = {name: value for name, value in sorted(row["groups"].items()) if name != NOISE_FLOOR}
    return row["dataset"], str(groups)


def _blocks(
    report: Report, rows: Sequence[dict[str, Any]], floors: Mapping[tuple[str, str], float | None], *, names_side: bool
) -> list[dict[str, Any]]:
    """Group results that belong on one axis: same dataset, same kind of groups, same identity."""
    kinds: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        kinds.setdefault((len(row["groups"]), row["dataset"], tuple(row["groups"]), row["identity_id"]), []).append(row)
    blocks = []
    for (_, dataset, keys, identity_id), found in sorted(kinds.items(), key=lambda item: item[0]):
        found.sort(key=lambda row: [_place(report, key, row["groups"][key]) for key in keys])
        own = [floor for row in found if (floor := floors.get(_about(row))) is not None]
        scale = scale_of([*(row[name] for row in found for name in ("value", "ci_low", "ci_high")), *own])
        step = typical_step(found)
        blocks.append(
            {
                "dataset": dataset,
                "keys": [plain_name(key) for key in keys],
                "identity": identity_id,
                "better": side_of_all(found) if names_side else "",
                "ticks": scale.ticks(3),
                "rows": [_result(report, row, scale, step, floors.get(_about(row))) for row in found[:MAX_ROWS]],
                "has_floor": bool(own),
                "more": max(0, len(found) - MAX_ROWS),
                "notes": notes_of(found),
                "cautions": any(row["caution"] for row in found[:MAX_ROWS]),
            }
        )
    return blocks


def _place(report: Report, key: str, value: Any) -> tuple[int, str]:
    is_model = key == "model" and value in report.models
    return (report.models.index(value) if is_model else 0, as_text(value))


def typical_step(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the median half width of the intervals, so that a column of numbers has one number of digits."""
    widths = sorted(width for row in rows if (width := half_width(row["ci_low"], row["ci_high"])) is not None)
    return widths[len(widths) // 2] if widths else None


def _result(
    report: Report, row: Mapping[str, Any], scale: Scale, step: float | None, floor: float | None
) -> dict[str, Any]:
    groups = row["groups"]
    return {
        "labels": [(group_word(value), key == "model") for key, value in groups.items()] or [(row["dataset"], False)],
        "colour": report.colour(groups.get("model")),
        "value": number(row["value"], step=step),
        "interval": interval(row["ci_low"], row["ci_high"], step=step),
        "n": row["n"],
        "n_unscored": row["n_unscored"] or 0,
        "reason": (row["reason"] or "").replace("_", " "),
        "caution": row["caution"] or "",
        "at": estimate(scale, row["value"], row["ci_low"], row["ci_high"]),
        "floor": "" if floor is None else number(floor, step=step),
        "floor_at": None if floor is None else scale.at(floor),
        "href": scored_link(report, row),
        "unscored_href": unscored_link(report, row),
    }
