"""GenEval: 553 prompts of six tags with what a detector should find (Ghosh et al. 2023, arXiv:2310.11513).

The prompts are kept byte for byte, with upstream's plurals; the id is the line number that upstream's folders carry.
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

ASSET = "geneval-metadata"
# Prompts of each tag, in the order of the file.
COUNTS: Mapping[str, int] = {
    "single_object": 80,
    "two_object": 99,
    "counting": 80,
    "colors": 94,
    "position": 100,
    "color_attr": 100,
}


def geneval(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of ``evaluation_metadata.jsonl``, or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a line has another form.
    """
    file = path or fetch(ASSET)
    prompts = [(line, _prompt(value, RecordPlace(file, line))) for line, value in json_lines(read_text(file), file)]
    return set_of_file(prompts, file, asset=ASSET)


def _prompt(value: Mapping[str, Any], place: RecordPlace) -> Prompt:
    tag = text_of(value, "tag", place)
    if tag not in COUNTS:
        raise DataError(f"{place}: GenEval has no tag {tag!r}; its tags are {', '.join(COUNTS)}")
    checks = parse_checks({part: value[part] for part in ("include", "exclude") if part in value}, str(place))
    if not checks.include:
        raise DataError(f"{place}: include: must name an object, as every prompt of GenEval does, got {value!r}")
    return Prompt(f"{place.line - 1:05d}", text_of(value, "prompt", place), (tag,), checks)
