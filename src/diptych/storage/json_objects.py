"""JSON objects as files: read whole, written whole or not at all."""

import json
from collections.abc import Mapping
from typing import Any

from diptych.addresses import Address
from diptych.errors import ShardError
from diptych.storage.location import Location


def read_json(address: Address) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ShardError: If the file is missing, damaged or not an object.
    """
    place = Location.at(address)
    try:
        value = json.loads(place.read().decode())  # from bytes, zeros would be taken for UTF-32
    except FileNotFoundError as error:
        raise ShardError(f"{place}: no such file") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ShardError(f"{place}: is damaged: {error}; run the command that wrote it again") from error
    if not isinstance(value, dict):
        raise ShardError(f"{place}: is damaged: it holds no JSON object; run the command that wrote it again")
    return value


def write_json(address: Address, value: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all: keys in the order given, one trailing newline.

    Raises:
        ShardError: If the disk refuses; what was there before is untouched.
    """
    Location.at(address).write(json_text(value).encode())


def json_text(value: Mapping[str, Any]) -> str:
    """Return the text of a JSON file.

    >>> print(json_text({"b": 1}), end="")
    {
     "b": 1
    }
    """
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
