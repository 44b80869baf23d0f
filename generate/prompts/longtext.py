"""LongText-Bench: 160 English and 160 Chinese prompts with the texts to be read (Geng et al. 2025, arXiv:2507.22058).

A prompt is of its kind (``sign``, ``poster``) and of its length, ``short`` or ``long``; the id is upstream's.
"""

from collections.abc import Mapping
from typing import Any

from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import json_lines
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath


def longtext(*, path: ReadPath | None = None) -> PromptSet:
    """Return the English prompts, of ``text_prompts.jsonl`` or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a line has another form.
    """
    return _prompt_set(path, "longtext-en")


def longtext_zh(*, path: ReadPath | None = None) -> PromptSet:
    """Return the Chinese prompts, of ``text_prompts_zh.jsonl`` or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a line has another form.
    """
    return _prompt_set(path, "longtext-zh")


def _prompt_set(path: ReadPath | None, asset: str) -> PromptSet:
    file = path or fetch(asset)
    prompts = [(line, _prompt(value, RecordPlace(file, line))) for line, value in json_lines(read_text(file), file)]
    return set_of_file(prompts, file, asset=asset)


def _prompt(value: Mapping[str, Any], place: RecordPlace) -> Prompt:
    categories = text_of(value, "category", place), text_of(value, "length", place)
    checks = parse_checks({"texts": value.get("text")}, str(place))
    return Prompt(text_of(value, "prompt_id", place), text_of(value, "prompt", place), categories, checks)
