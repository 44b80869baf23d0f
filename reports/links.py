"""Links into the gallery: its whole state is in the part of the address behind #, so a number can name its images.

``gallery.html#f=model:demo-raw&f=clip_score:0.2..0.3&s=-clip_score``: filters of one column are alternatives, filters
of different columns hold together; a range is half open, closed at its end if it ends with ``]``. A word that reads as
one of the marks ``none``, ``none:reason`` and ``..`` has ``=`` before it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

GALLERY = "gallery.html"


class FilterMark(str):
    """A filter that is no word of the data."""


MISSING = FilterMark("none")  # images without a value
PRESENT = FilterMark("..")  # images with any value
WORD = "="  # before a word that would read as a mark


def missing_for(reason: str) -> FilterMark:
    """Return the filter for images that are without a value for one reason."""
    return FilterMark(f"{MISSING}:{reason}")


def as_filter(word: str) -> str:
    """Return a filter as its address has it: a word of the data never reads as a mark.

    >>> as_filter("blue"), as_filter("none"), as_filter(MISSING)
    ('blue', '=none', 'none')
    """
    is_word = not isinstance(word, FilterMark) and (
        word in (MISSING, PRESENT) or word.startswith((f"{MISSING}:", WORD))
    )
    return f"{WORD}{word}" if is_word else str(word)


class Range(NamedTuple):
    """Values from ``low`` to ``high``; ``high`` belongs to it only if ``is_closed``. None is no limit."""

    low: float | None = None
    high: float | None = None
    is_closed: bool = False

    def __str__(self) -> str:
        """Return the range as the gallery reads it.

        >>> str(Range(0.5, 1.0)), str(Range(None, 2.0, is_closed=True))
        ('0.5..1.0', '..2.0]')
        """
        ends = ["" if end is None else repr(float(end)) for end in (self.low, self.high)]
        return f"{ends[0]}..{ends[1]}{']' if self.is_closed else ''}"


Filter: TypeAlias = str | Range | Sequence[str]


def gallery(filters: Mapping[str, Filter], *, sort: str = "", selected: int | None = None) -> str:
    """Return the address of the gallery with filters, an order (``-name`` is descending) and an open image.

    >>> gallery({"model": "a b", "score": Range(0.0, 1.0)}, sort="-score")
    'gallery.html#f=model:a%20b&f=score:0.0..1.0&s=-score'
    """
    parts = []
    for column, wanted in filters.items():
        found = [wanted] if isinstance(wanted, str | Range) else wanted
        values = [str(one) if isinstance(one, Range) else as_filter(one) for one in found]
        parts += [f"f={_escaped(column)}:{_escaped(value, safe='.')}" for value in values]
    parts += [f"s={_escaped(sort)}"] if sort else []
    parts += [f"sel={selected}"] if selected is not None else []
    return f"{GALLERY}#{'&'.join(parts)}" if parts else GALLERY


def _escaped(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")
