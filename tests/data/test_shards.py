import errno
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import draw_dataset, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from diptych.data import shards
from diptych.data.schema import DATA_COLUMNS, data_schema
from diptych.data.shards import ShardInfo, read_shard, shard_name, write_shard
from diptych.errors import ShardError
from diptych.storage.json_objects import write_json
from diptych.storage.location import Location

OLD = pa.table({"key": ["old"]})
NEW = pa.table({"key": ["new", "newer"], "value": [1.5, None]})


class Crash(BaseException):
    """What no error handling sees coming."""


def data_table(count: int, caption: str = "a caption") -> pa.Table:
    rows = [
        {"key": f"{row:04d}", "caption": caption, "status": "ok", "image": {"bytes": picture(row), "path": None}}
        for row in range(count)
    ]
    return pa.Table.from_pylist(rows, schema=data_schema())


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def raising(error: BaseException, real: Callable[..., Any], *, at: int = 0) -> Callable[..., Any]:
    """Return the function with its call number ``at`` raising."""
    calls = iter(range(10**9))

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == at:
            raise error
        return real(*args, **kwargs)

    return call


STEPS = ["first write", "last write", "fsync of the file", "replace", "fsync of the directory"]


def break_at(step: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    if "write" in step:
        sink = shards._HashingFile
        monkeypatch.setattr(sink, "write", raising(error, sink.write, at=0 if "first" in step else 4))
    elif "fsync" in step:
        monkeypatch.setattr(os, "fsync", raising(error, os.fsync, at=0 if "file" in step else 1))
    else:
        monkeypatch.setattr(os, "replace", raising(error, os.replace))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [Crash(), OSError(errno.ENOSPC, "No space left on device")], ids=["crash", "disk"])
def test_a_failure_at_any_step_leaves_the_earlier_or_the_new_shard_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "00000.parquet"
    write_shard(OLD, path)
    expected = ShardError if isinstance(error, OSError) else Crash
    with monkeypatch.context() as patch:
        break_at(step, error, patch)
        with pytest.raises(expected) as caught:
            write_shard(NEW, path)
    if expected is ShardError:
        assert str(caught.value).startswith(f"{path}: cannot be written: ")
        assert "No space left on device" in str(caught.value)
    assert read_shard(path).equals(NEW if step == "fsync of the directory" else OLD)
    assert files_in(tmp_path) == ["00000.parquet"]
    assert write_shard(NEW, path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


KILLED = """
import os, sys
import pyarrow as pa
from pathlib import Path
from diptych.data import shards
step, path = int(sys.argv[1]), Path(sys.argv[2])
calls = 0
def dying(real):
    def call(*args):
        global calls
        calls += 1
        if calls > step:
            os._exit(9)
        return real(*args)
    return call
shards._HashingFile.write = dying(shards._HashingFile.write)
os.fsync, os.replace = dying(os.fsync), dying(os.replace)
shards.write_shard(pa.table({"key": ["new", "newer"], "value": [1.5, None]}), path)
print(calls)
"""


def test_a_killed_writer_leaves_nothing_half_written_under_the_final_name(tmp_path: Path) -> None:
    path = tmp_path / "00000.parquet"
    env = {**os.environ, "PYTHONPATH": str(Path(shards.__file__).parents[2])}

    def run(step: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", KILLED, str(step), str(path)]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    total = int(run(10**6).stdout)
    new = path.read_bytes()
    for step in (0, total - 3, total - 2, total - 1):  # a write, fsync, replace, fsync of the directory
        write_shard(OLD, path)
        assert run(step).returncode == 9
        left = path.read_bytes()
        assert left == new if step == total - 1 else read_shard(path).equals(OLD)
        assert (len(files_in(tmp_path)) == 2) == (step != total - 1)
        Location.at(tmp_path).remove_temporary()
        assert files_in(tmp_path) == ["00000.parquet"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file" / "00000.parquet", tmp_path / "file" / "deeper" / "00000.parquet"):
        with pytest.raises(ShardError, match=r"00000\.parquet: cannot be written"):
            write_shard(OLD, place)
        with pytest.raises(ShardError, match=r"00000\.parquet: cannot be written"):
            write_json(place, {})


def test_what_is_wrong_with_the_rows_is_no_disk_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid):
        write_shard([OLD, NEW], tmp_path / "00000.parquet")
    assert files_in(tmp_path) == []


CUTS = st.lists(st.integers(0, 40), max_size=6).map(sorted)


@settings(max_examples=30, deadline=None)
@given(CUTS, st.booleans())
def test_the_same_rows_give_the_same_bytes_however_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], chunked: bool
) -> None:
    rows = {
        "key": [f"{row:04d}" for row in range(40)],
        "image": [{"bytes": bytes([row]) * (row * 50), "path": None} if row % 7 else None for row in range(40)],
        "caption": [None if row % 5 == 0 else "word " * (row % 4) for row in range(40)],
        "embedding": [[row / 7, -row] if row % 3 else None for row in range(40)],
    }
    kinds = [pa.string(), shards.IMAGE, pa.string(), pa.list_(pa.float16(), 2)]
    whole = pa.table({name: pa.array(values, kind) for (name, values), kind in zip(rows.items(), kinds, strict=True)})
    parts = [whole.slice(start, stop - start) for start, stop in zip([0, *cuts], [*cuts, 40], strict=True)]
    folder = tmp_path_factory.mktemp("cut")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "MAX_ROW_GROUP_BYTES", 9_000)
        patch.setattr(shards, "MAX_ROW_GROUP_ROWS", 15)
        expected = write_shard(whole, folder / "00000.parquet")
        groups = pq.ParquetFile(folder / "00000.parquet").metadata.num_row_groups
        got = write_shard(pa.concat_tables(parts) if chunked else iter(parts), folder / "00000.parquet")
    assert groups > 3
    assert got == expected


