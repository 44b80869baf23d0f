"""DSG-1k: 1,060 prompts from ten sources with 8,182 questions to a picture (Cho et al. 2024, arXiv:2310.18235).

One row of the table is a question: its words, its tuple (``attribute - colour (motorcycle, blue)``), and the questions
of its prompt on which it depends. The right answer is always yes. What upstream's table has wrong is left out of the
dependencies: words where a number is meant (``5, right``, in ten rows), and questions that depend on themselves.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import HeadedRows
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import RecordPlace

ASSET = "dsg-1k"
HEADER = (
    "item_id",
    "text",
    "keywords",
    "proposition_id",
    "dependency",
    "category_broad",
    "category_detailed",
    "tuple",
    "question_natural_language",
)
NO_PARENT = "0"

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


def dsg(*, path: Path | None = None) -> PromptSet:
    """Return the prompts of ``dsg-1k-anns.csv``, or of a file of the same form; ids are upstream's.

    Raises:
        DataError: If the file cannot be had or a row has another form.
    """
    file = path or fetch(ASSET)
    rows = _rows(HeadedRows(read_text(file), file), file)
    return set_of_file((_prompt(item, rows[item]) for item in rows), file, asset=ASSET)


Row = tuple[RecordPlace, Mapping[str, str]]


def _rows(table: HeadedRows, file: Path) -> dict[str, list[Row]]:
    """Return the rows of each prompt by its id."""
    if table.header != HEADER:
        raise DataError(f"{file}:1: DSG begins with the columns {', '.join(HEADER)}, got {list(table.header)}")
    found: dict[str, list[Row]] = {}
    for line, row in table:
        found.setdefault(row["item_id"], []).append((RecordPlace(file, line), row))
    return found


def _prompt(item: str, rows: Sequence[Row]) -> tuple[int, Prompt]:
    place, first = rows[0]
    category = next((name for part, name in CATEGORIES.items() if part in item), None)
    if category is None:
        raise DataError(f"{place}: item_id {item!r} is of none of DSG's sources ({', '.join(CATEGORIES)})")
    for other, row in rows:
        if row["text"] != first["text"]:
            raise DataError(f"{other}: {item!r} has another text than in line {place.line}")
    known = [row["proposition_id"] for _, row in rows]
    questions = [
        {
            "id": row["proposition_id"],
            "question": row["question_natural_language"],
            "parents": list(_parents(row, known)),
            "tags": [tag for tag in (row["category_broad"], row["category_detailed"]) if tag],
            "about": row["tuple"],
        }
        for _, row in rows
    ]
    checks = parse_checks({"questions": questions}, str(place))
    return place.line, Prompt(item, first["text"], (category,), checks)


def _parents(row: Mapping[str, str], known: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(part.strip() for part in row["dependency"].split(",")):
        if re.fullmatch(r"\d+", name) and name in known and name not in (NO_PARENT, row["proposition_id"]):
            yield name
