import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diptych.curate.config import Folder, ParquetImages, UrlTable, WebDataset
from diptych.curate.sources import cut, open_source
from diptych.errors import DataError

ROWS = [
    ("http://a.example/1.jpg", "a red house"),
    ("http://a.example/2.jpg", 'say "hi", twice'),
    ("http://a.example/3.jpg", "12345"),
    ("http://a.example/4.jpg", "NA"),
    ("http://a.example/5.jpg", None),
    ("http://a.example/6.jpg", "zwei\nZeilen, ein Haus"),
]


def rows_of(settings: Any) -> list[dict[str, Any]]:
    tables = list(open_source(settings).tables())
    return [row for table in tables for row in table.to_pylist()]


def pairs_of(settings: Any) -> list[tuple[str | None, str | None]]:
    return [(row["url"], row["caption"]) for row in rows_of(settings)]


def write_csv(path: Path, delimiter: str) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("url", "caption"), *ROWS])


def write_table(path: Path) -> None:
    objects = [{"url": url, "caption": caption} for url, caption in ROWS]
    name = path.name.removesuffix(".gz")
    plain = path.with_name(name)
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(objects), plain)
    elif name.endswith(".jsonl"):
        plain.write_text("".join(json.dumps(value) + "\n" for value in objects), encoding="utf-8")
    elif name.endswith(".json"):
        plain.write_text(json.dumps(objects), encoding="utf-8")
    else:
        write_csv(plain, "\t" if name.endswith(".tsv") else ",")
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()


@pytest.mark.parametrize(
    "name",
    ["t.parquet", "t.csv", "t.tsv", "t.json", "t.jsonl", "t.csv.gz", "t.tsv.gz", "t.json.gz", "t.jsonl.gz"],
)
def test_every_format_of_a_url_table_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    write_table(tmp_path / name)
    settings = UrlTable(kind="url_table", path=tmp_path / name)
    assert pairs_of(settings) == ROWS
    assert open_source(settings).count() == len(ROWS)


def test_a_text_file_is_a_list_of_urls_without_captions(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("http://a.example/1.jpg\n\n  http://a.example/2.jpg  \n")
    pairs = pairs_of(UrlTable(kind="url_table", path=tmp_path / "list.txt"))
    assert pairs == [("http://a.example/1.jpg", None), ("http://a.example/2.jpg", None)]


def test_a_tsv_without_header_takes_the_names_given(tmp_path: Path) -> None:
    (tmp_path / "cc3m.tsv").write_text('a "quoted cat\thttp://a.example/1.jpg\na dog\thttp://a.example/2.jpg\n')
    settings = UrlTable(kind="url_table", path=tmp_path / "cc3m.tsv", column_names=("caption", "url"), quote=False)
    assert pairs_of(settings) == [("http://a.example/1.jpg", 'a "quoted cat'), ("http://a.example/2.jpg", "a dog")]


def test_rows_with_too_many_fields_become_rows_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption\nhttp://a.example/1.jpg,one\nhttp://a.example/2.jpg,two,three\n")
    rows = rows_of(UrlTable(kind="url_table", path=tmp_path / "t.csv"))
    assert [row["url"] for row in rows] == ["http://a.example/1.jpg", None]
    assert rows[1]["problem"].startswith("bad_row: 3 columns instead of 2")


def test_lines_that_are_no_json_objects_become_rows_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"url": "http://a.example/1.jpg", "caption": "one"}\nnot json\n[1, 2]\n')
    rows = rows_of(UrlTable(kind="url_table", path=tmp_path / "t.jsonl"))
    assert [row["problem"] for row in rows] == [None, "bad_row: not json", "bad_row: [1, 2]"]


def test_stray_bytes_in_a_csv_are_replaced_and_lose_no_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"url,caption\nhttp://a.example/1.jpg,caf\xe9\nhttp://a.example/2.jpg,ok\n")
    assert [row["caption"] for row in rows_of(UrlTable(kind="url_table", path=tmp_path / "t.csv"))] == ["caf�", "ok"]


def test_further_columns_are_carried_and_clashing_names_are_renamed(tmp_path: Path) -> None:
    pq.write_table(pa.table({"URL": ["u"], "TEXT": ["t"], "width": [640], "punsafe": [0.1]}), tmp_path / "t.parquet")
    settings = UrlTable(
        kind="url_table",
        path=tmp_path / "t.parquet",
        url_column="URL",
        caption_column="TEXT",
        columns=("width", "punsafe"),
    )
    assert rows_of(settings) == [{"url": "u", "caption": "t", "problem": None, "source_width": 640, "punsafe": 0.1}]


