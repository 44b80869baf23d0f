import gzip
import io
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from diptych.curate.config import CurateConfig, Folder, ParquetImages, UrlTable, WebDataset
from diptych.curate.ingest import ingest
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
    assert rows[1]["__problem"].startswith("bad_row: 3 columns instead of 2")


def test_lines_that_are_no_json_objects_become_rows_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"url": "http://a.example/1.jpg", "caption": "one"}\nnot json\n[1, 2]\n')
    rows = rows_of(UrlTable(kind="url_table", path=tmp_path / "t.jsonl"))
    assert [row["__problem"] for row in rows] == [None, "bad_row: not json", "bad_row: [1, 2]"]


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
    assert rows_of(settings) == [{"url": "u", "caption": "t", "__problem": None, "source_width": 640, "punsafe": 0.1}]


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
    assert [row["__bytes"] for row in rows_of(struct)] == [b"1"]
    assert [(row["__bytes"], row["caption"]) for row in rows_of(binary)] == [(b"2", "t"), (None, "u")]
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
    found = [(row["member"], row["__bytes"], row["caption"], row["url"], row["licence"]) for row in rows]
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
    assert rows[0]["__bytes"] == b"x" * 600
    assert rows[-1]["__problem"].startswith("bad_row: the tar 0.tar ends here")


def test_real_tars_of_photographs_are_read(shared: Path) -> None:
    rows = rows_of(WebDataset(kind="webdataset", path=shared / "real/photos/clip-retrieval/test_tars"))
    photographs = shared / "real/photos/clip-retrieval/test_images"
    assert {row["__bytes"] for row in rows} == {path.read_bytes() for path in photographs.glob("*.jpg")}


def test_cutting_does_not_depend_on_how_the_tables_came() -> None:
    table = pa.table({"x": list(range(10))})
    one = [part["x"].to_pylist() for part in cut(iter([table]), 4)]
    many = [part["x"].to_pylist() for part in cut(iter([table.slice(i, 1) for i in range(10)]), 4)]
    assert one == many == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


DEEP = "[" * 100_000 + "]" * 100_000


def table_of(path: Path, **more: Any) -> UrlTable:
    return UrlTable(kind="url_table", path=path, **more)


def test_a_users_columns_may_have_any_name(tmp_path: Path) -> None:
    names = ("problem", "bytes", "path", "__problem")
    (tmp_path / "t.csv").write_text(f"url,caption,{','.join(names)}\nu,c,none,5,p,q\n")
    row = rows_of(table_of(tmp_path / "t.csv", columns=names))[0]
    assert (row["__problem"], row["url"], row["caption"]) == (None, "u", "c")
    assert [row[name] for name in (*names[:3], "source___problem")] == ["none", "5", "p", "q"]


def test_two_carried_columns_of_one_final_name_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption,width,source_width\nu,c,1,2\n")
    for kind, name in ((UrlTable, "url_table"), (ParquetImages, "parquet"), (WebDataset, "webdataset")):
        with pytest.raises(DataError, match="'width' and 'source_width' would both be carried as 'source_width'"):
            open_source(kind(kind=name, path=tmp_path / "t.csv", columns=("width", "source_width")))


def truncated_parquet(path: Path) -> None:
    pq.write_table(pa.table({"url": ["u" * 50] * 9, "caption": ["c"] * 9}), path, compression=None)
    data = bytearray(path.read_bytes())
    data[4:40] = b"\xff" * 36  # the header of the first page; the footer stays
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("t.csv.gz", gzip.compress(b"url,caption\n" + os.urandom(9000).hex().encode())[:-2000], "ended before"),
        ("t.jsonl.gz", gzip.compress(os.urandom(9000).hex().encode())[:-2000], "ended before"),
        ("t.jsonl.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 99, "invalid"),
        ("t.csv", "url,caption\nu,c\n".encode("utf-16"), "UTF-16"),
        ("t.csv", b"url,caption,caption\nu,c,d\n", "2 columns 'caption'"),
        ("t.json", b'{"url": ["a", "b"], "caption": ["c"]}', "columns of one length"),
        ("t.json", b'{"url": 3}', "columns of one length"),
        ("t.json", DEEP.encode(), "cannot be read as json: .*recursion"),
        ("t.parquet", None, "cannot be read as parquet"),
    ],
)
def test_what_no_library_can_read_is_one_line_with_its_path(
    name: str, content: bytes | None, cause: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is None:
        truncated_parquet(path)
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match=cause) as caught:
        rows_of(table_of(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    if content is not None:
        with pytest.raises(DataError, match=cause):
            open_source(table_of(path)).count()


@pytest.mark.parametrize("value", [["a"], {"en": "a"}])
def test_a_caption_column_that_is_no_text_is_named_with_its_type(value: Any, tmp_path: Path) -> None:
    table = pa.table({"url": ["u"], "image": [b"x"], "caption": [value]})
    pq.write_table(table, tmp_path / "t.parquet")
    for settings in (table_of(tmp_path / "t.parquet"), ParquetImages(kind="parquet", path=tmp_path / "t.parquet")):
        with pytest.raises(DataError, match=r"t\.parquet: the column 'caption' holds (list|struct)<.*>, not text"):
            rows_of(settings)


def test_files_of_differing_types_are_refused_with_the_column(tmp_path: Path) -> None:
    for name, value in (("a", 1), ("b", "x")):
        table = pa.table({"url": ["u"], "caption": ["c"], "image": [b"x"], "n": [value]})
        pq.write_table(table, tmp_path / f"{name}.parquet")
    images = ParquetImages(kind="parquet", path=tmp_path, columns=("n",))
    for settings in (table_of(tmp_path, columns=("n",)), images):
        with pytest.raises(DataError, match="column 'n' holds int64 in one file and string in another"):
            rows_of(settings)


def test_captions_of_binary_parquet_may_hold_stray_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"x"], "caption": [b"caf\xe9"]}), tmp_path / "t.parquet")
    assert rows_of(ParquetImages(kind="parquet", path=tmp_path))[0]["caption"] == "caf\ufffd"


