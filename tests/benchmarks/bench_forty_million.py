"""Dedup and select over 40,000,000 rows: seconds, peak memory, and whether all that was planted is found.

Run by ``make bench``, or with any number of rows that is a multiple of 40:

    python tests/benchmarks/bench_forty_million.py [ROWS [ROWS_PER_SHARD]]

Each step runs in a fresh process, so that its peak memory is its own. Asserts counts and memory, never time. Needs 7 GB
of disk for 40,000,000 rows.
"""

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from planted_pool import NEAR_BITS, RULES, Planted, make_pool

from diptych.curate.config import Dedup
from diptych.curate.duplicates.find import dedup
from diptych.curate.rules.select import select
from diptych.data.dataset import open_dataset
from diptych.data.table import DatasetTable

ROWS = 40_000_000
ROWS_PER_SHARD = 10_000  # the default of a config
# At most: a process before its first row, and what it holds of each, with eight threads searching.
START_MIB = 384
BYTES_PER_ROW = 200

Figures = dict[str, Any]


def step_exact(table: DatasetTable) -> Figures:
    """Find equal bytes."""
    found = dedup(table, Dedup())
    return {"exact": found.exact, "near": found.near}


def step_near(table: DatasetTable) -> Figures:
    """Find equal bytes and near hashes."""
    found = dedup(table, Dedup(perceptual="phash", radius=NEAR_BITS))
    return {"exact": found.exact, "near": found.near, "largest": found.largest, "alarm": found.alarm}


def step_select(table: DatasetTable) -> Figures:
    """Apply the rules, and keep one row of each cluster."""
    selected = select(table, RULES, table.dataset.column_set("decisions", "dedup"))
    return {
        "readable": selected.steps[0].rows_out,
        "passing": selected.steps[-1].rows_in,
        "kept": selected.steps[-1].rows_out,
    }


STEPS = {"exact": step_exact, "near": step_near, "select": step_select}


def measure(step: str, folder: Path) -> None:
    """Do a step and print its figures."""
    dataset = open_dataset(folder)
    hashes = dataset.column_set("scores", "hashes-00000000")
    assert hashes is not None
    start = time.perf_counter()
    figures = STEPS[step](DatasetTable(dataset, {"hashes": hashes}))
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({**figures, "seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mib": peak}))


def in_fresh_process(step: str, folder: Path, rows: int) -> Figures:
    """Do a step in a process of its own; return its figures once its memory is as small as it must be."""
    done = subprocess.run([sys.executable, __file__, step, str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{step} failed:\n{done.stderr}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["peak_mib"] < START_MIB + BYTES_PER_ROW * rows / 2**20, f"{step}: {figures['peak_mib']:.0f} MiB"
    return figures


def told(figures: Figures) -> str:
    """Return how long a step took and how much memory."""
    cpu = f"{figures['cpu_s']:.0f} s of a processor"
    return f"{figures['seconds']:.0f} s ({cpu}), peak {figures['peak_mib'] / 1024:.2f} GiB"


def near_by_chance(rows: int) -> float:
    """Return how many pairs of random hashes are expected within the radius."""
    return rows**2 / 2 * sum(math.comb(64, bits) for bits in range(NEAR_BITS + 1)) / 2**64


def compare(folder: Path, rows: int, planted: Planted) -> None:
    """Do all steps, print what each of them found, and compare that with what there is."""
    spare = 10 + 2 * near_by_chance(rows)
    exact = in_fresh_process("exact", folder, rows)
    print(f"dedup, equal bytes: {exact['exact']:,} of {planted.exact:,} planted copies, {told(exact)}", flush=True)
    assert (exact["exact"], exact["near"]) == (planted.exact, 0)
    near = in_fresh_process("near", folder, rows)
    copies = planted.exact + planted.near + max(0, planted.placeholders - 1)
    found = near["exact"] + near["near"]
    print(
        f"dedup, hashes within {NEAR_BITS} bits: {found:,} copies where {copies:,} were planted and some "
        f"{near_by_chance(rows):.0f} are near by chance, the largest cluster {near['largest']:,} of "
        f"{planted.placeholders:,} placeholders, {told(near)}",
        flush=True,
    )
    assert 0 <= found - copies <= spare
    assert 0 <= near["largest"] - planted.placeholders <= spare
    chosen = in_fresh_process("select", folder, rows)
    kept = planted.passing - planted.passing_copies - max(0, planted.passing_placeholders - 1)
    print(
        f"select, {len(RULES)} rules: {chosen['passing']:,} of {planted.passing:,} rows pass, {chosen['kept']:,} are "
        f"kept as one of each cluster where {kept:,} were planted, {told(chosen)}",
        flush=True,
    )
    assert (chosen["readable"], chosen["passing"]) == (planted.readable, planted.passing)
    assert 0 <= kept - chosen["kept"] <= spare


def main(rows: int, rows_per_shard: int) -> None:
    """Make the pool, then do each step on it."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        dataset, planted = make_pool(Path(folder), rows, rows_per_shard)
        seconds = time.perf_counter() - start
        print(f"{rows:,} rows in {len(dataset.shards):,} shards, written in {seconds:.0f} s", flush=True)
        compare(Path(folder), rows, planted)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [("exact" | "near" | "select") as step, folder]:
            measure(step, Path(folder))
        case [*sizes] if len(sizes) < 3 and all(size.isdigit() for size in sizes):
            main(*[int(size) for size in sizes], *(ROWS, ROWS_PER_SHARD)[len(sizes) :])
        case unknown:
            sys.exit(f"unknown arguments {' '.join(unknown)}; give none, or ROWS and ROWS_PER_SHARD")
