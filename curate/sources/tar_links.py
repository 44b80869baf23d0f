"""Links in a tar: to which of its members each leads, as where it is unpacked, and never to anything outside.

A hard link leads to the member of that name before it, a symbolic one to the last member of that name, and on from
there if that is a link, too; the way may go through links to folders. What lies in a folder is no row once more by the
name of a link to it. Nothing is read here.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from diptych.curate.sources.file_tree import unpacked_name

MAX_SHOWN = 60
MAX_FOLLOWED = 40  # links on one way, as in Linux; they may lead in circles
NO_MEMBER = "."  # the name of what is no member by itself: the folder in which the tar is unpacked


@dataclass(frozen=True)
class TarLink:
    """Where a link leads.

    Attributes:
        target: As it is written there.
        is_hard: Whether it counts from the root of the tar; else from the folder of the link.
    """

    target: str
    is_hard: bool


class LinkedMembers:
    """The members of a tar, with its links followed."""

    def __init__(self, names: Sequence[str], links: Mapping[int, TarLink]) -> None:
        """Follow nothing yet.

        Args:
            names: Of all members.
            links: Those that are links, by their numbers.
        """
        self._paths, self._links = ([unpacked_name(name) for name in names] if links else []), links
        self._numbers: dict[str, list[int]] = {}
        for number, path in enumerate(self._paths):
            self._numbers.setdefault(path, []).append(number)
        self._folders = {"", *(above for path in self._paths for above in _folders_above(path))}

    def target(self, number: int) -> int | None:
        """Return the number of the member whose content one has: its own; None where it leads to none."""
        seen = set[int]()
        while number in self._links:
            if number in seen:
                return None
            seen.add(number)
            link = self._links[number]
            path = self._path(number)
            found = [] if path is None else self._numbers.get(path, [])
            before = [one for one in found if one < number] if link.is_hard else found
            if not before:
                return None
            number = before[-1]
        return number

    def leads_to_a_folder(self, number: int) -> bool:
        """Return whether a link leads to a folder of the tar, so that it is nobody's picture or text."""
        target = self._path(number)
        return target is not None and self._through(posixpath.join(target, ".")) in self._folders

    def _path(self, number: int) -> str | None:
        """Return the path to which a link leads; None where that is outside."""
        link = self._links[number]
        if link.is_hard:
            return self._through(unpacked_name(link.target))
        return self._through(posixpath.join(posixpath.dirname(self._paths[number]), link.target))

    def _through(self, path: str) -> str | None:
        """Return a path with the links on its way followed, but for its last part; None where it leads outside."""
        done, waiting, followed = list[str](), path.split("/")[::-1], 0
        if path.startswith("/"):
            return None
        while waiting:
            part = waiting.pop()
            if part == ".." and not done:
                return None
            if part == "..":
                done.pop()
            elif part not in ("", "."):
                done.append(part)
                link = self._links.get(self._numbers.get("/".join(done), [-1])[-1]) if waiting else None
                if link is not None and not link.is_hard:
                    followed += 1
                    if followed > MAX_FOLLOWED or link.target.startswith("/"):
                        return None
                    done.pop()
                    waiting += link.target.split("/")[::-1]
        return "/".join(done)


def _folders_above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
