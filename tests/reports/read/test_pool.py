import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import draw_dataset
from report_world import World

from diptych.errors import DataError, ShardError
from diptych.reports.pages.funnel import edges
from diptych.reports.read import curated
from diptych.reports.read.curated import read_pool
from diptych.reports.read.pool import Pool, open_pool


@pytest.fixture(scope="module")
def pool(world: World) -> Pool:
    return open_pool(world.pool)


def column(pool: Pool, folder: str, name: str) -> list[object]:
    """Read a column as it lies on disk, without the code under test."""
    found = next(path for path in (pool.dataset.path / folder).iterdir() if path.name.startswith(name.split(".")[0]))
    tables = [pq.read_table(file) for file in sorted(found.glob("*.parquet"))]
    return [value for table in tables for value in table[name.split(".")[1]].to_pylist()]


def test_values_are_those_on_disk_in_their_order(pool: Pool) -> None:
    expected = np.asarray([np.nan if v is None else v for v in column(pool, "scores", "image_stats.sharpness")], float)
    np.testing.assert_array_equal(pool.values("image.sharpness"), expected)


def test_decisions_are_those_on_disk(pool: Pool) -> None:
    keep, reason = pool.decided
    assert keep.tolist() == column(pool, "decisions", "select.keep")
    names = [None if number < 0 else pool.steps[number]["rule"] for number in reason]
    assert names == column(pool, "decisions", "select.reason")


def test_a_sample_may_be_larger_than_duckdb_returns_at_once(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = read_pool(pool, 20, []).columns["key"]
    assert len(fewer) == 20 < pool.dataset.rows
    everything = pool.query(f"{curated._first(10**6)} AS rows")["rows"][0].as_py()
    assert sorted(everything) == list(range(pool.dataset.rows))
    monkeypatch.setattr(curated, "MOST_OF_ARG_MIN", 19)
    assert read_pool(pool, 20, []).columns["key"] == fewer


def test_rules_with_a_line_are_found(pool: Pool) -> None:
    assert {name: found[0].value for name, found in pool.thresholds.items()} == {
        "large_enough": 60.0,
        "sharp": 60.0,
        "not_noisy": 5000.0,
        "has_words": 2.0,
    }


def test_duckdb_is_asked_once_how_it_compares_a_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    query = Pool.query
    monkeypatch.setattr(Pool, "query", lambda self, *sql: asked.append(sql[0]) or query(self, *sql))
    assert len(open_pool(world.pool).thresholds) == 4
    compared = [sql for sql in asked if sql.startswith("coalesce")]
    assert len(compared) > 4
    assert len({*compared}) == len(compared)


def test_rejected_side_fails_first_by_this_line_and_lies_nearest(pool: Pool) -> None:
    number = next(i for i, step in enumerate(pool.steps) if step["rule"] == "sharp")
    threshold = pool.thresholds["sharp"][0]
    beside = edges(pool, number, threshold, count=3)
    values, reasons = pool.values("image.sharpness"), column(pool, "decisions", "select.reason")
    lost = sorted((60 - values[row], row) for row in range(pool.dataset.rows) if reasons[row] == "sharp")
    assert beside.rejected == [row for _, row in lost[:3]]
    assert beside.rejected
    kept = sorted((values[row] - 60, row) for row in range(pool.dataset.rows) if reasons[row] is None)
    assert beside.kept == [row for _, row in kept[:3]]


def test_rows_have_their_decision_scores_and_place(pool: Pool) -> None:
    part = read_pool(pool, 1000, [])
    assert part.total == len(part) == pool.dataset.rows
    reasons = column(pool, "decisions", "select.reason")
    assert part.columns["decision"] == [reason or "kept" for reason in reasons]
    assert "least(width, height)" in part.numbers
    place = (part.columns["shard"][-1], part.columns["shard_row"][-1])
    assert place == (pool.dataset.shards[-1].name, pool.dataset.shards[-1].rows - 1)
    assert {"text.caption_is_filename", "hashes.sha256_pixels"} <= set(part.words)
    assert {value for value in part.words["text.caption_is_filename"] if value is not None} <= {"yes", "no"}


def test_sample_has_every_reason_and_what_must_be_shown(pool: Pool) -> None:
    must = [pool.dataset.rows - 1, 0]
    part = read_pool(pool, 20, must)
    assert len(part) == 20
    assert part.total == pool.dataset.rows
    rows = {(shard, row) for shard, row in zip(part.columns["shard"], part.columns["shard_row"], strict=True)}
    assert (pool.dataset.shards[-1].name, pool.dataset.shards[-1].rows - 1) in rows
    everything = {reason or "kept" for reason in column(pool, "decisions", "select.reason")}
    assert set(part.columns["decision"]) == everything
    again = read_pool(pool, 20, must)
    assert again.columns == part.columns


def test_scores_of_every_numeric_column_are_there_under_their_labels(pool: Pool) -> None:
    part = read_pool(pool, 1000, [])
    assert {"image.sharpness", "image.contrast", "text.caption_words"} <= set(part.numbers)
    assert "hashes.phash_imagehash" in pool.table.columns
    assert "hashes.phash_imagehash" not in {*part.numbers, *part.words}, "a hash is no quantity"


def test_connection_reads_nothing_but_the_pool(pool: Pool, tmp_path: Path) -> None:
    outside = tmp_path / "secret.parquet"
    pq.write_table(pa.table({"a": [1]}), outside)
    with pytest.raises(DataError, match="cannot be read"):
        pool.query(f"(SELECT a FROM read_parquet('{outside}'))")


def test_dataset_without_decisions_says_what_to_run(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "plain")
    with pytest.raises(DataError, match=r"no decisions.*diptych curate select"):
        open_pool(tmp_path / "plain")


def test_no_dataset_at_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="not a finished dataset directory"):
        open_pool(tmp_path)


def test_rule_whose_scores_are_gone_is_shown_without_a_line(world: World, tmp_path: Path) -> None:
    copy = tmp_path / "pool"
    shutil.copytree(world.pool, copy)
    for path in (copy / "scores").glob("image_stats-*"):
        shutil.rmtree(path)
    assert set(open_pool(copy).thresholds) == {"large_enough", "has_words"}


def test_two_pools_of_one_name_have_labels_of_their_own(world: World) -> None:
    first = open_pool(world.pool)
    assert open_pool(world.pool, [first.label]).label != first.label


def test_funnel_is_that_of_the_manifest(pool: Pool) -> None:
    manifest = json.loads((pool.select.path / "_decision.json").read_text(encoding="utf-8"))
    assert pool.steps == manifest["funnel"]
