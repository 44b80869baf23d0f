"""Captions of COCO: ``images`` and ``annotations`` by their ids, in one file or in several that lie together."""

import json
import math
from collections.abc import Sequence
from pathlib import PurePath, PurePosixPath
from typing import Any

from diptych.curate.sources.coco_splits import folders_meant
from diptych.curate.sources.columns import first_text
from diptych.curate.sources.file_tree import FileTree
from diptych.curate.sources.files import readable
from diptych.curate.sources.json_facts import Facts
from diptych.curate.sources.metadata_tables import FILE_NAME, MAX_SHOWN, check_named
from diptych.curate.sources.named_pictures import CAPTIONS, Lookup, by_name, json_of, objects_under
from diptych.errors import DataError

ANNOTATIONS = "annotations"


def coco_captions(files: Sequence[PurePath], root: PurePath, tree: FileTree) -> Lookup:
    """Return what COCO files that lie together say; of two that know a picture, one about its folder is believed.

    Args:
        files: At least one.
        root: The folder below which their pictures lie.
        tree: Where they are.

    Raises:
        DataError: If one cannot be read, or has no name of a picture that it has captions of.
    """
    there = _folders_of_pictures(root, tree)
    read = [(file, known) for file in files if (known := _captions_of(file, tree)) is not None]
    told = [(file, folders_meant(file.stem, there), known) for file, known in read]
    told.sort(key=lambda one: not one[1])  # what a file about folders says goes before what one about no folder says

    def look_up(place: PurePosixPath) -> Facts | None:
        around = set(place.parts[:-1])
        about = [(bool(meant), file, known) for file, meant, known in told if not meant or meant & around]
        for first in range(len(place.parts)):
            tail = PurePosixPath(*place.parts[first:])
            found = [(sure, file, facts) for sure, file, known in about if (facts := known(tail)) is not None]
            if found:
                return _agreed([(file, facts) for sure, file, facts in found if sure == found[0][0]], place)
        return None

    return look_up


def _captions_of(file: PurePath, tree: FileTree) -> Lookup | None:
    """Return what a COCO file says of pictures; None where it has no caption."""
    value = json_of(file, tree)
    captions: dict[str, list[str]] = {}
    with readable(file, "COCO captions"):
        for one in sorted(objects_under(value, ANNOTATIONS), key=lambda one: _rank(one.get("id"))):
            caption = first_text(one.get("caption"))
            if caption is not None:
                captions.setdefault(_id(_needed(one, "image_id", file)), []).append(caption)
        if not captions:
            return None
        images = [image for image in objects_under(value, "images") if _id(_needed(image, "id", file)) in captions]
        check_named(images, FILE_NAME, file)
        told = ((_needed(image, FILE_NAME, file), image, captions[_id(image["id"])]) for image in images)
        return by_name((name, {**image, "caption": texts[0], CAPTIONS: texts}) for name, image, texts in told)


def _needed(record: Facts, key: str, file: PurePath) -> Any:
    """Return what a record of COCO says under a key.

    Raises:
        DataError: If it says nothing there, so that a caption has no picture.
    """
    if key not in record:
        shown = json.dumps(record, default=str)[:MAX_SHOWN]
        raise DataError(
            f"{file}: captions of COCO need {key!r} to find their pictures, and one record has none: {shown}"
        )
    return record[key]


def _id(value: Any) -> str:
    """Return an id as a text: "1", 1 and the 1.0 of programs that know no integers are the same picture."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _rank(value: Any) -> tuple[bool, float]:
    """Return by what captions are ordered: by their ids, and those without a number last, as they stand there."""
    try:
        rank = float(value)
    except (TypeError, ValueError, OverflowError):
        rank = math.nan
    return (True, 0.0) if math.isnan(rank) else (False, rank)


def _folders_of_pictures(root: PurePath, tree: FileTree) -> set[str]:
    """Return the names of the folders beside ``annotations``, and of those in them, as in images/val2017."""
    above = [folder for folder in tree.folders_in(root) if folder.name != ANNOTATIONS]
    return {path.name for folder in above for path in (folder, *tree.folders_in(folder))}


def _agreed(told: Sequence[tuple[PurePath, Facts]], place: PurePosixPath) -> Facts:
    """Return what files say of a picture, which has to be the same.

    Raises:
        DataError: If their captions differ.
    """
    file, facts = told[0]
    for other, others in told[1:]:
        if others[CAPTIONS] != facts[CAPTIONS]:
            remedy = "name each after the folder of its pictures, or move one away"
            raise DataError(f"{file}: says another caption of {place} than {other.name} does; {remedy}")
    return facts
