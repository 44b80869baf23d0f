"""Gallery: every image, filtered, sorted and searched in the browser; without scripts, the first of them."""

from typing import Any

from diptych.reports.read.report import Report

WITHOUT_SCRIPTS = 48


def gallery(report: Report) -> list[dict[str, Any]]:
    """Return one part; nothing where there is no image."""
    if not len(report.rows):
        return []
    rows = [row for row, picture in enumerate(report.pictures) if picture.thumbnail][:WITHOUT_SCRIPTS]
    absent = sum(not picture.thumbnail for picture in report.pictures)
    return [{"shots": report.shots(rows), "total": len(report.rows), "absent": absent}]
