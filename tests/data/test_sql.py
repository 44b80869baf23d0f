"""A table in SQL: names, labels of any text, and no more than a query needs."""

import itertools
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from drawn import draw_dataset

from diptych.data.dataset import open_dataset
from diptych.data.sql import (
    aliases,
    batches,
    column_references,
    column_sql,
    connect,
    interrupted_after,
    needed,
    relation,
)
from diptych.data.table import DatasetTable, open_table
from diptych.errors import ShardError
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

LABELS = ("text", 'the "best".text', "group", "ключ")


@pytest.fixture
def table(tmp_path: Path) -> DatasetTable:
    """Six rows; caption statistics under several labels, and hashes."""
    draw_dataset(tmp_path, 6, 4)
    scores: dict[str, Any] = {label: ("caption_stats", {}) for label in LABELS} | {"hashes": ("hashes", {})}
    score_dataset(tmp_path, ScorePlan({}, scores), progress="none")
    return open_table(open_dataset(tmp_path))


def select(table: DatasetTable, expression: str) -> list[Any]:
    """Return an expression over a table, over the sets that it needs and no other."""
    con = connect(table.dataset)
    labels = needed(table, column_references(con, f"SELECT {expression}"))
    return [row[0] for row in con.execute(f"SELECT {expression} FROM {relation(table, labels)}").fetchall()]


@pytest.mark.parametrize("label", LABELS)
def test_any_text_can_be_a_label(label: str, table: DatasetTable) -> None:
    words = table.column("text.caption_words").to_pylist()
    assert select(table, column_sql(table.columns[f"{label}.caption_words"])) == words


def test_a_bare_name_means_the_score_that_has_it_however_many_labels_that_has(table: DatasetTable) -> None:
    assert select(table, "caption_words") == table.column("text.caption_words").to_pylist()
    assert select(table, "TEXT.caption_words + 0 * width") == table.column("text.caption_words").to_pylist()


def test_rows_keep_their_order_across_shards(table: DatasetTable) -> None:
    assert select(table, "data.key") == table.column("key").to_pylist()
    assert select(table, "hashes.phash_imagehash") == table.column("hashes.phash_imagehash").to_pylist()


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("SELECT width FROM t", []),
        ("SELECT caption_words", ["text"]),
        ('SELECT "group".caption_words', ["group"]),
        ('SELECT "group".caption_words + text.caption_words', ["text", "group"]),
        ("SELECT list_filter([1], word -> word > phash_imagehash)", ["hashes"]),
        ("SELECT 1 ORDER BY hashes.dhash_imagehash", ["hashes"]),
        ("SELECT (", []),
    ],
)
def test_a_query_needs_the_sets_that_it_names(query: str, labels: list[str], table: DatasetTable) -> None:
    assert needed(table, column_references(connect(), query)) == labels


def test_a_set_stands_in_sql_once(table: DatasetTable) -> None:
    assert aliases(table) == ["text", "hashes"]


def test_what_is_not_what_was_written_is_no_source(table: DatasetTable, tmp_path: Path) -> None:
    (path,) = tmp_path.glob("scores/hashes-*/00001.parquet")
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    assert relation(table, ["text"])
    with pytest.raises(ShardError, match=r"00001\.parquet: is damaged"):
        relation(table, ["hashes"])


def test_a_connection_reads_the_files_of_its_dataset_and_no_other(tmp_path: Path) -> None:
    data = draw_dataset(tmp_path / "own", 1)
    for name in ("own/a.csv", "b.csv"):
        (tmp_path / name).write_text("x\n1\n")
    con = connect(data)
    assert con.execute(f"SELECT x FROM read_csv('{tmp_path}/own/a.csv')").fetchall() == [(1,)]
    for sql in (f"SELECT x FROM read_csv('{tmp_path}/b.csv')", "SET enable_external_access = true"):
        with pytest.raises(duckdb.Error):
            con.execute(sql).fetchall()


LATE = "SELECT CAST(CASE WHEN range = 2000000 THEN 'x' ELSE '1' END AS INTEGER) AS number FROM range(2100000)"


def test_batches_have_all_rows_in_their_order() -> None:
    found = list(batches(connect(), "SELECT range AS number FROM range(300000)"))
    assert len(found) > 1
    assert [batch["number"][0].as_py() for batch in found] == [0, *itertools.accumulate(map(len, found[:-1]))]
    assert sum(map(len, found)) == 300_000


def test_what_shows_only_after_some_rows_is_an_error_of_duckdb() -> None:
    seen: list[pa.RecordBatch] = []
    with pytest.raises(duckdb.Error, match="Could not convert string 'x' to INT32"):
        seen.extend(batches(connect(), LATE))
    assert seen


def test_batches_that_take_too_long_are_broken_off_after_some_rows_too() -> None:
    con = connect()
    found = batches(con, "SELECT a.range * b.range AS both FROM range(100000) a, range(100000) b")
    with pytest.raises(TimeoutError, match="takes longer than 0 s"), interrupted_after(con, 0.2):
        sum(map(len, found))
