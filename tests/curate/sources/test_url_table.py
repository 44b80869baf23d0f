import gzip
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_rows import index_of, pairs_of, range_of, rows_of

from diptych.curate.config import UrlTable
from diptych.curate.sources.odd_csv import has_open_quote
from diptych.errors import DataError

ROWS = [
    ("http://a.example/1.jpg", "a red house"),
    ("http://a.example/2.jpg", 'say "hi", twice'),
    ("http://a.example/3.jpg", "12345"),
    ("http://a.example/4.jpg", "NA"),
    ("http://a.example/5.jpg", None),
    ("http://a.example/6.jpg", "zwei\nZeilen, ein Haus"),
]
DEEP = "[" * 100_000 + "]" * 100_000


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


def table_of(path: Path, **more: Any) -> UrlTable:
    return UrlTable(kind="url_table", path=path, **more)


def one_line(folder: Path, line: str) -> Path:
    (folder / "one.jsonl").write_text(line)
    return folder / "one.jsonl"


@pytest.mark.parametrize(
    "name",
    ["t.parquet", "t.csv", "t.tsv", "t.json", "t.jsonl", "t.csv.gz", "t.tsv.gz", "t.json.gz", "t.jsonl.gz"],
)
def test_every_format_of_a_url_table_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    write_table(tmp_path / name)
    settings = UrlTable(kind="url_table", path=tmp_path / name)
    assert pairs_of(settings) == ROWS
    assert len(index_of(settings).hashes) == len(ROWS)
    for start, stop in ((0, 6), (1, 3), (5, 6)):
        assert [(row["url"], row["caption"]) for row in range_of(settings, start, stop)] == ROWS[start:stop]


def test_a_text_file_is_a_list_of_urls_without_captions(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("http://a.example/1.jpg\n\n  http://a.example/2.jpg  \n")
    pairs = pairs_of(UrlTable(kind="url_table", path=tmp_path / "list.txt"))
    assert pairs == [("http://a.example/1.jpg", None), ("http://a.example/2.jpg", None)]


@pytest.mark.parametrize("name", ["urls.txt", "urls.csv", "urls.jsonl", "urls.txt.gz"])
def test_a_mark_before_a_table_is_no_part_of_its_first_url(name: str, tmp_path: Path) -> None:
    url = "http://a.example/1.jpg"
    text = {"urls.csv": f"url\n{url}\n", "urls.jsonl": json.dumps({"url": url}) + "\n"}.get(name, f"{url}\n")
    pack = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(pack(text.encode("utf-8-sig")))
    assert pairs_of(table_of(tmp_path / name, caption_column=None)) == [(url, None)]
    for other in ("UTF-16", "UTF-32"):
        (tmp_path / name).write_bytes(pack(text.encode(other)))
        with pytest.raises(DataError, match=f"it is {other}; save it as UTF-8"):
            pairs_of(table_of(tmp_path / name, caption_column=None))


def test_a_table_without_header_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    settings = table_of(tmp_path / "t.tsv", column_names=("url", "caption"))
    (tmp_path / "t.tsv").write_text("http://a.example/1.jpg\ta cat\n", "utf-8-sig")
    assert pairs_of(settings) == [("http://a.example/1.jpg", "a cat")]
    (tmp_path / "t.tsv").write_text("http://a.example/1.jpg\ta cat\n", "utf-16")
    with pytest.raises(DataError, match="it is UTF-16; save it as UTF-8"):
        pairs_of(settings)


def test_a_tsv_without_header_takes_the_names_given(tmp_path: Path) -> None:
    (tmp_path / "cc3m.tsv").write_text('a "quoted cat\thttp://a.example/1.jpg\na dog\thttp://a.example/2.jpg\n')
    settings = UrlTable(kind="url_table", path=tmp_path / "cc3m.tsv", column_names=("caption", "url"), quote=False)
    assert pairs_of(settings) == [("http://a.example/1.jpg", 'a "quoted cat'), ("http://a.example/2.jpg", "a dog")]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_a_table_without_header_is_told_how_to_name_its_columns(tmp_path: Path, name: str) -> None:
    between = "," if name.endswith("csv") else "\t"
    (tmp_path / name).write_text(f"first{between}http://a.example/1.jpg\nsecond{between}http://a.example/2.jpg\n")
    said = r"its first line is no header, it has http://a.example/1.jpg; name its columns, as column_names: \[url, capt"
    with pytest.raises(DataError, match=said):
        rows_of(UrlTable(kind="url_table", path=tmp_path / name))


def test_rows_with_too_many_fields_become_rows_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,caption\nhttp://a.example/1.jpg,one\nhttp://a.example/2.jpg,two,three\n")
    rows = rows_of(UrlTable(kind="url_table", path=tmp_path / "t.csv"))
    assert [row["url"] for row in rows] == ["http://a.example/1.jpg", None]
    assert rows[1]["__problem"].startswith("bad_row: 3 columns instead of 2")


def test_lines_that_are_no_json_objects_become_rows_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"url": "http://a.example/1.jpg", "caption": "one"}\nnot json\n[1, 2]\n')
    rows = rows_of(UrlTable(kind="url_table", path=tmp_path / "t.jsonl"))
    assert [row["__problem"] for row in rows] == [None, "bad_row: not json", "bad_row: [1, 2]"]


