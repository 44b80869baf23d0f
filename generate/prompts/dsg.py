"""DSG-1k: 1,060 prompts from ten sources with 8,182 questions to a picture (Cho et al. 2024, arXiv:2310.18235).

One row of the table is a question: its words, its tuple (``attribute - colour (motorcycle, blue)``), and the questions
of its prompt on which it depends. The right answer is always yes.
"""

from collections.abc import Mapping, Sequence

from diptych.assets import fetch
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, set_of_file
from diptych.generate.prompts.proposition_table import PropositionRow, checks_of, propositions
from diptych.storage.store_path import ReadPath

ASSET = "dsg-1k"
# What an id holds -> the category by which the paper counts (its table 3).
CATEGORIES: Mapping[str, str] = {
    "countbench": "count",
    "diffusiondb": "real_user",
    "drawtext": "text",
    "localized": "paragraph",
    "midjourney": "real_user",
    "posescript": "pose",
    "stanford": "paragraph",
    "tifa": "tifa",
    "vrd": "relation",
    "whoops": "defying",
}


def dsg(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of ``dsg-1k-anns.csv``, or of a file of the same form; ids are upstream's.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    file = path or fetch(ASSET)
    rows = propositions(file, "DSG")
    return set_of_file((_prompt(item, rows[item]) for item in rows), file, asset=ASSET)


def _prompt(item: str, rows: Sequence[PropositionRow]) -> tuple[int, Prompt]:
    place, first = rows[0]
    category = next((name for part, name in CATEGORIES.items() if part in item), None)
    if category is None:
        raise DataError(f"{place}: item_id {item!r} is of none of DSG's sources ({', '.join(CATEGORIES)})")
    return place.line, Prompt(item, first["text"], (category,), checks_of(rows, _tags))


def _tags(row: Mapping[str, str]) -> list[str]:
    return [tag for tag in (row["category_broad"], row["category_detailed"]) if tag]
