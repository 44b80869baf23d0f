"""How long each shard took, and what its images were made on: notes beside the dataset, which are no part of it.

One line a shard that was made, also of one that a kill then lost. Last bits can depend on device and versions, so the
dataset itself says of all of them together on what its images were made. Parts that run at once, perhaps on several
machines, write a file each, since not every file system lets two of them add to one; who finishes joins these.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diptych.addresses import Address
from diptych.parts import WHOLE_JOB, JobPart
from diptych.storage.location import Location

TIMINGS = "timings.jsonl"
NOTES = ".timings"  # the folder of a file for each part; in a store, where no line can be added, of one for each note


def seconds_per_image(address: Address) -> dict[tuple[str, str], float]:
    """Return (model, setting) -> seconds for an image, the mean over all shards; nothing where nobody noted any."""
    images: dict[tuple[str, str], int] = {}
    seconds: dict[tuple[str, str], float] = {}
    for timing in read_timings(address):
        for part in timing.get("settings", ()):
            key = part["model"], part["setting"]
            images[key] = images.get(key, 0) + part["images"]
            seconds[key] = seconds.get(key, 0.0) + part["seconds"]
    return {key: seconds[key] / count for key, count in images.items() if count}


def read_timings(address: Address) -> list[dict[str, Any]]:
    """Return what is noted of each shard, the last note of each; a line that a kill tore is left out."""
    found = {value["shard"]: value for value in _lines(Location.at(address) / TIMINGS)}
    return [found[name] for name in sorted(found)]


def read_environments(address: Address) -> list[dict[str, Any]]:
    """Return everything that images were made on, whichever shards they lie in by now."""
    lines = _lines(Location.at(address) / TIMINGS)
    texts = {json.dumps(one, sort_keys=True) for line in lines for one in line["environments"]}
    return [json.loads(text) for text in sorted(texts)]


def append_timing(
    address: Address,
    timing: Mapping[str, Any],
    environments: Sequence[Mapping[str, Any]],
    part: JobPart = WHOLE_JOB,
) -> None:
    """Add a note; after a line that a kill tore it begins a line of its own.

    Args:
        address: The dataset directory.
        timing: The note.
        environments: What else images of the shard were made on: those that were taken from other runs.
        part: Of the shards that is made here, while others make theirs.

    Raises:
        ShardError: If the disk refuses.
    """
    place = Location.at(address) / TIMINGS
    note = {**timing, "environments": [*timing["environments"], *environments]}
    line = json.dumps(note) + "\n"
    if place.is_store:
        (place.parent / NOTES / f"{timing['shard']}-{secrets.token_hex(4)}.json").write(line.encode())
        return
    if not part.is_whole:
        place = place.parent / NOTES / f"{part.number}-of-{part.of}.jsonl"
        place.parent.make()
    _append(place, line)


def join_timings(address: Address) -> None:
    """Put the notes of parts behind the others; done alone. What was killed at it is done again.

    Raises:
        ShardError: If the disk refuses.
    """
    place = Location.at(address) / TIMINGS
    parts = (place.parent / NOTES).children("*.json" if place.is_store else "*.jsonl")
    if not parts:
        return
    there = _text(place) if place.is_file() else ""
    known = set(there.splitlines())
    lines = "".join(f"{line}\n" for part in parts for line in _text(part).splitlines() if line not in known)
    if lines and place.is_store:
        place.write((there + lines).encode())
    elif lines:
        _append(place, lines)
    (place.parent / NOTES).remove_everything()


def _append(place: Location, lines: str) -> None:
    torn = place.is_file() and place.read()[-1:] not in (b"", b"\n")
    place.append((("\n" if torn else "") + lines).encode())


def _text(place: Location) -> str:
    return place.read().decode("utf-8", "replace")


def _texts(place: Location) -> Iterator[str]:
    if place.is_file():
        yield _text(place)
    yield from map(_text, (place.parent / NOTES).children("*.json" if place.is_store else "*.jsonl"))


def _lines(place: Location) -> list[dict[str, Any]]:
    found = []
    for line in (line for text in _texts(place) for line in text.splitlines()):
        try:
            value = json.loads(line)
            found += [value] if {"shard", "environments"} <= set(value) else []
        except (ValueError, TypeError):
            continue
    return found
