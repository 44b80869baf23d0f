"""Captions of COCO, one for each of 30,000 images, for zero-shot FID (Chen et al. 2015, arXiv:1504.00325).

Papers draw 30,000 of the images of ``val2014`` and one of the five captions of each, and hardly one says which. This
draw follows from a seed and from COCO's ids alone, whatever the order of the file, and fewer images of the same seed
are the beginning of more; the set's source names it. A prompt's id is that of its image; ``caption_id`` is a column.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from diptych.data.text_records import json_value
from diptych.errors import ConfigError, DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_file
from diptych.generate.prompts.records import RecordPlace, text_of
from diptych.storage.store_path import ReadPath

COUNT = 30_000  # of the images of val2014 with captions there are 40,504


class _Caption(NamedTuple):
    """A caption with its place among those of the file, from 1."""

    number: int
    id: str
    text: str


def coco_captions(*, path: ReadPath, count: int = COUNT, seed: int = 0) -> PromptSet:
    """Return one caption of each of some images of ``captions_val2014.json``, or of a file of the same form.

    Args:
        path: The file.
        count: How many images are drawn.
        seed: Of the draw.

    Raises:
        ConfigError: If there are fewer images, or none is asked for.
        DataError: If the file cannot be read or a caption has another form.
    """
    found = _captions(path)
    if not 1 <= count <= len(found):
        raise ConfigError(f"{path}: count: {count:,} images cannot be drawn from {len(found):,} that have captions")
    prompts = [
        _drawn(image, found[image], seed) for image in sorted(found, key=lambda image: _rank(seed, "image", image))
    ]
    drawn = set_of_file(prompts[:count], path)
    return replace(drawn, source=f"{path.name}: {count:,} of {len(found):,} images, one caption each, seed {seed}")


def _captions(path: ReadPath) -> dict[str, list[_Caption]]:
    """Return the captions of each image."""
    given = json_value(read_text(path), path)
    annotations = given.get("annotations") if isinstance(given, dict) else None
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        raise DataError(f"{path}: captions of COCO are an object with a list of annotations")
    found: dict[str, list[_Caption]] = {}
    for image, caption in _read(annotations, path):
        found.setdefault(image, []).append(caption)
    return found


def _read(annotations: list[Mapping[str, Any]], path: ReadPath) -> Iterator[tuple[str, _Caption]]:
    for number, one in enumerate(annotations, start=1):
        place = RecordPlace(path, number)
        text = text_of(one, "caption", place).strip()
        if text:  # some are empty, and are no prompt
            yield text_of(one, "image_id", place), _Caption(number, text_of(one, "id", place), text)


def _drawn(image: str, captions: list[_Caption], seed: int) -> tuple[int, Prompt]:
    one = min(captions, key=lambda caption: _rank(seed, "caption", caption.id))
    return one.number, Prompt(image, one.text, columns={"caption_id": one.id})


def _rank(seed: int, what: str, name: str) -> bytes:
    """Return by what one of several is drawn, the lowest first: chance to everybody who does not know the seed."""
    return hashlib.sha256(f"{seed} {what} {name}".encode()).digest()
