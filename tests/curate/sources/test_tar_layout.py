"""Each picture of a tar is a row, and each caption is with its picture, however its members are called and ordered."""

import unicodedata
from pathlib import Path

import pytest
from PIL import Image
from source_rows import make_tar, range_of, rows_of

from diptych.curate.config import WebDataset
from diptych.curate.sources.tar_layout import TarRow, rows_of_members

LAYOUTS = {
    "captions behind": (["0.jpg", "1.jpg", "0.txt", "1.txt"], [("0", "0.jpg", "0.txt"), ("1", "1.jpg", "1.txt")]),
    "dotted": (
        ["s0.input.jpg", "s0.outputs.txt", "s1.input.jpg", "s1.outputs.txt"],
        [("s0", "s0.input.jpg", "s0.outputs.txt"), ("s1", "s1.input.jpg", "s1.outputs.txt")],
    ),
    "names with dots": (
        ["img.v1.0.jpg", "img.v1.0.txt", "img.v1.1.jpg", "img.v1.1.txt"],
        [("img.v1.0", "img.v1.0.jpg", "img.v1.0.txt"), ("img.v1.1", "img.v1.1.jpg", "img.v1.1.txt")],
    ),
    "two views": (
        ["0.left.jpg", "0.right.jpg", "0.txt"],
        [("0.left", "0.left.jpg", "0.txt"), ("0.right", "0.right.jpg", "0.txt")],
    ),
    "names with dots beside others": (
        ["lat.png", "22.0/1.1.png", "22.0/1.1.txt", "22.0/1.2.png", "22.0/1.2.txt", "s/4.wav.png", "s/4.txt"],
        [
            ("lat", "lat.png", None),
            ("22.0/1.1", "22.0/1.1.png", "22.0/1.1.txt"),
            ("22.0/1.2", "22.0/1.2.png", "22.0/1.2.txt"),
            ("s/4", "s/4.wav.png", "s/4.txt"),
        ],
    ),
    "a picture and another edition of it": (
        ["a.jpg", "a.txt", "a.1.jpg", "a.1.txt", "b.jpg", "b.mask.png"],
        [("a", "a.jpg", "a.txt"), ("a.1", "a.1.jpg", "a.1.txt"), ("b", "b.jpg", None)],
    ),
    "a caption of its own name": (["0.jpg", "0.caption.txt", "0.npy"], [("0", "0.jpg", "0.caption.txt")]),
    "one of several texts": (["0.jpg", "0.ocr.txt", "0.caption.txt"], [("0", "0.jpg", "0.caption.txt")]),
    "a name twice": (
        ["0.jpg", "0.txt", "1.jpg", "0.jpg", "d.jpg", "d.jpg"],
        [("0", "0.jpg", "0.txt"), ("1", "1.jpg", None), ("0", "0.jpg", "0.txt"), *[("d", "d.jpg", None)] * 2],
    ),
    "a dot and capitals": (["./e.JPG", "e.TXT"], [("e", "./e.JPG", "e.TXT")]),
    "kinds that are not read": (["0.jxl", "0.txt", "1.svg"], [("0", "0.jxl", "0.txt"), ("1", "1.svg", None)]),
    "made on macOS": (
        ["./._x.jpg", "./x.jpg", "./._x.txt", "./x.txt", "__MACOSX/._x.jpg", ".DS_Store"],
        [("x", "./x.jpg", "./x.txt")],
    ),
    "folders": (["a/0.jpg", "b/0.jpg", "b/0.txt"], [("a/0", "a/0.jpg", None), ("b/0", "b/0.jpg", "b/0.txt")]),
}


def found_in(path: Path) -> list[tuple[str, str | None, str | None]]:
    rows = rows_of(WebDataset(kind="webdataset", path=path))
    return [(row["member"], (row["__bytes"] or b"").decode() or None, row["caption"]) for row in rows]


@pytest.mark.parametrize("name", LAYOUTS)
def test_pictures_and_captions_are_found(name: str, tmp_path: Path) -> None:
    members, expected = LAYOUTS[name]
    make_tar(tmp_path / "t.tar", [(member, member.encode()) for member in members])
    assert found_in(tmp_path / "t.tar") == expected


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "captions behind"])
def test_a_packed_tar_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    members, expected = LAYOUTS[name]
    make_tar(tmp_path / "t.tar.gz", [(member, member.encode()) for member in members], "w:gz")
    settings = WebDataset(kind="webdataset", path=tmp_path / "t.tar.gz")
    rows = rows_of(settings)
    torn = [number for number, row in enumerate(rows) if row["__problem"]]
    assert [row for number, row in enumerate(found_in(tmp_path / "t.tar.gz")) if number not in torn] == [
        row for number, row in enumerate(expected) if number not in torn
    ]
    assert torn == ([0] if name == "two views" else [])
    assert range_of(settings, 1, len(rows)) == rows[1:] if len(rows) > 1 else True


