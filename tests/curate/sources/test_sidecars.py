from pathlib import Path

from source_rows import rows_of, write_files

from diptych.curate.config import Folder


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


def test_text_without_a_picture_is_a_row_and_no_caption(tmp_path: Path) -> None:
    files = {"a.jpg": b"x", "a.b.txt": b"of no picture", "stray.json": b"{}", "a.json": b"[" * 10**5}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path, files)))
    assert [(row["file"], row["caption"]) for row in rows] == [
        ("a.b.txt", None),
        ("a.jpg", None),
        ("stray.json", None),
    ]