def test_pages_lie_alike_however_many_rows_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_ROW_GROUP_ROWS", 2500)
    count = 5000  # the writer looks at the size of a page after each 1024 values of a chunk
    captions = [f"{row} " * 300 for row in range(count)]
    whole = pa.table({"key": [str(row) for row in range(count)], "caption": captions, "url": captions})
    expected = write_shard(whole, tmp_path / "a.parquet")
    cuts = [0, 1, 1500, 2047, 4999, count]
    parts = [whole.slice(start, stop - start) for start, stop in itertools.pairwise(cuts)]
    assert write_shard(parts, tmp_path / "a.parquet") == expected
    assert write_shard(pa.concat_tables(parts), tmp_path / "a.parquet") == expected


def pictures(sizes: Sequence[int | None]) -> pa.Table:
    """Return rows with pictures of so many bytes, or none."""
    rows = [
        None if size is None else {"bytes": bytes([row % 251]) * size, "path": f"{row}"}
        for row, size in enumerate(sizes)
    ]
    keys = [f"{row:04d}" for row in range(len(sizes))]
    return pa.table({"key": keys, "image": pa.array(rows, shards.IMAGE), "caption": [key * 100 for key in keys]})


def test_pages_of_pictures_lie_alike_however_many_rows_are_cut(tmp_path: Path) -> None:
    whole = pictures([None if row % 9 == 0 else 40_000 + row for row in range(180)])  # pages end at 1 MiB
    expected = write_shard(whole, tmp_path / "a.parquet")
    assert expected.bytes > 6 * 2**20
    for cuts in ([0, 1, 77, 77, 150, 180], [0, 9, 10, 180], range(181)):
        parts = [whole.slice(start, stop - start) for start, stop in itertools.pairwise(cuts)]
        assert write_shard(parts, tmp_path / "a.parquet") == expected


def test_pictures_on_their_way_into_a_row_group_are_not_copied() -> None:
    parts = [pictures([5, None, 7]), pictures([4_000_000])]
    held = [part["image"].chunk(0).field("bytes").buffers()[2].address for part in parts]
    (group,) = shards._row_groups(parts)
    assert [chunk.field("bytes").buffers()[2].address for chunk in group["image"].chunks] == held
    assert group["caption"].num_chunks == 1


def groups_of(path: Path) -> list[int]:
    metadata = pq.ParquetFile(path).metadata
    return [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]


def test_row_groups_are_bounded_in_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_ROW_GROUP_ROWS", 4)
    write_shard(pa.table({"key": [str(row) for row in range(10)]}), tmp_path / "a.parquet")
    assert groups_of(tmp_path / "a.parquet") == [4, 4, 2]


