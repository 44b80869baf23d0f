"""The paired differences of the store and what they settle."""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.intervals import is_resolved
from diptych.reports.charts import Scale, estimate, scale_of
from diptych.reports.read.numbers import half_width, interval, number, plain_name
from diptych.reports.read.order import DIFFERENCES, metrics_of
from diptych.reports.read.report import Report
from diptych.reports.read.rows import group_word
from diptych.reports.wording import isolated
from diptych.store.difference_words import detectable_text, equivalence_text, won_text
from diptych.store.how_compared import how_compared
from diptych.store.rankings import Ranking, rankings
from diptych.store.rows import HOW_COMPARED

WORDS = {
    "better": "\N{BLACK UP-POINTING TRIANGLE}",
    "worse": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "higher": "\N{BLACK UP-POINTING TRIANGLE}",
    "lower": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "not resolved": "\N{WHITE CIRCLE}",
    "no interval": "\N{EN DASH}",
    "not computed": "\N{EN DASH}",
}
# What a difference settles, and how the verdict says it.
SETTLED = (
    ("better", "better"),
    ("worse", "worse"),
    ("not resolved", "not told apart"),
    ("no interval", "without an interval"),
    ("not computed", "not compared"),
)


def difference_rows(report: Report) -> list[dict[str, Any]]:
    """Return the differences of the store in the order of their metrics, with what their intervals settle."""
    rows = report.query(DIFFERENCES)
    has_several = len({row["dataset"] for row in rows}) > 1
    found = []
    for metric in metrics_of(rows):
        own = sorted((row for row in rows if row["metric"] == metric), key=_depth)
        fewest = min(_depth(row) for row in own)
        scale = scale_of([row[name] for row in own for name in ("value", "ci_low", "ci_high")], keep=[0.0])
        for row in own:
            dataset = row["dataset"] if has_several else ""
            found.append(_difference(row, dataset, scale, is_overall=_depth(row) == fewest))
    return found


def verdicts_of(report: Report) -> list[dict[str, Any]]:
    """Return the differences that say something of two models as a whole: of numbers with a better and a worse side."""
    return [row for row in difference_rows(report) if row["is_overall"] and row["better"] is not None]


def _depth(row: Mapping[str, Any]) -> int:
    """Return by how many columns a difference is cut; how its sides were compared is no cut."""
    return len(row["groups"].keys() - set(HOW_COMPARED))


def _cut_words(row: Mapping[str, Any]) -> str:
    """Return what a difference is about, and how its sides are not quite what their labels say.

    >>> _cut_words({"groups": {"category": "pair", "left_out_b": 36}, "a": "sdxl", "b": "flux"})
    'category pair, over the images that both have, 36 of flux left out'
    """
    cut = {key: value for key, value in row["groups"].items() if key not in HOW_COMPARED}
    parts = [f"{isolated(plain_name(key).lower())} {isolated(group_word(value))}" for key, value in cut.items()]
    return ", ".join([*parts, *how_compared(row["groups"], row["a"], row["b"], isolated)])


def _difference(row: Mapping[str, Any], dataset: str, scale: Scale, *, is_overall: bool) -> dict[str, Any]:
    word = settle(row)
    return {
        "metric": row["metric"],
        "title": plain_name(row["metric"]),
        "is_overall": is_overall,
        "a": row["a"],
        "b": row["b"],
        "dataset": dataset,
        "groups": _cut_words(row),
        "value": number(row["value"], step=half_width(row["ci_low"], row["ci_high"]), signed=True),
        "interval": interval(row["ci_low"], row["ci_high"], signed=True),
        "p": p_value(row["p_adjusted"] if row["p_adjusted"] is not None else row["p_value"]),
        "is_adjusted": row["p_adjusted"] is not None,
        "n": row["n"],
        "n_clusters": row["n_clusters"],
        "reason": _reason(row),
        "caution": row["caution"] or "",
        "word": word,
        "glyph": WORDS[word],
        "at": estimate(scale, row["value"], row["ci_low"], row["ci_high"]),
        "zero": scale.at(0.0),
        "ticks": scale.ticks(3),
        "better": row["better"],
        "beside": beside(row, word),
    }


def beside(row: Mapping[str, Any], word: str) -> str:
    """Return what stands beside a verdict: prompts won, what would have been found if nothing was, equivalence."""
    if word == "not computed":
        return ""
    told = [won_text(row)]
    if word == "not resolved":
        told.append(detectable_text(row["detectable"]))
    if row["margin"] is not None:
        told.append(equivalence_text(row["margin"], row["p_equivalence"]))
    return "; ".join(filter(None, told))


def orders(report: Report) -> dict[str, list[Ranking]]:
    """Return by metric the order of three or more that were compared each with each, one a dataset."""
    found: dict[str, list[Ranking]] = {}
    for ranking in rankings(report.query(DIFFERENCES)):
        found.setdefault(ranking.metric, []).append(ranking)
    return found


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
    direction = "higher" if low > 0 else "lower"
    if row["better"] is None:
        return direction
    return "better" if row["better"] == direction else "worse"


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


def sentence(verdicts: Sequence[dict[str, Any]]) -> str:
    """Return what the differences say together, per pair of labels; nothing is weighed against anything."""
    said = []
    for a, b in dict.fromkeys((row["a"], row["b"]) for row in verdicts):
        own = [row for row in verdicts if (row["a"], row["b"]) == (a, b)]
        words = [row["word"] for row in own]
        parts = [f"{said_as} on {words.count(word)} of {len(words)}" for word, said_as in SETTLED if word in words]
        names = f"Against {isolated(b)}, {isolated(a)}"
        if words.count("not computed") == len(words):
            said.append(f"{isolated(a)} and {isolated(b)} could not be compared.")
            continue
        if len(own) == 1:
            said.append(_alone(own[0]))
            continue
        what = "comparison" if len({row["metric"] for row in own}) < len(own) else "metric"  # of several datasets
        parts[0] += f" {what}s"
        said.append(f"{names} is {', '.join(parts)}.")
    return " ".join(said)


def _alone(row: Mapping[str, Any]) -> str:
    """Return what the only difference between two labels says; it has a better and a worse side.

    >>> _alone({"a": "x", "b": "y", "metric": "match.clip_score", "word": "not resolved"})
    'x and y cannot be told apart by CLIP score (match).'
    """
    a, b, metric = isolated(row["a"]), isolated(row["b"]), plain_name(row["metric"])
    if row["word"] in ("better", "worse"):
        return f"{a} is {row['word']} than {b} by {metric}."
    if row["word"] == "not resolved":
        return f"{a} and {b} cannot be told apart by {metric}."
    return f"How {a} and {b} differ by {metric} has no interval, so that nothing is settled."
