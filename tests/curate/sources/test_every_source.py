import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_rows import make_tar, rows_of

from diptych.curate.config import CurateConfig, Folder, ParquetImages, UrlTable, WebDataset
from diptych.curate.ingest.run import ingest
from diptych.curate.sources import open_source
from diptych.curate.sources.reading import first_table
from diptych.data.shards import read_shard
from diptych.errors import DataError


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.csv", "no file or folder there"),
        ("*.csv", "no file matches"),
        ("t-{0000..0012}.tar", "no file or folder there; braces are not expanded, a glob is: t-*.tar"),
        ("t-{a,b}.tar", "no file or folder there; braces are not expanded, a glob is: t-*.tar"),
        ("*.{tar,tgz}", "no file matches; braces are not expanded, a glob is: *.*"),
    ],
)
@pytest.mark.parametrize("kind", [UrlTable, ParquetImages, WebDataset])
def test_a_path_that_leads_to_no_file_is_named(kind: Any, name: str, said: str, tmp_path: Path) -> None:
    settings = kind(kind=kind.model_fields["kind"].annotation.__args__[0], path=tmp_path / name)
    with pytest.raises(DataError) as caught:
        open_source(settings).parts()
    assert str(caught.value) == f"source.path: {tmp_path / name}: {said}"


