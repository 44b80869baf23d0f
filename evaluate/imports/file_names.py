"""Files by their names: by the end of a path, or by that without the ending of a picture."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath


class FileNames:
    r"""Numbered files, to be found wherever somebody else had them; signs may be composed as a Mac does it in names.

    >>> files = FileNames(["0/a.png", "1/a.png", None, "1/b.png"])
    >>> files.find("/out/1/a.png"), files.find("b"), files.find("a"), files.find("b.jpg")
    ([1], [3], [0, 1], [])
    >>> FileNames(["caf\u00e9.png"]).find("cafe\u0301.png")
    [0]
    """

    def __init__(self, files: Iterable[str | None]) -> None:
        """Look at the names; None is a file that nobody names."""
        self._named: dict[str, list[tuple[int, PurePosixPath]]] = {}
        self._stems: dict[str, list[tuple[int, PurePosixPath]]] = {}
        for number, name in enumerate(files):
            path = None if name is None else _path(name)
            if path is not None and path.name:
                self._named.setdefault(path.name, []).append((number, path))
                self._stems.setdefault(path.stem, []).append((number, path.with_suffix("")))

    def find(self, name: str) -> Sequence[int]:
        """Return the numbers of the files that a name may be of; one with the whole name goes before a stem."""
        path = _path(name)
        return _ending(path, self._named) or _ending(path, self._stems)


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(unicodedata.normalize("NFC", name.replace("\\", "/")))


def _ending(path: PurePosixPath, known: dict[str, list[tuple[int, PurePosixPath]]]) -> list[int]:
    return [number for number, other in known.get(path.name, []) if _is_end(path, other)]


def _is_end(path: PurePosixPath, other: PurePosixPath) -> bool:
    """Return whether the shorter of two paths is the end of the longer one.

    >>> _is_end(PurePosixPath("/out/00001/0.png"), PurePosixPath("00001/0.png"))
    True
    """
    shorter, longer = sorted((path.parts, other.parts), key=len)
    return longer[len(longer) - len(shorter) :] == shorter
