"""Overview: the verdict, the pictures behind it, the headline numbers, what to look at and what to beware of."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from diptych.data.generated_columns import CATEGORY
from diptych.reports.charts import estimate, scale_of
from diptych.reports.links import PRESENT, Filter, gallery
from diptych.reports.pages.compare import comparable, names_of, own_settings
from diptych.reports.pages.funnel import first_file
from diptych.reports.pages.scores import typical_step, unit_of
from diptych.reports.read.cautions import cautions
from diptych.reports.read.columns import PICTURE
from diptych.reports.read.counted import scored_link, unscored_link
from diptych.reports.read.numbers import count, interval, number, plain_name, share, short
from diptych.reports.read.order import RESULTS, about_models, metrics_of
from diptych.reports.read.pool import Pool
from diptych.reports.read.report import Report
from diptych.reports.read.rows import Floats
from diptych.reports.verdicts import sentence, verdicts_of
from diptych.reports.wording import isolated, side_of_all

PAIRS_SHOWN = 6
WORST_SHOWN = 5
HEADLINES = 8
ITEMS = 8
GENERATED = """
SELECT count(*) AS images, count(*) FILTER (sha256 IS NULL AND status <> 'ok') AS absent,
    count(DISTINCT setting) AS settings, count(DISTINCT (benchmark, prompt_id)) AS prompts
