"""Image files below a folder. The caption is a sidecar (photo.txt, or a key of photo.json) or the file name itself."""

import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from diptych.curate.config import Folder
from diptych.curate.sources import PATH, PROBLEM
from diptych.curate.sources.columns import clean_text
from diptych.errors import DataError

BLOCK_ROWS = 10_000
SIDECARS = (".txt", ".json", ".caption")
CAPTION_KEYS = ("caption", "text", "prompt")


class FolderSource:
    """See ``Folder`` in the config."""

    def __init__(self, settings: Folder) -> None:
        """Look at the folder; reads no file yet."""
        self._settings = settings
        if not settings.path.is_dir():
            raise DataError(f"{settings.path}: no such folder")
        if not self._files:
            raise DataError(f"{settings.path}: no files there")

    @cached_property
    def _found(self) -> list[Path]:
        """Rows and sidecars; also symlinks that lead nowhere, which are pictures that somebody expects."""
        below = (path for path in self._settings.path.rglob("*") if not path.name.startswith("."))
        return sorted(path for path in below if path.is_file() or (path.is_symlink() and not path.exists()))

    @cached_property
    def _files(self) -> list[Path]:
        # Every file that is not the sidecar of another one is a row, so that what is no image is seen as such.
        pictures = {path.with_suffix("") for path in self._found if path.suffix.lower() not in SIDECARS}
        return [
            path for path in self._found if path.suffix.lower() not in SIDECARS or path.with_suffix("") not in pictures
        ]

    def inputs(self) -> list[dict[str, Any]]:
        """Return path within the folder, size and sha256 of each file, and of each sidecar where these are read."""
        files = self._found if self._settings.captions == "sidecar" else self._files
        return [{"name": self._shown(path), **_identity(path)} for path in files]

    def count(self) -> int:
        """Return the number of files that are rows."""
        return len(self._files)

    def bytes_on_disk(self) -> int | None:
        """Return the size of all files."""
        return sum(path.stat().st_size for path in self._files if path.exists())

    def tables(self) -> Iterator[pa.Table]:
        """Yield path and caption of each file, sorted by path."""
        files = iter(self._files)
        while block := list(itertools.islice(files, BLOCK_ROWS)):
            yield pa.table(
                {
                    "caption": pa.array([self._caption(path) for path in block], pa.string()),
                    "url": pa.nulls(len(block), pa.string()),
                    PROBLEM: pa.nulls(len(block), pa.string()),
                    PATH: pa.array([os.fsencode(path) for path in block], pa.binary()),
                    "file": pa.array([self._shown(path) for path in block], pa.string()),
                }
            )

    def _shown(self, path: Path) -> str:
        """Return the path within the folder; a name that is no UTF-8 has replacement characters."""
        return _valid(path.relative_to(self._settings.path).as_posix())

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


def _valid(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")


def _identity(path: Path) -> dict[str, Any]:
    """Return size and sha256, or nulls where the file cannot be read: that costs its row, not the run."""
    try:
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        return {"bytes": path.stat().st_size, "sha256": digest}
    except OSError:
        return {"bytes": None, "sha256": None}
