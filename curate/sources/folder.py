"""Image files below a folder. The caption is a sidecar (photo.txt, or a key of photo.json) or the file name itself."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from diptych.curate.config import Folder
from diptych.curate.sources.columns import clean_text
from diptych.curate.sources.contract import (
    BYTES,
    MAX_PICTURE_BYTES,
    NAME,
    PROBLEM,
    TABLE_BYTES,
    TABLE_ROWS,
    Part,
    Tables,
)
from diptych.curate.sources.files import readable
from diptych.errors import DataError

SIDECARS = (".txt", ".json", ".caption")
CAPTION_KEYS = ("caption", "text", "prompt")


class _FolderRow(NamedTuple):
    """A file, its content or why there is none, and its caption."""

    file: str
    data: bytes | None
    problem: str | None
    caption: str | None


class FolderSource:
    """See ``Folder`` in the config."""

    def __init__(self, settings: Folder) -> None:
        """Take the settings."""
        self._settings = settings
        self._root = str(settings.path)

    def parts(self) -> Sequence[Part]:
        """Return all files as one part, sorted by path.

        Every file that is not the sidecar of another one is a row, so that what is no image is seen as such.
        """
        if not self._settings.path.is_dir():
            raise DataError(f"{self._root}: no such folder")
        with readable(self._root, "folder"):
            found = _found(self._settings.path)
        pictures = {path.with_suffix("") for path in found if path.suffix.lower() not in SIDECARS}
        is_sidecar = [path.suffix.lower() in SIDECARS and path.with_suffix("") in pictures for path in found]
        rows = tuple(str(path) for path, beside in zip(found, is_sidecar, strict=True) if not beside)
        beside = tuple(str(path) for path, beside in zip(found, is_sidecar, strict=True) if beside)
        if not rows:
            raise DataError(f"{self._root}: no files there")
        uses_sidecars = self._settings.captions == "sidecar"
        return [Part(self._settings.path.name, rows, True, beside if uses_sidecars else (), self._root)]

    def tables(self, files: Sequence[str], start: int = 0) -> Tables:
        """Yield content and caption of each file."""
        waiting: list[_FolderRow] = []
        size = 0
        with readable(self._root, "folder"):
            for file in files[start:]:
                row = self._row(file)
                size += len(row.data or b"")
                if waiting and (len(waiting) == TABLE_ROWS or size > TABLE_BYTES):
                    table, waiting, size = self._table(waiting), [], len(row.data or b"")
                    yield table
                waiting.append(row)
            if waiting:
                yield self._table(waiting)

    def jumps(self, file: str) -> bool:
        """Return True: each file is a row."""
        return True

    def _row(self, file: str) -> _FolderRow:
        try:
            size = os.stat(file).st_size
            if size > MAX_PICTURE_BYTES:
                problem = f"too_large: {size} bytes, more than {MAX_PICTURE_BYTES}"
                return _FolderRow(file, None, problem, self._caption(Path(file)))
            return _FolderRow(file, Path(file).read_bytes(), None, self._caption(Path(file)))
        except OSError as error:
            return _FolderRow(file, None, f"unreadable: {error.strerror or error}", self._caption(Path(file)))

    def _table(self, rows: Sequence[_FolderRow]) -> pa.Table:
        shown = pa.array([_valid(os.path.relpath(row.file, self._root)) for row in rows], pa.string())
        return pa.table(
            {
                "caption": pa.array([row.caption for row in rows], pa.string()),
                "url": pa.nulls(len(rows), pa.string()),
                PROBLEM: pa.array([row.problem for row in rows], pa.string()),
                BYTES: pa.array([row.data for row in rows], pa.binary()),
                NAME: shown,
                "file": shown,
            }
        )

    def _caption(self, path: Path) -> str | None:
        if self._settings.captions == "none":
            return None
        if self._settings.captions == "file_name":
            return caption_of_name(_valid(path.stem))
        for suffix in SIDECARS:
            sidecar = path.with_suffix(suffix)
            if sidecar.is_file() and sidecar != path:
                return read_sidecar(sidecar)
        return None


def caption_of_name(stem: str) -> str | None:
    """Return the caption that a file name is: underscores and hyphens are spaces, a trailing counter is dropped.

    >>> caption_of_name("black_cat-sleeping (2)")
    'black cat sleeping'
    """
    text = re.sub(r"\s*\(\d+\)$", "", stem)
    return re.sub(r"[\s_-]+", " ", text).strip() or None


def read_sidecar(path: Path) -> str | None:
    """Return the caption in a sidecar: its text, or in a .json object the first of ``CAPTION_KEYS``."""
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if path.suffix.lower() != ".json":
        return text or None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = [value[key] for key in CAPTION_KEYS if isinstance(value, dict) and isinstance(value.get(key), str)]
    return clean_text(found[0]) if found else None


def _found(folder: Path) -> list[Path]:
    """Return the files below a folder; also symlinks that lead nowhere, which are pictures that somebody expects."""
    below = (path for path in folder.rglob("*") if not path.name.startswith("."))
    return sorted(path for path in below if path.is_file() or (path.is_symlink() and not path.exists()))


def _valid(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")
