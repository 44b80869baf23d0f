"""Plain answers: CSV or JSONL with a question in each row.

The row names the image by columns of the dataset, and the question by its id or its words.
"""

from collections.abc import Iterator

from diptych.errors import DataError
from diptych.evaluate.imports.contract import (
    EvidenceRecord,
    FileContent,
    FilePlace,
    ImportFormat,
    ImportSource,
    SaidAnswer,
)
from diptych.evaluate.imports.records import RecordTable, Words, image_of, number_of, prompt_of
from diptych.judges.evidence import ANSWERS

PROBABILITY = "probability"
ROUNDED = 1e-6  # a sum of probabilities in single precision is beyond 1 by so much at most
READ = ("question_id", "question", "answer", PROBABILITY, "rater")


def answers(source: ImportSource) -> FileContent:
    """Return what each row says: ``answer``, ``question_id`` or ``question``, and what names the image.

    ``probability`` is that of the answer, or where none stands there of the first of two choices, and ``rater`` who of
    several gave it, where a file has those.
    """
    table = RecordTable(source, READ)
    return FileContent(_answers(table), unused=table.unused)


def _answers(table: RecordTable) -> Iterator[EvidenceRecord]:
    for place, row in table:
        image = image_of(row, place, "an answer", ("question_id", "question"), ("answer", PROBABILITY))
        yield EvidenceRecord(
            place,
            image,
            SaidAnswer(
                row.get("question_id") or None,
                row.get("question") or None,
                row.get("answer", ""),
                probability_of(row, place),
                row.get("rater", ""),
            ),
            prompt_of(row),
        )


def probability_of(row: Words, place: FilePlace) -> float | None:
    """Return the probability that a row tells; None where it is empty. One beyond 0 or 1 by rounding alone is that.

    Raises:
        DataError: If it is no number from 0 to 1.
    """
    if not row.get(PROBABILITY):
        return None
    value = number_of(row, PROBABILITY, place)
    if not -ROUNDED <= value <= 1.0 + ROUNDED:
        raise DataError(f"{place}: {PROBABILITY}: {row[PROBABILITY]} is not from 0 to 1")
    return min(max(value, 0.0), 1.0)


ANSWERS_FILE = ImportFormat(ANSWERS, answers)