def test_rows_that_a_packed_tar_tears_apart_say_so(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar.gz", [(name, name.encode()) for name in ("0.jpg", "1.jpg", "0.txt", "2.jpg")], "w:gz")
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path / "t.tar.gz"))
    assert [(row["member"], row["__bytes"]) for row in rows] == [("0", None), ("1", b"1.jpg"), ("2", b"2.jpg")]
    assert rows[0]["__problem"].startswith("bad_row: its members do not stand one after the other")


@pytest.mark.parametrize(
    ("names", "lacking"),
    [
        (["0.jpg", "0.txt", "1.jpg", "2.jpg"], ["2"]),
        (["0.jpg", "1.jpg", "2.jpg", "3.jpg", "0.txt", "2.txt"], ["1", "3"]),
        (["0.jpg", "1.jpg", "0.txt", "1.txt"], ["1"]),
    ],
)
def test_each_row_that_may_lack_members_of_a_cut_tar_says_so(
    names: list[str], lacking: list[str], tmp_path: Path
) -> None:
    make_tar(tmp_path / "t.tar", [(name, name.encode()) for name in names])
    whole = (tmp_path / "t.tar").read_bytes()
    (tmp_path / "t.tar").write_bytes(whole[: 1024 * len(names)])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [row["member"] for row in rows if row["__problem"]] == lacking
    assert {row["__problem"] for row in rows} == {None, "bad_row: the tar ends here: the mark of its end is missing"}


