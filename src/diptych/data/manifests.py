"""Manifests: JSON files that say what a directory holds, written last, and that know when a byte of them changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from diptych.data.schema import FORMAT_VERSION, check_version
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError
from diptych.storage.json_objects import json_text, read_json
from diptych.storage.location import Location

# The manifest of the data, and of each kind of column set beside it.
DATASET = "dataset.json"
MANIFEST_OF = {
    "scores": "_score.json",
    "embeddings": "_embedding.json",
    "evidence": "_evidence.json",
    "decisions": "_decision.json",
}
CHECK = "check"  # sha256 of the file with this value empty
AGAIN = "run the command that wrote it again, or: diptych verify DATASET --repair"


class Manifest(NamedTuple):
    """What a manifest says: its facts, and the shards that belong to the directory, in order."""

    facts: Mapping[str, Any]
    shards: tuple[ShardInfo, ...]


def write_manifest(place: Location, facts: Mapping[str, Any], shards: "list[ShardInfo]") -> None:
    """Write a manifest, whole or not at all: facts in the order given, then the shards, then the check.

    Raises:
        ShardError: If the disk refuses; what was there before is untouched.
    """
    value = {"format_version": FORMAT_VERSION, **facts, "shards": [asdict(shard) for shard in shards]}
    data = json_text({**value, CHECK: ""}).encode()
    place.write(data.removesuffix(_end("")) + _end(_check(data)))


def read_manifest(place: Location) -> Manifest:
    """Read a manifest.

    Raises:
        OtherVersion: If it is of another version of the format.
        ShardError: If it is missing, or not what was written.
    """
    value = read_json(place)
    # Version 1 had no check; every later one has this one, so that a flipped digit is not taken for a version.
    if CHECK not in value:
        check_version(place, value)
    problem = _problem(place.read(), value)
    if problem:
        raise ShardError(f"{place}: {problem}; {AGAIN}")
    check_version(place, value)
    del value["format_version"]
    shards = tuple(ShardInfo(**entry) for entry in value.pop("shards"))
    return Manifest({name: fact for name, fact in value.items() if name != CHECK}, shards)


def manifest_problem(place: Location) -> str:
    """Return what is wrong with a manifest that lies there; empty if it is, byte for byte, what was written."""
    try:
        data = place.read()
        return _problem(data, json.loads(data.decode()))
    except (OSError, ValueError, RecursionError) as error:
        return f"is damaged: {error}"


def _problem(data: bytes, value: Any) -> str:
    """Return what is wrong with the bytes of a manifest that say a value, which is not written anew to know it."""
    try:
        check = value[CHECK]
        end = _end(check)
        is_whole = data.endswith(end) and check == _check(data.removesuffix(end) + _end(""))
        [ShardInfo(**entry) for entry in value["shards"]]
    except (ValueError, LookupError, TypeError) as error:
        return f"is damaged: {error}"
    return "" if is_whole else "is damaged: it is not what was written"


def _end(check: Any) -> bytes:
    """Return how a manifest ends, from the line of its check on."""
    return json_text({CHECK: check}).removeprefix("{\n").encode()


def _check(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
