import gzip
import tarfile
from pathlib import Path

import pytest
from source_rows import index_of, make_tar, range_of, rows_of

from diptych.curate.config import WebDataset
from diptych.curate.sources import bounded, open_source, tar_reading
from diptych.errors import DataError

DEEP = "[" * 100_000 + "]" * 100_000


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
    assert rows[-1]["__problem"].startswith("bad_row: the tar ends here")


def test_the_row_in_which_a_tar_ends_too_early_has_the_reason(tmp_path: Path) -> None:
    make_tar(tmp_path / "0.tar", [(f"{row}.{suffix}", b"%d" % row) for row in range(3) for suffix in ("jpg", "txt")])
    whole = (tmp_path / "0.tar").read_bytes()
    settings = WebDataset(kind="webdataset", path=tmp_path / "0.tar")
    damaged = whole[: 6 * 512] + b"\xff" + whole[6 * 512 + 1 :]
    for data, said in ((whole[: 6 * 512], "the mark of its end is missing"), (damaged, "bad checksum")):
        (tmp_path / "0.tar").write_bytes(data)
        found = [(row["member"], row["caption"], row["__problem"]) for row in rows_of(settings)]
        assert found == [("0", "0", None), ("1", None, f"bad_row: the tar ends here: {said}")]
        assert range_of(settings, 1, 2) == rows_of(settings)[1:]


def test_tars_that_were_appended_to_each_other_keep_rows_of_one_name_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_tar(tmp_path / name, [("0.jpg", name.encode()), ("0.txt", name.encode())])
    (tmp_path / "t.tar").write_bytes((tmp_path / "a").read_bytes() + (tmp_path / "b").read_bytes())
    settings = WebDataset(kind="webdataset", path=tmp_path / "t.tar")
    rows = rows_of(settings)
    assert [(row["member"], row["__bytes"], row["caption"]) for row in rows] == [("0", b"a", "a"), ("0", b"b", "b")]
    assert range_of(settings, 1, 2) == rows[1:]


@pytest.mark.parametrize("texts", [0, 2])
def test_a_tar_that_is_cut_before_its_captions_leaves_no_picture_without_a_word(texts: int, tmp_path: Path) -> None:
    members = [(f"{row}.jpg", b"%d" % row) for row in range(4)] + [(f"{row}.txt", b"%d" % row) for row in range(4)]
    make_tar(tmp_path / "t.tar", members)
    whole = (tmp_path / "t.tar").read_bytes()
    (tmp_path / "t.tar").write_bytes(whole[: (4 + texts) * 1024])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [row["caption"] for row in rows if row["__problem"] is None] == [str(row) for row in range(texts)]
    assert all(row["__problem"].startswith("bad_row: the tar ends here") for row in rows[texts:])
    assert "caption_key: null" in rows[texts]["__problem"] or texts
    alone = rows_of(WebDataset(kind="webdataset", path=tmp_path, caption_key=None))
    assert [row["__bytes"] for row in alone if row["__problem"] is None][:texts] == [b"0", b"1"][:texts]


