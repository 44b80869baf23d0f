"""What other programs read of a dataset directory, whatever it holds beside the shards."""

import re
from pathlib import Path
from typing import Any

import datasets
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.dataset as pds
import pytest
from drawn import draw_dataset
from tiny_dataset import Row, good_rows, make_dataset

from diptych.curate.config import Export
from diptych.curate.delivery.parquet import Selection, export, exported_columns
from diptych.data.dataset import open_dataset
from diptych.data.table import DatasetTable, open_table
from diptych.scores.run import ScorePlan, score_dataset

DOCS = Path(__file__).resolve().parents[2] / "docs/datasets.md"
PLAN = ScorePlan(
    {"small": ("projection", {"dim": 8})},
    {"similarity": ("clip_similarity", {"encoder": "small"}), "stats": ("image_stats", {})},
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("readers") / "pool"
    draw_dataset(path, rows=7, rows_per_shard=3)
    score_dataset(path, PLAN, progress="none")
    return path


def rooms(pool: Path) -> list[Path]:
    return [pool / "data", *sorted(pool.glob("scores/*")), *sorted(pool.glob("embeddings/*"))]


def test_pandas_and_pyarrow_read_every_directory_of_shards(pool: Path) -> None:
    assert len(rooms(pool)) == 4
    for room in rooms(pool):
        keys = [f"{row:09d}" for row in range(7)]
        assert pd.read_parquet(room)["key"].tolist() == keys, room
        assert pds.dataset(room).to_table(columns=["key"])["key"].to_pylist() == keys, room


def test_duckdb_and_polars_read_every_directory_by_a_glob(pool: Path) -> None:
    for room in rooms(pool):
        assert duckdb.sql(f"SELECT count(*), count(DISTINCT key) FROM '{room}/*.parquet'").fetchall() == [(7, 7)]
        assert pl.read_parquet(room / "*.parquet", columns=["key"]).height == 7
    joined = duckdb.sql(
        f"SELECT count(*) FROM '{pool}/data/*.parquet' JOIN '{pool}/scores/clip_similarity-*/*.parquet' USING (key) "
        "WHERE clip_similarity IS NOT NULL"
    )
    assert joined.fetchall() == [(7,)]


def test_readers_of_the_docs_read_as_they_stand_there(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    place = tmp_path / "runs/laion"
    place.mkdir(parents=True)
    (place / "pool").symlink_to(pool)
    selected(pool, place / "selected", [0, 2])
    monkeypatch.chdir(tmp_path)
    blocks = r"```python\n((?:import pathlib\n\n)?import datasets.*?)```"
    whole, parts = re.findall(blocks, DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(whole, names)
    assert names["rows"].num_rows == 2
    preparing, _, reading = parts.partition('image_stats-*")\n')
    exec(f'{preparing}image_stats-*")', names)
    assert [counted(eval(line, names)) for line in reading.splitlines()] == [7] * 5


def counted(read: Any) -> int:
    """Return the number of rows of what a reader gives, or the number that a query counted."""
    if isinstance(read, duckdb.DuckDBPyRelation):
        return int(read.fetchall()[0][0])
    return int(read.count_rows()) if isinstance(read, pds.Dataset) else len(read)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give ``datasets`` one cache for everything that a test reads."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return tmp_path / "cache"


def read(path: Path, cache: Path) -> list[str]:
    rows = datasets.load_dataset(str(path), split="train", cache_dir=str(cache))
    return [str(row["key"]) for row in rows]


def selected(pool: Path, target: Path, rows: list[int]) -> list[str]:
    keep = np.isin(np.arange(7), rows)
    export(Selection(DatasetTable(open_dataset(pool)), keep, {}, {"rows": rows}), target, Export(), progress="none")
    return [f"{row:09d}" for row in rows]


def test_two_exports_of_one_name_and_an_export_made_again_give_each_its_own_rows(
    pool: Path, tmp_path: Path, cache: Path
) -> None:
    for place, rows in (("a", [0, 1, 2]), ("b", [3, 4]), ("a", [5]), ("b", [0, 6]), ("a", [0, 1, 2])):
        keys = selected(pool, tmp_path / place / "selected", rows)
        assert read(tmp_path / place / "selected", cache) == keys


def test_an_export_is_iterated_picture_by_picture_without_an_error(pool: Path, tmp_path: Path, cache: Path) -> None:
    selected(pool, tmp_path / "selected", [0, 2, 4])
    rows = datasets.load_dataset(str(tmp_path / "selected"), split="train", cache_dir=str(cache))
    assert [row["image"].size for row in rows] == [(48, 32)] * 3
    streamed = datasets.load_dataset(str(tmp_path / "selected"), split="train", streaming=True)
    assert [row["image"].size for row in streamed] == [(48, 32)] * 3


def test_score_columns_of_an_export_are_read_by_one_name_in_every_library(
    pool: Path, tmp_path: Path, cache: Path
) -> None:
    table = open_table(open_dataset(pool))
    every, name = np.ones(7, bool), "similarity__clip_similarity"
    export(Selection(table, every, exported_columns(table, None), {}), tmp_path / "out", Export(), progress="none")
    values = table.column("similarity.clip_similarity").to_pylist()
    files = tmp_path / "out" / "data"
    rows = datasets.load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(cache))
    assert list(rows[name]) == values
    assert pd.read_parquet(files, columns=[name])[name].tolist() == pytest.approx(values)
    assert pd.read_parquet(files).query(f"{name} > {values[3]}").shape[0] == sum(value > values[3] for value in values)
    assert duckdb.sql(f"SELECT {name} FROM '{files}/*.parquet' ORDER BY key").fetchall() == [(one,) for one in values]
    assert pl.scan_parquet(files / "*.parquet").select(name).collect()[name].to_list() == values
    facts = open_dataset(tmp_path / "out").manifest["scores"][name]
    assert (facts["name"], facts["identity"]["score"]) == ("similarity.clip_similarity", "clip_similarity")


def test_a_pool_with_broken_pictures_says_how_to_leave_them_out_and_so_it_is_read(tmp_path: Path, cache: Path) -> None:
    bad = [Row(None, "gone", "not_found", None), Row(b"<html>", "a page", "not_an_image", None)]
    make_dataset(tmp_path / "pool", [*good_rows(2), *bad, *good_rows(1)])
    card = (tmp_path / "pool" / "README.md").read_text(encoding="utf-8")
    assert 'filters=[("status", "==", "ok")]' in card
    rows = datasets.load_dataset(
        str(tmp_path / "pool"), split="train", cache_dir=str(cache), filters=[("status", "==", "ok")]
    )
    assert [(row["key"], row["image"].size) for row in rows] == [
        ("000000", (48, 32)),
        ("000001", (48, 32)),
        ("000004", (48, 32)),
    ]
