"""Re-selecting 10,000,000 rows over three column sets: seconds and peak memory, and beside a join on the key.

Run by ``make bench``. Asserts the counts and the memory, never the time.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from diptych.curate.config import Rule
from diptych.curate.rules.funnel import evaluate
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing import grow_data, seal_data
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.data.sql import connect
from diptych.data.table import DatasetTable
from diptych.storage.location import Location

ROWS = 10_000_000
ROWS_PER_SHARD = 10_000  # the default of a config
MAX_MEMORY_MIB = 2048
SCORES = ("clip_similarity", "aesthetic_v2", "punsafe")
RULES = [
    Rule(name="fits", where="clip_similarity >= 0.3"),
    Rule(name="beautiful", where="aesthetic_v2 > 0.5"),
    Rule(name="safe", where="punsafe < 0.5"),
]


def make(folder: Path) -> None:
    """Write the dataset: random scores, nine of ten rows downloaded, image bytes that nobody needs."""
    generator = np.random.default_rng(0)
    schema = data_schema()
    data = grow_data(Location.at(folder), "bench", "0" * 64)
    data.begin()
    for index in range(ROWS // ROWS_PER_SHARD):
        data.commit(write_shard(data_table(index, generator, schema), data.directory / shard_name(index)))
    dataset = seal_data(data, {"kind": "pairs", "name": "bench", "licence": ""}, list(data.entries))
    for name in SCORES:
        growing = GrowingSet(dataset, "scores", f"{name}-00000000", {"score": name})
        growing.begin()
        for index, shard in enumerate(dataset.shards):
            values = pa.array(generator.random(ROWS_PER_SHARD, np.float32))
            table = pa.table({"key": keys(index), name: values, "reason": pa.nulls(ROWS_PER_SHARD, pa.string())})
            growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
        growing.seal({"columns": [{"name": name, "dtype": "float32"}]})


def keys(index: int) -> list[str]:
    """Return the keys of a shard."""
    return [f"{row:09d}" for row in range(index * ROWS_PER_SHARD, (index + 1) * ROWS_PER_SHARD)]


def data_table(index: int, generator: np.random.Generator, schema: pa.Schema) -> pa.Table:
    """Return the data of a shard, 64 bytes of image in each row."""
    status = np.where(generator.random(ROWS_PER_SHARD) < 0.9, "ok", "not_found")
    image = {"bytes": generator.bytes(64), "path": "x"}
    columns = {"key": keys(index), "status": status, "image": [image] * ROWS_PER_SHARD}
    nothing = [None] * ROWS_PER_SHARD
    return pa.table([pa.array(columns.get(field.name, nothing), field.type) for field in schema], schema=schema)


def open_columns(folder: Path) -> DatasetTable:
    """Return the columns that the rules look at."""
    dataset = open_dataset(folder)
    sets = {column_set.name.rpartition("-")[0]: column_set for column_set in dataset.column_sets("scores")}
    return DatasetTable(dataset, sets)


def join_on_key(dataset: Dataset, columns: DatasetTable) -> float:
    """Return the seconds of the same selection when the sets are joined on their key."""
    con = connect(dataset)
    files = {"data": dataset.files, **{label: found.files for label, found in columns.sets.items()}}
    parts = [f"read_parquet({[str(file.path.resolve()) for file in paths]}) AS {name}" for name, paths in files.items()]
    joined = parts[0] + "".join(f" JOIN {part} USING (key)" for part in parts[1:])
    where = " AND ".join(["status = 'ok'", *(rule.where for rule in RULES)])
    started = time.perf_counter()
    con.cursor().execute(f"SELECT count(*) FROM {joined} WHERE {where}").fetchall()
    return time.perf_counter() - started


def measure(folder: Path) -> None:
    """Print the figures; runs in a process of its own, so that the peak is that of selecting alone."""
    columns = open_columns(folder)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        funnel = evaluate(columns, RULES)
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert len(funnel.masks) == ROWS
    assert funnel.steps[-1].rows_out == int(funnel.keep.sum())
    assert peak < MAX_MEMORY_MIB, f"{peak:.0f} MiB"
    median = sorted(seconds)[2]
    ratio = join_on_key(columns.dataset, columns) / median
    print(
        f"re-select {ROWS:,} rows, {len(columns.sets)} column sets: {median:.2f} s (median of 5), "
        f"peak {peak:,.0f} MiB, "
        f"{funnel.steps[-1].rows_out:,} kept; a join on the key takes {ratio:.1f} times as long"
    )


def main() -> None:
    """Make the data, then measure in a fresh process."""
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        subprocess.run([sys.executable, __file__, folder], check=True)


if __name__ == "__main__":
    main()
