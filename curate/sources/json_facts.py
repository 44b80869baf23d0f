"""What a JSON about one picture says, beside it in a folder or a tar: facts by their names, or why it says none.

A text or a list that stands there alone is the caption. Decides nothing about which of several facts is the caption.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from diptych.curate.sources.columns import CAPTION_KEYS
from diptych.curate.sources.marked_text import text_of
from diptych.curate.sources.part_columns import name_there

Facts = Mapping[str, Any]


class ReadFacts(NamedTuple):
    """What was read.

    Attributes:
        facts: By name.
        problem: Why there are none; None where the JSON could be read.
    """

    facts: Facts
    problem: str | None = None


def said_under(facts: Facts, name: str) -> Any:
    """Return what is said under a name, or under the only one that differs from it in case alone; None where none is.

    >>> said_under({"TEXT": "a cat"}, "text"), said_under({"Text": 1, "TEXT": 2}, "text")
    ('a cat', None)
    """
    if name in facts:
        return facts[name]
    there = name_there(name, facts)
    return None if there is None else facts[there]


def facts_of(data: bytes) -> ReadFacts:
    """Return what the bytes of a JSON say.

    >>> facts_of(b'{"n": 1}').facts, facts_of(b'["a cat"]').facts, facts_of(b"7").problem
    ({'n': 1}, {'caption': ['a cat']}, 'is no JSON object but int')
    """
    try:
        value = json.loads(text_of(data, "replace"))
        json.dumps(value)  # as deep as it can be read it may not be written
    except ValueError as error:
        return ReadFacts({}, f"is no JSON: {error}")
    except RecursionError:
        return ReadFacts({}, "is nested too deeply")
    if isinstance(value, str | list):
        value = {CAPTION_KEYS[0]: value}
    return (
        ReadFacts(value) if isinstance(value, dict) else ReadFacts({}, f"is no JSON object but {type(value).__name__}")
    )
