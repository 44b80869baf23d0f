"""Whether two texts are one, but for what programs change as they pass them on: whitespace, composition and case."""

import re
import unicodedata


def plain_text(text: str) -> str:
    r"""Return a text with its signs composed (NFC) and one space wherever there is any whitespace.

    >>> plain_text(" a\n cafe\u0301 ")
    'a café'
    """
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def is_same_text(one: str, other: str) -> bool:
    """Return whether two texts differ in whitespace, composition or case at most.

    >>> is_same_text("A red fish", "a red  fish"), is_same_text("a red fish", "a blue fish")
    (True, False)
    """
    return one == other or plain_text(one).casefold() == plain_text(other).casefold()
