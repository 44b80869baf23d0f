"""Files that each say something of one picture, beside it: photo.txt, photo.caption or photo.json for photo.jpg.

Names are matched whatever the case of the suffix and the Unicode form of the rest; photo.jpg.txt is a sidecar, too.
Decides nothing about which of the facts in it is the caption.
"""

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from diptych.curate.sources.marked_text import text_of

SIDECARS = (".txt", ".json", ".caption")  # the first one that a picture has is read
TEXT = "caption"  # what a sidecar that is no .json says

Facts = Mapping[str, Any]


def sidecars_among(paths: Sequence[Path]) -> set[Path]:
    """Return those of the paths that are the sidecar of another one."""
    others = (path for path in paths if path.suffix.lower() not in SIDECARS)
    described = {name for path in others for name in _names(path)}
    return {path for path in paths if path.suffix.lower() in SIDECARS and _key(path.with_suffix("")) in described}


class Sidecars:
    """The sidecars of pictures, each folder listed once for pictures that come in the order of their paths."""

    def __init__(self) -> None:
        """Begin with no folder."""
        self._of = lru_cache(maxsize=2)(_sidecars_in)

    def facts(self, picture: Path) -> Facts | None:
        """Return what the sidecar of a picture says; None where it has none, or says nothing.

        Raises:
            OSError: If it cannot be read.
        """
        there = self._of(picture.parent)
        found = [there[name, suffix] for suffix in SIDECARS for name in _names(picture) if (name, suffix) in there]
        return _read(found[0]) if found and found[0] != picture else None


def _read(path: Path) -> Facts | None:
    text = text_of(path.read_bytes(), "replace").strip()
    if path.suffix.lower() != ".json":
        return {TEXT: text} if text else None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _sidecars_in(folder: Path) -> dict[tuple[str, str], Path]:
    found: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.iterdir()):
        suffix = path.suffix.lower()
        if suffix in SIDECARS and path.is_file():
            found.setdefault((_key(path.with_suffix("")), suffix), path)
    return found


def _names(picture: Path) -> Iterable[str]:
    """Return what the sidecar of a picture may be called, but for its suffix."""
    return dict.fromkeys([_key(picture.with_suffix("")), _key(picture)])


def _key(path: Path) -> str:
    return unicodedata.normalize("NFC", os.fspath(path))
