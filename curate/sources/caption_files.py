"""Files that say something of many pictures, as other programs write them into a folder or a tar.

- ``metadata.jsonl``, ``.csv`` or ``.parquet`` with ``file_name`` (Hugging Face, imagefolder), names counted from there,
  of a picture one line or one for each of its captions;
- ``metadata.jsonl`` of one object without ``file_name``, for all pictures below (GenEval);
- ``annotations/*.json`` with ``images`` and ``annotations`` (COCO), of pictures anywhere beside ``annotations``, or in
  the folders that the name of the file speaks of;
- ``samples.json`` with ``samples`` by ``filepath`` (FiftyOne), with a ``metadata.json`` that says nothing of pictures.

The file nearest to a picture that knows it is believed. Decides nothing about which of the facts is the caption.
"""

import json
import math
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import PurePath, PurePosixPath
from typing import Any, NamedTuple

from diptych.curate.sources.coco_splits import folders_meant
from diptych.curate.sources.columns import first_text
from diptych.curate.sources.file_tree import FileTree
from diptych.curate.sources.files import readable
from diptych.curate.sources.json_facts import Facts, said_under
from diptych.curate.sources.marked_text import text_of
from diptych.curate.sources.metadata_tables import (
    FILE_NAME,
    METADATA,
    check_named,
    is_about_all,
    metadata_rows,
    why_without_captions,
    why_without_pictures,
)
from diptych.curate.sources.sidecars import in_one_form
from diptych.errors import DataError

ANNOTATIONS = "annotations"
SAMPLES, SAMPLES_ABOUT = "samples.json", "metadata.json"
FILE_PATH = "filepath"
CAPTIONS = "captions"  # all captions of a picture of which more are told; "caption" is the first

Lookup = Callable[[PurePosixPath], Facts | None]  # from the path of a picture, counted from the file's own folder


class _ToldIn(NamedTuple):
    """What the caption files that lie in one folder say.

    Attributes:
        lookups: What each says of a picture.
        unusable: Why one says nothing of any picture, as the end of a sentence about the folder's pictures.
        without_captions: Why one has captions for none.
    """

    lookups: Sequence[Lookup]
    unusable: str | None
    without_captions: str | None


def may_be_about_many(path: PurePath) -> bool:
    """Return whether a file is called like one of those that say something of many pictures."""
    return path.name in (*METADATA, SAMPLES) or (path.suffix == ".json" and path.parent.name == ANNOTATIONS)


def is_caption_file(path: PurePath, tree: FileTree) -> bool:
    """Return whether a file is one of those that say something of many pictures, so that it is no picture itself."""
    return may_be_about_many(path) or is_about_samples(path, tree)


def is_about_samples(path: PurePath, tree: FileTree) -> bool:
    """Return whether a file is what FiftyOne writes beside its samples."""
    return path.name == SAMPLES_ABOUT and tree.is_file(path.parent / SAMPLES)


class CaptionFiles:
    """What the caption files of a folder or a tar, and of the folders in it, say; each is read when first wanted."""

    def __init__(self, tree: FileTree, *, texts: Collection[str]) -> None:
        """Look at files below the root of ``tree``, and at none above it.

        Args:
            tree: A folder or a tar.
            texts: Columns of csv that are text, whatever they hold: a caption may be a number.
        """
        self._tree, self._texts = tree, (FILE_NAME, *texts)
        self._in = lru_cache(maxsize=1024)(partial(_told_or_refused, tree=tree, texts=self._texts))

    def named(self, files: Iterable[PurePath]) -> Iterator[PurePath]:
        """Yield the pictures that ``metadata`` files name; the path of one that is outside of their folder leads out.

        Args:
            files: Files of the tree.

        Raises:
            DataError: If one cannot be read.
        """
        for file in (one for one in files if one.name in METADATA):
            whole = self._tree.whole(file.parent)
            for row in _metadata_rows(file, self._tree, self._texts):
                name = row.get(FILE_NAME)
                if isinstance(name, str):
                    yield file.parent / _place(name, whole)

    def facts(self, picture: PurePath) -> Facts | None:
        """Return what the nearest file that knows a picture says of it; None where none does.

        Raises:
            DataError: If a file cannot be read.
        """
        for told, place in self._around(picture):
            for look_up in told.lookups:
                found = look_up(place)
                if found is not None:
                    return found
        return None

    def problem(self, picture: PurePath, *, lacks_caption: bool) -> str | None:
        """Return why a file that should speak of a picture says nothing of it, or no caption; None where none fails.

        Args:
            picture: Below the root.
            lacks_caption: Whether nothing else has a caption for it.

        Raises:
            DataError: If a file cannot be read.
        """
        for told, place in self._around(picture):
            if any(look_up(place) is not None for look_up in told.lookups):
                return told.without_captions if lacks_caption else None
            if told.unusable:
                return told.unusable
        return None

    def _around(self, picture: PurePath) -> Iterator[tuple[_ToldIn, PurePosixPath]]:
        """Yield what lies in each folder around a picture, the nearest first, and the picture's place from there."""
        for folder in picture.parents:
            yield self._in(folder), PurePosixPath(picture.relative_to(folder).as_posix())
            if folder == self._tree.root:
                break