def test_a_folder_without_files_of_a_kind_is_told_their_endings(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    for settings, endings in (
        (UrlTable(kind="url_table", path=tmp_path), ".parquet, .csv, .tsv, .jsonl, .json, .txt, .ndjson"),
        (ParquetImages(kind="parquet", path=tmp_path), ".parquet"),
        (WebDataset(kind="webdataset", path=tmp_path), ".tar, .tgz, .tbz2, .tbz, .txz, .tzst"),
    ):
        with pytest.raises(DataError, match=f"no file in that folder ends in {endings}$"):
            open_source(settings).parts()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        open_source(Folder(kind="folder", path=tmp_path / "nowhere")).parts()


def test_a_folder_of_files_is_read_without_what_macos_puts_beside_them(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": ["u"], "caption": ["a"], "image": [b"x"]}), tmp_path / "t.parquet")
    make_tar(tmp_path / "t.tar", [("0.jpg", b"x"), ("0.txt", b"a")])
    (tmp_path / "t.ndjson").write_text('{"url": "u", "caption": "a"}')
    for name in ("t.parquet", "t.tar", "t.ndjson"):
        (tmp_path / f"._{name}").write_bytes(b"\0\5\x16\7")
    for place in (tmp_path, tmp_path / "*.*"):
        tar, parquet = WebDataset(kind="webdataset", path=place), ParquetImages(kind="parquet", path=place)
        table = UrlTable(kind="url_table", path=place)
        if place == tmp_path:
            assert [len(rows_of(settings)) for settings in (tar, parquet, table)] == [1, 1, 2]
        assert not [part for part in open_source(tar).parts() if part.name.startswith(".")]
    hidden = WebDataset(kind="webdataset", path=tmp_path / "._*.tar")
    assert [part.name for part in open_source(hidden).parts()] == ["._t.tar"], "but for who asks for them"


def test_two_carried_columns_of_one_final_name_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption,width,source_width\nu,c,1,2\n")
    for kind, name in ((UrlTable, "url_table"), (ParquetImages, "parquet"), (WebDataset, "webdataset")):
        with pytest.raises(DataError, match="'width' and 'source_width' would both be carried as 'source_width'"):
            open_source(kind(kind=name, path=tmp_path / "t.csv", columns=("width", "source_width")))


def test_columns_that_differ_only_in_case_are_two_to_no_source(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption,punsafe,Punsafe\nu,c,1,2\n")
    for kind, name in ((UrlTable, "url_table"), (ParquetImages, "parquet"), (WebDataset, "webdataset")):
        with pytest.raises(DataError, match="'punsafe' and 'Punsafe' would both be carried as 'Punsafe'"):
            open_source(kind(kind=name, path=tmp_path / "t.csv", columns=("punsafe", "Punsafe")))


def test_a_column_that_is_one_of_ours_but_for_its_case_is_carried_under_another_name(tmp_path: Path) -> None:
    table = pa.table({"url": ["u"], "image": [b"x"], "caption": ["ours"], "Caption": ["theirs"]})
    pq.write_table(table, tmp_path / "t.parquet")
    make_tar(
        tmp_path / "t.tar", [("0.jpg", b"x"), ("0.json", b'{"caption": "ours", "Caption": "theirs", "Member": 1}')]
    )
    for settings in (
        UrlTable(kind="url_table", path=tmp_path / "t.parquet", columns=("Caption",)),
        ParquetImages(kind="parquet", path=tmp_path / "t.parquet", columns=("Caption",)),
        WebDataset(kind="webdataset", path=tmp_path / "t.tar", columns=("Caption", "Member")),
    ):
        (row,) = rows_of(settings)
        assert (row["caption"], row["source_Caption"]) == ("ours", "theirs")
    assert (row["member"], row["source_Member"]) == ("0", 1)


def test_a_caption_column_that_is_no_text_is_named_with_its_type(tmp_path: Path) -> None:
    table = pa.table({"url": ["u"], "image": [b"x"], "caption": [{"en": "a"}]})
    pq.write_table(table, tmp_path / "t.parquet")
    for settings in (
        UrlTable(kind="url_table", path=tmp_path / "t.parquet"),
        ParquetImages(kind="parquet", path=tmp_path / "t.parquet"),
    ):
        with pytest.raises(DataError, match=r"t\.parquet: the column 'caption' holds struct<.*>, not text"):
            rows_of(settings)


def test_files_of_differing_types_are_refused_with_the_column(tmp_path: Path) -> None:
    for name, value in (("a", 1), ("b", "x")):
        table = pa.table({"url": ["u"], "caption": ["c"], "image": [b"x"], "n": [value]})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    for kind in ("url_table", "parquet"):
        config = CurateConfig.model_validate(
            {"job": "curate", "source": {"kind": kind, "path": tmp_path, "columns": ["n"]}}
        )
        with pytest.raises(DataError, match="column 'n' holds int64 in one file and string in another"):
            ingest(config, tmp_path / kind, progress="none")


def test_captions_of_nothing_but_space_and_of_nan_are_none(tmp_path: Path) -> None:
    texts = ["", " \n", "\u200b", " a cat "]
    table = pa.table({"url": list("abcd"), "image": [b"x"] * 4, "caption": texts, "n": [1.0, float("nan"), 3.5, None]})
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table.drop("image").to_pylist()))
    for settings in (
        UrlTable(kind="url_table", path=tmp_path / "t.parquet"),
        UrlTable(kind="url_table", path=tmp_path / "t.jsonl"),
        ParquetImages(kind="parquet", path=tmp_path / "t.parquet"),
    ):
        assert [row["caption"] for row in rows_of(settings)] == [None, None, None, " a cat "]
        numbers = settings.model_copy(update={"caption_column": "n"})
        expected = ["1.0", None, "3.5", None] if settings.path.suffix == ".jsonl" else ["1", None, "3.5", None]
        assert [row["caption"] for row in rows_of(numbers)] == expected


def test_files_that_differ_in_width_or_in_nulls_are_one_pool(tmp_path: Path) -> None:
    kinds = {
        "a": {"n": pa.int32(), "x": pa.float32(), "t": pa.string(), "l": pa.list_(pa.float32())},
        "b": {"n": pa.int64(), "x": pa.int16(), "t": pa.large_string(), "l": pa.large_list(pa.float64())},
        "c": {"n": pa.null(), "x": pa.float64(), "t": pa.string_view(), "l": pa.null()},
        "d": {"n": pa.uint8(), "x": pa.float16(), "t": pa.dictionary(pa.int8(), pa.string()), "l": pa.list_(pa.int8())},
    }
    for name, types in kinds.items():
        values = {"n": 7, "x": 2, "t": name, "l": [1]}
        columns = {at: pa.array([None if kind == pa.null() else values[at]], kind) for at, kind in types.items()}
        table = {"url": [f"http://127.0.0.1:1/{name}"], "caption": [name], "image": [name.encode()], **columns}
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    pq.write_table(pa.table({"url": ["v"], "caption": ["c"], "image": [b"e"]}), tmp_path / "more.parquet")
    (tmp_path / "more.parquet").write_bytes(b"")
    for kind in ("url_table", "parquet"):
        source = {"kind": kind, "path": tmp_path, "columns": ["n", "x", "t", "l"]}
        config = CurateConfig.model_validate(
            {"job": "curate", "source": source, "download": {"allow_private_addresses": True, "retries": 0}}
        )
        dataset = ingest(config, tmp_path / kind, progress="none").dataset
        table = pa.concat_tables([read_shard(file, ["n", "x", "t", "l", "error"]) for file in dataset.files])
        assert table["n"].to_pylist() == [7, 7, None, 7, None]
        assert table["x"].to_pylist() == [2.0, 2.0, 2.0, 2.0, None]
        assert table["t"].to_pylist() == ["a", "b", "c", "d", None]
        assert table["l"].to_pylist() == [[1.0], [1.0], None, [1.0], None]
        assert table["error"].to_pylist()[-1] == "a file of 0 bytes"


def test_an_integer_that_no_float_is_equal_to_is_refused_and_not_rounded(tmp_path: Path) -> None:
    for name, value in (("a", 0.5), ("b", 2**53 + 1)):
        table = pa.table({"url": ["u"], "caption": ["c"], "image": [b"x"], "n": [value]})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    config = CurateConfig.model_validate(
        {"job": "curate", "source": {"kind": "parquet", "path": tmp_path, "columns": ["n"]}}
    )
    said = r"b\.parquet: the column 'n' is int64 here and double with the other files, and not all fits"
    with pytest.raises(DataError, match=said):
        ingest(config, tmp_path / "pool", progress="none")


@pytest.mark.parametrize("integer", ["9007199254740993", "-123456789012345678"])
def test_an_integer_of_text_that_no_float_is_equal_to_is_refused_and_not_rounded(integer: str, tmp_path: Path) -> None:
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv/1.csv").write_text(f"url,caption,n\nu,c,{integer}\n")
    (tmp_path / "csv/2.csv").write_text("url,caption,n\nv,c,0.5\n")
    (tmp_path / "t.jsonl").write_text(f'{{"url": "u", "n": {integer}}}\n{{"url": "v", "n": 0.5}}\n')
    for path in (tmp_path / "csv", tmp_path / "t.jsonl"):
        config = CurateConfig.model_validate(
            {"job": "curate", "source": {"kind": "url_table", "path": path, "columns": ["n"]}}
        )
        with pytest.raises(
            DataError, match=f"'n' holds '{integer}', which is no float64; declare source.types n: string"
        ):
            ingest(config, tmp_path / "pool", progress="none")


@pytest.mark.parametrize("digits", [310, 5000])
def test_an_integer_beyond_all_floats_is_refused_where_floats_are_declared(digits: int, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"url,caption,n\nu,c,{'9' * digits}\nv,c,0.5\n")
    source = {"kind": "url_table", "path": tmp_path / "t.csv", "columns": ["n"], "types": {"n": "float64"}}
    with pytest.raises(DataError, match=r"'n' holds '9{60}', which is no float64; declare source.types n: string"):
        ingest(CurateConfig.model_validate({"job": "curate", "source": source}), tmp_path / "pool", progress="none")


def test_a_file_that_says_of_which_type_its_column_is_goes_before_one_that_does_not(tmp_path: Path) -> None:
    typed = pa.table(
        {"url": ["u"], "caption": ["c"], "n": pa.array([7], pa.int32()), "x": pa.array([0.5], pa.float32())}
    )
    pq.write_table(typed, tmp_path / "1.parquet")
    (tmp_path / "2.csv").write_text("url,caption,n,x\nv,c,,2\n")
    config = CurateConfig.model_validate(
        {"job": "curate", "source": {"kind": "url_table", "path": tmp_path, "columns": ["n", "x"]}}
    )
    dataset = ingest(config, tmp_path / "pool", progress="none").dataset
    table = pa.concat_tables([read_shard(file, ["n", "x"]) for file in dataset.files])
    assert (table["n"].to_pylist(), table["x"].to_pylist()) == ([7, None], [0.5, 2.0])
    assert table.schema.types[0] == pa.int32()


def test_a_carried_column_without_a_value_anywhere_is_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption,t\nu,c,\n")
    (tmp_path / "t.jsonl").write_text('{"url": "u", "caption": "c", "t": null}\n')
    (tmp_path / "lists.jsonl").write_text('{"url": "u", "caption": "c", "t": []}\n')
    make_tar(tmp_path / "null.tar", [("0.jpg", b"x"), ("0.json", b'{"t": null}')])
    make_tar(tmp_path / "none.tar", [("0.jpg", b"x"), ("0.txt", b"a")])
    for name in ("t.csv", "t.jsonl", "lists.jsonl", "null.tar", "none.tar"):
        kind = "webdataset" if name.endswith(".tar") else "url_table"
        config = CurateConfig.model_validate(
            {"job": "curate", "source": {"kind": kind, "path": tmp_path / name, "columns": ["t"]}}
        )
        column = read_shard(ingest(config, tmp_path / f"{name}.pool", progress="none").dataset.files[0], ["t"])["t"]
        assert column.type == (pa.list_(pa.string()) if name == "lists.jsonl" else pa.string())
        assert column.to_pylist() == ([[]] if name == "lists.jsonl" else [None])


def test_a_source_without_rows_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption\n")
    (tmp_path / "t.jsonl").write_text("")
    make_tar(tmp_path / "t.tar", [])
    for name in ("t.csv", "t.jsonl", "t.tar"):
        kind = "webdataset" if name == "t.tar" else "url_table"
        config = CurateConfig.model_validate(
            {"job": "curate", "name": "x", "source": {"kind": kind, "path": tmp_path / name}}
        )
        assert rows_of(config.source) == []
        assert first_table(open_source(config.source)) is None
        with pytest.raises(DataError, match="no rows there"):
            ingest(config, tmp_path / "pool", progress="none")
