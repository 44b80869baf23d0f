"""What is noted of a directory of shards: by its manifest where there is a whole one, else by its journal.

The manifest is written last, so of a finished directory it says everything, and what happens to the journal afterwards
takes nothing away. While a directory grows it has none, and the journal counts.
"""

from collections.abc import Mapping
from typing import Any

from diptych.config.identity import fingerprint
from diptych.data.journal import Journal
from diptych.data.manifests import Manifest, read_manifest, write_manifest
from diptych.errors import ShardError
from diptych.storage.location import Location


def whole_manifest(place: Location) -> Manifest | None:
    """Return a manifest, if there is one that is what was written.

    Raises:
        OtherVersion: If it is of another version of the format.
    """
    try:
        return read_manifest(place)
    except ShardError:
        return None


def noted_journal(directory: Location, manifest: Location, step: str, *, is_shared: bool = False) -> Journal:
    """Return the journal of a directory, with what the manifest says in the place of what it says itself.

    Args:
        directory: Where the shards and the journal lie.
        manifest: Where the manifest lies, or would lie.
        step: Who writes column sets of this kind, as the journal says; a manifest of data says it itself.
        is_shared: Whether others write there at the same time.

    Raises:
        OtherVersion: If either is of another version of the format.
    """
    journal = Journal(directory, is_shared=is_shared)
    found = whole_manifest(manifest)
    if found is not None:
        maker, made_from = _made_by(found.facts, step)
        journal.adopt(maker, made_from, found.facts, found.shards)
    return journal


def restore_journal(directory: Location, manifest: Location, step: str) -> None:
    """Write the journal of a finished directory again where it does not say what the manifest says.

    Raises:
        ShardError: If the disk refuses.
    """
    journal = noted_journal(directory, manifest, step)
    if journal.facts is not None:
        journal.rewrite(journal.entries.values(), journal.facts)


def restore_manifest(directory: Location, manifest: Location) -> None:
    """Write the manifest of a finished directory again from its journal, where it is missing or damaged.

    Raises:
        OtherVersion: If either is of another version of the format.
        ShardError: If the disk refuses.
    """
    journal = Journal(directory)
    if journal.facts is not None and journal.is_whole and whole_manifest(manifest) is None:
        write_manifest(manifest, journal.facts, list(journal.entries.values()))


def _made_by(facts: Mapping[str, Any], step: str) -> tuple[str, str]:
    """Return who made a directory and the fingerprint of what from: of data it is a fact, of a set its identity's."""
    made_by = facts.get("made_by")
    if made_by is not None:
        return made_by["step"], made_by["fingerprint"]
    return step, fingerprint(facts["identity"])
