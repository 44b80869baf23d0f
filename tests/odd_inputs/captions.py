"""Ways in which a caption lies beside its picture: members of a tar, files of a folder."""

import json
import random
from typing import NamedTuple

from odd_inputs.case import BLANK, encoded, some_text


class Beside(NamedTuple):
    """What lies beside a picture, by what is behind its base name, and the caption that it means."""

    way: str
    files: dict[str, bytes]
    caption: str | None


def captioned(choice: random.Random, number: int) -> Beside:
    """Return one of the ways."""
    text, other = some_text(choice, number), some_text(choice, number + 1000)
    blank = choice.choice(BLANK).encode()
    facts = {"width": 9, "key": f"{number}", "tags": ["a"], "caption": text}
    ways = {
        "no caption": ({}, None),
        "txt": ({"txt": encoded(choice, text)}, text),
        "TXT": ({"TXT": text.encode()}, text),
        "caption": ({"caption": encoded(choice, text)}, text),
        "json": ({"json": json.dumps(facts, ensure_ascii=choice.random() < 0.5).encode()}, text),
        "marked json": ({"json": encoded(choice, json.dumps(facts))}, text),
        "list in json": ({"json": json.dumps({"caption": ["", text, other]}).encode()}, text),
        "number in json": ({"json": b'{"caption": 42}'}, "42"),
        "json without caption": ({"json": b'{"width": 9}'}, None),
        "broken json": ({"json": b"{bad"}, None),
        "text in json": ({"json": json.dumps({"width": 9, "caption": "", "text": text}).encode()}, text),
        "prompt in json": ({"json": json.dumps({"prompt": [text, other]}).encode()}, text),
        "json of a text": ({"json": json.dumps(text).encode()}, text),
        "objects in json": ({"json": json.dumps({"caption": [{"id": 1, "caption": text}]}).encode()}, text),
        "txt beside json": ({"txt": text.encode(), "json": json.dumps({"caption": other}).encode()}, text),
        "blank txt": ({"txt": blank}, None),
        "blank txt beside json": ({"txt": blank, "json": json.dumps(facts).encode()}, text),
        "blank txt beside caption": ({"txt": blank, "caption": text.encode()}, text),
        "txt beside caption": ({"txt": text.encode(), "caption": other.encode()}, text),
        "large txt": ({"txt": ("word " * 60_000 + text).encode()}, "word " * 60_000 + text),
        "Windows line ends": ({"txt": f"{text}\r\n".encode()}, text),
    }
    way = choice.choice(list(ways))
    return Beside(way, *ways[way])
