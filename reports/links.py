"""Links into the gallery: its whole state is in the part of the address behind #, so a number can name its images.

``gallery.html#f=model:demo-raw&f=clip_score:0.2..0.3&s=-clip_score``: filters of one column are alternatives, filters
of different columns hold together; a range is half open, closed at its end if it ends with ``]``.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

GALLERY = "gallery.html"
MISSING = "none"  # the filter for images without a value; "none:reason" for those without it for one reason
PRESENT = ".."  # the filter for images with any value


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
        values = [str(wanted)] if isinstance(wanted, str | Range) else list(wanted)
        parts += [f"f={_escaped(column)}:{_escaped(value, safe='.')}" for value in values]
    parts += [f"s={_escaped(sort)}"] if sort else []
    parts += [f"sel={selected}"] if selected is not None else []
    return f"{GALLERY}#{'&'.join(parts)}" if parts else GALLERY


def _escaped(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")
