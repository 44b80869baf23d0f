"""A pool of any number of rows without pictures, with its scores, in which it is known which rows are copies of which.

Every value is a function of the row number alone, so a pool of 100,000,000 rows needs no memory to be made, and what
must be found in it is counted as it is written. In each block of 40 rows some are copies of rows of a block half the
pool away, one is a placeholder, whose hash all placeholders have, and one was not downloaded. The scores are those of
the product by name, identity and columns; their values are drawn.
"""

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing import grow_data, seal_data
from diptych.data.growing_sets import GrowingSet
from diptych.data.labels import give_labels
from diptych.data.schema import data_schema
from diptych.data.shards import ShardInfo, shard_name, write_shard
from diptych.scores.plan import ScorePlan, Scorers
from diptych.scores.tables import score_schema
from diptych.storage.location import Location

BLOCK = 40
MISSING = 34  # the place in a block of the row that was not downloaded
EXACT = {36: 1, 37: 2}  # places of copies with the same bytes, and of their originals
NEAR = {35: 3, 38: 4}  # places of copies whose hash has up to four bits changed, and of their originals
PLACEHOLDER = 39
PLACEHOLDER_HASH = 7
NEAR_BITS = 4
SCORES = {"hashes": "hashes", "stats": "image_stats", "words": "caption_stats", "decoded": "decoded"}
RULES = {
    "large": "width >= 200 AND height >= 200",
    "told": "caption NOT LIKE '%7%'",
    "hashed": "hashes.phash_imagehash % 10 < 9",
    "sharp": "stats.sharpness >= 100",
}
CAPTIONS = pa.array([f"a photograph of the thing number {number}" for number in range(1000)])
WORDS = 7  # of each caption
LETTERS = 29  # of each caption, beside its digits
HOSTS = pa.array([f"https://host-{number}.example/" for number in range(1000)])
FORMATS = pa.array(["jpeg", "jpeg", "png", "webp"])
HAS_SEVEN = np.array(["7" in str(number) for number in range(1000)])
# What bits are drawn for; a value of several words, or several values, take the numbers up to the next.
PURPOSES = {
    name: 16 * number
    for number, name in enumerate(["key", "phash", "caption", "width", "height", "sha256", "flips", "url", "scores"])
}

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
        self.width, self.height = ((64 + drawn(rows, side) % 1000).astype(np.int32) for side in ("width", "height"))
        self.sharpness = (self.share(0) * 1000).astype(np.float32)

    def is_one_of(self, places: dict[int, int]) -> npt.NDArray[np.bool_]:
        """Return which rows have one of these places in their block."""
        return np.isin(self.place, list(places))

    def share(self, turn: int) -> npt.NDArray[np.float32]:
        """Return numbers in [0, 1) of 12 bits: float32 (N,)."""
        return (drawn(self.picture, "scores", turn) % 4096 / 4096).astype(np.float32)

    def passes(self) -> npt.NDArray[np.bool_]:
        """Return which rows pass the rules."""
        is_large = (self.width >= 200) & (self.height >= 200)
        is_told = is_large & ~HAS_SEVEN[self.caption]
        return (self.place != MISSING) & is_told & (self.phash % 10 < 9) & (self.sharpness >= 100)

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

    def data(self) -> pa.Table:
        """Return their data."""
        schema, is_missing = data_schema(), self.place == MISSING
        digests = hexadecimal(np.stack([drawn(self.picture, "sha256", word) for word in range(4)], axis=1))
        paths = hexadecimal(drawn(self.rows, "url")[:, None])
        hosts = HOSTS.take(pa.array((drawn(self.rows, "url", 1) % len(HOSTS)).astype(np.int64)))
        kinds = FORMATS.take(pa.array((drawn(self.picture, "url", 2) % len(FORMATS)).astype(np.int64)))
        columns = {
            "key": self.keys(),
            "caption": CAPTIONS.take(pa.array(self.caption)),
            "url": pc.binary_join_element_wise(hosts, paths, ""),
            "width": pa.array(self.width, mask=is_missing),
            "height": pa.array(self.height, mask=is_missing),
            "format": pc.if_else(pa.array(is_missing), pa.scalar(None, pa.string()), kinds),
            "sha256": pc.if_else(pa.array(is_missing), pa.scalar(None, pa.string()), digests),
            "status": pc.if_else(pa.array(is_missing), "not_found", "ok"),
        }
        return pa.table([columns.get(each.name, pa.nulls(len(self.rows), each.type)) for each in schema], schema=schema)

    def scores(self, label: str, schema: pa.Schema) -> pa.Table:
        """Return a column set."""
        is_missing = (self.place == MISSING) & (label != "words")  # which has captions of all
        values = {"hashes": self._hashes, "stats": self._stats, "words": self._words, "decoded": self._decoded}[label]()
        columns = [_masked(values[field.name], is_missing, field.type) for field in list(schema)[1:-1]]
        reason = pc.if_else(pa.array(is_missing), "not_found", pa.scalar(None, pa.string()))
        return pa.table([self.keys(), *columns, reason], schema=schema)

    def _hashes(self) -> Mapping[str, object]:
        pixels = hexadecimal(drawn(self.picture, "sha256", 4)[:, None])  # shorter than the product's
        return {
            "phash_imagehash": self.phash,
            "dhash_imagehash": drawn(self.picture, "phash", 1),
            "sha256_pixels": pixels,
        }

    def _stats(self) -> Mapping[str, object]:
        short, long = np.minimum(self.width, self.height), np.maximum(self.width, self.height)
        return {
            "short_side": short,
            "long_side": long,
            "aspect_ratio": (long / short).astype(np.float32),
            "entropy": 8 * self.share(1),
            "brightness": self.share(2),
            "contrast": self.share(3) / 2,
            "colourfulness": 100 * self.share(4),
            "sharpness": self.sharpness,
        }

    def _words(self) -> Mapping[str, object]:
        digits = 1 + (self.caption >= 10).astype(np.int32) + (self.caption >= 100)
        return {
            "caption_characters": (LETTERS + WORDS - 1 + digits).astype(np.int32),
            "caption_words": np.full(len(self.rows), WORDS, np.int32),
            "caption_letter_share": (LETTERS / (LETTERS + digits)).astype(np.float32),
            "caption_repetition": np.zeros(len(self.rows), np.float32),
            "caption_is_filename": np.zeros(len(self.rows), bool),
        }

    def _decoded(self) -> Mapping[str, object]:
        nothing = np.zeros(len(self.rows), bool)
        return {"is_truncated": nothing, "tone_map": pa.array(["none"]).take(pa.array(nothing.astype(np.int64)))}


