"""Which rows that are new in an input are pictures that its pool holds already, under another caption.

A row is known by its picture and its caption, so that a corrected caption makes a new row and leaves the old one there.
"""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.ingest.plan import PoolPlan, ShardLimits
from diptych.curate.sources.contract import RowSource
from diptych.curate.sources.keys import picture_hashes
from diptych.curate.sources.reading import RangeReader
from diptych.data.growing import Growing
from diptych.data.shards import read_shard

MOST_LOOKED_AT = 1000  # to look at a row, its picture is read once more
MOST_BYTES = 2**30


class Recaptioned(NamedTuple):
    """New rows that were looked at, and how many of them the pool has under another caption."""

    looked_at: int
    known: int


def recaptioned(source: RowSource, plan: PoolPlan, growing: Growing) -> Recaptioned:
    """Look at the first of the new rows.

    Args:
        source: Of the input.
        plan: Which rows of it are new.
        growing: The pool.

    Raises:
        DataError: If the input cannot be read.
    """
    reader, looked_at, size, sought = RangeReader(source), 0, 0, list[str | None]()
    for shard in plan.shards(ShardLimits(MOST_LOOKED_AT, MOST_BYTES), ()):
        known_by = list[str | None]()
        for table in reader.read(shard.rows):
            known_by += [one or url for one, url in zip(picture_hashes(table), table["url"].to_pylist(), strict=True)]
            size += table.nbytes
        # Of equal rows, which differ in no caption, the later ones are left out.
        sought += [one for at, one in enumerate(known_by) if at not in shard.ordinals]
        looked_at += len(known_by)
        if looked_at >= MOST_LOOKED_AT or size >= MOST_BYTES:
            break
    reader.close()
    looked_for = pa.array(sought, pa.string())
    known = pa.chunked_array([_known_there(growing, name, looked_for) for name in growing.entries], pa.string())
    return Recaptioned(looked_at, pc.sum(pc.is_in(looked_for, known.unique(), skip_nulls=True)).as_py() or 0)


def _known_there(growing: Growing, name: str, looked_for: pa.Array) -> pa.Array:
    """Return which of what pictures are known by is in a shard: their sha256, else their URLs."""
    table = read_shard(growing.directory / name, ["sha256", "url"])
    found = [column.filter(pc.is_in(column, looked_for, skip_nulls=True)) for column in table.columns]
    return pa.concat_arrays([column.combine_chunks().cast(pa.string()) for column in found])
