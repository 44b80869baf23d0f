"""What a program says of an image, in the columns of a generated one; each value is of its type or not said."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diptych.data.text_records import whole_json

MOST_SEEDS = 2**63  # of the column's type; ComfyUI draws from 2**64
MAX_PROMPT = 100_000  # letters; a longer one is none that a model read

# Takes the texts of an image by their keys and the path of its file; None where they are another program's.
Reader = Callable[[Mapping[str, str], str], "ToolSays | None"]


@dataclass(frozen=True)
class ToolSays:
    """What a program says.

    Attributes:
        prompt: The text; None where it does not say.
        facts: Further columns of a generated image that it says: ``negative_prompt``, ``seed``, ``steps``, ``sampler``,
            ``guidance``, ``model``.
        unclear: In words, what it says that has no one meaning, and so stands neither in the text nor in the facts;
            None where there is no such thing.
    """

    prompt: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    unclear: str | None = None


def tool_says(prompt: Any, **facts: Any) -> ToolSays:
    """Return what a program says, without what is of a wrong type.

    Numbers may be written as texts, as infotexts have them; a seed below zero means that nobody chose one, and one that
    no column holds is told.

    Raises:
        ValueError: If the prompt is longer than any model reads.
    """
    text = prompt if isinstance(prompt, str) else None
    if text is not None and len(text) > MAX_PROMPT:
        raise ValueError(f"a prompt of {len(text):,} letters; at most {MAX_PROMPT:,} are read")
    kinds: dict[str, Callable[[Any], Any]] = {
        "negative_prompt": _text,
        "seed": lambda value: _whole(value, MOST_SEEDS),
        "steps": lambda value: _whole(value, 2**31),
        "sampler": _text,
        "guidance": _fraction,
        "model": _text,
    }
    said = {name: kinds[name](value) for name, value in facts.items()}
    seed = _whole(facts.get("seed"), 2**64)
    is_over = seed is not None and seed >= MOST_SEEDS
    unclear = f"its seed {seed} is more than {MOST_SEEDS - 1}, the most that is kept" if is_over else None
    return ToolSays(text, {name: value for name, value in said.items() if value is not None}, unclear)


def also_unclear(says: ToolSays, *words: str | None) -> ToolSays:
    """Return what a program says, with more that is unclear in it; None is nothing."""
    return replace(says, unclear="; ".join(filter(None, (*words, says.unclear))) or None)


def first_said(said: Mapping[str, Any], *keys: str) -> Any:
    """Return what stands under the first of some keys that says anything."""
    return next((said[key] for key in keys if said.get(key) is not None), None)


def several_texts(what: str, texts: Sequence[str]) -> str | None:
    """Return in words that several texts are what should be one; None where it is one or none.

    >>> several_texts("prompt", ["a cat", "oil painting"])
    "2 texts make its prompt: 'a cat', 'oil painting'"
    """
    return f"{len(texts)} texts make its {what}: {', '.join(map(repr, texts))}" if len(texts) > 1 else None


def tool_says_of(prompts: Sequence[Any], negatives: Sequence[Any], **facts: Any) -> ToolSays:
    """Return what a program says that may have several texts for a side: several different ones are none, and unclear.

    Raises:
        ValueError: If the prompt is longer than any model reads.
    """
    sides = [_different(prompts), _different(negatives)]
    only = [texts[0] if len(texts) == 1 else None for texts in sides]
    whats = ("prompt", "negative prompt")
    unclear = [words for what, texts in zip(whats, sides, strict=True) if (words := several_texts(what, texts))]
    return also_unclear(tool_says(only[0], negative_prompt=only[1], **facts), *unclear)


def _different(texts: Sequence[Any]) -> list[str]:
    """Return the different texts, an empty one only where no other is."""
    found = list(dict.fromkeys(text for text in texts if isinstance(text, str)))
    return [text for text in found if text] or found


def sampler_name(sampler: Any, schedule: Any) -> str | None:
    """Return the name of a sampler with the schedule that it ran on, as one; None where neither is a text.

    >>> sampler_name("euler", "karras"), sampler_name("euler", None)
    ('euler karras', 'euler')
    """
    return " ".join(name for name in (sampler, schedule) if isinstance(name, str) and name) or None


def json_object(text: str | None) -> dict[str, Any] | None:
    """Return the JSON object that a text is; None where it begins as none.

    Raises:
        ValueError: If it begins as one and is none, or none that a file can hold.
    """
    if text is None or not text.lstrip().startswith("{"):
        return None
    value = whole_json(text)
    return value if isinstance(value, dict) else None


def part(value: Any, key: str) -> dict[str, Any]:
    """Return the object under a key; an empty one where none is."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= MAX_PROMPT else None


def _whole(value: Any, limit: int) -> int | None:
    if isinstance(value, str) and len(value) <= 20 and value.strip().isascii() and value.strip().isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < limit else None


def _fraction(value: Any) -> float | None:
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
