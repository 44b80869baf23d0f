"""Provenance: what made the numbers and the pictures, and what could not be made."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from diptych import provenance as versions
from diptych.config.identity import short_id
from diptych.reports.links import Filter, gallery, missing_for
from diptych.reports.read.numbers import short
from diptych.reports.read.report import Report
from diptych.reports.read.stored import FINITE, WHY_NONE

SECRET = re.compile(r"token|secret|password|api_?key|authori[sz]ation|credential", re.IGNORECASE)
WITH_IDENTITIES = ("score_columns", "results", "differences", "audits")
STATUSES = "SELECT dataset, status, count(*) AS n FROM images WHERE run_id = ? GROUP BY ALL"
REASONS = f"""
SELECT dataset, score, {WHY_NONE} AS reason, count(*) AS n FROM scores
WHERE run_id = ? AND {FINITE} IS NULL AND text IS NULL GROUP BY ALL
"""
PACKAGES = ("duckdb", "jinja2", "numpy", "pillow", "pyarrow")


def provenance(report: Report) -> list[dict[str, Any]]:
    """Return the one part."""
    run = report.run
    return [
        {
            "run": {"name": run["name"], "id": run["run_id"], "fingerprint": run["fingerprint"]} if run else None,
            "configs": _configs(report),
            "made_by": _made_by(report),
            "datasets": _datasets(report),
            "identities": _identities(report),
            "columns": _columns(report),
            "problems": _problems(report),
        }
    ]


def redacted(value: Any, name: str = "") -> Any:
    """Return a value without secrets and without the folders above a path.

    >>> redacted({"path": "/home/ada/runs/x/pool", "hf_token": "abc", "radius": 4})
    {'path': '…/x/pool', 'hf_token': 'redacted', 'radius': 4}
    """
    if isinstance(value, Mapping):
        return {key: redacted(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner, name) for inner in value]
    if isinstance(value, str) and SECRET.search(name):
        return "redacted"
    if isinstance(value, str) and (value.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", value)):
        return short_path(value)
    return value


def short_path(path: str) -> str:
    """Return the last two parts of a path."""
    parts = PurePath(path.replace("\\", "/")).parts
    return "/".join(("\N{HORIZONTAL ELLIPSIS}", *parts[-2:])) if len(parts) > 2 else path


def _made_by(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    own = {**versions.collect(), "packages": versions.package_versions(PACKAGES)}
    evaluated = [("The evaluation", _flat(report.run["provenance"]))] if report.run else []
    return [*evaluated, ("This report", _flat(own))]


def _text(value: Any) -> str:
    return json.dumps(redacted(value), indent=2, ensure_ascii=False)


def _configs(report: Report) -> list[dict[str, str]]:
    own = report.config.model_dump(mode="json")
    found = [{"title": "Evaluation", "text": _text(report.run["config"])}] if report.run else []
    found += [
        {"title": f"Curation of {pool.label}", "text": _text({"select": pool.select.manifest["identity"].get("rules")})}
        for pool in report.pools
    ]
    return [*found, {"title": "Report", "text": _text(own)}]


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    lines = []
    for key, inner in redacted(value).items():
        if isinstance(inner, Mapping):
            lines += _flat(inner, f"{prefix}{key} ")
        elif inner is not None:
            lines.append((f"{prefix}{key}", str(inner)))
    return lines


def _datasets(report: Report) -> list[dict[str, Any]]:
    rows = report.query("SELECT * FROM datasets WHERE run_id = ? ORDER BY dataset")
    found = [
        {
            "label": row["dataset"],
            "kind": row["kind"],
            "name": row["name"] or "",
            "path": short_path(row["path"]),
            "fingerprint": row["fingerprint"],
            "rows": row["n_rows"],
            "href": gallery({"dataset": row["dataset"]}),
        }
        for row in rows
    ]
    stored = {row["label"]: row for row in found}
    for pool in report.pools:
        if pool.label in stored:
            stored[pool.label]["kind"] += ", pool"
            continue
        found.append(
            {
                "label": pool.label,
                "kind": "pool",
                "name": str(pool.dataset.manifest.get("name") or ""),
                "path": short_path(pool.dataset.address),
                "fingerprint": pool.dataset.fingerprint,
                "rows": pool.dataset.rows,
                "href": gallery({"dataset": pool.label}),
            }
        )
    return found


def _identities(report: Report) -> list[dict[str, str]]:
    """Return the identities of the run's numbers and of the pools' scores, by their id."""
    union = " UNION ALL ".join(f"SELECT run_id, identity_id FROM {table}" for table in WITH_IDENTITIES)
    used = report.query(f"SELECT DISTINCT identity_id FROM ({union}) WHERE run_id = ? AND identity_id IS NOT NULL")
    found = {row["identity_id"]: report.identities.get(row["identity_id"], {}) for row in used}
    for pool in report.pools:
        for column in pool.scores:
            found.setdefault(short_id(column.identity), column.identity)
    return [{"id": key, "text": _text(identity)} for key, identity in sorted(found.items())]


def _columns(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": meaning.description,
            "unit": meaning.unit,
            "range": _range(meaning.low, meaning.high),
            "identity": meaning.identity_id,
        }
        for name, meaning in sorted(report.rows.meanings.items())
    ]


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"from {short(low)}" if low is not None else f"to {short(high)}" if high is not None else ""
    return f"{short(low)} to {short(high)}"


def _problems(report: Report) -> list[dict[str, Any]]:
    """Return how many images have no picture or no score, by dataset and reason, whether they are shown or not."""
    pools = {pool.label for pool in report.pools}
    stored = [row for row in report.query(STATUSES) if row["dataset"] not in pools]
    found = [(row["dataset"], "picture", row["status"] or "no status", row["n"]) for row in stored]
    for pool in report.pools:
        statuses = pool.query("data.status AS status, count(*) AS n", "GROUP BY 1").to_pylist()
        found += [(pool.label, "picture", row["status"] or "no status", row["n"]) for row in statuses]
    for row in report.query(REASONS):
        found.append((row["dataset"], report.score_named(row["score"]), row["reason"], row["n"]))
    return [
        {
            "dataset": dataset,
            "what": what,
            "reason": reason.replace("_", " "),
            "n": n,
            "href": gallery({"dataset": dataset, **_wanted(what, reason)}),
        }
        for dataset, what, reason, n in sorted(found)
        if (what, reason) != ("picture", "ok")
    ]


def _wanted(what: str, reason: str) -> dict[str, Filter]:
    return {"status": reason} if what == "picture" else {what: missing_for(reason)}
