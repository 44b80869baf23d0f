"""WISE: 1,000 prompts that ask for knowledge, with what a right picture shows (Niu et al. 2025, arXiv:2503.07265).

The verified prompts of 2026 and the legacy ones before share ids and hardly more: they are two sets. The id tells the
category, as upstream counts. Upstream's words to its judge have no licence, so that the question here has its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from diptych.asset_families import WISE_LEGACY
from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import json_value
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_files
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

VERIFIED_ASSETS = ("wise-verified",)
LEGACY_ASSETS = tuple(f"wise-{name}" for name in WISE_LEGACY)

# The first id behind each category.
VERIFIED_IDS = {"culture": 401, "time": 521, "space": 641, "biology": 761, "physics": 881, "chemistry": 1001}
LEGACY_IDS = {"culture": 401, "time": 568, "space": 701, "biology": 801, "physics": 901, "chemistry": 1001}

HELD = 'The picture was asked for by this prompt: "{prompt}"\nA right picture is explained so: "{explanation}"\n'
VERIFIED_QUESTION = HELD + (
    "Does it show what the prompt asks for, as the explanation understands it, with all that matters and nothing "
    "against it, and without a failure that hides it? Beauty and style do not count; where there is serious doubt, it "
    "does not.\nReturn one line and nothing else: Score: 1 if it does, Score: 0 if not."
)
LEGACY_QUESTION = HELD + (
    "Grade it with 0 (rejected), 1 (conditional) or 2 (exemplary), strictly, the lower one where there is doubt: how "
    "completely it shows what the prompt asks for, how much it looks like a real photograph, how beautiful it is.\n"
    "Return three lines and nothing else:\nConsistency: 0, 1 or 2\nRealism: 0, 1 or 2\nAesthetic Quality: 0, 1 or 2"
)
VERIFIED_BEST = "Score: 1"
LEGACY_BEST = "Consistency: 2\nRealism: 2\nAesthetic Quality: 2"


def wise(*, path: ReadPath | None = None) -> PromptSet:
    """Return the verified prompts.

    Args:
        path: ``data_verified/merge.json``, or a file of that form; None downloads it.

    Raises:
        DataError: If the file cannot be had, or a prompt has another form.
    """
    file = path or fetch(VERIFIED_ASSETS[0])
    prompts = _prompts(file, VERIFIED_IDS, VERIFIED_QUESTION, VERIFIED_BEST)
    return set_of_files(prompts, [file], assets=VERIFIED_ASSETS)


def wise_legacy(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts before 2026.

    Args:
        path: A folder that holds the three files of ``WISE_legacy/data``; None downloads them.

    Raises:
        DataError: If a file cannot be had, or a prompt has another form.
    """
    pairs = zip(WISE_LEGACY, LEGACY_ASSETS, strict=True)
    files = [path / f"{name}.json" if path else fetch(asset) for name, asset in pairs]
    found = [one for file in files for one in _prompts(file, LEGACY_IDS, LEGACY_QUESTION, LEGACY_BEST)]
    return set_of_files(found, files, assets=LEGACY_ASSETS)


def _prompts(
    file: ReadPath, ids: Mapping[str, int], question: str, best: str
) -> Iterator[tuple[ReadPath, int, Prompt]]:
    given = json_value(read_text(file), file)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise DataError(f"{file}: WISE is a list of prompts, each an object")
    for number, one in enumerate(given, start=1):
        place = RecordPlace(file, number)
        told = {"prompt": text_of(one, "Prompt", place), "explanation": text_of(one, "Explanation", place)}
        name, category = _id_of(one, place, ids)
        asked = {"question": question.format(**told), "choices": [], "answer": best, "about": told["explanation"]}
        tags = [category, text_of(one, "Subcategory", place)]
        checks = parse_checks({"questions": [{**asked, "tags": tags}]}, str(place))
        yield file, number, Prompt(name, told["prompt"], (category,), checks)


def _id_of(one: Mapping[str, Any], place: RecordPlace, ids: Mapping[str, int]) -> tuple[str, str]:
    """Return the id of a prompt and the category that it tells."""
    number = one.get("prompt_id")
    last = max(ids.values()) - 1
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= last:
        raise DataError(f"{place}: prompt_id: must be a whole number from 1 to {last:,}, got {number!r}")
    return str(number), next(name for name, end in ids.items() if number < end)
