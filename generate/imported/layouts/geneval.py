"""GenEval: ``00000/samples/00000.png`` with ``00000/metadata.jsonl``, which has prompt, tag and what has to be seen.

What the folder says goes before its number: a folder of rewritten prompts is none of the prompts of the same numbers,
and of a set of its own.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from diptych.data.checks import Checks, parse_checks
from diptych.data.generated_columns import BENCHMARK, CATEGORY
from diptych.data.prompt_sets import REWRITTEN
from diptych.data.text_records import json_lines
from diptych.generate.imported.found_images import FoundImage, ImportLayout, PlaceReading, SourceFolder
from diptych.generate.imported.layouts.ids import MOST
from diptych.generate.prompts import read_text

METADATA, SAMPLES = "metadata.jsonl", "samples"
PLAIN = frozenset({"a", "an", "and", "of", "photo", "two", "three", "four"})  # of a prompt, beside what is to be seen
OF_PROMPT = re.compile(rf"(?P<above>.*/)?(?P<number>\d+)/{METADATA}")
PLACE = re.compile(rf"(?P<above>.*/)?(?P<number>\d+)/{SAMPLES}/(?P<name>[^/]+)")


class _Said(NamedTuple):
    """What the folder of a prompt says of it: its text, and columns."""

    text: str | None
    facts: dict[str, Any]


def _recognise(source: SourceFolder) -> str | None:
    found = [match for name in source.pictures if (match := PLACE.fullmatch(name))]
    if len(found) <= MOST * len(source.pictures):
        return None
    folders = len({(match["above"], match["number"]) for match in found})
    return f"{folders:,} folders with a number for a name have their images in {SAMPLES}/"


def _images(source: SourceFolder) -> Iterator[FoundImage]:
    said: dict[str, _Said] = {}
    for name in source.pictures:
        found = PLACE.fullmatch(name)
        if found is None:
            yield FoundImage(name, misnamed=f"lies in no {SAMPLES}/ of a prompt")
            continue
        folder = f"{found['above'] or ''}{found['number']}"
        if folder not in said:
            said[folder] = _said_in(source, folder)
        yield _image(name, found, said[folder])


def _unseen(source: SourceFolder) -> Iterator[FoundImage]:
    """Yield the prompts of folders whose samples are not there."""
    seen = {f"{found['above'] or ''}{found['number']}" for name in source.pictures if (found := PLACE.fullmatch(name))}
    for name in source.names:
        found = OF_PROMPT.fullmatch(name)
        folder = f"{found['above'] or ''}{found['number']}" if found else ""
        if found and folder not in seen:
            said = _said_in(source, folder)
            yield FoundImage(f"{folder}/{SAMPLES}", (), PlaceReading(found["number"], said.text), said.facts)


def _image(name: str, found: re.Match[str], said: _Said) -> FoundImage:
    stem = PurePosixPath(found["name"]).stem
    is_number = stem.isascii() and stem.isdigit()
    sample = int(stem) if is_number else None
    if said.text is not None:
        reading = PlaceReading(text=said.text, sample=sample)
    else:
        reading = PlaceReading(prompt_id=found["number"], sample=sample)
    alone = PlaceReading(found["number"], said.text, sample)
    above = found["above"].rstrip("/").rpartition("/")[2] if found["above"] else ""
    misnamed = "" if is_number else "its name is no number, and GenEval passes over it"
    return FoundImage(name, (reading,), alone, said.facts, misnamed, folder=above or None)


def _said_in(source: SourceFolder, folder: str) -> _Said:
    """Return what a folder says of its prompt.

    Raises:
        DataError: If its metadata are damaged.
    """
    name = f"{folder}/{METADATA}"
    if name not in source.known:
        return _Said(None, {})
    path = source.path(name)
    line, value = next(json_lines(read_text(path), path), (0, {}))
    text = value.get("prompt")
    checks = parse_checks({part: value[part] for part in ("include", "exclude") if part in value}, f"{path}:{line}")
    tag = value.get("tag")
    category = {CATEGORY: [tag]} if isinstance(tag, str) else {}
    facts = {**category, "checks": checks.to_json()}
    if not isinstance(text, str) or not text:
        return _Said(None, facts)
    return _Said(text, facts if is_plain(text, checks) else {**facts, BENCHMARK: f"{GENEVAL.benchmark}{REWRITTEN}"})


def is_plain(text: str, checks: Checks) -> bool:
    """Return whether a prompt says what has to be seen in GenEval's own words: ``a photo of``, and what is asked for.

    So says each of its 553, in the plural with s or es behind. Where nothing is asked for nobody can tell.
    """
    asked = [word for one in checks.include for word in (one.label, one.colour or "", *(one.position or ())[:1])]
    words = {*PLAIN, *" ".join(asked).casefold().split()}
    said = re.findall(r"[^\W_]+", text.casefold())
    return not checks.include or all({word, word.removesuffix("s"), word.removesuffix("es")} & words for word in said)


GENEVAL = ImportLayout("geneval", _recognise, _images, unseen=_unseen)