def test_row_groups_are_bounded_in_bytes_and_a_larger_row_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_ROW_GROUP_BYTES", 1000)
    sizes = [400, 400, 400, 5000, None, 990, 20]
    images = [None if size is None else {"bytes": b"x" * size, "path": None} for size in sizes]
    keys = [str(row) for row in range(len(sizes))]
    write_shard(pa.table({"key": keys, "image": pa.array(images, shards.IMAGE)}), tmp_path / "a.parquet")
    assert groups_of(tmp_path / "a.parquet") == [2, 1, 1, 2, 1]
    # Long captions weigh as pictures do.
    captions = ["x" * (size or 0) for size in sizes]
    write_shard(pa.table({"key": keys, "caption": captions}), tmp_path / "b.parquet")
    assert groups_of(tmp_path / "b.parquet") == [2, 1, 1, 2, 1]


def test_an_empty_table_is_a_valid_shard(tmp_path: Path) -> None:
    info = write_shard(data_schema().empty_table(), tmp_path / "00000.parquet")
    assert (info.rows, info.keys) == (0, hashlib.sha256(b"").hexdigest())
    assert read_shard(tmp_path / "00000.parquet").schema.names == list(DATA_COLUMNS)


def test_the_digests_are_those_of_the_file_and_of_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "00001.parquet"
    info = write_shard(pa.table({"key": ["a", "ü", "汉"]}), path, source="of something")
    data = path.read_bytes()
    assert info == ShardInfo(
        name="00001.parquet",
        rows=3,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        columns=hashlib.sha256(data).hexdigest(),
        footer=hashlib.sha256(data[-8 - int.from_bytes(data[-8:-4], "little") :]).hexdigest(),
        keys=hashlib.sha256("a\nü\n汉\n".encode()).hexdigest(),
        source="of something",
    )


def test_pictures_lie_uncompressed_and_all_else_compressed(tmp_path: Path) -> None:
    embedding = pa.array([[0.5, 1.0]] * 5, pa.list_(pa.float16(), 2))
    table = data_table(5).append_column("embedding", embedding)
    write_shard(table, tmp_path / "a.parquet")
    metadata = pq.ParquetFile(tmp_path / "a.parquet").metadata
    columns = [metadata.row_group(0).column(index) for index in range(metadata.num_columns)]
    compression = {column.path_in_schema: column.compression for column in columns}
    assert compression.pop("image.bytes") == "UNCOMPRESSED"
    assert set(compression.values()) == {"ZSTD"}
    assert all(column.has_offset_index for column in columns)
    assert data_table(1)["image"][0]["bytes"].as_py() in (tmp_path / "a.parquet").read_bytes()


def test_extra_columns_come_after_the_own_and_may_not_take_their_names() -> None:
    schema = data_schema([pa.field("licence", pa.string())])
    assert schema.names == [*DATA_COLUMNS, "licence"]
    with pytest.raises(ShardError, match="the column 'url' belongs to diptych"):
        data_schema([pa.field("url", pa.string())])
    with pytest.raises(ShardError, match="the column 'URL' belongs to diptych"):
        data_schema([pa.field("URL", pa.string())])
    with pytest.raises(ShardError, match="the column 'Licence' is there twice"):
        data_schema([pa.field("licence", pa.string()), pa.field("Licence", pa.string())])


def test_shard_names_sort_as_their_numbers() -> None:
    assert [shard_name(index) for index in (0, 7, 99999)] == ["00000.parquet", "00007.parquet", "99999.parquet"]


@pytest.mark.reference
def test_hugging_face_datasets_reads_the_directory_and_gives_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    draw_dataset(tmp_path / "set", rows=5, rows_per_shard=2, failed=(3,))
    (tmp_path / "set" / "scores" / "own-1").mkdir(parents=True)
    write_shard(OLD, tmp_path / "set" / "scores" / "own-1" / "00000.parquet")
    loaded = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"]
    rows = loaded["train"]
    assert (rows.num_rows, isinstance(rows.features["image"], datasets.Image)) == (5, True)
    assert rows["key"][:] == [f"{row:09d}" for row in range(5)]
    assert rows[3]["image"] is None
    expected = Image.open(io.BytesIO(picture(4))).convert("RGB")
    assert rows[4]["image"].convert("RGB").tobytes() == expected.tobytes()


