"""Audit: how often a perceived attribute occurs per model and class, with the interval, the reference and chance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from diptych.data.checks import asked_class
from diptych.data.generated_columns import ATTRIBUTE_CLASS
from diptych.reports.charts import Scale, estimate
from diptych.reports.links import PRESENT, Filter
from diptych.reports.pages.scores import notes_of
from diptych.reports.read.audited import UNJUDGED
from diptych.reports.read.columns import AUDIT
from diptych.reports.read.numbers import interval, plain_name, share
from diptych.reports.read.report import Report
from diptych.reports.read.rows import as_text, group_word

FEW = 20  # images below which a share is shown in grey
AUDITS = "SELECT * FROM audits WHERE run_id = ? ORDER BY dataset, CAST(groups AS VARCHAR), attribute"
SHARES = Scale(0.0, 1.0)

Prompts = Mapping[str, Mapping[str, str | None]]  # by dataset, the class that each prompt asks for


def audit(report: Report) -> list[dict[str, Any]]:
    """Return one part; nothing where the store has no audit."""
    rows = report.query(AUDITS)
    if not rows:
        return []
    panels: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        panels.setdefault((row["dataset"], as_text(row["groups"].get("model"))), []).append(row)
    ordered = sorted(panels.items(), key=lambda item: (item[0][0], _place(report, item[0][1])))
    column, prompts = attribute_column(report), _prompts(report)
    return [
        {
            "attribute": plain_name(column),
            "panels": [
                {
                    "dataset": dataset,
                    "model": model,
                    "colour": report.colour(model),
                    "rows": _spanned([_row(report, row, column, prompts) for row in found]),
                    **_unjudged(report, found),
                    "outside": _outside(found),
                }
                for (dataset, model), found in ordered
            ],
            "ticks": SHARES.ticks(4),
            "few": FEW,
            "notes": notes_of(rows),
            "identities": list(dict.fromkeys(row["identity_id"] for row in rows if row["identity_id"])),
            "has_reference": any(row["reference"] is not None for row in rows),
            "has_band": any(row["null_low"] is not None for row in rows),
        }
    ]


def _spanned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say how many rows each group's name stands for; 0 where it stands above already."""
    for number, row in enumerate(rows):
        is_new = number == 0 or rows[number - 1]["group"] != row["group"]
        same = [other for other in rows[number:] if other["group"] == row["group"]]
        row["span"] = len(same) if is_new else 0
    return rows


def attribute_column(report: Report) -> str:
    """Return the column that the audit counted, from the run's config."""
    return str(report.audit["attribute"])


def _place(report: Report, model: str) -> int:
    return report.models.index(model) if model in report.models else len(report.models)


def _one_per_group(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return one row of each group: its unscored images count for each attribute alike."""
    return list({str(sorted(row["groups"].items())): row for row in rows}.values())


def _unjudged(report: Report, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many images of a panel are unjudged, and their address where the gallery finds as many."""
    each = _one_per_group(rows)
    unscored, why = sum(row["n_unscored"] or 0 for row in each), Counter[str]()
    for row in each:
        why.update(row["unjudged"] or {})
    dataset = rows[0]["dataset"]
    group = {name: value for name, value in rows[0]["groups"].items() if name == "model"}
    columns = report.rows.columns
    found = sum(
        (label, state) == (dataset, UNJUDGED) and model == group.get("model", model)
        for label, model, state in zip(columns["dataset"], columns["model"], report.facets[AUDIT], strict=True)
    )
    is_found = found == unscored or report.rows.is_sample
    reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in why.most_common())
    href = report.link(dataset, group, {AUDIT: UNJUDGED}) if is_found else ""
    return {"unscored": unscored, "unscored_href": href, "unscored_reasons": reasons}


def _outside(rows: Sequence[Mapping[str, Any]]) -> int:
    return len({str(row["groups"]) for row in rows if judge(row) in {"above", "below"}})


def judge(row: Mapping[str, Any]) -> str:
    """Return how a share lies to chance: ``above`` or ``below`` the band, ``within`` it, or nothing to say.

    The band is what samples of this size show in 95 of 100 cases if the truth is the reference.
    """
    if row["share"] is None or row["null_low"] is None or row["null_high"] is None:
        return ""
    if row["share"] < row["null_low"]:
        return "below"
    return "above" if row["share"] > row["null_high"] else "within"


def _prompts(report: Report) -> Prompts:
    columns = report.rows.columns
    known: dict[str, dict[str, str | None]] = {}
    classes = {checks: asked_class(checks) for checks in set(columns["checks"])}
    for dataset, prompt, checks in zip(columns["dataset"], columns["prompt_id"], columns["checks"], strict=True):
        if prompt is not None:
            known.setdefault(dataset, {})[prompt] = classes[checks]
    return known


def asked_for(row: Mapping[str, Any], prompts: Prompts) -> dict[str, Filter]:
    """Return the filter of the prompts that ask for the class of a group, and of those of which nobody knows.

    The audit counts images by what was asked for and judges those that show it; so a gallery of those that show it also
    has what was asked to be something else.
    """
    found: dict[str, Filter] = {}
    for wanted in (value for name, value in row["groups"].items() if name.rpartition(".")[2] == ATTRIBUTE_CLASS):
        asked = prompts.get(row["dataset"], {})
        if any(one is not None for one in asked.values()):
            found["prompt_id"] = [prompt for prompt, one in asked.items() if one in (None, wanted)]
    return found


def _row(report: Report, row: Mapping[str, Any], column: str, prompts: Prompts) -> dict[str, Any]:
    groups = {name: value for name, value in row["groups"].items() if name != "model"}
    wanted, facet = {**row["groups"], column: row["attribute"]}, report.facet_of(column)
    asked: dict[str, Filter] = {"category": category} if (category := report.audit.get("category")) else {}
    asked |= asked_for(row, prompts)
    return {
        "group": ", ".join(map(group_word, groups.values())) if groups else "all",
        "attribute": row["attribute"],
        "share": share(row["k"], row["n"]),
        "interval": interval(
            *(None if end is None else round(100 * end, 1) for end in (row["ci_low"], row["ci_high"]))
        ),
        "k": row["k"],
        "n": row["n"],
        "n_unscored": row["n_unscored"] or 0,
        "reference": share(row["reference"], 1) if row["reference"] is not None else "",
        "is_few": row["n"] < FEW,
        "caution": row["caution"] or "",
        "at": estimate(SHARES, row["share"], row["ci_low"], row["ci_high"]),
        "reference_at": SHARES.at(row["reference"]) if row["reference"] is not None else None,
        "band": _band(row),
        "judged": judge(row),
        "href": report.link(row["dataset"], wanted, asked) if row["k"] else "",
        "all_href": report.link(row["dataset"], row["groups"], {**asked, facet: PRESENT}) if row["n"] and facet else "",
    }


def _band(row: Mapping[str, Any]) -> tuple[float, float] | None:
    if row["null_low"] is None or row["null_high"] is None:
        return None
    low, high = SHARES.at(row["null_low"]), SHARES.at(row["null_high"])
    return low, round(high - low, 3)
