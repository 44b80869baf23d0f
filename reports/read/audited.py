"""Which images an audit is about, and which of them it could judge: as the audit itself counts them."""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.data.checks import asked_class
from diptych.data.generated_columns import CATEGORY
from diptych.reports.read.rows import ReportRows

JUDGED, UNJUDGED = "judged", "unjudged"


def audited(
    rows: ReportRows,
    audit: Mapping[str, Any],
    datasets: set[str],
    texts: Sequence[str | None],
    classes: Sequence[Sequence[str | None]],
) -> list[str | None]:
    """Return for each row ``judged`` or ``unjudged`` as the audit counted it; None where it is not about the row.

    An image belongs to the class that its prompt asks for; one on which another is seen is not judged, nor is one
    without the attribute. Without a category, prompts that ask for what is no class are not in question; what is one is
    not known where none was seen.

    Args:
        rows: The images.
        audit: What the run's config says of it.
        datasets: Those that it is about.
        texts: For each row the value that is seen.
        classes: The columns of the class that is seen which make its groups; none if it is not by class.
    """
    columns = rows.columns
    asked = [asked_class(checks) for checks in columns["checks"]]
    known = {
        one
        for seen in classes
        for dataset, one in zip(columns["dataset"], seen, strict=True)
        if dataset in datasets and one is not None
    }
    known |= {*(audit.get("reference") or ())}
    category = audit.get("category")
    found: list[str | None] = [None] * len(rows)
    for row, dataset in enumerate(columns["dataset"]):
        seen = [column[row] for column in classes]
        wanted = [one if asked[row] is None else asked[row] for one in seen]
        is_class = category is not None or not known or all(one is None or one in known for one in wanted)
        is_of_category = category is None or category in (columns[CATEGORY][row] or ())
        if dataset in datasets and is_of_category and is_class:
            is_misread = any(one not in (None, other) for one, other in zip(seen, wanted, strict=True))
            found[row] = UNJUDGED if is_misread or texts[row] is None else JUDGED
    return found