def test_what_is_behind_the_end_of_a_tar_is_a_row_of_its_own(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar", [("0.jpg", b"0")])
    (tmp_path / "t.tar").write_bytes((tmp_path / "t.tar").read_bytes() + b"junk" * 512)
    settings = WebDataset(kind="webdataset", path=tmp_path / "t.tar")
    rows = rows_of(settings)
    said = "bad_row: the tar ends here: what is behind its end cannot be read: invalid header"
    found = [(row["member"], row["__bytes"], row["__problem"]) for row in rows]
    assert found == [("0", b"0", None), ("t.tar", None, said)]
    assert range_of(settings, 1, 2) == rows[1:]
    assert len(index_of(settings).hashes) == 2


def test_real_tars_of_photographs_are_read(shared: Path) -> None:
    rows = rows_of(WebDataset(kind="webdataset", path=shared / "real/photos/clip-retrieval/test_tars"))
    photographs = shared / "real/photos/clip-retrieval/test_images"
    assert {row["__bytes"] for row in rows} == {path.read_bytes() for path in photographs.glob("*.jpg")}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no tar" * 200, "invalid header"),
        (b"", "the mark of its end is missing"),
        (b"\x1f\x8b" + b"no gzip" * 200, "not a gzip file"),
        (gzip.compress(b"no tar" * 200, mtime=0), "invalid header"),
    ],
)
def test_a_tar_that_cannot_be_read_is_a_row_that_names_it_and_the_others_are_read(
    data: bytes, said: str, tmp_path: Path
) -> None:
    for name in ("a.tar", "c.tar"):
        make_tar(tmp_path / name, [("0.jpg", name.encode())])
    (tmp_path / "b.tar").write_bytes(data)
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [(row["member"], row["__bytes"]) for row in rows] == [("0", b"a.tar"), ("b.tar", None), ("0", b"c.tar")]
    assert rows[1]["__problem"] == f"bad_row: cannot be read as tar: {said}"
    assert rows[1]["__name"] is None, "what a file is called decides no key"
    settings = WebDataset(kind="webdataset", path=tmp_path / "b.tar")
    assert index_of(settings).sizes.size == 1
    assert range_of(settings, 0, 1) == rows[1:2]


