"""Whose a directory is: nothing is written into one that belongs to another step, to a report, or to nobody known.

Asked before a lock is taken, so that a directory which is refused stays as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from diptych.addresses import Address
from diptych.data.journal import JOURNAL, Journal
from diptych.data.manifests import DATASET, MANIFEST_OF, read_manifest
from diptych.errors import OtherVersion, ShardError
from diptych.parts import WHOLE_JOB, JobPart
from diptych.storage.json_objects import read_json
from diptych.storage.location import Location
from diptych.storage.locks import only_one

# What lies in a dataset directory; hidden files are nobody's concern.
NAMES = frozenset({DATASET, "README.md", "coverage.json", "data", "grids", "timings.jsonl", *MANIFEST_OF})
OTHER = "give another --out"

# The file that says that a folder is a report, and what is always in it.
REPORT = "report.json"
REPORT_KEYS = frozenset({"format", "title"})


@contextmanager
def claimed(address: Address, step: str, part: JobPart = WHOLE_JOB) -> Iterator[None]:
    """Hold the lock of a directory in which a step may write; one in which it may not stays as it is.

    Raises:
        ShardError: As ``check_claim`` does, or if somebody else writes there.
    """
    check_claim(Location.at(address), step)
    with only_one(address, part):
        yield


def check_claim(location: Location, step: str) -> None:
    """Refuse a directory in which a step must not write.

    Raises:
        OtherVersion: If it holds a dataset of another version of the format.
        ShardError: If it holds a dataset of another step, files that no dataset has, or shards that nobody has noted,
            or lies inside a dataset or a report.
    """
    check_writable(location)
    owner = owner_of(location)  # None also where of a journal no line is left: whoever comes begins anew
    if owner not in (None, step):
        raise ShardError(f"{location}: holds a dataset that {owner} made, and {step} would lose it; {OTHER}")
    check_apart(location)
    if owner is None and not (location / "data" / JOURNAL).is_file():
        strange = [child.name for child in location.children() if child.name not in NAMES]
        strange += [f"data/{child.name}" for child in (location / "data").children("*.parquet")]
        if strange:
            raise ShardError(f"{location}: holds {strange[0]}, which diptych has not written there; {OTHER}")


def check_writable(location: Location) -> None:
    """Refuse a kind of store in which nothing is written, before it is asked for anything.

    Raises:
        ShardError: If it is one.
    """
    if location.is_store and location.is_read_only():
        raise ShardError(f"{location}: nothing is written in a store of this kind; give another place")


def check_apart(location: Location) -> None:
    """Refuse a place inside a dataset or a report, whatever is to be written there.

    Raises:
        ShardError: If it is one; says of what.
    """
    for parent in location.above():
        what = "dataset" if _is_dataset(parent) else "report" if is_report(parent) else ""
        if what:
            raise ShardError(f"{location}: lies inside the {what} {parent}; give a place outside of it")


def is_report(location: Location) -> bool:
    """Return whether a folder is a report, finished or not."""
    if not (location / REPORT).is_file():
        return False
    try:
        return read_json(location / REPORT).keys() >= REPORT_KEYS
    except ShardError:
        return False


def owner_of(location: Location) -> str | None:
    """Return the step that makes, or has made, the dataset at a location; None where nothing says."""
    data = location / "data"
    if (data / JOURNAL).is_file():
        return Journal(data).step or _step_of_manifest(location)
    return _step_of_manifest(location)


def _is_dataset(location: Location) -> bool:
    try:
        return (location / "data" / JOURNAL).is_file() or _step_of_manifest(location) is not None
    except OtherVersion:
        return True


def _step_of_manifest(location: Location) -> str | None:
    try:
        return str(read_manifest(location / DATASET).facts["made_by"]["step"])
    except (ShardError, LookupError, TypeError):  # none, or damaged
        return None
