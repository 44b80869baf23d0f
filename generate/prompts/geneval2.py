"""GenEval 2: 800 prompts of 3 to 10 atoms with 6,012 questions (Kamath et al. 2025, arXiv:2512.16853).

Its licence is CC BY-NC 4.0, so that the file is the user's to fetch. A question has its skill as its tag; the prompt is
of the category of its number of atoms. The id is the number of the line from 0.
"""

from collections.abc import Mapping
from typing import Any

from diptych.data.checks import NO, YES, parse_checks
from diptych.data.text_records import json_lines
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

ASSET = "geneval2-data"
SUFFIX = " Answer in one word."  # upstream asks every question with it
YES_NO = (YES.capitalize(), NO.capitalize())
COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def geneval2(*, path: ReadPath) -> PromptSet:
    """Return the prompts of ``geneval2_data.jsonl``, or of a file of the same form.

    Raises:
        DataError: If the file cannot be read or a line has another form.
    """
    prompts = [(line, _prompt(value, RecordPlace(path, line))) for line, value in json_lines(read_text(path), path)]
    return set_of_file(prompts, path, asset=ASSET)


def _prompt(value: Mapping[str, Any], place: RecordPlace) -> Prompt:
    asked, skills = value.get("vqa_list"), value.get("skills")
    if not isinstance(asked, list) or not isinstance(skills, list) or len(asked) != len(skills):
        raise DataError(f"{place}: vqa_list and skills: must be lists of one length")
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in asked):
        raise DataError(f"{place}: vqa_list: must be pairs of a question and its answer, got {asked!r}")
    questions = [
        {
            "question": f"{question}{SUFFIX}",
            "choices": COUNTS if str(question).startswith("How many") else YES_NO,
            "answer": answer,
            "tags": [skill],
            "about": str(question),
        }
        for (question, answer), skill in zip(asked, skills, strict=True)
    ]
    atoms = text_of(value, "atom_count", place)
    checks = parse_checks({"questions": questions}, str(place))
    return Prompt(f"{place.line - 1:05d}", text_of(value, "prompt", place), (f"{atoms} atoms",), checks)