@pytest.mark.reference
def test_columns_of_other_types_load_in_hugging_face_datasets(tmp_path: Path) -> None:
    import datasets

    extra = {
        "words": pa.array([["a"], None]),
        "many": pa.array([[1.5], []], pa.large_list(pa.float32())),
        "vector": pa.array([[1, 2], [3, 4]], pa.list_(pa.float16(), 2)),
        "when": pa.array([0, 1], pa.timestamp("us", "UTC")),
        "day": pa.array([0, 1], pa.date32()),
        "long": pa.array(["a", "b"], pa.large_string()),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
        "hash": pa.array([2**64 - 1, 0], pa.uint64()),
        "place": pa.array([{"x": 1}, None]),
        "nothing": pa.nulls(2),
    }
    schema = data_schema([pa.field(name, values.type) for name, values in extra.items()])
    columns = {field.name: pa.nulls(2, field.type) for field in data_schema()} | extra | {"key": pa.array(["a", "b"])}
    path = tmp_path / "data" / "00000.parquet"
    write_shard(pa.table([columns[field.name] for field in schema], schema=schema), path)
    loaded = datasets.load_dataset("parquet", data_files=str(path), cache_dir=str(tmp_path / "cache"), split="train")
    row = loaded[0]
    assert (row["words"], row["many"], row["vector"], row["kind"]) == (["a"], [1.5], [1.0, 2.0], "a")
    assert (row["hash"], row["place"], row["nothing"]) == (2**64 - 1, {"x": 1}, None)


@pytest.mark.reference
def test_pandas_polars_and_duckdb_read_a_shard(tmp_path: Path) -> None:
    path = tmp_path / "00000.parquet"
    table = data_table(3).append_column("embedding", pa.array([[0.5, 1.0], None, [2, 3]], pa.list_(pa.float16(), 2)))
    write_shard(table, path)
    frame = pandas.read_parquet(path)
    assert frame["key"].tolist() == ["0000", "0001", "0002"]
    assert frame["image"][1]["bytes"] == picture(1)
    assert polars.read_parquet(path)["image"].struct.field("bytes").to_list() == [picture(row) for row in range(3)]
    found = duckdb.sql(f"SELECT key, octet_length(image.bytes), embedding FROM '{path}' ORDER BY key").fetchall()
    assert found[1] == ("0001", len(picture(1)), None)
    assert list(found[2][2]) == [2.0, 3.0]


def test_reading_gives_the_columns_asked_for(tmp_path: Path) -> None:
    write_shard(NEW, tmp_path / "a=b.parquet")
    assert read_shard(tmp_path / "a=b.parquet").column_names == ["key", "value"]
    assert read_shard(tmp_path / "a=b.parquet", ["value"]).column_names == ["value"]
    assert read_shard(tmp_path / "a=b.parquet", []).column_names == []


def test_a_missing_column_or_file_is_named(tmp_path: Path) -> None:
    write_shard(NEW, tmp_path / "a.parquet")
    with pytest.raises(ShardError, match=r"a\.parquet: no column 'valve'; it has key, value"):
        read_shard(tmp_path / "a.parquet", ["key", "valve"])
    with pytest.raises(ShardError, match=r"b\.parquet: the shard is missing; run the step"):
        read_shard(tmp_path / "b.parquet")


@pytest.mark.parametrize("damage", ["empty", "cut", "head", "folder", "page"])
def test_a_damaged_shard_is_a_shard_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.parquet"
    write_shard(pa.table({"key": [str(row) for row in range(1000)], "caption": ["x" * 10] * 1000}), path)
    data = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        zeros = bytes(200)
        damaged = {"empty": b"", "cut": data[:-30], "head": data[40:], "page": data[:4] + zeros + data[204:]}
        path.write_bytes(damaged[damage])
    with pytest.raises(ShardError, match="the shard cannot be read"):
        read_shard(path)


def test_the_schema_says_which_column_holds_pictures() -> None:
    metadata = data_schema([pa.field("vector", pa.list_(pa.float16(), 4))]).metadata
    features = json.loads(metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert features["width"] == {"dtype": "int32", "_type": "Value"}
    assert features["vector"] == {"feature": {"dtype": "float16", "_type": "Value"}, "length": 4, "_type": "List"}
