"""Detections in COCO's form, of any detector.

They are a list of ``image_id``, ``category_id``, ``bbox`` (left, top, width, height) and ``score``. What the ids stand
for says a second file with ``images`` (``id``, ``file_name``) and ``categories`` (``id``, ``name``), or the file
itself, if it is such an object with the detections under ``annotations``. An image that is listed and has no detection
was looked at, and nothing found. Told, and not judged, are ids that cannot be of these names (``coco_ids``), boxes
without an area, and those beside their pictures (``box_places``). Masks are not read: no rule asks for them. How near a
thing is may stand beside its score as ``nearness``, and with the axes of its box swapped as ``nearness_swapped``, see
``boxes_with_depth``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from diptych.data.schema import FILE
from diptych.data.text_records import json_value
from diptych.errors import ConfigError, DataError
from diptych.evaluate.imports.coco_ids import KnownIds, check_ids
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, FilePlace, ImportFormat, ImportSource
from diptych.judges.contract import NEAR, NEARNESS, NEARNESS_SWAPPED, Box, Trait
from diptych.judges.evidence import BOXES

IMAGES, CATEGORIES, DETECTIONS = "images", "categories", "annotations"
NO_ID, NO_CATEGORY, NO_AREA = "no image of that id", "no category of that id", "a box without an area"


class CocoNames(NamedTuple):
    """What ids stand for: files of images, names of categories; and the sizes of images, where they are told."""

    files: Mapping[int | str | None, str]
    labels: Mapping[int | str | None, str]
    sizes: Mapping[int | str | None, tuple[int, int]]


def coco(source: ImportSource) -> FileContent:
    """Return the boxes, and for each image that is listed that it was looked at.

    Raises:
        ConfigError: If nothing says what the ids stand for.
        DataError: If one of the files has another form, or ids that are not of the names.
    """
    whole = json_value(source.text, source.file)
    if source.names is not None:
        names = _names(json_value(*source.names), source.names[1])
    elif isinstance(whole, Mapping):
        names = _names(whole, source.file)
    else:
        raise ConfigError("--names: name the file of images and categories that the ids of the detections are of")
    found = whole.get(DETECTIONS) if isinstance(whole, Mapping) else whole
    if not isinstance(found, list):
        raise DataError(f"{source.file}: detections are a list, or an object with the list {DETECTIONS}")
    check_ids(found, KnownIds("image_id", names.files, "file_name"), source.file)
    check_ids(found, KnownIds("category_id", names.labels, "category_name", are_classes=True), source.file)
    return FileContent(_records(found, names, source.file), frozenset(names.labels.values()))


def _names(whole: Any, file: Path) -> CocoNames:
    parts: list[dict[int | str | None, str]] = []
    for part, name in ((IMAGES, "file_name"), (CATEGORIES, "name")):
        listed = whole.get(part) if isinstance(whole, Mapping) else None
        if not isinstance(listed, list) or not all(_is_named(one, name) for one in listed):
            raise DataError(f"{file}: {part}: must be a list of objects with id and {name}")
        parts.append({one["id"]: one[name] for one in listed})
        if len(parts[-1]) < len(listed):
            raise DataError(f"{file}: {part}: two have one id")
    sizes = {one["id"]: size for one in whole[IMAGES] if (size := _size(one)) is not None}
    return CocoNames(parts[0], parts[1], sizes)


def _size(given: Mapping[str, Any]) -> tuple[int, int] | None:
    sides = given.get("width"), given.get("height")
    return sides if all(type(side) is int and side > 0 for side in sides) else None  # type: ignore[return-value]  # two


def _is_named(given: Any, name: str) -> bool:
    return isinstance(given, Mapping) and isinstance(given.get("id"), int | str) and isinstance(given.get(name), str)


def _records(found: Sequence[Any], names: CocoNames, file: Path) -> Iterator[EvidenceRecord]:
    for number, (key, name) in enumerate(names.files.items(), start=1):
        yield EvidenceRecord(FilePlace(file, number, "image"), {FILE: name}, None, size=names.sizes.get(key))
    for number, given in enumerate(found, start=1):
        place = FilePlace(file, number, "record")
        if not isinstance(given, Mapping):
            raise DataError(f"{place}: a detection is an object, not {given!r}")
        image, label = (_id(given.get(name)) for name in ("image_id", "category_id"))
        misfit = NO_ID if image not in names.files else NO_CATEGORY if label not in names.labels else ""
        if misfit:
            yield EvidenceRecord(place, {}, None, misfit=misfit)
            continue
        box = _box(given, names.labels[label], place)
        left, top, right, bottom = box.corners
        misfit = NO_AREA if left == right or top == bottom else ""
        yield EvidenceRecord(place, {FILE: names.files[image]}, box, misfit=misfit, size=names.sizes.get(image))


def _box(given: Mapping[str, Any], label: str, place: FilePlace) -> Box:
    sides, score = given.get("bbox"), _number(given.get("score"))
    numbers = [_number(side) for side in sides] if isinstance(sides, list) else []
    known = [number for number in numbers if number is not None]
    if len(known) != 4 or len(numbers) != 4 or score is None:
        told = f"here they are {sides!r}, {given.get('score')!r}"
        raise DataError(f"{place}: a detection has bbox, four numbers, and score; {told}")
    left, top, width, height = known
    if min(width, height) < 0.0 or not 0.0 <= score <= 1.0:
        raise DataError(f"{place}: bbox is left, top, width and height, and score from 0 to 1; not {sides}, {score}")
    return Box(label, score, (left, top, left + width, top + height), tuple(_nearness(given, place)))


def _nearness(given: Mapping[str, Any], place: FilePlace) -> Iterator[Trait]:
    for name in (NEARNESS, NEARNESS_SWAPPED):
        if (value := given.get(name)) is None:
            continue
        number = _number(value)
        if number is None or not 0.0 <= number <= 1.0:
            raise DataError(f"{place}: {name} is a number from 0, the farthest, to 1, the nearest; not {value!r}")
        yield Trait(name, NEAR, number)


def _id(value: Any) -> int | str | None:
    return value if isinstance(value, int | str) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


COCO_DETECTIONS = ImportFormat(BOXES, coco, takes_names=True)