def _masked(values: object, is_missing: npt.NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return pc.if_else(pa.array(is_missing), pa.scalar(None, kind), values)
    return pa.array(values, kind, mask=is_missing)


def drawn(numbers: Numbers, purpose: str, turn: int = 0) -> Values:
    """Return random bits of numbers, uint64: the generator splitmix64 (Steele, Lea, Flood, OOPSLA 2014) at a place."""
    bits = numbers.astype(np.uint64) * np.uint64(256) + np.uint64(PURPOSES[purpose] + turn)
    bits *= np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def hexadecimal(words: Values) -> pa.Array:
    """Return a text of 16 digits a word for each row of words, uint64 (N, W)."""
    digits = np.ascontiguousarray(words).tobytes().hex().encode()
    offsets = np.arange(len(words) + 1, dtype=np.int32) * 16 * words.shape[1]
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(offsets), pa.py_buffer(digits)])


def score_plan() -> ScorePlan:
    """Return what a config with these scores asks for."""
    return ScorePlan({}, {label: (name, {}) for label, name in SCORES.items()})


def make_pool(path: Path, rows: int, rows_per_shard: int, *, workers: int = 2) -> tuple[Dataset, Planted]:
    """Write a pool as ingest leaves it, and its scores; return it, and what there is to be found.

    Args:
        path: The dataset directory.
        rows: A multiple of 40.
        rows_per_shard: Of each but the last.
        workers: Processes.
    """
    shards = [(start, min(start + rows_per_shard, rows)) for start in range(0, rows, rows_per_shard)]
    plan = score_plan()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        data = grow_data(Location.at(path), "ingest", "0" * 64)
        data.begin()
        counts = []
        jobs = [_Shard(path, rows // BLOCK, number, *ends) for number, ends in enumerate(shards)]
        for info, planted in pool.map(_Shard.write_data, jobs, chunksize=8):
            data.commit(info)
            counts.append(planted)
        dataset = seal_data(data, {"kind": "pairs", "name": "planted", "licence": ""}, list(data.entries))
        scorers = plan.build()
        growing = dict(_growing(dataset, plan, scorers))
        jobs = [job.of(info.sha256) for job, info in zip(jobs, dataset.shards, strict=True)]
        for found in pool.map(_Shard.write_scores, jobs, chunksize=8):
            for label, info in found.items():
                growing[label].commit(info)
    sets = {label: one.seal(scorers.facts(("scores", label), plan)) for label, one in growing.items()}
    give_labels(dataset, sets)
    return open_dataset(path), Planted(*map(sum, zip(*counts, strict=True)))


def _growing(dataset: Dataset, plan: ScorePlan, scorers: Scorers) -> Iterator[tuple[str, GrowingSet]]:
    for (folder, label), name in scorers.set_names(plan).items():
        growing = GrowingSet(dataset, folder, name, scorers.identity((folder, label)))
        growing.begin()
        yield label, growing


@dataclass(frozen=True)
class _Shard:
    """A shard of the pool that a process writes."""

    pool: Path
    blocks: int
    number: int
    start: int
    stop: int
    source: str = ""

    def of(self, source: str) -> "_Shard":
        return replace(self, source=source)

    @property
    def rows(self) -> PlantedRows:
        return PlantedRows(np.arange(self.start, self.stop), self.blocks)

    def write_data(self) -> tuple[ShardInfo, Planted]:
        rows = self.rows
        return write_shard(rows.data(), self.pool / "data" / shard_name(self.number)), rows.count()

    def write_scores(self) -> dict[str, ShardInfo]:
        rows, plan = self.rows, score_plan()
        scorers, found = plan.build(), {}
        for (folder, label), name in scorers.set_names(plan).items():
            place = self.pool / folder / name / shard_name(self.number)
            table = rows.scores(label, score_schema(scorers.scores[label].columns))
            found[label] = write_shard(table, place, source=self.source)
        return found
