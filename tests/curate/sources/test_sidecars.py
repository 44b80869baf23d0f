from pathlib import Path

import pytest
from source_rows import make_tar, rows_of, write_files

from diptych.curate.config import Folder, WebDataset


def test_a_sidecar_is_found_whatever_its_suffix_and_the_form_of_its_letters(tmp_path: Path) -> None:
    files = {
        "upper.JPG": b"x",
        "upper.TXT": b"upper",
        "e\u0301.jpg": b"x",
        "\u00e9.txt": b"accent",
        "a.b.c.jpg": b"x",
        "a.b.c.caption": b"dots",
        "whole.jpg": b"x",
        "whole.jpg.json": b'{"text": ["", "of the whole name", "other"]}',
    }
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert {row["file"]: row["caption"] for row in rows} == {
        "upper.JPG": "upper",
        "e\u0301.jpg": "accent",
        "a.b.c.jpg": "dots",
        "whole.jpg": "of the whole name",
    }


def captions_of_a_folder_and_a_tar(place: Path, members: dict[str, bytes]) -> tuple[list[str | None], list[str | None]]:
    make_tar(place / "0.tar", sorted(members.items()))
    folder = Folder(kind="folder", path=write_files(place / "in", members))
    tar = WebDataset(kind="webdataset", path=place / "0.tar", caption_key="caption")
    return [row["caption"] for row in rows_of(folder)], [row["caption"] for row in rows_of(tar)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_mark_that_an_editor_puts_before_a_text_is_no_part_of_it(encoding: str, tmp_path: Path) -> None:
    said = {"a.txt": "ein Kätzchen\r\n", "b.json": '{"caption": "zwei Kätzchen"}', "c.caption": "drei"}
    beside = {name: text.encode(encoding) for name, text in said.items()}
    members = {**beside, "a.jpg": b"x", "b.jpg": b"y", "c.jpg": b"z"}
    expected = ["ein Kätzchen", "zwei Kätzchen", "drei"]
    assert captions_of_a_folder_and_a_tar(tmp_path, members) == (expected, expected)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_text_of_two_bytes_a_letter_needs_no_mark(encoding: str, tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.txt": "a café".encode(encoding), "b.jpg": b"y", "b.txt": b"a\0b"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert [row["caption"] for row in rows] == ["a café", "a\0b"]


def test_an_empty_text_hides_nothing_that_another_sidecar_says(tmp_path: Path) -> None:
    members = {
        "a.jpg": b"x",
        "a.txt": b" \n",
        "a.json": b'{"caption": "of the json"}',
        "b.jpg": b"y",
        "b.txt": b"of the text",
        "b.json": b'{"caption": "of the json"}',
        "c.jpg": b"z",
        "c.txt": b"\xef\xbb\xbf",
        "c.json": b'{"caption": 42}',
        "d.jpg": b"v",
        "d.txt": b"",
        "d.caption": b"of the caption",
        "e.jpg": b"w",
        "e.json": b'{"caption": ""}',
        "e.caption": b"of the caption",
    }
    expected = ["of the json", "of the text", "42", "of the caption", "of the caption"]
    assert captions_of_a_folder_and_a_tar(tmp_path, members) == (expected, expected)


def test_a_text_that_is_called_caption_is_one_in_a_folder_as_in_a_tar(tmp_path: Path) -> None:
    members = {
        "a.jpg": b"x",
        "a.caption.txt": b"of a",
        "b.jpg": b"y",
        "b.prompt.txt": b"the prompt",
        "b.text.txt": b"the text",
        "c.jpg": b"z",
        "c.caption.txt": b"the caption",
        "c.txt": b"of c",
        "d.jpg": b"v",
        "d.jpg.caption.txt": b"of the whole name",
    }
    expected = ["of a", "the text", "of c", "of the whole name"]
    assert captions_of_a_folder_and_a_tar(tmp_path, members) == (expected, expected)


def test_a_text_of_a_picture_that_is_itself_called_caption_is_of_no_other(tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.caption.jpg": b"y", "a.caption.txt": b"its own"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert {row["file"]: row["caption"] for row in rows} == {"a.jpg": None, "a.caption.jpg": "its own"}


def test_columns_come_from_the_json_also_where_a_text_has_the_caption(tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.txt": b"a cat", "a.json": b'{"caption": "no", "likes": 7}'}
    settings = Folder(kind="folder", path=write_files(tmp_path, files), columns=("likes",), types={"likes": "int64"})
    assert [(row["caption"], row["likes"]) for row in rows_of(settings)] == [("a cat", 7)]


def test_the_case_of_a_name_matters_only_where_a_picture_has_the_very_name(tmp_path: Path) -> None:
    files = {"B.jpg": b"x", "b.txt": b"of B", "C.jpg": b"x", "c.jpg": b"x", "c.txt": b"of c", "d.jpg": b"x"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, {**files, "D.txt": b"of d", "d.json": b"[]"})))
    assert {row["file"]: row["caption"] for row in rows} == {
        "B.jpg": "of B",
        "C.jpg": None,
        "c.jpg": "of c",
        "d.jpg": "of d",
    }


def test_text_without_a_picture_is_a_row_and_no_caption(tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.b.txt": b"of no picture", "stray.json": b"{}", "a.json": b"[" * 10**5}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert [(row["file"], row["caption"]) for row in rows] == [
        ("a.b.txt", None),
        ("a.jpg", None),
        ("stray.json", None),
    ]


def test_a_sidecar_of_the_whole_name_goes_before_one_that_another_picture_may_have(tmp_path: Path) -> None:
    files = {"h.jpg": b"x", "h.png": b"y", "h.txt": b"of the jpg", "h.png.txt": b"of the png", "i.png": b"z"}
    files |= {"i.png.txt": b"", "i.txt": b"of its stem"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert {row["file"]: row["caption"] for row in rows} == {
        "h.jpg": "of the jpg",
        "h.png": "of the png",
        "i.png": "of its stem",
    }


def test_a_sidecar_that_cannot_be_read_is_said_and_costs_no_picture(tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.json": b"{bad", "b.jpg": b"y", "b.json": b'"a cat"', "c.jpg": b"z", "c.json": b"[]"}
    files |= {"d.jpg": b"x", "d.json": b"{bad", "d.txt": b"a dog"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert [row["caption"] for row in rows] == [None, "a cat", None, "a dog"]
    notes = [row["__note"] for row in rows]
    assert notes[0].startswith("a.json is no JSON: Expecting property name")
    assert notes[1:] == [None, None, None]
    assert [row["__bytes"] for row in rows] == [b"x", b"y", b"z", b"x"]


def test_a_sidecar_that_may_not_be_read_is_said_and_costs_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    files = {"a.jpg": b"x", "a.txt": b"closed", "b.jpg": b"y", "b.txt": b"a cat"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert [(row["caption"], row["__note"]) for row in rows] == [(None, "a.txt may not be read"), ("a cat", None)]


def test_the_key_that_a_config_names_goes_before_a_text_and_a_text_before_no_caption(tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.txt": b"a text", "a.json": b'{"prompt": "a prompt"}', "b.jpg": b"y", "b.txt": b"b text"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files), caption_key="prompt"))
    assert [row["caption"] for row in rows] == ["a prompt", "b text"]
