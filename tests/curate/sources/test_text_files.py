"""Tables of text that are packed, by their bytes and up to where they end; and tables in another encoding."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from source_rows import index_of, pairs_of, range_of, rows_of

from diptych.curate.config import UrlTable
from diptych.errors import DataError

ROWS = [(f"http://a.example/{row}", f"caption {row} {row * 7919 % 104729:x}") for row in range(4000)]
TEXTS = {
    "csv": "url,caption\n" + "".join(f"{url},{caption}\n" for url, caption in ROWS),
    "jsonl": "".join(json.dumps({"url": url, "caption": caption}) + "\n" for url, caption in ROWS),
    "txt": "".join(f"{url}\n" for url, _ in ROWS),
}


def stream_of_zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": stream_of_zstd,
}


def settings_of(path: Path) -> UrlTable:
    caption = None if ".txt" in path.name else "caption"
    return UrlTable(kind="url_table", path=path, caption_column=caption)


def wanted(kind: str, count: int = len(ROWS)) -> list[tuple[str, str | None]]:
    return [(url, None if kind == "txt" else caption) for url, caption in ROWS[:count]]


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("kind", TEXTS)
def test_a_packed_table_is_read_whether_its_name_says_so_or_not(kind: str, packer: str, tmp_path: Path) -> None:
    data = PACKERS[packer](TEXTS[kind].encode())
    for name in (f"t.{kind}.{packer}", f"u.{kind}", f"v.{kind}.gz"):
        (tmp_path / name).write_bytes(data)
        assert pairs_of(settings_of(tmp_path / name)) == wanted(kind)


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("kind", TEXTS)
def test_of_a_packed_table_that_is_cut_the_rows_before_are_read_and_one_says_why(
    kind: str, packer: str, tmp_path: Path
) -> None:
    # Several blocks behind one another, as packers of large files write them; the last one is cut.
    half = TEXTS[kind].index(ROWS[2000][0])
    first, second = TEXTS[kind][:half].encode(), TEXTS[kind][half:].encode()
    packed = PACKERS[packer](first) + PACKERS[packer](second)
    path = tmp_path / f"t.{kind}.{packer}"
    path.write_bytes(packed[: len(packed) - 300])
    rows = rows_of(settings_of(path))
    read = [(row["url"], row["caption"]) for row in rows[:-1]]
    assert len(read) >= 1500
    assert read == wanted(kind, len(read)), "no row is half"
    assert rows[-1]["__problem"].startswith("bad_row: the file ends here: ")
    assert len(index_of(settings_of(path)).hashes) == len(rows)
    assert range_of(settings_of(path), len(rows) - 1, len(rows)) == rows[-1:]


def test_a_packed_table_of_which_no_line_is_whole_is_a_row_among_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("url,caption\nu,c\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(TEXTS["csv"].encode())[:11])
    (tmp_path / "c.json").write_bytes(b'[{"url": "u"')
    found = [(row["url"], row["__problem"]) for row in rows_of(settings_of(tmp_path))]
    assert [url for url, _ in found] == ["u", None, None]
    assert str(found[1][1]).startswith("bad_row: cannot be read as csv: Compressed file ended before")
    assert str(found[2][1]).startswith("bad_row: cannot be read as json: ")


@pytest.mark.parametrize(
    ("name", "lines", "line"),
    [
        ("t.csv", ["url,caption", "http://a.example/1.jpg,ok", "http://a.example/2.jpg,café"], 3),
        ("t.tsv", ["url\tcaption", "http://a.example/1.jpg\tcafé"], 2),
        ("t.jsonl", ['{"url": "http://a.example/1.jpg", "caption": "café"}'], 1),
        ("t.json", ["[", '{"url": "http://a.example/1.jpg", "caption": "café"}]'], 2),
        ("t.txt", ["http://a.example/1.jpg", "http://a.example/é.jpg"], 2),
        ("t.csv.gz", ["url,caption", *["http://a.example/1.jpg,ok"] * 60_000, "http://a.example/2.jpg,café"], 60_002),
    ],
)
def test_a_table_of_text_in_another_encoding_is_refused_with_its_line(
    tmp_path: Path, name: str, lines: list[str], line: int
) -> None:
    pack = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(pack("\n".join(lines).encode("latin-1")))
    (tmp_path / "u.txt").write_text("http://a.example/3.jpg")
    said = rf"{name}: line {line} has a byte that is no UTF-8: 0xe9; save it as UTF-8 \(in Excel: CSV UTF-8\)"
    for path in (tmp_path / name, tmp_path):  # also where one of several files that cannot be read is a row
        with pytest.raises(DataError, match=said):
            rows_of(UrlTable(kind="url_table", path=path))
    (tmp_path / name).write_bytes(pack("\n".join(lines).encode()))
    assert rows_of(UrlTable(kind="url_table", path=tmp_path / name))
