"""Detections in COCO's form, of any detector.

They are a list of ``image_id``, ``category_id``, ``bbox`` (left, top, width, height) and ``score``. What the ids stand
for says a second file with ``images`` (``id``, ``file_name``) and ``categories`` (``id``, ``name``, or names alone), or
the file itself, if it is such an object with the detections under ``annotations``. An image that is listed and has no
detection was looked at, and nothing found. Without a list, detections name the files of the dataset themselves, and of
the others nobody knows whether they were looked at. Told, and not judged, are ids that cannot be of these names
(``coco_ids``), boxes without an area, and those beside their pictures (``box_places``). Masks are not read: no rule
asks for them. How near a thing is may stand beside its score as ``nearness``, and with the axes of its box swapped as
``nearness_swapped``, see ``boxes_with_depth``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from diptych.data.schema import FILE
from diptych.data.text_records import json_value
from diptych.errors import ConfigError, DataError
from diptych.evaluate.imports.coco_categories import NO_CATEGORY, ListedCategories
from diptych.evaluate.imports.coco_ids import KnownIds, check_ids
from diptych.evaluate.imports.coco_images import NO_ID, CocoId, FoundId, ListedImages, coco_id
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent, FilePlace, ImportFormat, ImportSource
from diptych.judges.contract import NEAR, NEARNESS, NEARNESS_SWAPPED, Box, Trait
from diptych.judges.evidence import BOXES
from diptych.storage.store_path import ReadPath

IMAGES, CATEGORIES, DETECTIONS = "images", "categories", "annotations"
NO_AREA = "a box without an area"


class CocoNames(NamedTuple):
    """What ids stand for: files of images, if they are listed, names of categories; and sizes of images, where told."""

    images: ListedImages | None
    categories: ListedCategories
    sizes: Mapping[CocoId, tuple[int, int]]


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
    check_ids(found, KnownIds("category_id", names.categories.names, "category_name", are_classes=True), source.file)
    images = _by_list(found, names.images, source.file) if names.images else [_by_file(one) for one in found]
    return FileContent(_records(found, names, images, source.file), frozenset(names.categories.names.values()))


def _names(whole: Any, file: ReadPath) -> CocoNames:
    categories = ListedCategories(_listed(whole, CATEGORIES, "name", file, may_be_names=True))
    if whole.get(IMAGES, []) == []:
        return CocoNames(None, categories, {})
    files = _listed(whole, IMAGES, "file_name", file)
    sizes = {key: size for one, key in zip(whole[IMAGES], files, strict=True) if (size := _size(one)) is not None}
    return CocoNames(ListedImages(files), categories, sizes)


def _listed(whole: Any, part: str, name: str, file: ReadPath, *, may_be_names: bool = False) -> dict[CocoId, str]:
    listed = whole.get(part) if isinstance(whole, Mapping) else None
    if may_be_names and isinstance(listed, list) and all(isinstance(one, str) for one in listed):
        return {one: one for one in listed}
    told = [(coco_id(one.get("id")), one.get(name)) for one in listed or () if isinstance(one, Mapping)]
    named = [(key, word) for key, word in told if key is not None and isinstance(word, str)]
    found = dict(named)
    if not isinstance(listed, list) or len(named) < len(listed):
        raise DataError(f"{file}: {part}: must be a list of objects with id and {name}")
    if len(found) < len(listed):
        raise DataError(f"{file}: {part}: two have one id")
    return found


def _by_list(found: Sequence[Any], images: ListedImages, file: ReadPath) -> list[FoundId]:
    """Return which image of a list each detection is of.

    Raises:
        DataError: If it is none of any, or ids are not of the list.
    """
    are = [images.find(one) if isinstance(one, Mapping) else FoundId(None, NO_ID) for one in found]
    by_ids = [
        one if isinstance(one, Mapping) and (coco_id(one.get("image_id")) in images.files or is_of.misfit) else None
        for one, is_of in zip(found, are, strict=True)
    ]
    check_ids(by_ids, KnownIds("image_id", images.files, "file_name"), file)
    strays = [one for one, is_of in zip(found, are, strict=True) if is_of.misfit and isinstance(one, Mapping)]
    says = images.both_sides(strays)
    if strays and len(strays) == len(found):
        first = are[0]
        raise DataError(
            f"{file}: none of {len(found):,} detections is of an image of the list: {first.misfit}: "
            f"{first.says or says}; write ids or file names of that list"
        )
    return [one._replace(says=one.says or says) if one.misfit else one for one in are]


def _by_file(detection: Any) -> FoundId:
    """Return the file that a detection names as its image, where no list says what ids stand for."""
    told = [detection.get(key) for key in ("file_name", "image_id")] if isinstance(detection, Mapping) else []
    name = next((one for one in told if isinstance(one, str)), None)
    return FoundId(name) if name is not None else FoundId(None, NO_ID, f"{told[-1]!r}, and no list of images")


def _size(given: Mapping[str, Any]) -> tuple[int, int] | None:
    sides = given.get("width"), given.get("height")
    return sides if all(type(side) is int and side > 0 for side in sides) else None  # type: ignore[return-value]  # two


def _records(
    found: Sequence[Any], names: CocoNames, images: Sequence[FoundId], file: ReadPath
) -> Iterator[EvidenceRecord]:
    files = names.images.files if names.images is not None else {}
    for number, (key, name) in enumerate(files.items(), start=1):
        yield EvidenceRecord(FilePlace(file, number, "image"), {FILE: name}, None, size=names.sizes.get(key))
    for number, (given, image) in enumerate(zip(found, images, strict=True), start=1):
        place = FilePlace(file, number, "record")
        if not isinstance(given, Mapping):
            raise DataError(f"{place}: a detection is an object, not {given!r}")
        label = names.categories.find(given)
        if image.id is None or label is None:
            why = (image.misfit, image.says) if image.misfit else (NO_CATEGORY, names.categories.both_sides(given))
            yield EvidenceRecord(place, {}, None, misfit=why[0], says=why[1])
            continue
        box = _box(given, label, place)
        left, top, right, bottom = box.corners
        misfit = NO_AREA if left == right or top == bottom else ""
        name, size = files.get(image.id, str(image.id)), names.sizes.get(image.id)
        yield EvidenceRecord(place, {FILE: name}, box, misfit=misfit, size=size)


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


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


COCO_DETECTIONS = ImportFormat(BOXES, coco, takes_names=True)
