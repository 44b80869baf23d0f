"""Answers that were paid for, kept on disk under the content of the request, so that none is paid for twice.

A file is one answer: ``completion``, ``usage`` (tokens in and out, as the endpoint counts them), ``model`` (which it
says that it asked), ``seconds``. It stays after the run. Decides nothing about what an answer means.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from diptych.assets import cache_dir
from diptych.storage.location import Location
from diptych.storage.locks import in_turn

FOLDER = "answers"
LOCKS = "asking"  # a file for each of the 4,096 beginnings of keys


def content_key(base_url: str, body: Mapping[str, Any]) -> str:
    """Return the sha256 of an endpoint and a request, the picture in it and all."""
    return hashlib.sha256(json.dumps([base_url, body], sort_keys=True).encode()).hexdigest()


def kept(key: str) -> dict[str, Any] | None:
    """Return what is kept under a key; None where nothing is, or the file is damaged."""
    place = place_of(key)
    if not place.is_file():
        return None
    try:
        value = json.loads(place.read())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and {"completion", "usage", "seconds"} <= set(value) else None


def keep(key: str, value: Mapping[str, Any]) -> None:
    """Keep an answer; it is there whole or not at all, whenever the program ends.

    Raises:
        ShardError: If the disk refuses.
    """
    place_of(key).write(json.dumps(value).encode())


@contextmanager
def only_asker(key: str) -> Iterator[None]:
    """Make sure that no other worker on this machine asks for the same; whoever waits finds it kept.

    Raises:
        ShardError: If the disk refuses.
    """
    with in_turn(cache_dir() / LOCKS / key[:3]):
        yield


def place_of(key: str) -> Location:
    """Return where the answer under a key is, or would be, kept."""
    return Location.at(cache_dir() / FOLDER / key[:2] / f"{key}.json")