def _told_or_refused(folder: PurePath, *, tree: FileTree, texts: Collection[str]) -> _ToldIn:
    """Return what the caption files in a folder say, or what raises for each picture why one cannot be read."""
    try:
        return _told_by_files_in(folder, tree=tree, texts=texts)
    except DataError as error:
        return _ToldIn([partial(_refuse, str(error))], None, None)


def _refuse(why: str, _: PurePosixPath) -> Facts | None:
    raise DataError(why)


def _told_by_files_in(folder: PurePath, *, tree: FileTree, texts: Collection[str]) -> _ToldIn:
    metadata = [folder / name for name in METADATA if tree.is_file(folder / name)]
    tables = [(file, _metadata_rows(file, tree, texts)) for file in metadata]
    unusable = [why for file, rows in tables if (why := why_without_pictures(file, rows))]
    captionless = [why for file, rows in tables if (why := why_without_captions(file, rows, texts))]
    found = [_metadata(file, rows, tree.whole(folder), texts) for file, rows in tables]
    if tree.is_file(folder / SAMPLES):
        found.append(_samples(folder / SAMPLES, tree))
    files = sorted(file for file in tree.files_in(folder / ANNOTATIONS) if file.suffix == ".json")
    found += [_coco(files, tree)] if files else []
    return _ToldIn(found, next(iter(unusable), None), next(iter(captionless), None))


def _metadata_rows(file: PurePath, tree: FileTree, texts: Collection[str]) -> list[dict[str, Any]]:
    with readable(file, "metadata"):
        data = tree.read(file)
    return metadata_rows(file, data, texts)


def _metadata(file: PurePath, rows: Sequence[Facts], whole: str, texts: Collection[str]) -> Lookup:
    if is_about_all(file, rows):
        return lambda _: rows[0]
    by_name: dict[str, list[Facts]] = {}
    for row in rows:
        if isinstance(row.get(FILE_NAME), str):
            by_name.setdefault(row[FILE_NAME], []).append(row)
    return _by_name((_place(name, whole), _told_in(lines, texts)) for name, lines in by_name.items())


def _told_in(lines: Sequence[Facts], texts: Collection[str]) -> Facts:
    """Return what the lines of one picture say: the first of them, with the captions of all."""
    if len(lines) == 1:
        return lines[0]
    names = (name for name in texts if name != FILE_NAME)
    key = next((name for name in names if any(first_text(said_under(line, name)) for line in lines)), None)
    values = [value for line in lines for value in _as_list(said_under(line, key))] if key else []
    told = list(dict.fromkeys(filter(None, map(first_text, values))))
    return {**lines[0], **({key: told, CAPTIONS: told} if key else {})}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _samples(file: PurePath, tree: FileTree) -> Lookup:
    samples = _objects(_json(file, tree), "samples")
    check_named(samples, FILE_PATH, file)
    known = _by_name((sample[FILE_PATH], sample) for sample in samples if FILE_PATH in sample)
    absolute = PurePosixPath(tree.whole(file.parent))
    return lambda place: known(place) or known(absolute / place)


def _coco(files: Sequence[PurePath], tree: FileTree) -> Lookup:
    """Return what COCO files that lie together say; of two that know a picture, one about its folder is believed."""
    there = _folders_of_pictures(files[0].parents[1], tree)
    read = [(file, known) for file in files if (known := _coco_captions(file, tree)) is not None]
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


def _coco_captions(file: PurePath, tree: FileTree) -> Lookup | None:
    """Return what a COCO file says of pictures; None where it has no caption."""
    value = _json(file, tree)
    captions: dict[str, list[str]] = {}
    with readable(file, "COCO captions"):
        for one in sorted(_objects(value, ANNOTATIONS), key=lambda one: _rank(one.get("id"))):
            caption = first_text(one.get("caption"))
            if caption is not None:
                captions.setdefault(_id(one["image_id"]), []).append(caption)
        if not captions:
            return None
        images = [image for image in _objects(value, "images") if _id(image["id"]) in captions]
        check_named(images, FILE_NAME, file)
        told = ((image, captions[_id(image["id"])]) for image in images)
        return _by_name((image[FILE_NAME], {**image, "caption": texts[0], CAPTIONS: texts}) for image, texts in told)


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


def _objects(value: Any, key: str) -> list[dict[str, Any]]:
    """Return the objects listed under a key; none where there is no such list."""
    found = value.get(key) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _by_name(facts: Iterable[tuple[str, Facts]]) -> Lookup:
    known = {in_one_form(_place(name)): row for name, row in facts}
    return lambda place: known.get(in_one_form(place.as_posix()))


def _place(name: str, whole: str = "") -> str:
    """Return the place that a name means; of a path into the folder whose whole path is given, the place within it."""
    place = posixpath.normpath(name.replace("\\", "/"))
    return place.removeprefix(f"{whole}/") if whole else place


def _json(file: PurePath, tree: FileTree) -> Any:
    with readable(file, "JSON"):
        return json.loads(text_of(tree.read(file)))
