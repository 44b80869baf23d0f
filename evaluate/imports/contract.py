"""What a file of answers is read into, whatever its format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class AnswerRecord:
    """One answer to one question about one image.

    Attributes:
        line: Of the file, from 1.
        image: Columns of the dataset and what the image has in them.
        question_id: Of the question within its prompt; None where the file tells its words alone.
        question: Its words; None where the file tells its id alone.
        answer: What was answered; empty where there was no answer.
    """

    line: int
    image: Mapping[str, str]
    question_id: str | None
    question: str | None
    answer: str


class ImportFormat(Protocol):
    """Reads the text of a file."""

    def __call__(self, text: str, file: Path) -> Iterator[AnswerRecord]:
        """Yield its records in order.

        Raises:
            DataError: If it has another form; the message names file and line.
        """
        ...
