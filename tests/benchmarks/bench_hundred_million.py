"""Dedup, select, export and a report of a pool of any number of rows: what each takes, and that all is found.

Run by ``make bench`` over 1,000,000 rows. All of it, for which 25 GB of disk and an hour or two are needed:

    python tests/benchmarks/bench_hundred_million.py --rows 100000000 --shards 10000

Each step is a command of diptych, as somebody would give it. Asserts counts and memory, never time.
"""

import argparse
import json
import math
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measured_command import Measured, run_measured
from planted_pool import NEAR_BITS, RULES, SCORES, Planted, make_pool

ROWS = 1_000_000
ROWS_PER_SHARD = 10_000  # the default of a config
# At most: a process before its first row, what spills, and what is held of each row.
START_MIB = 640
BYTES_PER_ROW = 64
DUCKDB_LIMIT = "2GB"
PLANTED = "planted.json"

Figures = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A folder with a pool, and the commands over it.

    Attributes:
        folder: The folder.
        rows: Of the pool.
        limit: What DuckDB may take of the memory.
    """

    folder: Path
    rows: int
    limit: str

    @property
    def run(self) -> Path:
        """The directory of the run, whose pool it is."""
        return self.folder / "run"

    def config(self, name: str, **dedup: Any) -> Path:
        """Write the config of a curation; return its place."""
        config = {
            "job": "curate",
            "name": name,
            "source": {"kind": "url_table", "path": str(self.folder / "urls.parquet")},
            "scores": {label: {"score": score} for label, score in SCORES.items() if label != "decoded"},
            "dedup": dedup,
            "select": [{"name": rule, "where": where} for rule, where in RULES.items()],
            "export": {"columns": ["stats.sharpness", "words.caption_words"]},
        }
        return self._write(f"{name}.yaml", config)

    def report(self) -> Path:
        """Write the config of a report; return its place."""
        return self._write("report.yaml", {"job": "report", "pools": [str(self.run / "pool")], "max_images": 200})

    def measure(self, step: str, *arguments: str | Path) -> Figures:
        """Do a step, say what it took and return what it found.

        Raises:
            AssertionError: If it takes more memory than it may.
        """
        env = {**os.environ, "DIPTYCH_MEMORY_LIMIT": self.limit, "TMPDIR": str(self.folder)}
        done = run_measured([*map(str, arguments), "--json"], env)
        print(f"{step}: {done}", flush=True)
        self._check(step, done)
        said: Figures = done.said
        return said

    def _check(self, step: str, done: Measured) -> None:
        most = (START_MIB << 20) + BYTES_PER_ROW * self.rows + _bytes(self.limit)
        assert done.peak_bytes < most, f"{step}: {done.peak_bytes / 2**30:.2f} GiB, not {most / 2**30:.2f}"

    def _write(self, name: str, config: Figures) -> Path:
        place = self.folder / name
        place.write_text(json.dumps(config))  # which is YAML
        return place


def _bytes(amount: str) -> int:
    return int(amount.removesuffix("GB")) * 10**9 if amount.endswith("GB") else int(amount.removesuffix("MB")) * 10**6


def near_by_chance(rows: int) -> float:
    """Return how many pairs of random hashes are expected within the radius."""
    return rows**2 / 2 * sum(math.comb(64, bits) for bits in range(NEAR_BITS + 1)) / 2**64


def check_dedup(bench: Bench, planted: Planted) -> None:
    """Find copies by their bytes, then by their hashes too; leaves the second decision.

    Raises:
        AssertionError: If something else is found than was planted.
    """
    spare = 10 + 2 * near_by_chance(bench.rows)
    exact = bench.measure("dedup, equal bytes", "curate", "dedup", bench.config("exact"), "--out", bench.run)["dedup"]
    print(f"  {exact['exact']:,} of {planted.exact:,} planted copies")
    assert (exact["exact"], exact["near"]) == (planted.exact, 0)
    config = bench.config("near", perceptual="hashes.phash_imagehash", radius=NEAR_BITS)
    near = bench.measure(f"dedup, hashes within {NEAR_BITS} bits", "curate", "dedup", config, "--out", bench.run)
    copies = planted.exact + planted.near + max(0, planted.placeholders - 1)
    found = near["dedup"]["exact"] + near["dedup"]["near"]
    print(
        f"  {found:,} copies where {copies:,} were planted and some {near_by_chance(bench.rows):.0f} are near by "
        f"chance, the largest cluster {near['dedup']['largest']:,} of {planted.placeholders:,} placeholders"
    )
    assert 0 <= found - copies <= spare
    assert 0 <= near["dedup"]["largest"] - planted.placeholders <= spare


def check_select(bench: Bench, planted: Planted) -> int:
    """Apply the rules, and keep one row of each cluster; return how many are kept.

    Raises:
        AssertionError: If others are kept.
    """
    spare = 10 + 2 * near_by_chance(bench.rows)
    config = bench.folder / "near.yaml"
    steps = bench.measure(f"select, {len(RULES)} rules", "curate", "select", config, "--out", bench.run)
    kept = planted.passing - planted.passing_copies - max(0, planted.passing_placeholders - 1)
    last = steps[-1]
    print(f"  {last['rows_in']:,} rows pass, {last['rows_out']:,} are kept where {kept:,} were planted")
    assert (steps[0]["rows_out"], last["rows_in"]) == (planted.readable, planted.passing)
    assert 0 <= kept - last["rows_out"] <= spare
    tried = ["--where", "width >= 300", "--where", "stats.sharpness > 500"]
    bench.measure("two rules tried", "curate", "select", bench.run / "pool", *tried)
    return int(last["rows_out"])


def check_export(bench: Bench, kept: int) -> None:
    """Export what is kept, and make a report of the pool.

    Raises:
        AssertionError: If other rows are exported.
    """
    exported = bench.measure("export", "curate", "export", bench.folder / "near.yaml", "--out", bench.run)["export"]
    assert exported["rows"] == kept
    bench.measure("report on the pool", "report", "build", bench.report(), "--out", bench.folder / "report")


def make(bench: Bench, rows_per_shard: int) -> Planted:
    """Write the pool, or take the one that is there."""
    place = bench.folder / PLANTED
    if not place.is_file():
        started = time.perf_counter()
        dataset, planted = make_pool(bench.run / "pool", bench.rows, rows_per_shard)
        place.write_text(json.dumps(planted._asdict()))
        seconds = time.perf_counter() - started
        print(f"{bench.rows:,} rows in {len(dataset.shards):,} shards, written in {seconds:.0f} s", flush=True)
    return Planted(**json.loads(place.read_text()))


def main() -> None:
    """Make the pool, then do each step on it."""
    parser = argparse.ArgumentParser(description="Dedup, select, export and a report of a pool without pictures.")
    parser.add_argument("--rows", type=int, default=ROWS, help="a multiple of 40")
    parser.add_argument("--shards", type=int, help="so many; without it one for 10,000 rows")
    parser.add_argument("--limit", default=DUCKDB_LIMIT, help="what DuckDB may take of the memory, in MB or GB")
    parser.add_argument("--folder", type=Path, help="where the pool stays, and is taken from")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(given.folder or Path(temporary), given.rows, given.limit)
        planted = make(bench, math.ceil(given.rows / given.shards) if given.shards else ROWS_PER_SHARD)
        check_dedup(bench, planted)
        check_export(bench, check_select(bench, planted))


if __name__ == "__main__":
    main()
