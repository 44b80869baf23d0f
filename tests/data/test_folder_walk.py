"""Every entry that somebody may take for a picture is a row, whatever it is, and nothing else is."""

import os
import socket
from pathlib import Path

import pytest
from source_rows import rows_of, write_files

from diptych.curate.config import Folder
from diptych.curate.sources import open_source
from diptych.curate.sources.digests import identify_part
from diptych.data.folder_walk import everything_below


def found_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in everything_below(folder)]


def test_links_to_folders_are_followed_and_none_that_leads_back(tmp_path: Path) -> None:
    write_files(tmp_path / "outside", {"far.jpg": b"x", "sub/deep.jpg": b"y"})
    folder = write_files(tmp_path / "in", {"a.jpg": b"x", "sub/b.jpg": b"x"})
    (folder / "link").symlink_to("../outside")
    (folder / "again").symlink_to("../outside")
    (folder / "sub/up").symlink_to("..")
    assert found_in(folder) == [
        "a.jpg",
        "again/far.jpg",
        "again/sub/deep.jpg",
        "link/far.jpg",
        "link/sub/deep.jpg",
        "sub/b.jpg",
    ]


def test_what_is_below_hidden_folders_is_left_out(tmp_path: Path) -> None:
    write_files(tmp_path, {".cache/a.jpg": b"x", "b/.thumbs/c/d.jpg": b"x", "b/e.jpg": b"x", ".f.jpg": b"x"})
    assert found_in(tmp_path) == ["b/e.jpg"]


def test_the_grid_of_a_prompt_is_none_of_its_samples(tmp_path: Path) -> None:
    names = ["00000/grid.png", "00000/samples/0000.png", "other/grid.png", "00000/metadata.jsonl"]
    write_files(tmp_path, dict.fromkeys(names, b'{"prompt": "a cat"}'))
    rows = rows_of(Folder(kind="folder", path=tmp_path))
    assert [(row["file"], row["caption"]) for row in rows] == [
        ("00000/samples/0000.png", "a cat"),
        ("other/grid.png", None),
    ]


def test_what_is_no_file_is_a_row_that_says_so_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "one.jpg").symlink_to("two.jpg")
    (tmp_path / "two.jpg").symlink_to("one.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path)  # a socket's path is short
        listener.bind("sock.jpg")
        os.chdir(here)
        settings = Folder(kind="folder", path=tmp_path)
        (part,) = open_source(settings).parts()
        assert identify_part(part).digests == [None] * 4
        found = {row["file"]: row["__problem"] for row in rows_of(settings)}
    assert found == {
        "one.jpg": "unreadable: Too many levels of symbolic links",
        "pipe.jpg": "unreadable: no regular file",
        "sock.jpg": "unreadable: no regular file",
        "two.jpg": "unreadable: Too many levels of symbolic links",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_cannot_be_opened_is_a_row(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.jpg": b"x", "closed/b.jpg": b"x"})
    (tmp_path / "closed").chmod(0)
    found = {row["file"]: row["__problem"] for row in rows_of(Folder(kind="folder", path=tmp_path))}
    (tmp_path / "closed").chmod(0o700)
    assert found == {"a.jpg": None, "closed": "unreadable: Permission denied"}


def test_a_folder_that_refuses_is_a_row_for_whoever_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a.jpg": b"x", "closed/b.jpg": b"x"})
    real = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = {row["file"]: row["__problem"] for row in rows_of(Folder(kind="folder", path=tmp_path))}
    assert found == {"a.jpg": None, "closed": "unreadable: Permission denied"}


def test_a_name_as_long_as_a_file_system_has_it_is_a_row(tmp_path: Path) -> None:
    write_files(tmp_path, {"n" * 251 + ".jpg": b"x", "a.jpg": b"y", "a.txt": b"a cat"})
    assert [row["caption"] for row in rows_of(Folder(kind="folder", path=tmp_path))] == ["a cat", None]