FROM images WHERE run_id = ? AND model IS NOT NULL
"""
OTHERS = """
SELECT dataset, count(*) AS n FROM images WHERE run_id = ? GROUP BY dataset HAVING count(model) = 0 ORDER BY dataset
"""


def overview(report: Report) -> list[dict[str, Any]]:
    """Return the one part."""
    results = about_models(report.query(RESULTS), report.identities)
    verdicts = verdicts_of(report)
    return [
        {
            "facts": _facts(report),
            "verdicts": verdicts,
            "names_sides": len({(row["a"], row["b"]) for row in verdicts}) > 1,
            "sentence": sentence(verdicts),
            "own": own_settings(report, comparable(report)),
            "pairs": _pairs(report),
            "headlines": _headlines(report, results, verdicts),
            "pools": [_pool(pool, first_file(report, number)) for number, pool in enumerate(report.pools)],
            "items": _look_at(report, results)[:ITEMS],
            "cautions": cautions(report, results),
        }
    ]


def _facts(report: Report) -> list[dict[str, str]]:
    """Return what the report is about, as count, words and address; what it does not show is counted, too."""
    facts = []
    (generated,) = report.query(GENERATED) or [{"images": 0}]
    if generated["images"]:
        named = [("model", len(report.models)), ("setting", generated["settings"]), ("prompt", generated["prompts"])]
        facts += [{"n": count(n), "what": word if n == 1 else f"{word}s", "href": ""} for word, n in named if n]
        facts.append(_pictures(report, generated["images"], generated["absent"]))
    pools = {pool.label for pool in report.pools}  # one that was evaluated, too, is counted once
    others = [(row["dataset"], row["n"], "images") for row in report.query(OTHERS) if row["dataset"] not in pools]
    others += [(pool.label, pool.dataset.rows, "rows") for pool in report.pools]
    for label, n, what in others:
        facts.append({"n": count(n), "what": f"{what} in {isolated(label)}", "href": gallery({"dataset": label})})
    return facts


def _pictures(report: Report, images: int, absent: int) -> dict[str, str]:
    """Return how many generated images there are, of how many that were to be, and the address of those."""
    if not report.rows.is_sample:  # the report itself knows best which have a picture
        both = zip(report.rows.columns["model"], report.pictures, strict=True)
        absent = sum(model is not None and not picture.thumbnail for model, picture in both)
    wanted: dict[str, Filter] = {"model": report.models}
    if not absent:
        return {"n": count(images), "what": "generated images", "href": gallery(wanted)}
    there = f"{count(images - absent)} of {count(images)}"
    return {"n": there, "what": "generated images", "href": gallery({**wanted, PICTURE: PRESENT})}


def _pairs(report: Report) -> list[dict[str, Any]]:
    """Return a few prompts with the pictures of two models, from as many categories as there are."""
    columns = report.rows.columns
    seen: dict[str, int] = {}
    ranked = []
    for order, group in enumerate(comparable(report)):
        two = dict(list(group.items())[:2])
        if any(not report.pictures[row].thumbnail or report.pictures[row].is_blurred for row in two.values()):
            continue
        first = next(iter(two.values()))
        category = (columns[CATEGORY][first] or [""])[0]
        seen[category] = seen.get(category, 0) + 1
        ranked.append((seen[category], order, first, two))
    chosen: dict[str, dict[str, int]] = {}
    for _, _, first, two in sorted(ranked, key=lambda item: item[:2]):
        chosen.setdefault(columns["caption"][first] or "", two)
    return [_pair(report, two) for two in list(chosen.values())[:PAIRS_SHOWN]]


def _pair(report: Report, group: dict[str, int]) -> dict[str, Any]:
    shots = [report.shot(row) for row in group.values()]
    return {
        "caption": shots[0].text,
        "shots": [
            {"label": label, "setting": setting, "shot": shot}
            for (label, setting), shot in zip(names_of(report, group), shots, strict=True)
        ],
    }


def _headlines(
    report: Report, results: Sequence[dict[str, Any]], verdicts: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the metrics at their coarsest: one number per model, or one for all."""
    cards = []
    for metric in metrics_of(results)[:HEADLINES]:
        own = [row for row in results if row["metric"] == metric]
        coarse = [row for row in own if set(row["groups"]) == {"model"}] or [row for row in own if not row["groups"]]
        coarse = [row for row in coarse if row["identity_id"] == coarse[0]["identity_id"]]
        if not coarse:
            continue
        coarse.sort(key=lambda row: report.models.index(m) if (m := row["groups"].get("model")) in report.models else 0)
        datasets = {row["dataset"] for row in coarse}
        scale = scale_of([row[name] for row in coarse for name in ("value", "ci_low", "ci_high")], pad=0.12)
        step = typical_step(coarse)
        cards.append(
            {
                "title": plain_name(metric),
                "better": side_of_all(coarse),
                "unit": unit_of(coarse[0]["unit"]),
                "rows": [
                    {
                        "label": _label(row, names_dataset=len(datasets) > 1),
                        "colour": report.colour(row["groups"].get("model")),
                        "value": number(row["value"], step=step),
                        "interval": interval(row["ci_low"], row["ci_high"], step=step),
                        "n": row["n"],
                        "n_unscored": row["n_unscored"] or 0,
                        "unscored_href": unscored_link(report, row),
                        "caution": row["caution"] or "",
                        "at": estimate(scale, row["value"], row["ci_low"], row["ci_high"]),
                        "href": scored_link(report, row),
                    }
                    for row in coarse
                ],
                "differences": [row for row in verdicts if row["metric"] == metric],
            }
        )
    return cards


def _label(row: dict[str, Any], *, names_dataset: bool) -> str:
    """Return whose number it is: the model, with the dataset where there are several; or the dataset alone."""
    model = row["groups"].get("model")
    dataset = isolated(str(row["dataset"]))
    if not model:
        return dataset
    return f"{isolated(str(model))} ({dataset})" if names_dataset else isolated(str(model))


def _pool(pool: Pool, file: str) -> dict[str, Any]:
    steps = pool.steps
    lost = [(step["rows_in"] - step["rows_out"], step["rule"]) for step in steps]
    total, kept = pool.dataset.rows, pool.select.manifest["kept"]
    return {
        "label": pool.label,
        "file": file,
        "total": total,
        "kept": kept,
        "share": share(kept, total),
        "parts": [
            {
                "rule": plain_name(rule),
                "lost": n,
                "percent": round(100 * n / total, 3) if total else 0,
                "href": gallery({"dataset": pool.label, "decision": rule}),
            }
            for n, rule in lost
            if n
        ],
        "kept_percent": round(100 * kept / total, 3) if total else 0,
        "kept_href": gallery({"dataset": pool.label, "decision": "kept"}),
    }


