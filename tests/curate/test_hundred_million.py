import importlib
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diptych.curate.config import Dedup, Export, Rule
from diptych.curate.decisions import read_keep
from diptych.curate.delivery.parquet import Selection, export, exported_columns
from diptych.curate.duplicates import equal_bytes, spilled, value_parts
from diptych.curate.duplicates.find import dedup
from diptych.curate.duplicates.spilled import SpilledBuckets
from diptych.curate.duplicates.stars import star_clusters
from diptych.curate.rules.select import select
from diptych.data.dataset import open_dataset
from diptych.data.labels import labelled_sets
from diptych.data.shards import read_shard
from diptych.data.table import DatasetTable
from diptych.shortage import MEMORY_LIMIT

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "tests" / "benchmarks"


@pytest.mark.skipif(sys.platform != "linux", reason="what a process takes is told by /proc")
def test_the_benchmark_of_a_hundred_million_rows_finds_all_that_was_planted_among_few() -> None:
    command = [sys.executable, str(BENCHMARKS / "bench_hundred_million.py")]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    sizes = ["--rows", "8000", "--shards", "3", "--limit", "200MB"]
    done = subprocess.run([*command, *sizes], env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert said.startswith("8,000 rows in 3 shards")
    assert "400 of 400 planted copies" in said
    assert "999 copies where 999 were planted" in said
    assert "the largest cluster 200 of 200 placeholders" in said
    kept = re.search(r"rows pass, ([\d,]+) are kept where ([\d,]+) were planted", said)
    assert kept is not None
    assert kept[1] == kept[2] != "0"
    taken = re.findall(r"^(.*): \d+ s \(\d+ s of a processor\), peak [\d.]+ GiB, read ([\d.]+) GB, wrote", said, re.M)
    assert len(taken) == 6
    assert all(float(read) > 0 for _, read in taken)


@pytest.fixture
def planted_pool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that makes pools for the benchmark."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("planted_pool")


def decided(pool: Path, rules: Mapping[str, str]) -> dict[str, list[Any]]:
    """Find duplicates in a pool, select of it and export that; return what was decided and what is kept, row by row."""
    dataset = open_dataset(pool)
    table = DatasetTable(dataset, labelled_sets(dataset))
    settings = Dedup(perceptual="hashes.phash_imagehash", radius=4)
    duplicates = dedup(table, settings).decisions
    rules = [Rule(name=name, where=where) for name, where in rules.items()]
    selected = select(table, rules, duplicates).decisions
    selection = Selection(table, read_keep(selected), exported_columns(table, None), {})
    exported = export(selection, pool.parent / "selected", Export(), progress="none").dataset
    found = {"dedup": duplicates.files, "select": selected.files, "export": exported.files}
    return {name: [row for file in files for row in read_shard(file).to_pylist()] for name, files in found.items()}


def test_little_memory_and_many_shards_change_no_decision(
    planted_pool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted_pool.make_pool(tmp_path / "few" / "pool", 4000, 4000)
    planted_pool.make_pool(tmp_path / "many" / "pool", 4000, 100)
    expected = decided(tmp_path / "few" / "pool", planted_pool.RULES)
    spills, real = [], SpilledBuckets._spill

    def counted(self: SpilledBuckets) -> None:
        spills.append(len(self))
        real(self)

    monkeypatch.setattr(SpilledBuckets, "_spill", counted)
    monkeypatch.setattr(equal_bytes, "BUCKET_ROWS", 300)
    monkeypatch.setattr(value_parts, "SORTED_ROWS", 500)
    monkeypatch.setattr(value_parts, "TABLE_ROWS", 512)
    monkeypatch.setenv(MEMORY_LIMIT, "128MB")  # of DuckDB
    monkeypatch.setattr(spilled, "held_bytes", lambda: 512)
    assert decided(tmp_path / "many" / "pool", planted_pool.RULES) == expected
    assert len(spills) > 1  # the digests, and the pairs of near hashes
    assert sum(spills) > 4000
    assert len(expected["export"]) == sum(bool(row["keep"]) for row in expected["select"])


def test_the_memory_of_deciding_grows_by_little_for_each_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spilled, "held_bytes", lambda: 1 << 16)
    monkeypatch.setattr(equal_bytes, "BUCKET_ROWS", 1 << 12)
    monkeypatch.setattr(value_parts, "SORTED_ROWS", 1 << 12)
    monkeypatch.setattr(value_parts, "TABLE_ROWS", 1 << 14)
    peaks = []
    for rows in (1 << 10, 1 << 16, 1 << 18):  # the first takes what a first call takes, whatever ran before
        hashes = np.random.default_rng(0).integers(2**64, size=rows, dtype=np.uint64)
        order = np.arange(rows, dtype=np.int32)
        tracemalloc.start()
        star_clusters(hashes, 2, order=order, workers=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[2] - peaks[1]) / ((1 << 18) - (1 << 16)) < 44  # bytes: of one more number for each row it tells
