"""Image files below a folder. The caption is a sidecar (photo.txt, or a key of photo.json) or the file name itself."""

import itertools
import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from diptych.curate.config import Folder
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
    def _files(self) -> list[Path]:
        # Every file that is not the sidecar of another one is a row, so that what is no image is seen as such.
        found = [path for path in self._settings.path.rglob("*") if path.is_file() and not path.name.startswith(".")]
        pictures = {path.with_suffix("") for path in found if path.suffix.lower() not in SIDECARS}
        return sorted(
            path for path in found if path.suffix.lower() not in SIDECARS or path.with_suffix("") not in pictures
        )

    def inputs(self) -> list[dict[str, Any]]:
        """Return path within the folder, size and time of change of each file."""
        stats = [(path, path.stat()) for path in self._files]
        root = self._settings.path
        return [
            {"name": path.relative_to(root).as_posix(), "bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}
            for path, stat in stats
        ]

    def count(self) -> int:
        """Return the number of files that are rows."""
        return len(self._files)

    def bytes_on_disk(self) -> int | None:
        """Return the size of all files."""
        return sum(path.stat().st_size for path in self._files)

    def tables(self) -> Iterator[pa.Table]:
        """Yield path and caption of each file, sorted by path."""
        files = iter(self._files)
        while block := list(itertools.islice(files, BLOCK_ROWS)):
            yield pa.table(
                {
                    "caption": pa.array([self._caption(path) for path in block], pa.string()),
                    "url": pa.nulls(len(block), pa.string()),
                    "problem": pa.nulls(len(block), pa.string()),
                    "path": pa.array([str(path) for path in block], pa.string()),
                    "file": pa.array([path.relative_to(self._settings.path).as_posix() for path in block], pa.string()),
                }
            )

    def _caption(self, path: Path) -> str | None:
        if self._settings.captions == "none":
            return None
        if self._settings.captions == "file_name":
            return caption_of_name(path.stem)
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
    except ValueError:
        return None
    found = [value[key] for key in CAPTION_KEYS if isinstance(value, dict) and isinstance(value.get(key), str)]
    return found[0] if found else None
