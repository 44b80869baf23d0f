"""Another place for what is computed beside the data: of datasets on storage that cannot be written.

One folder of the machine holds the column sets of any number of datasets, each under its name and the content of its
data, so that they are found again wherever the data is mounted. It is no part of a config: it changes no number.
Decides nothing about what lies beside the data.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from diptych.addresses import COLUMNS_DIR, local_path
from diptych.config.identity import fingerprint
from diptych.data.manifests import DATASET
from diptych.data.noted import whole_manifest
from diptych.data.shards import ShardInfo
from diptych.storage.location import Location

NAME_CHARACTERS = 40


def columns_place(facts: Mapping[str, Any], shards: Sequence[ShardInfo]) -> Location | None:
    """Return where the column sets of a dataset are written; None where that is beside its data.

    Args:
        facts: Of ``dataset.json``.
        shards: Of the data.

    Raises:
        DataError: If ``DIPTYCH_COLUMNS_DIR`` is no place of this machine.
    """
    given = os.environ.get(COLUMNS_DIR)
    if not given:
        return None
    name = re.sub(r"[^\w.-]+", "-", str(facts.get("name") or ""))[:NAME_CHARACTERS].strip(".-") or "dataset"
    content = fingerprint([shard.sha256 for shard in shards])
    return Location.at(local_path(given, COLUMNS_DIR).absolute()) / f"{name}-{content[:8]}"


def written_place(location: Location) -> Location:
    """Return where the column sets of a dataset directory are written, be it whole or not."""
    manifest = whole_manifest(location / DATASET)
    return (columns_place(manifest.facts, manifest.shards) if manifest else None) or location
