"""Odd configs: whole ones with one thing changed, as hands, editors and programs change them, and some on purpose."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml

from odd_inputs.config_pieces import ENDS, PIECES, VALUES

Keys = tuple[str | int, ...]
Change = Callable[[random.Random, Any], Any]
Rewrite = Callable[[random.Random, str], str | bytes]


class OddConfig(NamedTuple):
    """A config and how it came about.

    Attributes:
        seed: What it was made from.
        base: Name of the config that was changed.
        told: What is odd about it.
        data: The file.
    """

    seed: int
    base: str
    told: str
    data: bytes


def places(value: Any, keys: Keys = ()) -> Iterator[Keys]:
    """Yield the keys that lead to each value."""
    yield keys
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*keys, key))


def value_at(value: Any, keys: Keys) -> Any:
    """Return the value to which keys lead."""
    for key in keys:
        value = value[key]
    return value


def with_value(value: Any, keys: Keys, new: Any) -> Any:
    """Return a copy with another value there."""
    if not keys:
        return new
    changed = copy.copy(value)
    changed[keys[0]] = with_value(value[keys[0]], keys[1:], new)
    return changed


def another_value(choice: random.Random, value: Any) -> Any:
    """Return anything."""
    return choice.choice(VALUES)


def another_form(choice: random.Random, value: Any) -> Any:
    """Return nearly the same value: quoted, in another case, in a list, out of its list."""
    forms: list[Any] = [str(value), [value], [value, value], {"value": value}, json.dumps(value, default=str)]
    if isinstance(value, str):
        forms += [value.upper(), value.swapcase(), f" {value}", f"{value} ", value[:-1], f"{value}s", value[::-1]]
        forms += [value.replace("_", "-"), list(value)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        forms += [float(value), -value, value * 10**6, value / 3, bool(value)]
    if isinstance(value, list) and value:
        forms += [value[0], value * 2, value[::-1], dict(enumerate(value)), value * 500]
    if isinstance(value, dict):
        forms += [list(value), list(value.items()), {key.upper(): part for key, part in value.items()}]
        forms += [{str(key): {key: part} for key, part in value.items()}, dict(reversed(value.items()))]
    return choice.choice(forms)


def without_a_key(choice: random.Random, value: Any) -> Any:
    """Return a mapping or a list with something left out."""
    if isinstance(value, dict) and value:
        return {key: part for key, part in value.items() if key != choice.choice(list(value))}
    return value[1:] if isinstance(value, list | str) else None


def with_a_key(choice: random.Random, value: Any) -> Any:
    """Return a mapping with a key too many, or with another name for one."""
    if not isinstance(value, dict):
        return [value] if choice.random() < 0.5 else {"x": value}
    old = choice.choice([*value, ""])
    new = choice.choice(
        [f"{old}s", str(old).upper(), f" {old}", "x", "job", "options", "ключ", "😀", "", 1, None, True, "a.b"]
    )
    return {(new if key == old else key): part for key, part in value.items()} | {new: value.get(old, 1)}


CHANGES: tuple[Change, ...] = (another_value, another_value, another_form, without_a_key, with_a_key)


def elsewhere(choice: random.Random, values: Any) -> Any:
    """Return the config with a part of it in the place of another as well: YAML writes an alias."""
    inner = [keys for keys in places(values) if keys]
    part, there = value_at(values, choice.choice(inner)), choice.choice(inner)
    return with_value(values, there, part)


def with_a_piece(choice: random.Random, text: str) -> str:
    """Return the text with something typed, or taken out, at some place of it."""
    at = choice.randrange(len(text))
    return text[:at] + choice.choice(PIECES) + text[at + choice.choice((0, 0, 1, 5)) :]


def with_an_end(choice: random.Random, text: str) -> str:
    """Return the text with something after it, or cut short."""
    return text + choice.choice(ENDS) if choice.random() < 0.8 else text[: choice.randrange(len(text))]


def with_a_line_moved(choice: random.Random, text: str) -> str:
    """Return the text with a line that is there twice, lacks, or has another indent."""
    lines = text.splitlines(keepends=True)
    at = choice.randrange(len(lines))
    line = choice.choice((lines[at] * 2, "", f" {lines[at]}", f"\t{lines[at]}", lines[at].lstrip()))
    return "".join([*lines[:at], line, *lines[at + 1 :]])


def as_saved(choice: random.Random, text: str) -> str | bytes:
    """Return the text as an editor of another system saves it."""
    ways: Sequence[Callable[[], str | bytes]] = (
        lambda: f"\ufeff{text}",
        lambda: text.replace("\n", "\r\n"),
        lambda: text.replace("\n", "\r"),
        lambda: text.encode("utf-16"),
        lambda: text.encode() + b"\xff\xfe",
        lambda: f"# caf\xe9\n{text}".encode("latin-1", "replace"),
        lambda: text.rstrip("\n"),
        lambda: f"%YAML 1.2\n---\n{text}",
        lambda: "",
        lambda: "# nothing\n",
        lambda: json.dumps(yaml.safe_load(text)),
    )
    return choice.choice(ways)()


REWRITES: tuple[Rewrite, ...] = (with_a_piece, with_a_piece, with_an_end, with_a_line_moved, as_saved)


def odd_config(seed: int, bases: dict[str, str]) -> OddConfig:
    """Return a whole config with one thing changed.

    Args:
        seed: What it is made from.
        bases: Texts of configs by name.
    """
    choice = random.Random(seed)
    name = choice.choice(sorted(bases))
    if choice.random() < 0.3:
        rewrite = choice.choice(REWRITES)
        data = rewrite(choice, bases[name])
        return OddConfig(seed, name, rewrite.__name__, data if isinstance(data, bytes) else data.encode())
    values = yaml.safe_load(bases[name])
    keys = choice.choice([keys for keys in places(values) if keys not in ((), ("job",))])
    change = choice.choice((*CHANGES, elsewhere))
    odd = (
        elsewhere(choice, values)
        if change is elsewhere
        else with_value(values, keys, change(choice, value_at(values, keys)))
    )
    text = yaml.safe_dump(odd, allow_unicode=choice.random() < 0.5, sort_keys=False)
    return OddConfig(seed, name, f"{change.__name__} at {'.'.join(map(str, keys))}", text.encode())
