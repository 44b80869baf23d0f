"""What a number of the store counts, and the address of exactly those images, or of those that it leaves out."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from diptych.data.checks import NOT_ASKED
from diptych.reports.links import MISSING, PRESENT, missing_for
from diptych.reports.read.columns import PICTURE
from diptych.reports.read.report import Report
from diptych.store.rows import OTHER_SIDE, SIDE

IMAGES = "images"


def counted(report: Report, row: Mapping[str, Any]) -> str:
    """Return what a number counts: ``images``, or something else, of which there is no page."""
    return str((report.identities.get(row["identity_id"]) or {}).get("counts", IMAGES))


def scored_link(report: Report, row: Mapping[str, Any]) -> str:
    """Return the address of the images that a number counts, or of its pairs; empty where there are none."""
    if not row["n"] or counted(report, row) != IMAGES:
        return ""
    if SIDE in row["groups"]:
        return _pairs_link(report, row)
    if _is_distance(report, row):
        present = {PICTURE: PRESENT} if PICTURE in report.kept_facets else {}
        return report.link(row["dataset"], row["groups"], present)
    column = report.column_of(row)
    return report.link(row["dataset"], row["groups"], {column: PRESENT} if column else {}, sort=column)


def unscored_link(report: Report, row: Mapping[str, Any]) -> str:
    """Return the address of the images that a number leaves out though they were asked for."""
    if counted(report, row) != IMAGES:
        return ""
    if _is_distance(report, row):
        return report.link(row["dataset"], row["groups"], {PICTURE: MISSING})
    column = report.column_of(row)
    reasons = dict.fromkeys((report.rows.reasons.get(column) or {}).values())
    wanted = [missing_for(reason) for reason in reasons if reason != NOT_ASKED]
    return report.link(row["dataset"], row["groups"], {column: wanted}) if wanted else ""


def _pairs_link(report: Report, row: Mapping[str, Any]) -> str:
    """Return the address of all pairs of two sides, those furthest apart first.

    Empty where no image has a distance, and for a part of the pairs, of which there is no page.
    """
    if row["groups"].keys() != {SIDE, OTHER_SIDE}:
        return ""
    a, b = row["groups"][OTHER_SIDE], row["groups"][SIDE]
    wanted = {**report.identities[row["identity_id"]], "against": a}
    for score, identity_id in report.score_identities.items():
        if report.identities.get(identity_id) == wanted:
            said = {"s": report.score_named(score), "o": "more", "a": a, "b": b}
            return "compare.html#" + "&".join(f"{key}={quote(value, safe='')}" for key, value in said.items())
    return ""


def _is_distance(report: Report, row: Mapping[str, Any]) -> bool:
    """Whether a number is one of a set of pictures, of which those count that can be decoded."""
    identity = report.identities.get(row["identity_id"]) or {}
    return not report.column_of(row) and "column" not in identity
