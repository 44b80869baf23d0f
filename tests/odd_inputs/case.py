"""An odd input, what is right, and the pictures and texts that all of them are made of."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from drawn import picture

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
NO_PICTURES = {
    "not_an_image": b"<html><body>404</body></html>",
    "unsupported": b"\xff\x0a" + bytes(40),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "empty": b"",
}
TEXTS = (
    "a cat",
    "42",
    "007",
    "1e5",
    "true",
    "NaN",
    "null",
    "N/A",
    "None",
    "-",
    "0",
    "3.14",
    "=1+1",
    "a, b; c",
    'it\'s "so"',
    "tab\there",
    "naïve café ☕",
    "猫が座る",
    "\U0001f408\u200d\u2b1b 🐈",
    "e\u0301 and \u00e9",
    "line\u2028separator",
    "next\u0085line",
    "<b>&amp;</b>",
    '{"caption": 1}',
    "[1, 2]",
    "\\n",
    "C:\\temp",
    "%s {} $x",
    "\u202ertl",
    "nul\\0",
    "x" * 5000,
)
BLANK = ("", " ", "\n", "\u200b", " \t\n")


class Pair(NamedTuple):
    """A picture, by the sha256 of its bytes or by its URL, and its caption without the space around it."""

    picture: str
    caption: str | None


@dataclass(frozen=True)
class OddCase:
    """An input and what is right.

    Attributes:
        seed: What it was made from.
        told: What is odd about it.
        source: The source of a config.
        pairs: Of all rows that have a picture.
        reasons: The statuses of all other rows.
        may_lack: Whether rows may be missing, or have a reason instead: the input is damaged, or cannot be read out of
            order. What is there has to be right, and what is not has to be said.
    """

    seed: int
    told: str
    source: dict[str, Any]
    pairs: Counter[Pair]
    reasons: Counter[str] = field(default_factory=Counter)
    may_lack: bool = False


Make = Callable[[int, Path], OddCase]


@cache
def drawn(number: int, kind: str = "JPEG") -> bytes:
    """Return one of many small pictures."""
    return picture(number, (9, 7), kind=kind)


def sha256(data: bytes) -> str:
    """Return by what a picture is known."""
    return hashlib.sha256(data).hexdigest()


def some_text(choice: random.Random, number: int) -> str:
    """Return a caption that no other row has, with something odd in it, and no space around it."""
    return f"{choice.choice(TEXTS)} {number}" if choice.random() < 0.7 else choice.choice(TEXTS)


def encoded(choice: random.Random, text: str) -> bytes:
    """Return the text as one of the editors of this world saves it."""
    return text.encode(choice.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32")))


def pair(data: bytes, caption: str | None) -> Pair:
    """Return the pair of a picture."""
    return Pair(sha256(data), caption)


def same_text(caption: str | None) -> str | None:
    """Return a caption as pairs have it."""
    return caption.strip() if caption is not None else None
