"""Results of TIFA's own program, one JSON object.

``question_details`` has for each caption its questions by their words. A question has ``multiple_choice_vqa``, the
choice that is nearest to what the judge said, which is what TIFA counts, and ``free_form_vqa``, what it said. The file
tells no model: it is about one image of each caption.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from diptych.data.generated_columns import PROMPT_ID
from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.evaluate.imports.contract import (
    EvidenceRecord,
    FileContent,
    FilePlace,
    ImportFormat,
    ImportSource,
    SaidAnswer,
)
from diptych.judges.evidence import ANSWERS

DETAILS, ANSWER = "question_details", "multiple_choice_vqa"


def tifa(source: ImportSource) -> FileContent:
    """Return the choice that was taken for each question."""
    return FileContent(_answers(source))


def _answers(source: ImportSource) -> Iterator[EvidenceRecord]:
    whole = json_value(source.text, source.file)
    captions = whole.get(DETAILS) if isinstance(whole, Mapping) else None
    if not isinstance(captions, Mapping):
        raise DataError(f"{source.file}: results of TIFA are an object with {DETAILS}, by caption and question")
    number = 0
    for caption, questions in captions.items():
        for question, given in questions.items() if isinstance(questions, Mapping) else [("", None)]:
            number += 1
            place = FilePlace(source.file, number, "record")
            yield EvidenceRecord(
                place, {PROMPT_ID: caption}, SaidAnswer(None, question, _answer(given, place, caption))
            )


def _answer(given: Any, place: FilePlace, caption: str) -> str:
    answer = given.get(ANSWER) if isinstance(given, Mapping) else None
    if not isinstance(answer, str):
        raise DataError(f"{place} ({caption}): {ANSWER} is what was answered; here it is {answer!r}")
    return answer


TIFA_RESULTS = ImportFormat(ANSWERS, tifa)
