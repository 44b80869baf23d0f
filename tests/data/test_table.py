"""A dataset with its scores as one table: columns by name, each read alone, and only what was written is read."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from drawn import draw_dataset
from sealed import seal_dataset
from told_scores import install

from diptych.data import table as table_module
from diptych.data.dataset import open_dataset
from diptych.data.schema import data_schema
from diptych.data.shards import write_shard
from diptych.data.table import DatasetTable, open_table
from diptych.errors import ConfigError, ShardError
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

ROWS, FAILED = 11, (2, 7)


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def table(tmp_path: Path) -> DatasetTable:
    """Eleven rows in shards of three, two of them without a picture, with caption statistics and hashes."""
    draw_dataset(tmp_path, ROWS, 3, failed=FAILED)
    scores: dict[str, Any] = {"text": ("caption_stats", {}), "my.hashes": ("hashes", {}), "n": ("told_number", {})}
    score_dataset(tmp_path, ScorePlan({}, scores), progress="none")
    return open_table(open_dataset(tmp_path))


def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Return a list to which each column that is read from now on is added, with its folder."""
    seen: list[tuple[str, list[str]]] = []
    original = table_module._rows

    def watched(place: Any, columns: Any, rows: Any) -> Any:
        seen.append((place.parent.name.partition("-")[0], list(columns)))
        return original(place, columns, rows)

    monkeypatch.setattr(table_module, "_rows", watched)
    return seen


def test_columns_go_by_label_and_column_and_those_of_the_data_by_their_own(table: DatasetTable) -> None:
    assert list(table.columns)[:3] == ["key", "caption", "url"]
    assert "image" not in table.columns
    column = table.columns["my.hashes.phash_imagehash"]
    assert (column.label, column.column, column.type) == ("my.hashes", "phash_imagehash", pa.uint64())
    assert column.facts["description"]
    assert column.identity["score"] == "hashes"


def test_each_column_is_what_its_file_has(table: DatasetTable) -> None:
    assert table.column("key").to_pylist() == [f"{row:09d}" for row in range(ROWS)]
    words = [len((caption or "").split()) for caption in table.column("caption").to_pylist()]
    assert table.column("text.caption_words").to_pylist() == words
    assert [
        row for row, value in enumerate(table.column("my.hashes.phash_imagehash").to_pylist()) if value is None
    ] == [*FAILED]


def test_one_column_is_read_and_no_other(table: DatasetTable, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = reads(monkeypatch)
    table.column("text.caption_words")
    assert seen == [("caption_stats", ["caption_words"])] * 4
    seen.clear()
    table.read(["text.caption_words", "width", "text.caption_characters"], np.array([4]))
    assert seen == [("caption_stats", ["caption_words", "caption_characters"]), ("data", ["width"])]


@pytest.mark.parametrize("rows", [[], [0], [10, 0, 5, 5, 3], list(range(ROWS))[::-1]])
def test_rows_come_in_the_order_that_is_asked_for(rows: list[int], table: DatasetTable) -> None:
    names = ["key", "text.caption_words", "width"]
    everything = table.read(names)
    assert (
        table.read(names, np.array(rows, np.int64)).to_pylist()
        == everything.take(pa.array(rows, pa.int64())).to_pylist()
    )


def test_pictures_are_read_by_their_name_alone_and_only_for_the_rows(table: DatasetTable) -> None:
    pictures = table.column("image", np.array([9, 2]))
    assert pictures[0].as_py()["bytes"][:2] == b"\xff\xd8"
    assert pictures[1].as_py() is None


def test_a_reason_stands_where_a_value_is_missing(table: DatasetTable) -> None:
    reasons = table.reasons("my.hashes.phash_imagehash").to_pylist()
    assert {row: reason for row, reason in enumerate(reasons) if reason} == dict.fromkeys(FAILED, "not_found")
    assert table.reasons("n.number", np.array([0])).to_pylist() == ["not_told"]
    assert set(table.reasons("url").to_pylist()) == {None}


def test_places_say_where_a_row_lies(table: DatasetTable) -> None:
    places = table.places(np.array([0, 10, 3]))
    assert places.to_pylist() == [
        {"shard": "00000.parquet", "shard_row": 0},
        {"shard": "00003.parquet", "shard_row": 1},
        {"shard": "00001.parquet", "shard_row": 0},
    ]
    assert len(table.places()) == ROWS


def test_a_column_is_found_by_a_name_that_one_score_has(table: DatasetTable) -> None:
    assert table.find("caption_words").name == "text.caption_words"
    assert table.find("width").label == "data"
    with pytest.raises(ConfigError, match="unknown column 'entropy'"):
        table.find("entropy")
    with pytest.raises(ConfigError, match="unknown number 'key'"):
        table.find("key", what="number", among=lambda column: pa.types.is_integer(column.type))


def test_a_score_with_two_labels_has_its_columns_under_both_and_a_bare_name_means_the_first(tmp_path: Path) -> None:
    draw_dataset(tmp_path, 2)
    score_dataset(tmp_path, ScorePlan({}, {"a": ("caption_stats", {}), "b": ("caption_stats", {})}), progress="none")
    table = open_table(open_dataset(tmp_path))
    assert {"a.caption_words", "b.caption_words"} <= set(table.columns)
    assert table.find("caption_words").name == "a.caption_words"


@pytest.mark.parametrize("folder", ["data", "scores/caption_stats-*"])
def test_a_flipped_bit_is_named_before_anything_is_read(folder: str, table: DatasetTable, tmp_path: Path) -> None:
    (path,) = sorted(tmp_path.glob(f"{folder}/00001.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) - 200] ^= 4
    path.write_bytes(data)
    names = {"data": "caption", "scores/caption_stats-*": "text.caption_words"}
    with pytest.raises(ShardError, match=r"00001\.parquet: is damaged"):
        table.column(names[folder])
    assert table.read([names[folder]], np.array([0, 2, 9])).num_rows == 3, "those of other shards are as they were"


def test_a_flipped_bit_in_a_picture_matters_to_who_reads_pictures(table: DatasetTable, tmp_path: Path) -> None:
    path = tmp_path / "data" / "00000.parquet"
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xd8\xff") + 300] ^= 1
    path.write_bytes(data)
    assert table.column("caption").to_pylist()
    with pytest.raises(ShardError, match=r"00000\.parquet: is damaged"):
        table.column("image", np.array([0]))


def test_a_dataset_without_rows_has_its_columns(tmp_path: Path) -> None:
    seal_dataset(tmp_path, [], {"kind": "pairs", "name": "empty"})
    score_dataset(tmp_path, ScorePlan({}, {"text": ("caption_stats", {})}), progress="none")
    table = open_table(open_dataset(tmp_path))
    found = table.read(["caption", "text.caption_words"])
    assert (found.num_rows, [str(kind) for kind in found.schema.types]) == (0, ["string", "int32"])
    assert len(table.places()) == 0


def test_a_column_of_the_data_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    schema = data_schema([pa.field("text", pa.string()), pa.field("text.words", pa.int64())])
    nothing = {field.name: pa.nulls(2, field.type) for field in schema}
    rows = {**nothing, "key": pa.array(["a", "b"]), "text.words": pa.array([1, 2]), "text": pa.array(["x", "y"])}
    info = write_shard(pa.table(rows, schema=schema), tmp_path / "data" / "00000.parquet")
    seal_dataset(tmp_path, [info], {"kind": "pairs", "name": "dots"})
    table = open_table(open_dataset(tmp_path))
    assert (table.column("text").to_pylist(), table.column("text.words").to_pylist()) == (["x", "y"], [1, 2])
