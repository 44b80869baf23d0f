"""Links in a tar: to which of its members each leads, as where it is unpacked, and never to anything outside.

A hard link leads to the member of that name before it, a symbolic one to the last member of that name, and on from
there if that is a link, too. Nothing is read here.
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diptych.curate.sources.file_tree import unpacked_name

MAX_SHOWN = 60
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

    def target(self, number: int) -> int | None:
        """Return the number of the member whose content one has: its own; None where it leads to none."""
        seen = set[int]()
        while number in self._links:
            if number in seen:
                return None
            seen.add(number)
            link = self._links[number]
            found = self._numbers.get(self._path(number), [])
            before = [one for one in found if one < number] if link.is_hard else found
            if not before:
                return None
            number = before[-1]
        return number

    def leads_to_a_folder(self, number: int) -> bool:
        """Return whether a link leads to a folder of the tar, so that it is nobody's picture or text."""
        within = f"{self._path(number)}/"
        return any(path.startswith(within) for path in self._paths)

    def _path(self, number: int) -> str:
        link = self._links[number]
        if link.is_hard:
            return unpacked_name(link.target)
        # One that begins with a slash stays so, as no path of a member does: it leads outside.
        return posixpath.normpath(posixpath.join(posixpath.dirname(self._paths[number]), link.target))
