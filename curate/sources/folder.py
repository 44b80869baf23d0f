"""Image files below a folder, and what lies there beside them. A caption may be the name of the file itself, too."""

import os
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.curate.config import Folder
from diptych.curate.sources.bounded import in_tables
from diptych.curate.sources.caption_files import CaptionFiles, is_caption_file, names_of
from diptych.curate.sources.column_types import as_text, column_of_json
from diptych.curate.sources.columns import CAPTION_KEYS, caption_text, carried_names
from diptych.curate.sources.contract import BYTES, NAME, NOTE, PROBLEM, Part, Tables, leads_out
from diptych.curate.sources.file_tree import tree_of
from diptych.curate.sources.files import readable
from diptych.curate.sources.json_facts import Facts, said_under
from diptych.curate.sources.sidecars import Sidecars, Told, in_one_form, sidecars_among
from diptych.data.folder_walk import everything_below, valid_name
from diptych.data.picture_files import read_picture_file
from diptych.data.schema import FILE
from diptych.errors import DataError
from diptych.storage.store_path import ReadPath, listed_path, read_path

NOT_BELOW = "unreadable: a file about many pictures names it, and it is not below the folder of that file"


class _FolderRow(NamedTuple):
    """A file, its content or why there is none, and what is said of it."""

    file: str
    data: bytes | None
    problem: str | None
    told: Sequence[Told]


class FolderSource:
    """See ``Folder`` in the config."""

    def __init__(self, settings: Folder) -> None:
        """Take the settings."""
        self._settings = settings
        self._path = read_path(settings.path)
        self._root = str(self._path)
        self._carried = carried_names(settings.columns, taken=(FILE,))
        self._caption_keys = (settings.caption_key,) if settings.caption_key else CAPTION_KEYS
        self._tree = tree_of(self._path)
        self._sidecars, self._caption_files = Sidecars(), CaptionFiles(self._tree, texts=self._caption_keys)

    def parts(self) -> Sequence[Part]:
        """Return all files as one part, sorted by path.

        Every file that says nothing of others is a row, so that what is no image is seen as such.
        """
        if not self._path.is_dir():
            is_file = self._path.is_file()
            said = "a file, not a folder; unpack an archive, read a table or a tar as another source"
            raise DataError(f"source.path: {self._root}: {said if is_file else 'no such folder'}")
        with readable(self._root, "folder"):
            found = everything_below(self._path)
            beside = sidecars_among(found) | {path for path in found if is_caption_file(path, self._tree)}
        known = names_of(found)
        named = self._caption_files.named(beside) if self._is_told else ()
        missing = {path for path in named if in_one_form(str(path)) not in known}
        rows = tuple(str(path) for path in sorted({*found, *missing} - beside))
        if not rows:
            raise DataError(f"{self._root}: no files there")
        says = tuple(map(str, sorted(beside))) if self._is_told else ()
        return [Part(self._path.name, rows, self._caption_of, says, self._root)]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield content and caption of each file."""
        with readable(self._root, "folder"):
            yield from in_tables(map(self._row, files[start:]), lambda row: len(row.data or b""), self._table)

    def jumps(self, file: str) -> bool:
        """Return True: each file is a row."""
        return True

    @property
    def _is_told(self) -> bool:
        """Whether it matters what other files say of a picture."""
        return self._settings.captions == "sidecar" or bool(self._carried)

    def _row(self, file: str) -> _FolderRow:
        if leads_out(file, self._root):
            return _FolderRow(file, None, NOT_BELOW, ())
        told = self._told(listed_path(file)) if self._is_told else ()
        found = read_picture_file(file)
        return _FolderRow(file, None, found, told) if isinstance(found, str) else _FolderRow(file, found, None, told)

    def _caption_of(self, file: str) -> str | None:
        if leads_out(file, self._root):
            return self._caption(file, ())
        with readable(self._root, "folder"):
            return self._caption(file, self._told(listed_path(file)) if self._settings.captions == "sidecar" else ())

    def _told(self, path: ReadPath) -> Sequence[Told]:
        """Return what is said of a picture; its own sidecars go before a file about many."""
        about_many = self._caption_files.facts(path)
        return [*self._sidecars.told(path), *([Told(None, about_many)] if about_many else [])]

    def _table(self, rows: Sequence[_FolderRow]) -> pa.Table:
        shown = pa.array([valid_name(os.path.relpath(row.file, self._root)) for row in rows], pa.string())
        captions = [self._caption(row.file, row.told) for row in rows]
        columns = {
            "caption": pa.array(captions, pa.string()),
            "url": pa.nulls(len(rows), pa.string()),
            PROBLEM: pa.array([row.problem for row in rows], pa.string()),
            BYTES: pa.array([row.data for row in rows], pa.binary()),
            NAME: shown,
            FILE: shown,
            NOTE: pa.array(map(self._note, rows, captions), pa.string()),
        }
        for final, name in self._carried.items():
            values = [_written(_fact(row.told, name)) for row in rows]
            columns[final] = column_of_json(values, name, self._settings.types, self._root)
        return pa.table(columns)

    def _caption(self, file: str, told: Sequence[Told]) -> str | None:
        if self._settings.captions == "none":
            return None
        if self._settings.captions == "file_name":
            return caption_of_name(valid_name(PurePath(file).stem))
        if self._settings.caption_key:  # what a config names goes before a text that may be something else
            found = [self._named(one.facts) for one in told] + [one.text for one in told]
        else:
            found = [one.text or self._named(one.facts) for one in told]
        return next(filter(None, found), None)

    def _note(self, row: _FolderRow, caption: str | None) -> str | None:
        """Return what is wrong with a sidecar or a file about many, where what it might have said is missing."""
        is_wanted = bool(self._carried) or (caption is None and self._settings.captions == "sidecar")
        if not is_wanted or leads_out(row.file, self._root):
            return None
        found = next((one.problem for one in row.told if one.problem), None)
        lacks_caption = caption is None and self._settings.captions == "sidecar"
        return found or self._caption_files.problem(listed_path(row.file), lacks_caption=lacks_caption)

    def _named(self, facts: Facts) -> str | None:
        lists = self._settings.caption_list
        return next(filter(None, (caption_text(said_under(facts, key), lists) for key in self._caption_keys)), None)


def _fact(told: Sequence[Told], name: str) -> Any:
    """Return what the first file that says something under a name says there; a text is its caption."""
    texts = [one.text for one in told if one.text] if name == CAPTION_KEYS[0] else []
    return next(
        (value for value in (*texts, *(said_under(one.facts, name) for one in told)) if value is not None), None
    )


def caption_of_name(stem: str) -> str | None:
    """Return the caption that a file name is: underscores and hyphens are spaces, a trailing counter is dropped.

    >>> caption_of_name("black_cat-sleeping (2)")
    'black cat sleeping'
    """
    text = re.sub(r"\s*\(\d+\)$", "", stem)
    return re.sub(r"[\s_-]+", " ", text).strip() or None


def _written(value: Any) -> Any:
    """Return a value, or none where it is nested too deeply to be written."""
    try:
        as_text(value)
    except RecursionError:
        return None
    return value
