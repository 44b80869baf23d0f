"""The table of questions that DSG and DPG-Bench have: a row is a question of a prompt, with what it hangs on.

What such tables have wrong is left out of the dependencies: words where a number is meant (``5, right``), questions
that depend on themselves, and numbers of no question of the prompt.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from diptych.data.checks import Checks, parse_checks
from diptych.data.text_records import HeadedRows
from diptych.errors import DataError
from diptych.generate.prompts import read_text
from diptych.generate.prompts.records import RecordPlace
from diptych.storage.store_path import ReadPath

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

PropositionRow = tuple[RecordPlace, Mapping[str, str]]


def propositions(file: ReadPath, benchmark: str) -> dict[str, list[PropositionRow]]:
    """Return the rows of each prompt by its id.

    Args:
        file: The table.
        benchmark: Whose it is, for messages.

    Raises:
        DataError: If the table has another form, or a prompt two texts.
    """
    table = HeadedRows(read_text(file), file)
    if table.header != HEADER:
        raise DataError(f"{file}:1: {benchmark} begins with the columns {', '.join(HEADER)}, got {list(table.header)}")
    found: dict[str, list[PropositionRow]] = {}
    for line, row in table:
        place, rows = RecordPlace(file, line), found.setdefault(row["item_id"], [])
        rows.append((place, row))
        first, said = rows[0]
        if row["text"] != said["text"]:
            raise DataError(f"{place}: {row['item_id']!r} has another text than in line {first.line}")
    return found


def checks_of(rows: Sequence[PropositionRow], tags_of: Callable[[Mapping[str, str]], list[str]]) -> Checks:
    """Return the questions of a prompt; the right answer is always yes.

    Args:
        rows: Of the prompt.
        tags_of: Tells of a row what its question is about, from broad to narrow.

    Raises:
        DataError: If a question has not the form of one; says the first line of the prompt.
    """
    questions = [
        {
            "id": row["proposition_id"],
            "question": row["question_natural_language"],
            "parents": list(_parents_of(row, rows)),
            "tags": tags_of(row),
            "about": row["tuple"],
        }
        for _, row in rows
    ]
    return parse_checks({"questions": questions}, str(rows[0][0]))


def _parents_of(row: Mapping[str, str], rows: Sequence[PropositionRow]) -> Iterator[str]:
    """Yield the questions, among those of a prompt, on which one depends."""
    known = {other["proposition_id"] for _, other in rows}
    for name in dict.fromkeys(part.strip() for part in row["dependency"].split(",")):
        if re.fullmatch(r"\d+", name) and name in known and name not in (NO_PARENT, row["proposition_id"]):
            yield name
