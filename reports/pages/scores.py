"""Scores: every number of the store with its interval, and the paired differences with what they settle."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from diptych.intervals import is_resolved
from diptych.reports.charts import Scale, estimate, scale_of
from diptych.reports.read.numbers import half_width, interval, number, plain_name
from diptych.reports.read.report import Report
from diptych.reports.read.rows import as_text

Item = TypeVar("Item")

MOST_READ = ("object_accuracy", "clip_score", "frechet_distance", "kernel_distance")
MAX_ROWS = 48
ROWS_PER_FILE = 80
MAX_NOTES = 2
# Groups of a difference between models that ran with one setting each, and not the same one.
OWN_SETTINGS = ("setting_a", "setting_b")
# FIRST STRONG ISOLATE to POP DIRECTIONAL ISOLATE; what a text has of them could end the isolate that is put around it.
ISOLATES = dict.fromkeys(range(0x2066, 0x206A))
# What of an identity is said beside its code; the whole of it stands on the page of provenance.
METHOD = ("convention", "estimator", "column", "architecture", "pretrained", "weights_name", "preprocess", "detector")

RESULTS = "SELECT * FROM results WHERE run_id = ? ORDER BY metric, dataset, CAST(groups AS VARCHAR), identity_id"
DIFFERENCES = "SELECT * FROM differences WHERE run_id = ? ORDER BY metric, dataset, CAST(groups AS VARCHAR), a, b"
WORDS = {
    "better": "\N{BLACK UP-POINTING TRIANGLE}",
    "worse": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "higher": "\N{BLACK UP-POINTING TRIANGLE}",
    "lower": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "not resolved": "\N{WHITE CIRCLE}",
    "no interval": "\N{EN DASH}",
    "not computed": "\N{EN DASH}",
}


def scores(report: Report) -> list[dict[str, Any]]:
    """Return files of whole metrics, as many in each as make about ``ROWS_PER_FILE`` rows."""
    results = report.query(RESULTS)
    differences = difference_rows(report)
    metrics = [
        _metric(report, name, [row for row in results if row["metric"] == name], differences)
        for name in order_of(results)
    ]
    for place, metric in enumerate(metrics):
        metric["anchor"] = f"metric-{place}"
    files = pack(metrics, [metric["size"] for metric in metrics], ROWS_PER_FILE)
    index = [
        {"title": metric["title"], "anchor": metric["anchor"], "part": part}
        for part, inside in enumerate(files)
        for metric in inside
    ]
    return [{"metrics": inside, "index": index} for inside in files]


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
    blocks = _blocks(report, rows)
    own = [row for row in differences if row["metric"] == name]
    return {
        "title": plain_name(name),
        "better": side_of(rows[0]["higher_is_better"]),
        "unit": unit_of(rows[0]["unit"]),
        "identities": [
            {"id": found, "method": method_of(report.identities.get(found) or {})}
            for found in dict.fromkeys(row["identity_id"] for row in rows)
        ],
        "blocks": blocks,
        "differences": own,
        "size": len(own) + sum(len(block["rows"]) for block in blocks),
    }


def order_of(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the metrics, those that are read most first."""
    names = dict.fromkeys(row["metric"] for row in results)
    return sorted(names, key=lambda name: (_rank(name), name))


def _rank(metric: str) -> int:
    plain = metric.rpartition(".")[2]
    return MOST_READ.index(plain) if plain in MOST_READ else len(MOST_READ)


def isolated(text: str) -> str:
    r"""Return a foreign text that leaves the direction of the words and numbers beside it alone (Unicode, UAX #9).

    ASCII has no direction to leave alone. A break of a paragraph would end the isolate: all white space is a space.

    >>> isolated("flux-dev"), isolated("\u202eevil\u2069") == "\u2068\u202eevil\u2069"
    ('flux-dev', True)
    """
    plain = " ".join(text.translate(ISOLATES).split())
    return plain if plain.isascii() else f"\u2068{plain}\u2069"


def side_of(higher_is_better: bool | None) -> str:
    """Return which way is better, in words."""
    return {True: "higher is better", False: "lower is better", None: ""}[higher_is_better]


def unit_of(unit: str | None) -> str:
    """Return a unit in words; pure numbers have none."""
    return str(unit or "")


def method_of(identity: Mapping[str, Any]) -> str:
    """Return how a number was made, from the facts of its identity that a reader knows by name.

    >>> method_of({"metric": "clip_score", "score": {"encoder": {"architecture": "ViT-L-14", "device": "cpu"}}})
    'architecture ViT-L-14'
    """
    facts: dict[str, str] = {}
    waiting: list[Mapping[str, Any]] = [identity]
    while waiting:
        part = waiting.pop(0)
        facts |= {name: as_text(part[name]) for name in METHOD if isinstance(part.get(name), str | int | float)}
        waiting += [value for value in part.values() if isinstance(value, Mapping)]
    return ", ".join(f"{name.replace('_', ' ')} {facts[name]}" for name in METHOD if facts.get(name))