def _look_at(report: Report, results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*_disagreements(report, results), *_worst(report), *_lost(report)]


def _worst(report: Report) -> list[dict[str, Any]]:
    """Return for each score by which models are judged the generated images at its worse end."""
    generated = np.asarray([model is not None for model in report.rows.columns["model"]], bool)
    items = []
    for name, values in report.rows.numbers.items():
        meaning = report.rows.meanings.get(name)
        known = np.flatnonzero(np.isfinite(values) & generated)
        if meaning is None or meaning.better_for_models is None or len(np.unique(values[known])) < 3:
            continue
        sign = 1 if meaning.better_for_models == "higher" else -1
        rows = [int(row) for row in known[np.lexsort((known, sign * values[known]))][:WORST_SHOWN]]
        end = "Lowest" if sign > 0 else "Highest"
        items.append(
            {
                "title": f"{end} {isolated(_inside(plain_name(name)))}{report.sample_note}",
                "shots": report.shots(rows, {row: short(float(f"{values[row]:.3g}")) for row in rows}),
                "href": gallery({"model": report.models}, sort=name if sign > 0 else f"-{name}"),
            }
        )
    return items


def _disagreements(report: Report, results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the prompts and seeds on which two models lie furthest apart, by the first score that tells many apart.

    Only scores of which the run took the mean to judge the models are asked; of several models, those at the ends.
    """
    found = comparable(report)
    groups = list(dict.fromkeys(tuple(group.values()) for group in found))
    labels = {row: isolated(label) for group in found for label, row in group.items()}
    judged = {row["metric"]: report.column_of(row) for row in results if row["better"] is not None}
    for column in (judged[metric] for metric in metrics_of(results) if judged.get(metric)):
        values = report.rows.numbers[column]
        pairs = [pair for group in groups if (pair := _ends(values, group)) is not None]
        if len({pair[0] for pair in pairs}) < 3:
            continue
        best = sorted(pairs, key=lambda pair: (-pair[0], pair[1]))[:2]
        rows = [row for _, a, b in best for row in (a, b)]
        notes = {row: f"{labels[row]} {short(float(f'{values[row]:.3g}'))}" for row in rows}
        return [
            {
                "title": f"Furthest apart by {isolated(_inside(plain_name(column)))}{report.sample_note}",
                "shots": report.shots(rows, notes),
                "href": f"compare.html#s={quote(column, safe='')}&o=apart",
            }
        ]
    return []


def _ends(values: Floats, rows: Sequence[int]) -> tuple[float, int, int] | None:
    """Return how far the values of some rows lie apart, and which two rows do, in their order; None where no two do."""
    known = [row for row in rows if np.isfinite(values[row])]
    if len(known) < 2:
        return None
    lowest, highest = min(known, key=lambda row: float(values[row])), max(known, key=lambda row: float(values[row]))
    first, second = sorted((lowest, highest), key=known.index) if lowest != highest else known[:2]
    return float(values[highest]) - float(values[lowest]), first, second


def _lost(report: Report) -> list[dict[str, Any]]:
    items = []
    for pool in report.pools:
        lost = [(step["rows_in"] - step["rows_out"], step["rule"]) for step in pool.steps]
        n, rule = max(((n, rule) for n, rule in lost if rule != "readable"), default=(0, ""))
        words = isolated(rule.replace("_", " "))
        rows = [row for row in report.rows.where(dataset=pool.label, decision=rule) if report.pictures[row].thumbnail]
        if n and rows:
            items.append(
                {
                    "title": f"Most often lost in {isolated(pool.label)}: {words}, {count(n)} rows",
                    "shots": report.shots(rows[:WORST_SHOWN]),
                    "href": gallery({"dataset": pool.label, "decision": rule}),
                }
            )
    return items


def _inside(title: str) -> str:
    """Return a title as it stands inside a sentence."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]
