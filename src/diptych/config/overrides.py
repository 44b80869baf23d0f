"""``--set key.subkey=value``: one value of a config, given on the command line as YAML; of a list by its number."""

import json
import os
import shlex
from typing import Any

import yaml

from diptych.addresses import Address
from diptych.config.plain_yaml import MAX_DEPTH, MAX_DIGITS, MAX_SHOWN, parse_yaml
from diptych.errors import ConfigError


def with_override(values: dict[str, Any], override: str) -> dict[str, Any]:
    """Return a copy of the values of a config with one ``key.subkey=value`` in it.

    Raises:
        ConfigError: If the override is not written so, its value is not YAML, or its key is deeper than a config may be
            or leads through no mapping and no item of a list.
    """
    name, equals, _ = override.partition("=")
    parts = name.split(".")
    if not equals or not all(parts):
        raise ConfigError(f"--set {override!r}: write it as key.subkey=value")
    if len(parts) > MAX_DEPTH:
        raise ConfigError(
            f"--set {override[:MAX_SHOWN] + '...'!r}: the key is nested more than {MAX_DEPTH} levels deep"
        )
    changed: dict[str, Any] = _with_value(values, parts, typed_value(override), override)
    return changed


def typed_value(override: str, option: str = "--set") -> Any:
    """Return the value of a ``key=value``, which is YAML.

    Args:
        override: As it was given.
        option: Behind which, for errors.

    Raises:
        ConfigError: If it is not, or if YAML would take a part of it as a comment.
    """
    name, _, text = override.partition("=")
    try:
        value = parse_yaml(text).values
        comment = _comment_in(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(getattr(error, "problem", error)).split())
        raise ConfigError(f"{option} {override!r}: the value is not valid YAML: {problem}") from error
    if comment:
        quoted = shlex.quote(f"{name}={json.dumps(text, ensure_ascii=False)}")
        raise ConfigError(
            f"{option} {override!r}: YAML takes {comment!r} as a comment; quote the value: {option} {quoted}"
        )
    return value


def path_setting(key: str, path: Address) -> str:
    """Return what ``--set`` takes to put a path at a key, whatever characters it has."""
    return f"{key}={quoted_path(path)}"


def quoted_path(path: Address) -> str:
    """Return a path as JSON, which is YAML as well; unquoted, `` #`` would begin a comment and ``: `` a mapping."""
    return json.dumps(os.fspath(path), ensure_ascii=False)  # escapes of JSON beyond 16 bits are not those of YAML


def _comment_in(text: str) -> str:
    """Return the first comment of a YAML text, which its value lacks; empty where there is none."""
    end = 0
    for token in yaml.scan(text):
        between = text[end : token.start_mark.index]
        if "#" in between:
            return between[between.index("#") :].strip()
        end = max(end, token.end_mark.index)
    return ""


def _with_value(values: Any, parts: list[str], value: Any, override: str) -> Any:
    """Return a copy with one value set: what a YAML alias shares must not change elsewhere."""
    first, *rest = parts
    parent = ".".join(override.partition("=")[0].split(".")[: -len(parts)])
    if isinstance(values, list):
        if not first.isdecimal() or len(first) > MAX_DIGITS or int(first) >= len(values):
            there = f"{parent!r} is a list of {len(values)}; name one by its number, from 0"
            raise ConfigError(f"--set {override!r}: {there}")
        number = int(first)
        changed = _with_value(values[number], rest, value, override) if rest else value
        return [*values[:number], changed, *values[number + 1 :]]
    if not isinstance(values, dict):
        raise ConfigError(f"--set {override!r}: {parent!r} is not a mapping in this config")
    if rest and first not in values and rest[0].isdecimal():
        raise ConfigError(f"--set {override!r}: {_no_such_list('.'.join(filter(None, [parent, first])), rest)}")
    return {**values, first: _with_value(values.get(first, {}), rest, value, override) if rest else value}


def _no_such_list(name: str, rest: list[str]) -> str:
    """Return why a number leads nowhere, and how a list is given."""
    item = "{" + f"{'.'.join(rest[1:])}: ..." + "}" if rest[1:] else "..."
    return f"{name!r} is not in this config, so it has no item {rest[0]}; give the whole list: --set '{name}=[{item}]'"
