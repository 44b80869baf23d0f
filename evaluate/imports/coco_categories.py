"""Which category a detection is of: by its id, or by its name, as programs write it that know names alone."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from diptych.data.same_text import plain_text
from diptych.evaluate.imports.coco_images import CocoId, coco_id
from diptych.evaluate.imports.matched import first_of

NO_CATEGORY = "no category of that id"


class ListedCategories:
    """The categories of a list: names by id."""

    def __init__(self, names: Mapping[CocoId, str]) -> None:
        """Look at the list."""
        self.names = names
        self._by_word: dict[str, set[str]] = defaultdict(set)
        for name in names.values():
            self._by_word[_word(name)].add(name)

    def find(self, detection: Mapping[str, Any]) -> str | None:
        """Return the name of the category that a detection is of; None where it says none of the list.

        That is the one of its ``category_id``; or that which has this as its name, in whatever case, or where there is
        no id, ``category_name``. An id goes before a name.
        """
        given = detection.get("category_id")
        known = coco_id(given)
        if known is not None and known in self.names:
            return self.names[known]
        word = detection.get("category_name") if given is None else given
        if not isinstance(word, str):
            return None
        alike = self._by_word.get(_word(word), set())
        return word if word in alike else next(iter(alike)) if len(alike) == 1 else None

    def both_sides(self, detection: Mapping[str, Any]) -> str:
        """Return what a detection says and what the list has, in words."""
        given = detection.get("category_id")
        has = self.names.values() if isinstance(given, str) and not isinstance(coco_id(given), int) else self.names
        return f"category_id {given!r}, where the names have {first_of(has)}"


def _word(name: str) -> str:
    return plain_text(name).casefold()
