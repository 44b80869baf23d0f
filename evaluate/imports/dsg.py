"""Answers as DSG releases them, a CSV.

Its columns are item_id, t2i_model, question_id, question, answer and further ones. An item that it lacks counts as
wrong upstream (tifa160_134 in the release), so that a picture of which it says nothing is one whose questions have no
answer.
"""

from collections.abc import Iterator

from diptych.data.generated_columns import PROMPT_ID
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, ImportFormat, ImportSource, SaidAnswer
from diptych.evaluate.imports.records import RecordTable, prompt_of
from diptych.judges.evidence import ANSWERS

COLUMNS = ("item_id", "t2i_model", "question_id", "answer")


def dsg(source: ImportSource) -> FileContent:
    """Return what each row says; each has all of ``COLUMNS``."""
    return FileContent(_answers(source), is_whole=True)


def _answers(source: ImportSource) -> Iterator[EvidenceRecord]:
    for place, row in RecordTable(source, COLUMNS):
        if missing := [name for name in COLUMNS if name not in row]:
            raise DataError(f"{place}: answers of DSG have the columns {', '.join(COLUMNS)}; no {missing[0]}")
        image = {PROMPT_ID: row["item_id"], "model": row["t2i_model"]}
        said = SaidAnswer(row["question_id"], row.get("question") or None, row["answer"])
        yield EvidenceRecord(place, image, said, prompt_of(row))


DSG_ANSWERS = ImportFormat(ANSWERS, dsg)