@pytest.mark.parametrize("name", ["t.json", "t.json.gz"])
def test_json_lines_that_are_called_json_are_read_as_what_they_are(name: str, tmp_path: Path) -> None:
    text = '\ufeff{"url": "a", "caption": "one"}\n\n{"url": "b", "caption": "two"}\n{broken\n'.encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    rows = rows_of(table_of(tmp_path / name))
    found = [(row["url"], row["caption"], row["__problem"]) for row in rows]
    assert found == [("a", "one", None), ("b", "two", None), (None, None, "bad_row: {broken")]


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


def test_a_users_columns_may_have_any_name(tmp_path: Path) -> None:
    names = ("problem", "bytes", "path", "__problem")
    (tmp_path / "t.csv").write_text(f"url,caption,{','.join(names)}\nu,c,none,5,p,q\n")
    row = rows_of(table_of(tmp_path / "t.csv", columns=names))[0]
    assert (row["__problem"], row["url"], row["caption"]) == (None, "u", "c")
    assert [row[name] for name in (*names[:3], "source___problem")] == ["none", 5, "p", "q"]


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("t.jsonl.gz", gzip.compress(os.urandom(9000).hex().encode())[:-2000], "ended before"),
        ("t.jsonl.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 99, "invalid"),
        ("t.csv", "url,caption\nu,c\n".encode("utf-16"), "UTF-16"),
        ("t.csv", b"url,caption,caption\nu,c,d\n", "2 columns 'caption'"),
        (
            "t.json",
            b'{"url": ["a", "b"], "caption": ["c"]}',
            "columns of one length.*; here 'url' has 2, 'caption' has 1$",
        ),
        (
            "t.json",
            b'{"url": "u", "caption": "c"}',
            r"columns of one length.*; 'url' is no list: one row .* \[{...}\]$",
        ),
        ("t.json", b"3", "a list of objects, or what pandas writes: .*; this is 3$"),
        ("t.json", DEEP.encode(), "cannot be read as json: .*recursion"),
        ("t.csv", b"PK\x03\x04" + b"x" * 99, "a zip archive; unpack it"),
        ("t.parquet", gzip.compress(b"x" * 99, mtime=0), "cannot be read as parquet: it is packed by gzip; unpack it"),
    ],
)
def test_what_no_library_can_read_is_one_line_with_its_path(
    name: str, content: bytes, cause: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=cause) as caught:
        rows_of(table_of(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=cause):
        index_of(table_of(path))


def test_json_that_is_nested_too_deeply_costs_its_row(tmp_path: Path) -> None:
    lines = ['{"url": "a"}', DEEP, f'{{"url": "b", "caption": {DEEP}}}', '{"url": "c"}', r'"\ud800"']
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    rows = rows_of(table_of(tmp_path / "t.jsonl"))
    assert [row["url"] for row in rows] == ["a", None, None, "c", None]
    assert [(row["__problem"] or "")[:8] for row in rows] == ["", "bad_row:", "bad_row:", "", "bad_row:"]


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ";"), ("t.csv", "\t"), ("t.tsv", ",")])
def test_another_delimiter_than_the_name_says_is_named(name: str, delimiter: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(f"url{delimiter}caption\nhttp://a{delimiter}a cat\n")
    other = "\t" if name.endswith("tsv") else ","
    said = f"its columns are separated by {delimiter!r}, not by {other!r}; save it with commas as .csv, or with tabs"
    with pytest.raises(DataError, match=re.escape(said)):
        rows_of(table_of(tmp_path / name))


def test_a_column_that_is_not_there_is_named_with_the_key_that_says_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("link,text\na,b\n")
    for settings, said in (
        ({}, "unknown column 'url'. Known: link, text; name the right one as url_column"),
        ({"url_column": "link"}, "'caption'. Known: link, text; name the right one as caption_column, or null where"),
        ({"url_column": "link", "caption_column": None, "columns": ("n",)}, "text; name the right one as columns"),
    ):
        with pytest.raises(DataError, match=re.escape(said)):
            rows_of(table_of(tmp_path / "t.csv", **settings))


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_lines_end_as_any_system_ends_them(end: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(f"\ufeffhttp://a/1{end}{end}http://a/2\u0085{end}".encode())
    assert [row["url"] for row in rows_of(table_of(tmp_path / "t.txt"))] == ["http://a/1", "http://a/2"]
    (tmp_path / "t.jsonl").write_bytes(end.join(['{"url": "a"}', '{"url": "b", "caption": "é"}', ""]).encode())
    found = rows_of(table_of(tmp_path / "t.jsonl"))
    assert [(row["url"], row["caption"]) for row in found] == [("a", None), ("b", "é")]


def test_objects_may_lack_captions_but_not_all_their_urls(tmp_path: Path) -> None:
    lines = ['{"url": "a"}'] * 10_000 + ['{"url": "b", "caption": "c", "n": 1}', "{}"]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    rows = rows_of(table_of(tmp_path / "t.jsonl", columns=("n",)))
    found = [(row["url"], row["caption"], row["n"]) for row in rows[-3:]]
    assert found == [("a", None, None), ("b", "c", 1), (None, None, None)]
    with pytest.raises(
        DataError, match=r"unknown column 'link'\. Known: caption, n, url; name the right one as url_column$"
    ):
        rows_of(table_of(one_line(tmp_path, lines[-2]), url_column="link"))


@pytest.mark.parametrize("quote", [True, False])
def test_a_field_of_a_csv_may_be_long(quote: bool, tmp_path: Path) -> None:
    long = "x" * 3_000_000
    (tmp_path / "t.tsv").write_text(f"url\tcaption\nu\ta\nv\t{long}\nw\tb\n")
    assert pairs_of(table_of(tmp_path / "t.tsv", quote=quote)) == [("u", "a"), ("v", long), ("w", "b")]


def test_of_a_list_of_captions_the_first_is_taken(tmp_path: Path) -> None:
    captions: list[Any] = [["", "first", "second"], [], "alone", {"en": "a cat"}, 5]
    lines = [json.dumps({"url": "u", "caption": caption}) for caption in captions]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    found = [caption for _, caption in pairs_of(table_of(tmp_path / "t.jsonl"))]
    assert found == ["first", None, "alone", '{"en": "a cat"}', "5"]


def test_of_a_list_of_urls_the_first_is_taken_and_of_an_object_its_caption(tmp_path: Path) -> None:
    rows = [
        {"url": ["", "u1", "v1"], "caption": [{"caption": "a cat"}, {"caption": "a pet"}]},
        {"url": ["u2"], "caption": [{"caption": "a dog"}]},
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    for name in ("t.jsonl", "t.parquet"):
        found = pairs_of(table_of(tmp_path / name, caption_list="joined"))
        assert found == [("u1", "a cat a pet"), ("u2", "a dog")]


def urls_of(folder: Path, text: str, **settings: Any) -> list[tuple[str | None, str | None, str | None]]:
    (folder / "t.csv").write_text(text, newline="")
    rows = rows_of(UrlTable(kind="url_table", path=folder / "t.csv", **settings))
    return [(row["url"], row["caption"], row["__problem"]) for row in rows]


A, B, C, D = (f"http://{name}.example/1.jpg" for name in "abcd")


@pytest.mark.parametrize(("end", "last"), [("\n", f"{D},d"), ("\r", f'{D},"d"\n'), ("\r\n", f"{D},d\n\n")])
@pytest.mark.parametrize(
    ("middle", "captions"),
    [
        (f"{C},c", ["c"]),
        (f'{C},"quoted"', ["quoted"]),
        (f'{C},it "is" q', ['it "is" q']),
        (f'{C},"x, y"', ["x, y"]),
        (f'{C},"two\nlines"', ["two\nlines"]),
        (f'{C},5" tall', ['5" tall']),
        (f'{C},c\n{A},"x, ""y"""\n{C},ключ', ["c", 'x, "y"', "ключ"]),
    ],
)
def test_every_row_behind_a_quote_that_is_not_closed_is_read(
    middle: str, captions: list[str], last: str, end: str, tmp_path: Path
) -> None:
    text = f'url,caption\n{A},a\n{B},"open\n{middle}\n{last}'.replace("\n", end)
    found = [(caption and end.join(caption.splitlines()), problem) for _, caption, problem in urls_of(tmp_path, text)]
    wanted = [(end.join(one.splitlines()), None) for one in ["a", *captions, "d"]]
    assert found == [*wanted, (None, f'bad_row: a quote is opened and not closed: {B},"open')]


def test_quotes_that_are_not_closed_may_follow_one_another(tmp_path: Path) -> None:
    found = urls_of(tmp_path, f'{A},"open\n{B},"open too\n{C},"and\nmore', column_names=("url", "caption"))
    unclosed = "bad_row: a quote is opened and not closed: "
    lost = [(None, None, f'{unclosed}{url},"{text}') for url, text in ((A, "open"), (B, "open too"))]
    assert found == [(C, "and\nmore", None), *lost]


@pytest.mark.parametrize("block", [1, 2, 3, 7])
@pytest.mark.parametrize(
    ("text", "is_open"),
    [('u,"a\nb"\n', False), ('u,"a ""b"" c"\nv,"d"', False), ('u,"a\nv,"b\n', True), ('u,"a\nv,b\n', True)],
)
def test_a_quote_is_open_wherever_the_blocks_end(
    text: str, is_open: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diptych.curate.sources.odd_csv.QUOTE_BLOCK_BYTES", block)
    assert has_open_quote(io.BytesIO(text.encode()), ",") == is_open


def test_captions_of_several_lines_stay_whole(tmp_path: Path) -> None:
    text = f'url,caption\n{A},"one, two\nsee http://x.example, or\n""three"""\n{B},b\n'
    assert urls_of(tmp_path, text) == [(A, 'one, two\nsee http://x.example, or\n"three"', None), (B, "b", None)]


def test_a_caption_of_several_lines_may_look_like_rows_where_every_quote_is_closed(tmp_path: Path) -> None:
    caption = f"see\n{C}, and\nmore"
    assert urls_of(tmp_path, f'url,caption\n{A},"{caption}"\n{B},b\n') == [(A, caption, None), (B, "b", None)]


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_lines_may_end_as_they_like(end: str, tmp_path: Path) -> None:
    assert urls_of(tmp_path, f"url,caption{end}{A},a{end}{B},b{end}") == [(A, "a", None), (B, "b", None)]


def test_a_field_that_never_ends_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diptych.curate.sources.text_tables.CSV_BLOCK_BYTES", 2**20)
    text = f'url,caption\n{A},"open\n' + "x\n" * 2**20
    with pytest.raises(DataError, match=r"t\.csv: cannot be read as csv: a field has more than 1 MiB; a quote may be"):
        urls_of(tmp_path, text)


OBJECTS = [{"url": "http://a.example/1", "caption": "one"}, {"url": "http://a.example/2", "caption": "two"}]
ORIENTATIONS = {
    "records": OBJECTS,
    "columns": {
        "caption": {"7": "one", "3": "two"},
        "url": {"3": "http://a.example/2", "7": "http://a.example/1"},
        "n": {"3": 2},
    },
    "lists": {"url": ["http://a.example/1", "http://a.example/2"], "caption": ["one", "two"]},
    "index": {"7": OBJECTS[0], "3": OBJECTS[1]},
    "split": {
        "columns": ["caption", "url"],
        "index": [7, 3],
        "data": [[one["caption"], one["url"]] for one in OBJECTS],
    },
    "table": {"schema": {"fields": [{"name": "url"}]}, "data": OBJECTS},
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_frame_is_read_in_every_orientation_of_pandas_and_paired_by_its_labels(
    orientation: str, tmp_path: Path
) -> None:
    (tmp_path / "t.json").write_text(json.dumps(ORIENTATIONS[orientation]))
    pairs = pairs_of(UrlTable(kind="url_table", path=tmp_path))
    assert sorted(pairs) == [("http://a.example/1", "one"), ("http://a.example/2", "two")]


@pytest.mark.parametrize("text", ["url,caption", "url,caption\n", "\ufeffurl,caption\r\n\r\n"])
def test_a_csv_of_a_header_alone_has_no_rows_and_stops_no_other(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode())
    (tmp_path / "b.csv").write_bytes(b"url,caption\nhttp://a.example/1,one\n")
    assert pairs_of(UrlTable(kind="url_table", path=tmp_path)) == [("http://a.example/1", "one")]
