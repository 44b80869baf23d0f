"""BizGenEval: 400 prompts for slides, charts, web pages, posters and figures, 8,000 questions (arXiv:2603.25732).

Domain and dimension of a prompt are its categories, 20 prompts of each pair; a question has the dimension and its
difficulty as tags. The id is what upstream calls the picture: ``webpage_layout_0``. The right answer is yes.
"""

from collections.abc import Mapping
from typing import Any

from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import json_lines
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

ASSET = "bizgeneval"
DIFFICULTIES = ("easy", "hard")
CARRIED = ("aspect_ratio", "reference_image_wh")


def bizgeneval(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of ``bizgeneval.jsonl``, or of a file of the same form.

    The columns ``aspect_ratio`` and ``reference_image_wh``, empty for some, say which form upstream wants.

    Raises:
        DataError: If the file cannot be had, or a prompt has another form.
    """
    file = path or fetch(ASSET)
    prompts = [(line, _prompt(value, RecordPlace(file, line))) for line, value in json_lines(read_text(file), file)]
    return set_of_file(prompts, file, asset=ASSET)


def _prompt(given: Mapping[str, Any], place: RecordPlace) -> Prompt:
    domain, dimension = text_of(given, "domain", place), text_of(given, "dimension", place)
    asked = given.get("questions")
    if not isinstance(asked, list):
        raise DataError(f"{place}: questions: must be a list of texts, got {asked!r}")
    of_number: dict[int, str] = {}
    for difficulty in DIFFICULTIES:
        numbers = given.get(f"{difficulty}_qidxs")
        if not isinstance(numbers, list) or not all(one in range(1, len(asked) + 1) for one in numbers):
            raise DataError(f"{place}: {difficulty}_qidxs: must be numbers of its questions from 1, got {numbers!r}")
        of_number.update(dict.fromkeys(numbers, difficulty))
    questions = [
        {"question": one, "tags": [dimension, *filter(None, [of_number.get(number)])]}
        for number, one in enumerate(asked, start=1)
    ]
    return Prompt(
        f"{domain}_{dimension}_{text_of(given, 'id', place)}",
        text_of(given, "prompt", place),
        (domain, dimension),
        parse_checks({"questions": questions}, str(place)),
        columns={name: text_of(given, name, place) if given.get(name) else "" for name in CARRIED},
    )