def test_a_cut_tar_without_a_single_row_says_so(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar", [("._0.jpg", b"0"), ("0.jpg", b"0")])
    (tmp_path / "t.tar").write_bytes((tmp_path / "t.tar").read_bytes()[:1024])
    (row,) = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert (row["member"], row["__problem"]) == ("t.tar", "bad_row: the tar ends here: the mark of its end is missing")


def test_a_disk_that_fails_costs_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tar(tmp_path / "t.tar", [("0.jpg", b"0"), ("1.jpg", b"1")])
    settings = WebDataset(kind="webdataset", path=tmp_path / "t.tar")

    def fail(self: tarfile.TarFile) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(tarfile.TarFile, "next", fail)
    for read in (rows_of, index_of):
        with pytest.raises(DataError, match=r"t\.tar: cannot be read as tar: .*Input/output error"):
            read(settings)


def test_tars_of_a_folder_are_found_however_they_are_packed(tmp_path: Path) -> None:
    names = ("a.tar", "b.tar.gz", "c.tar.bz2", "d.TXZ")
    for name, mode in zip(names, ("w", "w:gz", "w:bz2", "w:xz"), strict=True):
        make_tar(tmp_path / name, [("0.jpg", name.encode()), ("0.txt", b"a cat")], mode)  # type: ignore[arg-type]
    (tmp_path / "e.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(40))
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [row["__bytes"] for row in rows] == [*(name.encode() for name in names), None]
    assert rows[-1]["__problem"].endswith("cannot be read as tar: it is packed by zstd; unpack it")
    assert rows[-1]["member"] == "e.tar.zst"


def test_a_json_that_is_nested_too_deeply_costs_no_picture(tmp_path: Path) -> None:
    members = [("0.jpg", b"x"), ("0.json", DEEP.encode()), ("1.jpg", b"y"), ("1.json", rb'{"caption": "\ud800"}')]
    make_tar(tmp_path / "0.tar", members)
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [row["__note"] for row in rows] == ["the .json member is nested too deeply", None]
    assert [row["__bytes"] for row in rows] == [b"x", b"y"]
    assert rows[1]["caption"] == "?"


@pytest.mark.parametrize(
    ("said", "caption", "note"),
    [
        (b'{"caption": " ", "text": ["", "a cat"]}', "a cat", None),
        (b'{"prompt": "a cat"}', "a cat", None),
        (b'\xef\xbb\xbf{"text": 42}', "42", None),
        (b'"a cat"', "a cat", None),
        (b'[{"caption": "a cat"}, {"caption": "a pet"}]', "a cat", None),
        (b'{"caption": "caf\xe9"}', "caf\ufffd", None),
        (b"{}", None, None),
        (
            b"{bad",
            None,
            "the .json member is no JSON: Expecting property name enclosed in double quotes: line 1 column 2",
        ),
        (b"", None, "the .json member is no JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"null", None, "the .json member is no JSON object but NoneType"),
    ],
)
def test_a_caption_in_json_is_found_or_the_row_says_why_not(
    said: bytes, caption: str | None, note: str | None, tmp_path: Path
) -> None:
    make_tar(tmp_path / "0.tar", [("0.jpg", b"x"), ("0.jpg.json", said)])
    (row,) = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert (row["caption"], row["__bytes"], row["__problem"]) == (caption, b"x", None)
    assert bool(row["__note"]) == bool(note)
    assert (row["__note"] or "").startswith(note or "")


def test_a_broken_json_that_nothing_is_wanted_of_is_nobodys_business(tmp_path: Path) -> None:
    make_tar(tmp_path / "0.tar", [("0.jpg", b"x"), ("0.json", b"{bad"), ("0.txt", b"a cat")])
    notes = [
        rows_of(WebDataset(kind="webdataset", path=tmp_path, **said))[0]["__note"]
        for said in ({}, {"columns": ("n",)}, {"caption_key": None})
    ]
    assert [bool(note) for note in notes] == [False, True, False]


def test_a_key_that_a_config_names_is_the_only_one(tmp_path: Path) -> None:
    make_tar(tmp_path / "0.tar", [("0.jpg", b"x"), ("0.json", b'{"text": "a", "long": "b"}')])
    keys = ("long", "caption", "prompt")
    settings = [WebDataset(kind="webdataset", path=tmp_path, caption_key=key) for key in keys]
    assert [rows_of(one)[0]["caption"] for one in settings] == ["b", "a", None]


def test_only_the_first_member_with_an_image_extension_is_the_picture(tmp_path: Path) -> None:
    names = ("0.jpg", "0.mask.png", "0.png", "0.md5", "0.name", "0.txt", "1.md5", "1.JPEG", "2.mask.png")
    make_tar(tmp_path / "0.tar", [(name, name.encode()) for name in names])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    found = [(row["member"], row["__bytes"], row["caption"]) for row in rows]
    assert found == [("0", b"0.jpg", "0.txt"), ("1", b"1.JPEG", None), ("2", None, None)]


@pytest.mark.parametrize("name", ["0.tar", "0.tar.gz", "packed.tar"])
def test_any_range_of_a_tar_is_read_packed_or_not(name: str, tmp_path: Path) -> None:
    members = [(f"{row}.{suffix}", f"{suffix} {row}".encode()) for row in range(9) for suffix in ("jpg", "txt")]
    make_tar(tmp_path / name, members, "w" if name == "0.tar" else "w:gz")
    settings = WebDataset(kind="webdataset", path=tmp_path / name)
    rows = rows_of(settings)
    assert [row["caption"] for row in rows] == [f"txt {row}" for row in range(9)]
    for start, stop in ((0, 9), (0, 1), (3, 5), (8, 9)):
        assert range_of(settings, start, stop) == rows[start:stop]


def test_a_member_too_large_to_be_a_picture_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_reading, "MAX_PICTURE_BYTES", 100)
    make_tar(tmp_path / "0.tar", [("0.jpg", b"x" * 101), ("0.txt", b"large"), ("1.jpg", b"y" * 100)])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [(row["__bytes"], row["caption"]) for row in rows] == [(None, "large"), (b"y" * 100, None)]
    assert rows[0]["__problem"] == "too_large: the member 0.jpg has 101 bytes"


def test_tables_of_large_members_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "TABLE_BYTES", 1000)
    make_tar(tmp_path / "0.tar", [(f"{row}.jpg", b"x" * 400) for row in range(7)])
    source = open_source(WebDataset(kind="webdataset", path=tmp_path))
    assert [table.num_rows for table in source.tables(source.parts()[0].files)] == [2, 2, 2, 1]
