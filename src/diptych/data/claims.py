"""Whose a directory is: nothing is written into one that belongs to another step, or to no dataset at all."""

from diptych.data.journal import JOURNAL, Journal
from diptych.data.manifests import DATASET, MANIFEST_OF, read_manifest
from diptych.errors import OtherVersion, ShardError
from diptych.storage.location import Location

# What lies in a dataset directory; hidden files are nobody's concern.
NAMES = frozenset({DATASET, "README.md", "data", "timings.jsonl", *MANIFEST_OF})
OTHER = "give another --out"


def check_claim(location: Location, step: str) -> None:
    """Refuse a directory in which a step must not write.

    Raises:
        OtherVersion: If it holds a dataset of another version of the format.
        ShardError: If it holds a dataset of another step, files that no dataset has, or shards that nobody has noted.
    """
    owner = owner_of(location)  # None also where of a journal no line is left: whoever comes begins anew
    if owner not in (None, step):
        raise ShardError(f"{location}: holds a dataset that {owner} made, and {step} would lose it; {OTHER}")
    if owner is None and not (location / "data" / JOURNAL).is_file():
        strange = [child.name for child in location.children() if child.name not in NAMES]
        strange += [f"data/{child.name}" for child in (location / "data").children("*.parquet")]
        if strange:
            raise ShardError(f"{location}: holds {strange[0]}, which diptych has not written there; {OTHER}")


def owner_of(location: Location) -> str | None:
    """Return the step that makes, or has made, the dataset at a location; None where nothing says."""
    data = location / "data"
    if (data / JOURNAL).is_file():
        return Journal(data).step or _step_of_manifest(location)
    return _step_of_manifest(location)


def _step_of_manifest(location: Location) -> str | None:
    try:
        return str(read_manifest(location / DATASET).facts["made_by"]["step"])
    except OtherVersion:
        raise
    except (ShardError, LookupError, TypeError):  # none, or damaged
        return None
