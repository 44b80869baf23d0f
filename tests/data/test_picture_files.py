"""A file that may be a picture is its bytes, or a reason."""

import os
from pathlib import Path

import pytest

from diptych.data import picture_files
from diptych.data.picture_files import read_picture_file


def test_a_file_is_its_bytes_and_one_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    monkeypatch.setattr(picture_files, "MAX_PICTURE_BYTES", 10)
    assert read_picture_file(tmp_path / "a") == b"0123456789"
    monkeypatch.setattr(picture_files, "MAX_PICTURE_BYTES", 9)
    assert read_picture_file(str(tmp_path / "a")) == "too_large: 10 bytes, more than 9"


def test_what_is_no_file_is_a_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    found = {name: read_picture_file(tmp_path / name) for name in ("", "pipe", "link", "circle", "x" * 300, "a\0")}
    assert found == {
        "": "unreadable: no regular file",
        "pipe": "unreadable: no regular file",
        "link": "unreadable: No such file or directory",
        "circle": "unreadable: Too many levels of symbolic links",
        "x" * 300: "unreadable: File name too long",
        "a\0": "unreadable: no file can have its name, which has a zero byte",
    }
