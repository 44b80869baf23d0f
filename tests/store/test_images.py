"""Further columns of images: kept whatever they are called, found by name, and no schema changes for them."""

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from diptych.store.images import image_columns
from diptych.store.store import ImageRow, Run, ScoreRow, Store

HOSTILE = ('qu"ote', "sl/ash~tilde", "dot.ted", "", "ключ", "'; DROP TABLE images; --", "Steps")


def insert(store: Store, data: pa.Table, *, run_id: str = "r", dataset: str = "d") -> None:
    """Put the columns of data into the store as a run's images."""
    own, more = image_columns(data)
    for name, value in (("run_id", run_id), ("dataset", dataset)):
        own = own.append_column(name, pa.array([value] * data.num_rows))
    with store.replace_run(Run(run_id, run_id, "f", {}, {})):
        store.insert_images(own, more)


def values(store: Store, *names: str) -> list[tuple[Any, ...]]:
    """Return columns of all images by their names."""
    listed = ", ".join(f"{store.image_sql(name)} AS c{number}" for number, name in enumerate(names))
    return [tuple(row.values()) for row in store.query(f"SELECT {listed} FROM images ORDER BY run_id, key")]


def test_a_further_column_comes_back_in_its_type(tmp_path: Path) -> None:
    data = {
        "key": ["a", "b"],
        "lora": ["ink", None],
        "weight": [0.25, float("nan")],
        "seed_of_crop": pa.array([2**61, None], pa.int64()),
        "digest": pa.array([2**64 - 1, None], pa.uint64()),
        "is_flipped": [True, None],
        "tags": [["two", "words"], None],
        "day": [datetime.date(2024, 2, 29), None],
        "kind": pa.array(["x", None]).dictionary_encode(),
    }
    with Store.open(tmp_path / "store.duckdb") as store:
        insert(store, pa.table(data))
        first, second = values(store, *data)
        assert first == ("a", "ink", 0.25, 2**61, 2**64 - 1, True, ["two", "words"], "2024-02-29", "x")
        assert second == ("b", *[None] * 8)
        (row,) = store.query("SELECT more->>'lora' AS lora, more FROM images WHERE key = 'a'")
        assert (row["lora"], row["more"]["weight"]) == ("ink", 0.25)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_column_may_be_called_anything(name: str, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        insert(store, pa.table({"key": ["a"], "steps": [20], name: ["'\"\\ü"]}))
        assert values(store, "steps", name) == [(20, "'\"\\ü")]
        assert dict(store.further_columns) == {name: "VARCHAR"}


def test_a_column_of_another_type_than_the_tables_is_a_further_one_and_one_without_words_is_left_out() -> None:
    columns = {"key": ["a"], "model": [{"name": "x"}], "guidance": ["strong"], "steps": ["20"], "pixels": [b"\x00"]}
    own, more = image_columns(pa.table(columns))
    assert (own.column_names, own["steps"].to_pylist()) == (["key", "steps"], [20])
    assert more.column_names == ["guidance"]


def test_a_column_that_no_image_has_is_null_and_one_of_two_types_is_text(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        insert(store, pa.table({"key": ["a"], "size": [1]}), run_id="r1")
        insert(store, pa.table({"key": ["a"], "size": ["large"]}), run_id="r2")
        insert(store, pa.table({"key": ["a"]}), run_id="r3")
        assert values(store, "size", "lora") == [("1", None), ("large", None), (None, None)]
        store.delete_run("r2")
        assert dict(store.further_columns) == {"size": "BIGINT"}


def test_rows_bring_further_columns_too_and_the_view_of_scores_has_them(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        store.insert_images([ImageRow("r", "d", "a", more={"lora": "ink"}), ImageRow("r", "d", "b", more={"n": 2})])
        store.insert_scores([ScoreRow("r", "d", "a", "s", 0.5)])
        assert values(store, "lora", "n") == [("ink", None), (None, 2)]
        assert store.query("SELECT value, more->>'lora' AS lora FROM v_scores") == [{"value": 0.5, "lora": "ink"}]
