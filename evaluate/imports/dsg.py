"""Answers as DSG releases them: a CSV of item_id, t2i_model, question_id and answer, with further columns."""

from collections.abc import Iterator
from pathlib import Path

from diptych.data.generated_columns import PROMPT_ID
from diptych.errors import DataError
from diptych.evaluate.imports.contract import AnswerRecord
from diptych.evaluate.imports.records import records

COLUMNS = ("item_id", "t2i_model", "question_id", "answer")


def dsg(text: str, file: Path) -> Iterator[AnswerRecord]:
    """Yield what each row says.

    Raises:
        DataError: If a row lacks one of ``COLUMNS``.
    """
    for line, row in records(text, file):
        if missing := [name for name in COLUMNS if name not in row]:
            raise DataError(f"{file}:{line}: answers of DSG have the columns {', '.join(COLUMNS)}; no {missing[0]}")
        image = {PROMPT_ID: row["item_id"], "model": row["t2i_model"]}
        yield AnswerRecord(line, image, row["question_id"], None, row["answer"])
