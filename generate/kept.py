"""Batches of shards that are not finished: written as they come, so that a kill loses the last ones and no more.

They lie beside the data, hidden, and are no part of it: a later run takes their pictures as it takes those of other
runs, and whoever finishes the dataset removes them.
"""

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from diptych.data.shards import ShardInfo, read_shard, write_shard
from diptych.errors import ShardError
from diptych.generate.stored import OtherRun, StoredShard
from diptych.storage.json_objects import read_json, write_json
from diptych.storage.location import Location

FOLDER = ".unfinished"
EVERY_S = 10.0  # batches that come faster are written together: what they cost is lost in seconds


class KeptBatches:
    """What is kept of one shard while it is made."""

    def __init__(self, out: Location, source: str, environments: Sequence[Mapping[str, Any]]) -> None:
        """Begin with nothing.

        Args:
            out: The dataset directory.
            source: How its images are made.
            environments: What they are made on, as far as it is known by now.
        """
        self._folder = out / FOLDER
        self._source = source
        self._environments = environments
        self._attempt = secrets.token_hex(8)
        self.names: list[str] = []

    def pass_on(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Yield tables as they come, and keep those that took their time.

        Raises:
            ShardError: If the disk refuses.
        """
        pending: list[pa.Table] = []
        since = time.monotonic()
        for table in tables:
            pending.append(table)
            if time.monotonic() - since >= EVERY_S:
                self._keep(pending)
                pending, since = [], time.monotonic()
            yield table

    def _keep(self, tables: list[pa.Table]) -> None:
        self._folder.make()
        name = f"{self._attempt}-{len(self.names):05d}.parquet"
        write_json(self._folder / f"{name}.json", {"source": self._source, "environments": list(self._environments)})
        write_shard(tables, self._folder / name, source=self._source)
        self.names.append(name)


def kept_runs(out: Location) -> tuple[OtherRun, ...]:
    """Return what a run that was killed has kept; what is damaged is left out, and made again."""
    found = []
    for file in (out / FOLDER).children("*.parquet"):
        try:
            note, table = read_json(out / FOLDER / f"{file.name}.json"), read_shard(file)
        except ShardError:
            continue
        if all(_is_whole(row) for row in table.select(["image", "sha256"]).to_pylist()):
            info = ShardInfo(file.name, table.num_rows, 0, "", "", "", "", source=str(note["source"]))
            shard = StoredShard(file, info, table.drop_columns(["image"]))
            found.append(OtherRun(out / FOLDER, tuple(note["environments"]), (shard,)))
    return tuple(found)


def remove_kept(out: Location, names: Sequence[str] | None = None) -> None:
    """Remove what was kept: some files once their shard is finished, or all of it."""
    if names is None:
        (out / FOLDER).remove_everything()
    for name in names or ():
        (out / FOLDER / name).remove()
        (out / FOLDER / f"{name}.json").remove()


def _is_whole(row: Mapping[str, Any]) -> bool:
    return row["image"] is None or hashlib.sha256(row["image"]["bytes"]).hexdigest() == row["sha256"]
