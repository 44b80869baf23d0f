"""T2I-CoReBench: 1,080 prompts of twelve dimensions with 13,536 questions (Li et al. 2025, arXiv:2509.03516).

Each dimension is a file and the category of its prompts; a question has upstream's tags. The right answer is yes.
"""

from collections.abc import Iterator

from diptych.asset_families import CORE_DIMENSIONS
from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_files
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

ASSETS = tuple(f"t2i-corebench-{name}" for name in CORE_DIMENSIONS)


def t2i_corebench(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of the twelve files; ids are upstream's, such as ``C-MI-001``.

    Args:
        path: A folder that holds them, ``C-MI.json`` and so on; None downloads them.

    Raises:
        DataError: If a file cannot be had or a prompt has another form.
    """
    files = [
        path / f"{name}.json" if path else fetch(asset) for name, asset in zip(CORE_DIMENSIONS, ASSETS, strict=True)
    ]
    found = [one for name, file in zip(CORE_DIMENSIONS, files, strict=True) for one in _prompts(name, file)]
    return set_of_files(found, files, assets=ASSETS)


def _prompts(dimension: str, file: ReadPath) -> Iterator[tuple[ReadPath, int, Prompt]]:
    given = json_value(read_text(file), file)
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        raise DataError(f"{file}: T2I-CoReBench is an object of prompts by their ids")
    for number, (name, one) in enumerate(given.items(), start=1):
        place = RecordPlace(file, number)
        asked = one.get("Checklist")
        if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
            raise DataError(f"{place}: {name!r}: Checklist: must be a list of questions, got {asked!r}")
        questions = [{"question": text_of(each, "question", place), "tags": each.get("tags", [])} for each in asked]
        checks = parse_checks({"questions": questions}, str(place))
        yield file, number, Prompt(name, text_of(one, "Prompt", place), (dimension,), checks)
