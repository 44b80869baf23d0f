"""Columns of csv, JSON and tars: of the type that they are declared, or the narrowest that holds all their values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from drawn import picture
from ingested import EXTEND, make_config, pool_rows, run
from pydantic import ValidationError
from source_rows import make_tar, rows_of, write_files

from diptych.curate.config import UrlTable, WebDataset
from diptych.curate.run import CurateRunner
from diptych.curate.sources.column_types import arrow_type, type_name
from diptych.data.shards import read_shard
from diptych.errors import ConfigError, DataError, ShardError

VALUES: list[dict[str, Any]] = [
    {"likes": 9, "similarity": 1, "safe": True, "tags": ["a", "b"], "boxes": [[0, 0.5]], "box": {"x": 1}, "id": "007"},
    {"likes": 1000, "similarity": 0.25, "safe": False, "tags": [], "boxes": None, "box": {}, "id": "8"},
    {"likes": None, "similarity": 3, "safe": None, "tags": None, "boxes": [], "box": None, "id": 9},
]
KINDS = {
    "likes": "int64",
    "similarity": "float64",
    "safe": "bool",
    "tags": "string[]",
    "boxes": "float64[][]",
    "box": "string",
    "id": "string",
}


def write_jsonl(folder: Path) -> dict[str, Any]:
    lines = [json.dumps({"url": f"http://a.example/{n}", "caption": "c", **row}) for n, row in enumerate(VALUES)]
    write_files(folder, {"0.jsonl": f"{lines[0]}\n".encode(), "1.jsonl": "\n".join(lines[1:]).encode()})
    return {"kind": "url_table", "path": folder}


def write_json(folder: Path) -> dict[str, Any]:
    write_files(folder, {"t.json": json.dumps([{"url": "u", "caption": "c", **row} for row in VALUES]).encode()})
    return {"kind": "url_table", "path": folder}


def write_tars(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    for number, row in enumerate(VALUES):
        make_tar(folder / f"{number}.tar", [("0.jpg", b"no picture"), ("0.json", json.dumps(row).encode())])
    return {"kind": "webdataset", "path": folder}


@pytest.mark.parametrize("write", [write_jsonl, write_json, write_tars])
def test_types_of_json_are_kept_in_all_files_of_an_input(
    write: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    config = make_config({**write(tmp_path / "in"), "columns": list(KINDS)})
    if config.source.kind == "webdataset":
        done = run(config, tmp_path / "pool")
        assert done.inferred == KINDS
        schema = pq.read_schema(done.dataset.files[0])
        assert {name: schema.field(name).type for name in KINDS} == {n: arrow_type(k) for n, k in KINDS.items()}
        rows = pool_rows(done.dataset)
    else:
        rows = rows_of(config.source.model_copy(update={"types": KINDS}))
    found = [{name: row[name] for name in KINDS} for row in rows]
    texts = [("007", '{"x": 1}'), ("8", "{}"), ("9", None)]
    assert found == [{**row, "id": one, "box": box} for row, (one, box) in zip(VALUES, texts, strict=True)]


def test_a_csv_has_numbers_where_all_its_texts_are_some(tmp_path: Path) -> None:
    lines = [
        "url,caption,likes,score,safe,uid,zip,big,none",
        "u,5,9,1,true,a,00501,9,",
        "v,7, 1000,nan,False,1,7,8e30,",
    ]
    write_files(tmp_path, {"t.csv": "\n".join(lines).encode()})
    names = tuple(lines[0].split(",")[2:])
    rows = rows_of(UrlTable(kind="url_table", path=tmp_path, columns=names))
    assert [row["caption"] for row in rows] == ["5", "7"], "a caption is text, whatever it says"
    assert [[row[name] for name in names] for row in rows] == [
        [9, 1.0, True, "a", "00501", 9.0, None],
        [1000, None, False, "1", "7", 8e30, None],
    ]
    longer = "url,caption,uid\nu,c,18446744073709551615\n"
    write_files(tmp_path / "long", {"t.csv": longer.encode()})
    settings = UrlTable(kind="url_table", path=tmp_path / "long", columns=("uid",))
    assert rows_of(settings)[0]["uid"] == "18446744073709551615", "as a float it would be another number"
    assert rows_of(settings.model_copy(update={"types": {"uid": "uint64"}}))[0]["uid"] == 2**64 - 1


def test_a_declared_type_holds_and_what_does_not_fit_is_named(tmp_path: Path) -> None:
    write_files(tmp_path / "c", {"t.csv": b'url,caption,n,l\nu,c,1,"[1, 2]"\nv,c,2.0,\n'})
    write_files(
        tmp_path / "j", {"t.jsonl": b'{"url": "u", "n": "1", "l": [1, 2]}\n{"url": "v", "n": 2.0, "l": null}\n'}
    )
    make_tar(tmp_path / "t.tar", [("0.json", b'{"n": "1", "l": [1, 2]}'), ("1.json", b'{"n": 2.0}')])
    for kind, path in (("url_table", "c"), ("url_table", "j"), ("webdataset", "t.tar")):
        make = UrlTable if kind == "url_table" else WebDataset
        settings = make(kind=kind, path=tmp_path / path, columns=("n", "l"), types={"n": "float64", "l": "float64[]"})
        assert [(row["n"], row["l"]) for row in rows_of(settings)] == [(1.0, [1.0, 2.0]), (2.0, None)]
        text = rows_of(settings.model_copy(update={"types": {"n": "string"}}))
        assert [row["n"] for row in text] == ["1", "2.0"]
        with pytest.raises(
            DataError, match=r"column 'n' holds '.*', which is no bool; declare source\.types n: string"
        ):
            rows_of(settings.model_copy(update={"types": {"n": "bool"}}))


def test_types_are_those_of_columns_and_known_before_a_run() -> None:
    with pytest.raises(ValidationError, match=r"types\.n: unknown column 'n'"):
        UrlTable(kind="url_table", path="t.csv", columns=("m",), types={"n": "int64"})
    with pytest.raises(ValidationError, match="string_pattern"):
        UrlTable(kind="url_table", path="t.csv", columns=("n",), types={"n": "struct"})
    assert [type_name(arrow_type(name)) for name in ("uint64", "bool[][]")] == ["uint64", "bool[][]"]


def test_numbers_from_files_are_preferred_as_numbers_and_what_they_were_taken_for_is_said(tmp_path: Path) -> None:
    members = [
        member
        for row, likes in enumerate((9, 100, 1000))
        for member in ((f"{row}.png", picture(0)), (f"{row}.json", b'{"likes": %d}' % likes))
    ]
    make_tar(tmp_path / "0.tar", members)
    source = {"kind": "webdataset", "path": tmp_path / "0.tar", "columns": ["likes"]}
    config = make_config(source, dedup={"prefer": "likes DESC"}, select=[{"name": "liked", "where": "likes > 50"}])
    runner = CurateRunner(config, tmp_path / "run", progress="none")
    runner.check()
    done = [runner.run(step) for step in ("ingest", "score", "dedup", "select", "export")]
    assert done[0].summary.endswith("; columns taken as likes int64")
    (selected,) = read_shard(tmp_path / "run/selected/data/00000.parquet").to_pylist()
    assert selected["likes"] == 1000


def test_rules_are_tried_on_the_types_that_all_of_the_input_has(tmp_path: Path) -> None:
    rows = [{"url": "u", "n": 1}] * 10_000 + [{"url": "u", "n": "many"}]
    write_files(tmp_path, {"t.jsonl": "\n".join(json.dumps(row) for row in rows).encode()})
    source = {"kind": "url_table", "path": tmp_path / "t.jsonl", "columns": ["n"]}
    for changes in ({"dedup": {"prefer": "n DESC"}}, {"select": [{"name": "whole", "where": "n % 2 = 0"}]}):
        with pytest.raises(ConfigError, match=r"n is text|No function matches"):
            CurateRunner(make_config(source, **changes), tmp_path / "run", progress="none").check()


def test_a_pool_is_not_extended_by_values_that_its_columns_cannot_hold(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_tar(tmp_path / "in/0.tar", [("0.png", picture(0)), ("0.json", b'{"n": 1}')])
    config = make_config({"kind": "webdataset", "path": tmp_path / "in", "columns": ["n"]})
    run(config, tmp_path / "pool")
    make_tar(tmp_path / "in/1.tar", [("1.png", picture(0)), ("1.json", b'{"n": 0.5}')])
    with pytest.raises(ShardError, match="column 'n' is int64 in the pool, and float64 with what is new"):
        run(config, tmp_path / "pool", EXTEND)
    make_tar(tmp_path / "in/1.tar", [("1.png", picture(0)), ("1.json", b'{"n": 2}')])
    assert [row["n"] for row in pool_rows(run(config, tmp_path / "pool", EXTEND).dataset)] == [1, 2]
