"""DPG-Bench: 1,065 dense prompts with questions that hang on one another (Hu et al. 2024, arXiv:2403.05135).

The form is that of DSG's table. What a question is about, from broad to narrow, stands in its tuple before the bracket:
``attribute - color (motorcycle, blue)``. The right answer is always yes; the id is the name of upstream's prompt file.
"""

from collections.abc import Sequence

from diptych.assets import fetch
from diptych.generate.prompts import Prompt, PromptSet, set_of_file
from diptych.generate.prompts.proposition_table import PropositionRow, checks_of, propositions
from diptych.storage.store_path import ReadPath

ASSET = "dpg-bench"


def dpg(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of ``dpg_bench.csv``, or of a file of the same form; ids are upstream's.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    file = path or fetch(ASSET)
    rows = propositions(file, "DPG-Bench")
    return set_of_file((_prompt(item, rows[item]) for item in rows), file, asset=ASSET)


def _prompt(item: str, rows: Sequence[PropositionRow]) -> tuple[int, Prompt]:
    place, first = rows[0]
    return place.line, Prompt(item, first["text"], (), checks_of(rows, lambda row: kinds(row["tuple"])))


def kinds(text: str) -> list[str]:
    """Return what a tuple says that it is about, from broad to narrow.

    >>> kinds("attribute - color (motorcycle, blue)"), kinds("global - (photo)")
    (['attribute', 'color'], ['global'])
    """
    broad, _, narrow = text.partition("(")[0].partition("-")
    return [part.strip() for part in (broad, narrow) if part.strip()]