def test_a_picture_of_another_kind_is_none_and_its_row_says_so(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar", [(name, name.encode()) for name in ("0.jpg", "0.depth.png", "1.depth.png", "1.txt")])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path / "t.tar"))
    assert [row["__bytes"] for row in rows] == [b"0.jpg", None]
    assert rows[1]["__problem"] == "no_image: of several kinds of pictures it has only 'depth.png'"


def test_every_suffix_of_the_formats_that_are_read_is_one_of_a_picture() -> None:
    formats = {"AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PNG", "TIFF", "WEBP"}
    suffixes = [suffix for suffix, name in Image.registered_extensions().items() if name in formats]
    assert len(suffixes) > 20
    for suffix in suffixes:
        assert rows_of_members([f"0{suffix.upper()}", "0.txt"]) == [TarRow("0", 0, 0, (1,))], suffix


def test_a_picture_and_its_text_may_be_named_in_two_forms_of_unicode() -> None:
    names = [unicodedata.normalize(form, "Émile.v1") + suffix for form, suffix in (("NFD", ".jpg"), ("NFC", ".txt"))]
    assert rows_of_members(names) == [TarRow("Émile", 0, 0, (1,))]


def test_of_two_pictures_of_a_row_the_one_that_can_be_read_is_taken() -> None:
    assert [row.picture for row in rows_of_members(["0.dng", "0.jpg", "1.png", "1.jpg", "2.psd"])] == [1, 2, 4]


def test_a_json_of_the_whole_name_or_the_only_one_has_the_facts() -> None:
    assert [row.facts for row in rows_of_members(["1.jpg", "1.jpg.json", "2.jpg", "2.meta.json"])] == [1, 3]
    assert rows_of_members(["1.jpg", "1.jpg.json", "1.json"])[0].facts == 2
    assert rows_of_members(["1.jpg", "1.a.json", "1.b.json"])[0].facts is None


def test_a_config_can_name_the_members_that_are_meant(tmp_path: Path) -> None:
    names = ["0.input.JPG", "0.output.jpg", "0.txt", "0.prompt.txt", "1.output.jpg"]
    make_tar(tmp_path / "t.tar", [(name, name.encode()) for name in names])
    for key, caption in (("input", "prompt"), ("input.jpg", "prompt"), (".Input.jpg", "prompt")):
        settings = WebDataset(kind="webdataset", path=tmp_path / "t.tar", image_key=key, caption_key=caption)
        found = rows_of(settings)
        assert [(row["__bytes"], row["caption"]) for row in found] == [(b"0.input.JPG", "0.prompt.txt"), (None, None)]
        assert found[1]["__problem"] == "no_image: of several kinds of pictures it has only 'output.jpg'"
    plain = WebDataset(kind="webdataset", path=tmp_path / "t.tar", image_key="output")
    assert [(row["__bytes"], row["caption"]) for row in rows_of(plain)] == [
        (b"0.output.jpg", "0.txt"),
        (b"1.output.jpg", None),
    ]


def test_a_member_called_exactly_as_the_config_names_its_caption_is_one(tmp_path: Path) -> None:
    names = ["0.img", "0.cap", "0.json", "1.img", "1.cap.txt", "1.cap", "2.img", "2.txt"]
    contents = [b'{"cap": "told"}' if name == "0.json" else name.encode() for name in names]
    make_tar(tmp_path / "t.tar", zip(names, contents, strict=True))
    for key, first in (("cap", "0.cap"), (".CAP", "0.cap"), ("json", None)):
        settings = WebDataset(kind="webdataset", path=tmp_path / "t.tar", image_key="img", caption_key=key)
        second = "1.cap.txt"
        assert [row["caption"] for row in rows_of(settings)] == [first, second, "2.txt"]


def test_the_facts_of_a_name_with_dots_are_its_own(tmp_path: Path) -> None:
    members = [
        (f"v1.{n}.{kind}", b'{"n": %d}' % n if kind == "json" else b"x") for n in (0, 1) for kind in ("jpg", "json")
    ]
    make_tar(tmp_path / "t.tar", members)
    found = rows_of(WebDataset(kind="webdataset", path=tmp_path / "t.tar", columns=("n",)))
    assert [(row["member"], row["n"]) for row in found] == [("v1.0", 0), ("v1.1", 1)]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_text_of_several_pictures_may_stand_before_them_in_a_packed_tar(mode: str, tmp_path: Path) -> None:
    names = ["img.txt", "img.v1.png", "img.v2.png", "img.v2.txt", "img.v3.png", "z.png"]
    path = tmp_path / ("t.tar" if mode == "w" else "t.tar.gz")
    make_tar(path, [(name, name.encode()) for name in names], mode)  # type: ignore[arg-type]  # one of its two
    expected = [
        ("img.v1", "img.v1.png", "img.txt"),
        ("img.v2", "img.v2.png", "img.v2.txt"),
        ("img.v3", "img.v3.png", "img.txt"),
        ("z", "z.png", None),
    ]
    assert found_in(path) == expected
    settings = WebDataset(kind="webdataset", path=path)
    assert range_of(settings, 1, 4) == rows_of(settings)[1:], "also where it is read from a later row on"


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_empty_text_hides_no_caption_beside_it(mode: str, tmp_path: Path) -> None:
    members = [("0.jpg", b"x"), ("0.txt", b" \n"), ("0.caption", b"a cat"), ("0.json", b'{"caption": "a dog"}')]
    make_tar(tmp_path / "t.tar", members, mode)  # type: ignore[arg-type]  # of parameters, a plain str
    assert found_in(tmp_path / "t.tar") == [("0", "x", "a cat")]


def test_texts_of_names_and_keys_with_dots_are_with_their_pictures(tmp_path: Path) -> None:
    members = [
        (f"img.v1.{row}.{suffix}", f"{suffix}{row}".encode())
        for row in range(2)
        for suffix in ("input.jpg", "outputs.txt")
    ]
    make_tar(tmp_path / "t.tar", members)
    assert [row[1:] for row in found_in(tmp_path / "t.tar")] == [
        ("input.jpg0", "outputs.txt0"),
        ("input.jpg1", "outputs.txt1"),
    ]
    make_tar(tmp_path / "one.tar", [("img.v1.0.jpg", b"x"), ("img.v1.0.json", b'{"caption": "a cat"}')])
    assert [row[1:] for row in found_in(tmp_path / "one.tar")] == [("x", "a cat")]


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (["0.jpg", "0.txt", "0.txt"], [(0, (2,))]),
        (["0.txt", "0.txt", "0.jpg"], [(2, (1,))]),
        (["0.jpg", "0.txt", "1.jpg", "1.txt", "0.txt", "0.txt"], [(0, (5,)), (2, (3,))]),
        (["0.jpg", "0.txt", "0.jpg", "0.txt", "0.txt"], [(0, (1,)), (2, (4,))]),
    ],
)
def test_of_texts_of_one_name_the_last_is_that_of_its_picture(
    names: list[str], rows: list[tuple[int, tuple[int, ...]]]
) -> None:
    assert [(row.picture, row.texts) for row in rows_of_members(names)] == rows
