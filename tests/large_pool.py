"""A pool of many rows whose numbers are told in captions, with rules of all four operators at values that occur."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from report_world import encode
from sealed import seal_dataset

from diptych.curate.config import Rule
from diptych.curate.rules.select import select
from diptych.data.dataset import open_dataset
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.data.table import open_table
from diptych.scores.run import ScorePlan, score_dataset

PER_SHARD = 2500
RULES = {
    "above": "n.number > 0.2",
    "at_least": "(url IS NULL OR url <> 'é') AND 0.3 <= n.number",
    "below": "likes < 0.9",
    "at_most": "n.number <= 0.7",
    "words": "text.caption_words >= 4",
    "area": "least(width, height) * 2 > 4",
}
SIGNED = {
    "above": ("number", ">", 0.2),
    "at_least": ("number", ">=", 0.3),
    "below": ("likes", "<", 0.9),
    "at_most": ("number", "<=", 0.7),
    "words": ("caption_words", ">=", 4.0),
    "area": ("least(width, height) * 2", ">", 4.0),
}


def make_large_pool(folder: Path, count: int) -> Path:
    """Write a pool of ``count`` rows, score it and decide on it; needs the told scores, see ``told_scores.install``."""
    dice = np.random.default_rng(count)
    pictures = [encode(dice.integers(0, 256, (8, 8, 3))) for _ in range(7)]
    schema = data_schema([pa.field("likes", pa.float64())])
    infos = [
        write_shard(_rows(range(start, min(start + PER_SHARD, count)), pictures, dice, schema), folder / "data" / name)
        for number, start in enumerate(range(0, count, PER_SHARD))
        for name in [shard_name(number)]
    ]
    seal_dataset(folder, infos, {"kind": "pairs", "name": "large"})
    plan = ScorePlan({}, {"n": ("told_number", {}), "text": ("caption_stats", {})})
    score_dataset(folder, plan, progress="none")
    select(open_table(open_dataset(folder)), [Rule(name=name, where=where) for name, where in RULES.items()])
    return folder


def _rows(numbers: range, pictures: list[bytes], dice: np.random.Generator, schema: pa.Schema) -> pa.Table:
    n = len(numbers)
    values = dice.beta(3, 3, n).round(2)  # many lie on each line
    words = dice.integers(0, 9, n)
    columns: Mapping[str, object] = {
        "key": [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in numbers],
        "image": [{"bytes": pictures[number % 7], "path": None} for number in numbers],
        "caption": [
            f"{'number=' if number % 50 else 'nothing='}{value:g}{' word' * int(more)}"
            for number, value, more in zip(numbers, values, words, strict=True)
        ],
        "url": [None] * n,
        "width": dice.integers(1, 9, n),
        "height": dice.integers(1, 9, n),
        "format": ["png"] * n,
        "sha256": [hashlib.sha256(pictures[number % 7]).hexdigest() for number in numbers],
        "status": ["ok" if number % 31 else "not_found" for number in numbers],
        "error": [None] * n,
        "likes": [
            None if number % 40 == 7 else round(float(value), 2)
            for number, value in zip(numbers, values[::-1], strict=True)
        ],
    }
    return pa.table(columns, schema=schema)


def large_table(pool: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection with the pool as one table ``pool``, read without the code under test."""
    con = duckdb.connect()
    parts = {"data": pool / "data", "decided": pool / "decisions" / "select"}
    parts |= {path.name.partition(".")[0].partition("-")[0]: path for path in (pool / "scores").iterdir()}
    chosen = {
        "data": "* EXCLUDE (image)",
        "decided": "keep, reason AS lost_to",
        "told_number": "number",
        "caption_stats": "* EXCLUDE (key, reason)",
    }
    read = [f"(SELECT {chosen[name]} FROM read_parquet('{path}/*.parquet'))" for name, path in parts.items()]
    con.execute(f"CREATE TABLE pool AS SELECT * FROM {' POSITIONAL JOIN '.join(read)}")
    return con
