"""Words that pages share: foreign texts that keep to themselves, and which way is better."""

from collections.abc import Mapping, Sequence
from typing import Any

# FIRST STRONG ISOLATE to POP DIRECTIONAL ISOLATE; what a text has of them could end the isolate that is put around it.
ISOLATES = dict.fromkeys(range(0x2066, 0x206A))


def isolated(text: str) -> str:
    r"""Return a foreign text that leaves the direction of the words and numbers beside it alone (Unicode, UAX #9).

    ASCII has no direction to leave alone. A break of a paragraph would end the isolate: all white space is a space.

    >>> isolated("flux-dev"), isolated("\u202eevil\u2069") == "\u2068\u202eevil\u2069"
    ('flux-dev', True)
    """
    plain = " ".join(text.translate(ISOLATES).split())
    return plain if plain.isascii() else f"\u2068{plain}\u2069"


def side_of(better: str | None) -> str:
    """Return which way is better, in words.

    >>> side_of("lower"), side_of(None)
    ('lower is better', '')
    """
    return f"{better} is better" if better else ""


def side_of_all(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return which way is better if it is the same for all numbers: for models it need not be as for training data."""
    found = {row["better"] for row in rows}
    return side_of(found.pop()) if len(found) == 1 else ""
