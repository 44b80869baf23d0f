"""Datasets of shards that a test has written by itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diptych.data.dataset import Dataset
from diptych.data.growing import Growing, seal_data
from diptych.data.shards import ShardInfo
from diptych.storage.location import Location


def seal_dataset(path: Path, infos: Sequence[ShardInfo], facts: Mapping[str, Any]) -> Dataset:
    """Note the shards that lie in ``path/data`` as finished and write the manifest."""
    location = Location.at(path)
    growing = Growing(location / "data", location / "dataset.json", "test", "0" * 64)
    growing.begin()
    for info in infos:
        growing.commit(info)
    return seal_data(growing, {"kind": "pairs", "name": "test", "licence": "", **facts}, [info.name for info in infos])
