"""Columns that some files of an input lack, or call as they are called but for case."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_rows import make_tar, rows_of, write_files

from diptych.curate.config import Folder, ParquetImages, UrlTable, WebDataset
from diptych.curate.sources import open_source
from diptych.errors import DataError

FULL = {"image": [b"0"], "url": ["http://a.example/0"], "caption": ["a cat"], "likes": [7]}


def write_parts(folder: Path, *parts: dict[str, list[Any]]) -> Path:
    for number, part in enumerate(parts):
        pq.write_table(pa.table(part), folder / f"{number}.parquet")
    return folder


def without(*names: str) -> dict[str, list[Any]]:
    return {name: values for name, values in FULL.items() if name not in names}


def parquet(path: Path, **settings: Any) -> ParquetImages:
    return ParquetImages(kind="parquet", path=path, **{"columns": ("likes",), **settings})


def urls(path: Path, **settings: Any) -> UrlTable:
    return UrlTable(kind="url_table", path=path, **{"columns": ("likes",), **settings})


@pytest.mark.parametrize("make", [parquet, urls])
def test_a_column_that_one_file_lacks_is_null_there_and_its_rows_say_so(make: Any, tmp_path: Path) -> None:
    settings = make(write_parts(tmp_path, without("caption", "likes"), FULL))
    found = [(row["caption"], row["likes"], row.get("__note")) for row in rows_of(settings)]
    assert found == [(None, None, "0.parquet has no columns 'caption', 'likes'"), ("a cat", 7, None)]


@pytest.mark.parametrize(("make", "name"), [(parquet, "image"), (urls, "url")])
def test_a_file_without_the_pictures_or_urls_of_the_others_is_one_row(make: Any, name: str, tmp_path: Path) -> None:
    rows = rows_of(make(write_parts(tmp_path, FULL, without(name), {})))
    found = [(row["caption"], row["__problem"], row.get("__name")) for row in rows]
    assert found == [("a cat", None, None), (None, f"bad_row: it has no column {name!r}", "1.parquet")]


@pytest.mark.parametrize("make", [parquet, urls])
def test_a_column_that_no_file_has_is_an_error_with_the_key_that_says_it(make: Any, tmp_path: Path) -> None:
    settings = make(write_parts(tmp_path, without("likes"), without("likes")))
    said = r"0\.parquet and 1 more: unknown column 'likes'.*name the right one as columns"
    with pytest.raises(DataError, match=said):
        open_source(settings).parts()


def test_a_csv_that_lacks_a_column_stops_no_other(tmp_path: Path) -> None:
    files = {"0.csv": b"url,caption,likes\nu0,a cat,7\n", "1.csv": b"url\nu1\n", "2.csv": b"caption\na dog\n"}
    rows = rows_of(urls(write_files(tmp_path, files)))
    found = [(row["url"], row["caption"], row.get("likes")) for row in rows]
    assert found == [("u0", "a cat", 7), ("u1", None, None), (None, None, None)]
    assert rows[1]["__note"] == "1.csv has no columns 'caption', 'likes'"
    assert rows[2]["__problem"] == "bad_row: it has no column 'url'"


@pytest.mark.parametrize("make", [parquet, urls])
def test_columns_are_found_whatever_the_case_of_their_names(make: Any, tmp_path: Path) -> None:
    part = {"IMAGE": [b"0"], "URL": ["http://a.example/0"], "Caption": ["a cat"], "Likes": [7], "Key": ["k0"]}
    (row,) = rows_of(make(write_parts(tmp_path, part)))
    assert (row["url"], row["caption"], row["likes"]) == ("http://a.example/0", "a cat", 7)
    assert row.get("source_key", "k0") == "k0"
    assert make is urls or (row["__bytes"], row["source_key"]) == (b"0", "k0")


def test_of_columns_that_differ_in_case_alone_the_exact_one_is_meant_or_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Url,url,caption\nwrong,right,c\n")
    assert rows_of(urls(tmp_path / "a.csv", columns=()))[0]["url"] == "right"
    (tmp_path / "b.csv").write_text("Url,URL,caption\nthis,that,c\n")
    with pytest.raises(DataError, match=r"b\.csv: unknown column 'url'; did you mean '(URL|Url)'"):
        rows_of(urls(tmp_path / "b.csv", columns=()))


def test_keys_of_json_are_found_whatever_their_case_in_every_source(tmp_path: Path) -> None:
    facts = {"URL": "http://a.example/0", "TEXT": "a cat", "Likes": 7}
    line = json.dumps(facts).encode()
    make_tar(tmp_path / "t.tar", [("0.jpg", b"0"), ("0.json", line)])
    folder = write_files(tmp_path / "folder", {"0.jpg": b"0", "0.json": line})
    table = write_files(tmp_path / "table", {"t.jsonl": line}) / "t.jsonl"
    sources = [
        WebDataset(kind="webdataset", path=tmp_path / "t.tar", columns=("likes",)),
        Folder(kind="folder", path=folder, columns=("likes",), types={"likes": "int64"}),
        urls(table, caption_column="text"),
    ]
    for settings in sources:
        (row,) = rows_of(settings)
        assert (row["caption"], row["likes"]) == ("a cat", 7)
        assert row["url"] == (None if settings.kind == "folder" else "http://a.example/0")