def notes_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the notes of some numbers, each once; of many different ones the first, as an example."""
    notes = list(dict.fromkeys(row["note"] for row in rows if row["note"]))
    return notes if len(notes) <= MAX_NOTES else [f"for example: {notes[0]}"]


def _blocks(report: Report, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Group results that belong on one axis: same dataset, same kind of groups, same identity."""
    kinds: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        kinds.setdefault((len(row["groups"]), row["dataset"], tuple(row["groups"]), row["identity_id"]), []).append(row)
    blocks = []
    for (_, dataset, keys, identity_id), found in sorted(kinds.items(), key=lambda item: item[0]):
        found.sort(key=lambda row: [_place(report, key, row["groups"][key]) for key in keys])
        scale = scale_of([row[name] for row in found for name in ("value", "ci_low", "ci_high")])
        step = typical_step(found)
        blocks.append(
            {
                "dataset": dataset,
                "keys": [plain_name(key) for key in keys],
                "identity": identity_id,
                "ticks": scale.ticks(3),
                "rows": [_result(report, row, scale, step) for row in found[:MAX_ROWS]],
                "more": max(0, len(found) - MAX_ROWS),
                "notes": notes_of(found),
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


def _result(report: Report, row: Mapping[str, Any], scale: Scale, step: float | None) -> dict[str, Any]:
    groups = row["groups"]
    return {
        "labels": [(as_text(value), key == "model") for key, value in groups.items()] or [(row["dataset"], False)],
        "colour": report.colour(groups.get("model")),
        "value": number(row["value"], step=step),
        "interval": interval(row["ci_low"], row["ci_high"], step=step),
        "n": row["n"],
        "n_unscored": row["n_unscored"] or 0,
        "reason": (row["reason"] or "").replace("_", " "),
        "at": estimate(scale, row["value"], row["ci_low"], row["ci_high"]),
        "href": report.scored_link(row),
        "unscored_href": report.unscored_link(row),
    }


def difference_rows(report: Report) -> list[dict[str, Any]]:
    """Return the differences of the store in the order of their metrics, with what their intervals settle."""
    rows = report.query(DIFFERENCES)
    found = []
    for metric in order_of(rows):
        own = sorted((row for row in rows if row["metric"] == metric), key=_depth)
        fewest = min(_depth(row) for row in own)
        scale = scale_of([row[name] for row in own for name in ("value", "ci_low", "ci_high")], keep=[0.0])
        found += [_difference(report, row, scale, is_overall=_depth(row) == fewest) for row in own]
    return found


def _depth(row: Mapping[str, Any]) -> int:
    """Return by how many columns a difference is cut; that the sides had settings of their own is no cut."""
    return len(row["groups"].keys() - set(OWN_SETTINGS))


def _cut_words(groups: Mapping[str, Any]) -> str:
    """Return what a difference is about, and the settings of its sides where they are not the same.

    >>> _cut_words({"category": "pair", "setting_a": "euler-50-g5", "setting_b": "euler-28-g3.5"})
    'category pair, with euler-50-g5 against euler-28-g3.5'
    """
    said = {key: isolated(as_text(value)) for key, value in groups.items()}
    parts = [f"{isolated(plain_name(key).lower())} {value}" for key, value in said.items() if key not in OWN_SETTINGS]
    if all(key in said for key in OWN_SETTINGS):
        parts.append(f"with {said['setting_a']} against {said['setting_b']}")
    return ", ".join(parts)


def _difference(report: Report, row: Mapping[str, Any], scale: Scale, *, is_overall: bool) -> dict[str, Any]:
    word = settle(row)
    return {
        "metric": row["metric"],
        "title": plain_name(row["metric"]),
        "is_overall": is_overall,
        "a": row["a"],
        "b": row["b"],
        "groups": _cut_words(row["groups"]),
        "value": number(row["value"], step=half_width(row["ci_low"], row["ci_high"]), signed=True),
        "interval": interval(row["ci_low"], row["ci_high"], signed=True),
        "p": p_value(row["p_adjusted"] if row["p_adjusted"] is not None else row["p_value"]),
        "is_adjusted": row["p_adjusted"] is not None,
        "n": row["n"],
        "n_clusters": row["n_clusters"],
        "reason": _reason(row),
        "word": word,
        "glyph": WORDS[word],
        "unit": "",
        "at": estimate(scale, row["value"], row["ci_low"], row["ci_high"]),
        "zero": scale.at(0.0),
        "ticks": scale.ticks(3),
        "href": report.link(row["dataset"], {**row["groups"], "model": row["a"]}),
        "higher_is_better": row["higher_is_better"],
    }


def settle(row: Mapping[str, Any]) -> str:
    """Return what a difference a - b says of a: only an interval without 0 says anything.

    And that only if it still does after Holm's correction for how many differences were looked at.
    """
    low, high = row["ci_low"], row["ci_high"]
    if row["value"] is None:
        return "not computed"
    if low is None or high is None:
        return "no interval"
    if not is_resolved(low, high, row["p_adjusted"]):
        return "not resolved"
    if row["higher_is_better"] is None:
        return "higher" if low > 0 else "lower"
    return "better" if (low > 0) == row["higher_is_better"] else "worse"


def _reason(row: Mapping[str, Any]) -> str:
    if row["reason"]:
        return str(row["reason"]).replace("_", " ")
    low, high = row["ci_low"], row["ci_high"]
    is_corrected_away = is_resolved(low, high, None) and not is_resolved(low, high, row["p_adjusted"])
    return "by itself, but not among so many" if is_corrected_away else ""


def p_value(value: float | None) -> str:
    """Return a p value.

    >>> p_value(0.0312), p_value(0.00001)
    ('0.031', '<0.001')
    """
    if value is None:
        return number(None)
    return "<0.001" if value < 0.001 else f"{value:.2g}"
