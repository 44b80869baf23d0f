"""Ids that a spreadsheet made numbers of: 7 or 7.0 is meant by 00007 where no other id is that number."""

import re
from collections import Counter
from collections.abc import Iterable

WHOLE = re.compile(r"([0-9]{1,18})(?:\.0+)?")


class NumberedIds:
    """Ids to be found as they stand, or else as numbers.

    >>> ids = NumberedIds(["00007", "coco_7", "8", "08"])
    >>> ids.find("7"), ids.find("7.0"), ids.find("08"), ids.find("008")
    ('00007', '00007', '08', None)
    """

    def __init__(self, ids: Iterable[str]) -> None:
        """Look at the ids; one that stands there several times is one."""
        self._known = frozenset(ids)
        numbers = {one: number for one in self._known if (number := _number(one)) is not None}
        counts = Counter(numbers.values())
        self._by_number = {number: one for one, number in numbers.items() if counts[number] == 1}

    def find(self, given: str) -> str | None:
        """Return the id that is meant; None where none is, or several are that number."""
        if given in self._known:
            return given
        number = _number(given)
        return None if number is None else self._by_number.get(number)


def _number(text: str) -> int | None:
    found = WHOLE.fullmatch(text)
    return None if found is None else int(found[1])
