"""The pages of a report. A page is a function from the report to what its template shows; nothing to show, no page."""

from collections.abc import Sequence
from typing import NamedTuple

PART = "part_name"  # of a context, where a page has several files: what this one is about
TITLE = "page_title"  # of a context, where what a page shows has another name than usual
DATA = "data"  # of a context: what the page's scripts read, by the name of its file


class Page(NamedTuple):
    """A page: its function, its title in the rail, and whether it needs the rows in the browser.

    Attributes:
        target: ``module:function``; the function takes a ``report.Report`` and returns the context of each of its
            files, none where there is nothing to show.
        title: In the rail.
        scripts: Of ``static/``, beside ``report.js``.
    """

    target: str
    title: str
    scripts: tuple[str, ...] = ()


# In the order of the rail; the first is index.html. To add one: a module here with a function, a template of the same
# name, a line, a test.
PAGES: dict[str, Page] = {
    "overview": Page("diptych.reports.pages.overview:overview", "Overview"),
    "funnel": Page("diptych.reports.pages.funnel:funnel", "Funnel", ("rows.js", "funnel.js")),
    "distributions": Page("diptych.reports.pages.distributions:distributions", "Distributions"),
    "gallery": Page(
        "diptych.reports.pages.gallery:gallery",
        "Gallery",
        ("rows.js", "export.js", "filters.js", "facets.js", "gallery.js", "evidence.js", "drawer.js"),
    ),
    "compare": Page(
        "diptych.reports.pages.compare:compare",
        "Compare",
        ("rows.js", "export.js", "pairs.js", "viewer.js", "compare.js"),
    ),
    "grid": Page("diptych.reports.pages.grid:grid", "Settings", ("rows.js", "grid.js")),
    "scores": Page("diptych.reports.pages.scores:scores", "Scores"),
    "agreement": Page("diptych.reports.pages.agreement:agreement", "Judges"),
    "audit": Page("diptych.reports.pages.audit:audit", "Audit"),
    "provenance": Page("diptych.reports.pages.provenance:provenance", "Provenance"),
}


def span_name(titles: Sequence[str]) -> str:
    """Return what a file is about that has several things in a row.

    >>> span_name(["Sharpness"]), span_name(["Aesthetic", "Entropy", "Sharpness"])
    ('Sharpness', 'Aesthetic to Sharpness')
    """
    return titles[0] if len(titles) == 1 else f"{titles[0]} to {titles[-1]}"


def file_name(page: str, part: int = 0) -> str:
    """Return the file of a page; further parts have a number.

    >>> file_name("overview"), file_name("funnel"), file_name("distributions", 1)
    ('index.html', 'funnel.html', 'distributions-2.html')
    """
    if page == "overview":
        return "index.html"
    return f"{page}.html" if part == 0 else f"{page}-{part + 1}.html"
