"""GenEval: 553 prompts of six tags with what a detector should find (Ghosh et al. 2023, arXiv:2310.11513).

The prompts are kept byte for byte, with upstream's plurals; the id is the line number that upstream's folders carry.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych.assets import ASSETS, fetch, file_sha256
from diptych.data.checks import Checks, parse_checks
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, checked
from diptych.generate.prompts.jsonl_file import json_lines, text_of

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


def geneval(*, path: Path | None = None) -> PromptSet:
    """Return the prompts of ``evaluation_metadata.jsonl``, or of a file of the same form.

    Raises:
        DataError: If the file cannot be had or a line has another form.
    """
    asset = ASSETS[ASSET]
    file = path or fetch(ASSET)
    prompts = []
    for number, value in json_lines(file):
        where = f"{file}:{number}"
        tag = text_of(value, "tag", where)
        if tag not in COUNTS:
            raise DataError(f"{where}: GenEval has no tag {tag!r}; its tags are {', '.join(COUNTS)}")
        prompts.append(Prompt(f"{number - 1:05d}", text_of(value, "prompt", where), tag, _checks(value, where)))
    sha256 = file_sha256(file)
    source = asset.url if sha256 == asset.sha256 else file.name
    return PromptSet(checked(prompts, file), source, asset.licence if source == asset.url else "", sha256)


def _checks(value: Mapping[str, Any], where: str) -> Checks:
    found = parse_checks({part: value[part] for part in ("include", "exclude") if part in value}, where)
    if not found.include:
        raise DataError(f"{where}: GenEval's prompts ask for objects; 'include' must name one, got {value!r}")
    return found
