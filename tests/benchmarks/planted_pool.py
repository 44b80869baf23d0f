"""A pool of any number of rows without pictures, in which it is known which rows are copies of which.

Every value is a function of the row number alone, so a pool of 40,000,000 rows needs no memory to be made, and what
must be found in it is counted as it is written. In each block of 40 rows some are copies of rows of a block half the
pool away, one is a placeholder, whose hash all placeholders have, and one was not downloaded.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.config import Rule
from diptych.data.dataset import Dataset
from diptych.data.growing import grow_data, seal_data
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import data_schema
from diptych.data.shards import ShardInfo, shard_name, write_shard
from diptych.storage.location import Location

BLOCK = 40
MISSING = 34  # the place in a block of the row that was not downloaded
EXACT = {36: 1, 37: 2}  # places of copies with the same bytes, and of their originals
NEAR = {35: 3, 38: 4}  # places of copies whose hash has up to four bits changed, and of their originals
PLACEHOLDER = 39
PLACEHOLDER_HASH = 7
NEAR_BITS = 4
RULES = [
    Rule(name="large", where="width >= 200 AND height >= 200"),
    Rule(name="told", where="caption NOT LIKE '%7%'"),
    Rule(name="hashed", where="phash % 10 < 9"),
]
CAPTIONS = pa.array([f"a photograph of the thing number {number}" for number in range(1000)])
HAS_SEVEN = np.array(["7" in str(number) for number in range(1000)])
# What bits are drawn for; a value of several words, or several values, take the numbers up to the next.
PURPOSES = {"key": 0, "phash": 1, "caption": 2, "width": 3, "height": 4, "sha256": 5, "flips": 9}

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.uint64]


class Planted(NamedTuple):
    """How many rows there are of each kind."""

    readable: int
    exact: int  # copies by their bytes
    near: int  # copies by their hash, without the placeholders
    placeholders: int
    passing: int  # rows that pass the rules
    passing_copies: int  # of them, copies whose original passes as well
    passing_placeholders: int


class PlantedRows:
    """Rows of a pool by their numbers, int64 (N,).

    Attributes:
        place: Within the block.
        original: Number of the row that a copy is a copy of; its own for others.
        picture: Number of the row whose bytes, and caption, it has.
        phash: uint64 (N,).
    """

    def __init__(self, rows: Numbers, blocks: int) -> None:
        """Draw rows of a pool of so many blocks."""
        self.rows, self.blocks, self.place = rows, blocks, rows % BLOCK
        other = (rows // BLOCK + blocks // 2) % blocks * BLOCK
        self.original = rows.copy()
        for place, original in (EXACT | NEAR).items():
            self.original[self.place == place] = other[self.place == place] + original
        self.picture = np.where(self.is_one_of(NEAR), rows, self.original)
        flips = np.bitwise_or.reduce([np.uint64(1) << drawn(rows, "flips", bit) % 64 for bit in range(NEAR_BITS)])
        self.phash = drawn(self.original, "phash") ^ np.where(self.is_one_of(NEAR), flips, np.uint64(0))
        self.phash[self.place == PLACEHOLDER] = PLACEHOLDER_HASH
        self.caption = (drawn(self.picture, "caption") % len(CAPTIONS)).astype(np.int64)
        self.width, self.height = (64 + drawn(rows, side) % 1000 for side in ("width", "height"))

    def is_one_of(self, places: dict[int, int]) -> npt.NDArray[np.bool_]:
        """Return which rows have one of these places in their block."""
        return np.isin(self.place, list(places))

    def passes(self) -> npt.NDArray[np.bool_]:
        """Return which rows pass the rules."""
        is_large = (self.width >= 200) & (self.height >= 200)
        return (self.place != MISSING) & is_large & ~HAS_SEVEN[self.caption] & (self.phash % 10 < 9)

    def count(self) -> Planted:
        """Return how many of them there are of each kind."""
        is_near, is_exact, is_placeholder = self.is_one_of(NEAR), self.is_one_of(EXACT), self.place == PLACEHOLDER
        passes = self.passes()
        originals = PlantedRows(self.original[is_near | is_exact], self.blocks)
        return Planted(
            readable=int((self.place != MISSING).sum()),
            exact=int(is_exact.sum()),
            near=int(is_near.sum()),
            placeholders=int(is_placeholder.sum()),
            passing=int(passes.sum()),
            passing_copies=int((passes[is_near | is_exact] & originals.passes()).sum()),
            passing_placeholders=int((passes & is_placeholder).sum()),
        )

    def keys(self) -> pa.Array:
        """Return their keys."""
        return hexadecimal(drawn(self.rows, "key")[:, None])

    def data(self, schema: pa.Schema) -> pa.Table:
        """Return their data."""
        is_missing = self.place == MISSING
        digests = hexadecimal(np.stack([drawn(self.picture, "sha256", word) for word in range(4)], axis=1))
        columns = {
            "key": self.keys(),
            "caption": CAPTIONS.take(pa.array(self.caption)),
            "width": pa.array(self.width.astype(np.int32), mask=is_missing),
            "height": pa.array(self.height.astype(np.int32), mask=is_missing),
            "sha256": pc.if_else(pa.array(is_missing), pa.scalar(None, pa.string()), digests),
            "status": pc.if_else(pa.array(is_missing), "not_found", "ok"),
        }
        return pa.table([columns.get(each.name, pa.nulls(len(self.rows), each.type)) for each in schema], schema=schema)

    def hashes(self) -> pa.Table:
        """Return their column set."""
        phash = pa.array(self.phash, mask=self.place == MISSING)
        return pa.table({"key": self.keys(), "phash": phash, "reason": pa.nulls(len(self.rows), pa.string())})


def drawn(numbers: Numbers, purpose: str, turn: int = 0) -> Values:
    """Return random bits of numbers, uint64: the generator splitmix64 (Steele, Lea, Flood, OOPSLA 2014) at a place."""
    bits = numbers.astype(np.uint64) * np.uint64(16) + np.uint64(PURPOSES[purpose] + turn)
    bits *= np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def hexadecimal(words: Values) -> pa.Array:
    """Return a text of 16 digits a word for each row of words, uint64 (N, W)."""
    digits = np.ascontiguousarray(words).tobytes().hex().encode()
    offsets = np.arange(len(words) + 1, dtype=np.int32) * 16 * words.shape[1]
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(offsets), pa.py_buffer(digits)])


def make_pool(path: Path, rows: int, rows_per_shard: int) -> tuple[Dataset, Planted]:
    """Write a pool and its hashes; return it, and what there is to be found.

    Args:
        path: The dataset directory.
        rows: A multiple of 40.
        rows_per_shard: Of each but the last.
    """
    shards = [(start, min(start + rows_per_shard, rows)) for start in range(0, rows, rows_per_shard)]
    data = grow_data(Location.at(path), "bench", "0" * 64)
    data.begin()
    counts = []
    with ThreadPoolExecutor(2) as pool:
        for info, planted in pool.map(partial(_write_shard, path, rows // BLOCK), range(len(shards)), shards):
            data.commit(info)
            counts.append(planted)
        dataset = seal_data(data, {"kind": "pairs", "name": "bench", "licence": ""}, list(data.entries))
        growing = GrowingSet(dataset, "scores", "hashes-00000000", {"score": "hashes"})
        growing.begin()
        for info in pool.map(partial(_write_hashes, growing, rows // BLOCK), dataset.shards, shards):
            growing.commit(info)
    growing.seal({"columns": [{"name": "phash", "dtype": "uint64"}], "labels": ["hashes"]})
    return dataset, Planted(*map(sum, zip(*counts, strict=True)))


def _write_shard(path: Path, blocks: int, index: int, rows: tuple[int, int]) -> tuple[ShardInfo, Planted]:
    drawn_rows = PlantedRows(np.arange(*rows), blocks)
    info = write_shard(drawn_rows.data(data_schema()), path / "data" / shard_name(index))
    return info, drawn_rows.count()


def _write_hashes(growing: GrowingSet, blocks: int, shard: ShardInfo, rows: tuple[int, int]) -> ShardInfo:
    hashes = PlantedRows(np.arange(*rows), blocks).hashes()
    return write_shard(hashes, growing.location / shard.name, source=shard.sha256)
