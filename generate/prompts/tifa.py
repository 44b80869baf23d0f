"""TIFA v1.0: 4,081 captions with 25,000 questions, most with choices (Hu et al. 2023, arXiv:2303.11897).

A question has the type of the element that it is about (``color``, ``counting``), and the caption its source among the
categories. The id is upstream's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

ASSET = "tifa-v1"
SOURCES = ("coco", "drawbench", "paintskill", "partiprompt")


def tifa(*, path: ReadPath | None = None) -> PromptSet:
    """Return the captions of ``tifa_v1.0_question_answers.json``, or of a file of the same form.

    Raises:
        DataError: If the file cannot be had, or a question has another form.
    """
    file = path or fetch(ASSET)
    given = json_value(read_text(file), file)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise DataError(f"{file}: TIFA is a list of questions, each an object")
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, one in enumerate(given, start=1):
        found.setdefault(text_of(one, "id", RecordPlace(file, number)), []).append((number, one))
    return set_of_file((_prompt(file, name, some) for name, some in found.items()), file, asset=ASSET)


def _prompt(file: ReadPath, name: str, some: Sequence[tuple[int, Mapping[str, Any]]]) -> tuple[int, Prompt]:
    number, first = some[0]
    caption = text_of(first, "caption", RecordPlace(file, number))
    questions = []
    for other, one in some:
        place = RecordPlace(file, other)
        if text_of(one, "caption", place) != caption:
            raise DataError(f"{place}: {name!r} has another caption than question {number} of the file")
        questions.append(
            {
                "question": text_of(one, "question", place),
                "choices": one.get("choices", ()),
                "answer": text_of(one, "answer", place),
                "tags": [text_of(one, "element_type", place)],
                "about": text_of(one, "element", place, default=""),
            }
        )
    category = tuple(source for source in SOURCES if name.startswith(f"{source}_"))
    return number, Prompt(name, caption, category, parse_checks({"questions": questions}, f"{file}:{number}"))