def test_a_source_without_rows_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption\n")
    (tmp_path / "t.jsonl").write_text("")
    make_tar(tmp_path / "t.tar", [])
    for name in ("t.csv", "t.jsonl", "t.tar"):
        kind = "webdataset" if name == "t.tar" else "url_table"
        config = CurateConfig.model_validate(
            {"job": "curate", "name": "x", "source": {"kind": kind, "path": tmp_path / name}}
        )
        assert list(open_source(config.source).tables()) == []
        with pytest.raises(DataError, match="no rows there"):
            ingest(config, tmp_path / "pool", progress="none")


def test_a_damaged_tar_is_one_line_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "t.tar").write_bytes(b"no tar" * 200)
    settings = WebDataset(kind="webdataset", path=tmp_path / "t.tar")
    for read in (rows_of, lambda given: open_source(given).count()):
        with pytest.raises(DataError, match=r"t\.tar: cannot be read as tar: "):
            read(settings)


def test_json_that_is_nested_too_deeply_costs_its_row(tmp_path: Path) -> None:
    lines = ['{"url": "a"}', DEEP, f'{{"url": "b", "caption": {DEEP}}}', '{"url": "c"}', r'"\ud800"']
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    rows = rows_of(table_of(tmp_path / "t.jsonl"))
    assert [row["url"] for row in rows] == ["a", None, None, "c", None]
    assert [(row["__problem"] or "")[:8] for row in rows] == ["", "bad_row:", "bad_row:", "", "bad_row:"]


def test_a_member_that_is_nested_too_deeply_costs_its_row(tmp_path: Path) -> None:
    members = [("0.jpg", b"x"), ("0.json", DEEP.encode()), ("1.jpg", b"y"), ("1.json", rb'{"caption": "\ud800"}')]
    make_tar(tmp_path / "0.tar", members)
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [row["__problem"] for row in rows] == ["bad_row: the .json member is nested too deeply", None]
    assert rows[1]["caption"] == "?"


def test_a_folder_reads_names_that_are_no_utf8_and_keeps_dangling_links(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    (folder / "a.png").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    config = CurateConfig.model_validate({"job": "curate", "name": "x", "source": {"kind": "folder", "path": folder}})
    assert [row["file"] for row in rows_of(config.source)] == ["caf\ufffd.png", "gone.png"]
    dataset, _ = ingest(config, tmp_path / "pool", progress="none")
    assert pq.read_table(dataset.files[0])["status"].to_pylist() == ["ok", "unreadable"]
    named = config.source.model_copy(update={"captions": "file_name"})
    assert [row["caption"] for row in rows_of(named)] == ["caf\ufffd", "gone"]


def test_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"x")
    (tmp_path / "in/a.txt").write_text("one")
    os.utime(tmp_path / "in/a.jpg", (1, 1))
    shutil.copytree(tmp_path / "in", tmp_path / "copy", copy_function=shutil.copy)
    before = open_source(Folder(kind="folder", path=tmp_path / "in")).inputs()
    assert open_source(Folder(kind="folder", path=tmp_path / "copy")).inputs() == before
    (tmp_path / "in/a.txt").write_text("two")
    assert open_source(Folder(kind="folder", path=tmp_path / "in")).inputs() != before
    (tmp_path / "in/a.txt").write_text("one")
    (tmp_path / "in/a.jpg").write_bytes(b"y")
    assert open_source(Folder(kind="folder", path=tmp_path / "in")).inputs() != before


def test_only_the_first_member_with_an_image_extension_is_the_picture(tmp_path: Path) -> None:
    names = ("0.jpg", "0.mask.png", "0.png", "0.md5", "0.name", "0.txt", "1.md5", "1.JPEG", "2.depth.jpg")
    make_tar(tmp_path / "0.tar", [(name, name.encode()) for name in names])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    found = [(row["member"], row["__bytes"], row["caption"]) for row in rows]
    assert found == [("0", b"0.jpg", "0.txt"), ("1", b"1.JPEG", None), ("2", None, None)]


def test_objects_may_lack_captions_but_not_all_their_urls(tmp_path: Path) -> None:
    lines = ['{"url": "a"}'] * 10_000 + ['{"url": "b", "caption": "c", "n": 1}', "{}"]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    rows = rows_of(table_of(tmp_path / "t.jsonl", columns=("n",)))
    found = [(row["url"], row["caption"], row["n"]) for row in rows[-3:]]
    assert found == [("a", None, None), ("b", "c", "1"), (None, None, None)]
    with pytest.raises(DataError, match=r"unknown column 'link'\. Known: caption, n, url$"):
        rows_of(table_of(one_line(tmp_path, lines[-2]), url_column="link"))


def one_line(folder: Path, line: str) -> Path:
    (folder / "one.jsonl").write_text(line)
    return folder / "one.jsonl"


@pytest.mark.parametrize("quote", [True, False])
def test_a_field_of_a_csv_may_be_long(quote: bool, tmp_path: Path) -> None:
    long = "x" * 3_000_000
    (tmp_path / "t.tsv").write_text(f"url\tcaption\nu\ta\nv\t{long}\nw\tb\n")
    assert pairs_of(table_of(tmp_path / "t.tsv", quote=quote)) == [("u", "a"), ("v", long), ("w", "b")]
