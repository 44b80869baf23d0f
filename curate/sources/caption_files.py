"""Files that say something of many pictures, as other programs write them into a folder or a tar.

- ``metadata.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` with ``file_name`` (Hugging Face, imagefolder), names counted
  from there, of a picture one line or one for each of its captions; a name without its suffix is that of the only
  picture called so;
- ``metadata.jsonl`` of one object without ``file_name``, for all pictures below (GenEval);
- ``annotations/*.json`` with ``images`` and ``annotations`` (COCO), of pictures anywhere beside ``annotations``, or in
  the folders that the name of the file speaks of; also as ``labels.json`` beside ``data`` (FiftyOne);
- ``samples.json`` with ``samples`` by ``filepath`` (FiftyOne), with a ``metadata.json`` that says nothing of pictures.

The file nearest to a picture that knows it is believed. Decides nothing about which of the facts is the caption.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import PurePath, PurePosixPath
from typing import Any, NamedTuple

from diptych.curate.sources.coco_captions import ANNOTATIONS, coco_captions
from diptych.curate.sources.columns import first_text
from diptych.curate.sources.file_tree import FileTree
from diptych.curate.sources.files import readable
from diptych.curate.sources.image_suffixes import IMAGE_SUFFIXES
from diptych.curate.sources.json_facts import Facts, said_under
from diptych.curate.sources.metadata_tables import (
    FILE_NAME,
    METADATA,
    check_named,
    is_about_all,
    metadata_rows,
    why_without_captions,
    why_without_pictures,
)
from diptych.curate.sources.named_pictures import CAPTIONS, Lookup, by_name, json_of, objects_under, place_meant
from diptych.curate.sources.sidecars import in_one_form
from diptych.errors import DataError

LABELS = "labels.json"  # COCO as FiftyOne writes it, beside a folder data
SAMPLES, SAMPLES_ABOUT = "samples.json", "metadata.json"
FILE_PATH = "filepath"


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
    return path.name in (*METADATA, SAMPLES, LABELS) or (path.suffix == ".json" and path.parent.name == ANNOTATIONS)


def is_caption_file(path: PurePath, tree: FileTree) -> bool:
    """Return whether a file is one of those that say something of many pictures, so that it is no picture itself."""
    return may_be_about_many(path) or is_about_samples(path, tree)


def is_about_samples(path: PurePath, tree: FileTree) -> bool:
    """Return whether a file is what FiftyOne writes beside its samples."""
    return path.name == SAMPLES_ABOUT and tree.is_file(path.parent / SAMPLES)


def names_of(files: Iterable[PurePath]) -> set[str]:
    """Return what a file about many pictures may call them: by their paths, or without a suffix that only one has.

    >>> sorted(names_of(map(PurePosixPath, ["a.jpg", "b.jpg", "b.png"])))
    ['a', 'a.jpg', 'b.jpg', 'b.png']
    """
    files = list(files)
    stems = (file.with_suffix("") for file in files if file.suffix[1:].lower() in IMAGE_SUFFIXES)
    shared = Counter(in_one_form(str(stem)) for stem in stems)
    return {in_one_form(str(file)) for file in files} | {stem for stem, count in shared.items() if count == 1}


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
        self._called_in = lru_cache(maxsize=2)(lambda folder: names_of(tree.names_in(folder)))

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
                    yield file.parent / place_meant(name, whole)

    def facts(self, picture: PurePath) -> Facts | None:
        """Return what the nearest file that knows a picture says of it; None where none does.

        Raises:
            DataError: If a file cannot be read.
        """
        for told, place in self._around(picture):
            if known := self._known(told, picture, place):
                return known[0]
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
            if self._known(told, picture, place):
                return told.without_captions if lacks_caption else None
            if told.unusable:
                return told.unusable
        return None

    def _known(self, told: _ToldIn, picture: PurePath, place: PurePosixPath) -> list[Facts]:
        """Return what is said of a picture by its name, or without its suffix where it is the only one."""
        known = _said_by(told.lookups, place)
        if not known and told.lookups and in_one_form(str(picture.with_suffix(""))) in self._called_in(picture.parent):
            return _said_by(told.lookups, place.with_suffix(""))
        return known

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


def _said_by(lookups: Iterable[Lookup], place: PurePosixPath) -> list[Facts]:
    return [facts for look_up in lookups if (facts := look_up(place)) is not None]


def _told_by_files_in(folder: PurePath, *, tree: FileTree, texts: Collection[str]) -> _ToldIn:
    metadata = [folder / name for name in METADATA if tree.is_file(folder / name)]
    tables = [(file, _metadata_rows(file, tree, texts)) for file in metadata]
    unusable = [why for file, rows in tables if (why := why_without_pictures(file, rows))]
    captionless = [why for file, rows in tables if (why := why_without_captions(file, rows, texts))]
    found = [_metadata(file, rows, tree.whole(folder), texts) for file, rows in tables]
    if tree.is_file(folder / SAMPLES):
        found.append(_samples(folder / SAMPLES, tree))
    files = sorted(file for file in tree.files_in(folder / ANNOTATIONS) if file.suffix == ".json")
    found += [coco_captions(files, folder, tree)] if files else []
    found += [coco_captions([folder / LABELS], folder, tree)] if tree.is_file(folder / LABELS) else []
    return _ToldIn(found, next(iter(unusable), None), next(iter(captionless), None))


def _metadata_rows(file: PurePath, tree: FileTree, texts: Collection[str]) -> list[dict[str, Any]]:
    with readable(file, "metadata"):
        data = tree.read(file)
    return metadata_rows(file, data, texts)


def _metadata(file: PurePath, rows: Sequence[Facts], whole: str, texts: Collection[str]) -> Lookup:
    if is_about_all(file, rows):
        return lambda _: rows[0]
    lines_of: dict[str, list[Facts]] = {}
    for row in rows:
        if isinstance(row.get(FILE_NAME), str):
            lines_of.setdefault(row[FILE_NAME], []).append(row)
    return by_name((place_meant(name, whole), _told_in(lines, texts)) for name, lines in lines_of.items())


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
    samples = objects_under(json_of(file, tree), "samples")
    check_named(samples, FILE_PATH, file)
    known = by_name((sample[FILE_PATH], sample) for sample in samples if FILE_PATH in sample)
    absolute = PurePosixPath(tree.whole(file.parent))
    return lambda place: known(place) or known(absolute / place)
