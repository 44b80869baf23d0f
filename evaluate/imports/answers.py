"""Plain answers: CSV or JSONL that names the image by columns of the dataset, the question by its id or its words."""

from collections.abc import Iterator
from pathlib import Path

from diptych.data.generated_columns import PROMPT_ID
from diptych.errors import DataError
from diptych.evaluate.imports.contract import AnswerRecord
from diptych.evaluate.imports.records import records

IMAGE = ("key", PROMPT_ID, "model", "setting", "sample")


def answers(text: str, file: Path) -> Iterator[AnswerRecord]:
    """Yield what each row says: ``answer``, ``question_id`` or ``question``, and some of the columns of ``IMAGE``.

    Raises:
        DataError: If a row lacks one of the three.
    """
    for line, row in records(text, file):
        image = {name: row[name] for name in IMAGE if name in row}
        if not ({"key", PROMPT_ID} & set(image) and {"question_id", "question"} & set(row) and "answer" in row):
            raise DataError(
                f"{file}:{line}: an answer has key or prompt_id (and model, setting, sample), question_id or question, "
                f"and answer; there are {', '.join(row) or 'none'}"
            )
        yield AnswerRecord(line, image, row.get("question_id"), row.get("question"), row["answer"])