def test_a_missing_column_is_named_with_the_nearest_ones(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet: unknown column 'captions'; did you mean 'caption'"):
        rows_of(UrlTable(kind="url_table", path=tmp_path / "t.parquet", caption_column="captions"))


def test_a_folder_of_tables_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.txt").write_text(f"http://a.example/{name}.jpg\n")
    urls = [url for url, _ in pairs_of(UrlTable(kind="url_table", path=tmp_path))]
    assert urls == ["http://a.example/a.jpg", "http://a.example/b.jpg"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.parquet", b"not parquet"), ("t.json", b"{"), ("t.csv.gz", b"not gzip"), ("t.xyz", b"")],
)
def test_a_damaged_or_unknown_table_is_one_line_with_its_path(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name.replace(".", r"\.")) as caught:
        rows_of(UrlTable(kind="url_table", path=tmp_path / name))
    assert "\n" not in str(caught.value)


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        open_source(UrlTable(kind="url_table", path=tmp_path / "nowhere.parquet"))
    with pytest.raises(DataError, match="nowhere"):
        open_source(Folder(kind="folder", path=tmp_path / "nowhere"))


def test_a_folder_takes_captions_from_sidecars_or_names(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a_red-house (2).jpg", "sub/b.png", "c.webp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub/b.txt").write_text(" a boat \n")
    (tmp_path / "c.json").write_text('{"text": "a fish"}')
    (tmp_path / "stray.txt").write_text("no picture has this name")
    sidecar = {row["file"]: row["caption"] for row in rows_of(Folder(kind="folder", path=tmp_path))}
    assert sidecar == {"a_red-house (2).jpg": None, "c.webp": "a fish", "stray.txt": None, "sub/b.png": "a boat"}
    named = [row["caption"] for row in rows_of(Folder(kind="folder", path=tmp_path, captions="file_name"))]
    assert named == ["a red house", "c", "stray", "b"]


def test_parquet_with_image_bytes_is_read_as_struct_and_as_binary(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [{"bytes": b"1", "path": "a"}], "text": ["t"]}), tmp_path / "struct.parquet")
    pq.write_table(pa.table({"jpg": [b"2", None], "text": ["t", "u"]}), tmp_path / "binary.parquet")
    struct = ParquetImages(kind="parquet", path=tmp_path / "struct.parquet", caption_column="text")
    binary = ParquetImages(kind="parquet", path=tmp_path / "binary.parquet", image_column="jpg", caption_column="text")
    assert [row["bytes"] for row in rows_of(struct)] == [b"1"]
    assert [(row["bytes"], row["caption"]) for row in rows_of(binary)] == [(b"2", "t"), (None, "u")]
    with pytest.raises(DataError, match="holds string, not image bytes"):
        open_source(binary.model_copy(update={"image_column": "text"}))


def make_tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def test_a_webdataset_tar_gives_one_row_per_base_name(tmp_path: Path) -> None:
    members = [
        ("000.jpg", b"one"),
        ("000.txt", b"a cat"),
        ("000.json", b'{"url": "http://a.example/1.jpg", "licence": "by"}'),
        ("dir/001.json", b'{"caption": "a dog"}'),
        ("dir/001.png", b"two"),
        ("002.txt", b"no picture"),
    ]
    make_tar(tmp_path / "0.tar", members)
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path, columns=("licence",)))
    found = [(row["member"], row["bytes"], row["caption"], row["url"], row["licence"]) for row in rows]
    assert found == [
        ("000", b"one", "a cat", "http://a.example/1.jpg", "by"),
        ("dir/001", b"two", "a dog", None, None),
        ("002", None, "no picture", None, None),
    ]


def test_a_tar_that_ends_in_the_middle_keeps_its_whole_members(tmp_path: Path) -> None:
    make_tar(tmp_path / "0.tar", [("0.jpg", b"x" * 600), ("1.jpg", b"y" * 600)])
    whole = (tmp_path / "0.tar").read_bytes()
    (tmp_path / "0.tar").write_bytes(whole[: 512 + 1024 + 512 + 100])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path / "0.tar"))
    assert rows[0]["bytes"] == b"x" * 600
    assert rows[-1]["problem"].startswith("bad_row: the tar 0.tar ends here")


def test_real_tars_of_photographs_are_read(shared: Path) -> None:
    rows = rows_of(WebDataset(kind="webdataset", path=shared / "real/photos/clip-retrieval/test_tars"))
    photographs = shared / "real/photos/clip-retrieval/test_images"
    assert {row["bytes"] for row in rows} == {path.read_bytes() for path in photographs.glob("*.jpg")}


def test_cutting_does_not_depend_on_how_the_tables_came() -> None:
    table = pa.table({"x": list(range(10))})
    one = [part["x"].to_pylist() for part in cut(iter([table]), 4)]
    many = [part["x"].to_pylist() for part in cut(iter([table.slice(i, 1) for i in range(10)]), 4)]
    assert one == many == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
