"""GenAI-Bench: 1,600 prompts by skill, basic or advanced (Li et al. 2024, arXiv:2406.13743). They bring no checks.

A prompt is ``basic`` or ``advanced`` and has the skills that it asks for (``attribute``, ``negation``), all of them
categories; seven prompts have none. The id is upstream's. The same file of prompts holds the ratings of three people
for images of six models, which ``diptych evaluate import-evidence`` reads.
"""

from collections.abc import Mapping
from typing import Any

from diptych.assets import fetch
from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_files
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

ASSETS = ("genai-bench", "genai-bench-skills")
FILES = ("genai_image.json", "genai_skills.json")
CHINESE = "prompt in Chinese"


def genai_bench(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts, with their Chinese text in the column ``prompt_zh``.

    Args:
        path: A folder that holds ``genai_image.json`` and ``genai_skills.json``; None downloads them.

    Raises:
        DataError: If a file cannot be had or has another form.
    """
    files = [path / name if path else fetch(asset) for name, asset in zip(FILES, ASSETS, strict=True)]
    skills = _skills(files[1])
    found = []
    for number, (name, one) in enumerate(_object(files[0], "prompts by their ids").items(), start=1):
        place = RecordPlace(files[0], number)
        if not isinstance(one, Mapping):
            raise DataError(f"{place}: {name!r}: a prompt is an object, got {one!r}")
        chinese = text_of(one, CHINESE, place, default="") or None
        text = text_of(one, "prompt", place)
        found.append((files[0], number, Prompt(name, text, skills.get(name, ()), columns={"prompt_zh": chinese})))
    return set_of_files(found, files, assets=ASSETS)


def _skills(file: ReadPath) -> dict[str, tuple[str, ...]]:
    """Return the skills of each prompt, by its id."""
    found: dict[str, tuple[str, ...]] = {}
    for skill, numbers in _object(file, "lists of numbers of prompts, by skill").items():
        if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
            raise DataError(f"{file}: {skill!r}: must be a list of numbers of prompts")
        for name in dict.fromkeys(f"{number:05d}" for number in numbers):
            found[name] = (*found.get(name, ()), skill)
    return found


def _object(file: ReadPath, what: str) -> dict[str, Any]:
    given = json_value(read_text(file), file)
    if not isinstance(given, dict):
        raise DataError(f"{file}: GenAI-Bench has an object of {what}")
    return given
