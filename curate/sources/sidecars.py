"""Files that each say something of one picture, beside it: photo.txt, .caption, .text or .json for photo.jpg.

Names are matched whatever the case of the suffix and the Unicode form of the rest, and where no picture has the very
name, whatever the case of the rest; photo.jpg.txt is a sidecar, too, and goes before photo.txt, which may be another's.
So is, behind both, photo.caption.txt (also .text, .prompt), as in a tar, where no picture is called photo.caption.
Decides nothing about which of the facts in it is the caption.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import NamedTuple, TypeVar

from diptych.curate.sources.columns import CAPTION_KEYS, first_text
from diptych.curate.sources.file_tree import NOT_THERE
from diptych.curate.sources.json_facts import Facts, facts_of
from diptych.curate.sources.marked_text import text_of
from diptych.data.folder_walk import valid_name
from diptych.storage.store_path import ReadPath

Found = TypeVar("Found", bound=PurePath)

SIDECARS = (".txt", ".json", ".caption", ".text")  # what the first ones say goes before what the others say


class Told(NamedTuple):
    """What a file says of a picture.

    Attributes:
        text: What is all that a file of text says; None of one that is empty, and of all others.
        facts: By name, where the file is no text.
        problem: Why it says nothing, where it should: its name, and what is wrong.
    """

    text: str | None
    facts: Facts
    problem: str | None = None


class _Beside(NamedTuple):
    """The sidecars in a folder, by what they are called without their suffix, and by the suffix.

    Attributes:
        exact: All of them.
        free: Those whose very name no picture has, by the name in lower case.
        called: Those of them that are called as a caption is behind the name of a picture, which photo.caption.txt is.
    """

    exact: dict[tuple[str, str], ReadPath]
    free: dict[tuple[str, str], ReadPath]
    called: dict[tuple[str, str], ReadPath]


def in_one_form(name: str) -> str:
    """Return a name whose letters are in one Unicode form, of which macOS writes another than most."""
    return unicodedata.normalize("NFC", name)


def sidecars_among(paths: Sequence[Found]) -> set[Found]:
    """Return those of the paths that are the sidecar of another one."""
    others = (path for path in paths if path.suffix.lower() not in SIDECARS)
    described = {one.casefold() for path in others for name in _names(path) for one in (name, *_called_behind(name))}
    beside = (path for path in paths if path.suffix.lower() in SIDECARS)
    return {path for path in beside if _key(path.with_suffix("")).casefold() in described}


class Sidecars:
    """The sidecars of pictures, each folder listed once for pictures that come in the order of their paths."""

    def __init__(self) -> None:
        """Begin with no folder."""
        self._of = lru_cache(maxsize=2)(_sidecars_in)

    def told(self, picture: ReadPath) -> list[Told]:
        """Return what the sidecars of a picture say, those that are meant most surely first.

        Raises:
            OSError: If one cannot be read.
        """
        if picture.suffix.lower() in SIDECARS:
            return []
        exact, free, called = self._of(picture.parent)
        names = list(_names(picture))
        found: list[ReadPath | None] = [exact.get((name, suffix)) for name in names for suffix in SIDECARS]
        found += [free.get((name.casefold(), suffix)) for name in names for suffix in SIDECARS]
        behind = [one for name in names for one in _called_behind(name)]
        found += [called.get((one, suffix)) for one in behind for suffix in SIDECARS]
        return [_read(path) for path in dict.fromkeys(found) if path is not None]


def _read(path: ReadPath) -> Told:
    try:
        data = path.read_bytes()
    except PermissionError:
        return Told(None, {}, f"{valid_name(path.name)} may not be read")
    if path.suffix.lower() != ".json":
        return Told(first_text(text_of(data, "replace")), {})
    facts, problem = facts_of(data)
    return Told(None, facts, problem and f"{valid_name(path.name)} {problem}")


def _sidecars_in(folder: ReadPath) -> _Beside:
    paths = _listed(folder)
    taken = {name for path in paths if path.suffix.lower() not in SIDECARS for name in _names(path)}
    found = _Beside({}, {}, {})
    for path in paths:
        suffix = path.suffix.lower()
        if suffix in SIDECARS and path.is_file():
            name = _key(path.with_suffix(""))
            found.exact.setdefault((name, suffix), path)
            if name not in taken:
                found.free.setdefault((name.casefold(), suffix), path)
                found.called[name, suffix] = path
    return found


def _listed(folder: ReadPath) -> list[ReadPath]:
    """Return what is in a folder, sorted; nothing where there is no such folder.

    Raises:
        OSError: If the disk does not give it.
    """
    try:
        return sorted(folder.iterdir())
    except ValueError:  # a name with a zero byte
        return []
    except OSError as error:
        if error.errno not in NOT_THERE:
            raise
        return []


def _names(picture: PurePath) -> Iterable[str]:
    """Return what the sidecar of a picture may be called, but for its suffix; what is nobody else's first."""
    return dict.fromkeys([_key(picture), _key(picture.with_suffix(""))])


def _called_behind(name: str) -> list[str]:
    return [f"{name}.{key}" for key in CAPTION_KEYS]


def _key(path: PurePath) -> str:
    return in_one_form(os.fspath(path))
