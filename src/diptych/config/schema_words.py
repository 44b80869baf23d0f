"""Words for what the JSON Schema of a config says of several keys together, or of what names must not be.

Decides nothing about which keys those are.
"""

from collections.abc import Iterable, Sequence
from typing import Any

SCHEMA = dict[str, Any]


def said(key: str) -> SCHEMA:
    """Return the schema of what has a key, neither null nor an empty list.

    >>> said("store")
    {'required': ['store'], 'properties': {'store': {'not': {'enum': [None, []]}}}}
    """
    return {"required": [key], "properties": {key: {"not": {"enum": [None, []]}}}}


def any_said(keys: Sequence[str]) -> SCHEMA:
    """Return the schema of what has one of some keys, or several."""
    return {"anyOf": [said(key) for key in keys]}


def one_of_two(wanted: str, other: str) -> SCHEMA:
    """Return the schema of what has one key and not the other."""
    return {"allOf": [said(wanted), {"properties": {other: {"type": "null"}}}]}


def where(key: str, value: str, then: SCHEMA) -> SCHEMA:
    """Return what holds where a key has a value."""
    return {"if": {"required": [key], "properties": {key: {"const": value}}}, "then": then}


def in_any_case(names: Iterable[str], between: str = "") -> str:
    """Return the pattern of what is one of some names, in capitals or not.

    >>> in_any_case(["fid", "b_2"]), in_any_case(["fid"], between="-*")
    ('^([fF][iI][dD]|[bB]_2)$', '^([fF]-*[iI]-*[dD])$')

    Args:
        names: In small letters.
        between: The pattern of what may stand between two letters.
    """
    letters = (between.join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in name) for name in names)
    return f"^({'|'.join(letters)})$"
