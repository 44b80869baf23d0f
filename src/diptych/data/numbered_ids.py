"""Ids that a spreadsheet made numbers of, or a Mac names of files.

7 or 7.0 is meant by 00007 where no other id is that number, and signs may be composed in another way (NFC, NFD).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

_Key = TypeVar("_Key", int, str)
WHOLE = re.compile(r"([0-9]{1,18})(?:\.0+)?")


class NumberedIds:
    r"""Ids to be found as they stand, or else by their composed signs, or as numbers.

    >>> ids = NumberedIds(["00007", "coco_7", "8", "08"])
    >>> ids.find("7"), ids.find("7.0"), ids.find("08"), ids.find("008")
    ('00007', '00007', '08', None)
    >>> NumberedIds(["caf\u00e9"]).find("cafe\u0301") == "caf\u00e9"
    True
    """

    def __init__(self, ids: Iterable[str]) -> None:
        """Look at the ids; one that stands there several times is one."""
        self._known = frozenset(ids)
        self._composed = _unique((_composed(one), one) for one in self._known)
        self._by_number = _unique((number, one) for one in self._known if (number := _number(one)) is not None)

    def find(self, given: str) -> str | None:
        """Return the id that is meant; None where none is, or several are that number."""
        if given in self._known:
            return given
        number = _number(given)
        return self._composed.get(_composed(given)) if number is None else self._by_number.get(number)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _unique(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, str]:
    """Return what each key says where it stands once."""
    given = list(pairs)
    counts = Counter(key for key, _ in given)
    return {key: one for key, one in given if counts[key] == 1}


def _number(text: str) -> int | None:
    found = WHOLE.fullmatch(text)
    return None if found is None else int(found[1])
