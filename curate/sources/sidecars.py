"""Files that each say something of one picture, beside it: photo.txt, photo.caption or photo.json for photo.jpg.

Names are matched whatever the case of the suffix and the Unicode form of the rest, and where no picture has the very
name, whatever the case of the rest; photo.jpg.txt is a sidecar, too.
Decides nothing about which of the facts in it is the caption.
"""

import json
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from diptych.curate.sources.marked_text import text_of

SIDECARS = (".txt", ".json", ".caption")  # what the first ones say goes before what the others say
TEXT = "caption"  # what a sidecar that is no .json says

Facts = Mapping[str, Any]


class _Beside(NamedTuple):
    """The sidecars in a folder, by what they are called without their suffix, and by the suffix.

    Attributes:
        exact: All of them.
        free: Those whose very name no picture has, by the name in lower case.
    """

    exact: dict[tuple[str, str], Path]
    free: dict[tuple[str, str], Path]


def in_one_form(name: str) -> str:
    """Return a name whose letters are in one Unicode form, of which macOS writes another than most."""
    return unicodedata.normalize("NFC", name)


def sidecars_among(paths: Sequence[Path]) -> set[Path]:
    """Return those of the paths that are the sidecar of another one."""
    others = (path for path in paths if path.suffix.lower() not in SIDECARS)
    described = {name.casefold() for path in others for name in _names(path)}
    beside = (path for path in paths if path.suffix.lower() in SIDECARS)
    return {path for path in beside if _key(path.with_suffix("")).casefold() in described}


class Sidecars:
    """The sidecars of pictures, each folder listed once for pictures that come in the order of their paths."""

    def __init__(self) -> None:
        """Begin with no folder."""
        self._of = lru_cache(maxsize=2)(_sidecars_in)

    def facts(self, picture: Path) -> Facts | None:
        """Return what the sidecars of a picture say; None where it has none, or they say nothing.

        Raises:
            OSError: If one cannot be read.
        """
        if picture.suffix.lower() in SIDECARS:
            return None
        exact, free = self._of(picture.parent)
        facts: dict[str, Any] = {}
        for suffix in SIDECARS:
            named = [exact.get((name, suffix)) for name in _names(picture)]
            named += [free.get((name.casefold(), suffix)) for name in _names(picture)]
            path = next(filter(None, named), None)
            facts = {**(_read(path) or {}), **facts} if path is not None else facts
        return facts or None


def _read(path: Path) -> Facts | None:
    text = text_of(path.read_bytes(), "replace").strip()
    if path.suffix.lower() != ".json":
        return {TEXT: text} if text else None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _sidecars_in(folder: Path) -> _Beside:
    paths = sorted(folder.iterdir())
    taken = {name for path in paths if path.suffix.lower() not in SIDECARS for name in _names(path)}
    found = _Beside({}, {})
    for path in paths:
        suffix = path.suffix.lower()
        if suffix in SIDECARS and path.is_file():
            name = _key(path.with_suffix(""))
            found.exact.setdefault((name, suffix), path)
            if name not in taken:
                found.free.setdefault((name.casefold(), suffix), path)
    return found


def _names(picture: Path) -> Iterable[str]:
    """Return what the sidecar of a picture may be called, but for its suffix."""
    return dict.fromkeys([_key(picture.with_suffix("")), _key(picture)])


def _key(path: Path) -> str:
    return in_one_form(os.fspath(path))
