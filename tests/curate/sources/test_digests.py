import hashlib
import os
import sqlite3
from pathlib import Path

import pytest

from diptych.curate.sources import digests
from diptych.curate.sources.digests import FileDigest, digest_files, inputs_cache


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the files that are read to be hashed."""
    names: list[str] = []
    real = digests._digest
    monkeypatch.setattr(
        digests, "_digest", lambda seen: names.append(os.fsdecode(seen.path).rpartition("/")[2]) or real(seen)
    )
    return names


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if time had passed since files were written."""
    monkeypatch.setattr(digests, "SETTLED_NS", -(10**9))


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def test_a_file_is_known_by_size_and_sha256(tmp_path: Path) -> None:
    file = write(tmp_path / "a", b"content")
    assert digest_files([file]) == [FileDigest(7, hashlib.sha256(b"content").hexdigest())]


@pytest.mark.usefixtures("patient")
def test_a_file_that_did_not_change_is_read_once(tmp_path: Path, read: list[str]) -> None:
    files = [write(tmp_path / name, name.encode()) for name in "abc"]
    first = digest_files(files)
    assert digest_files(files) == first
    assert sorted(read) == ["a", "b", "c"]
    write(tmp_path / "b", b"B")
    assert digest_files(files)[1] == FileDigest(1, hashlib.sha256(b"B").hexdigest())
    assert sorted(read) == ["a", "b", "b", "c"]


@pytest.mark.usefixtures("patient")
def test_a_touched_file_is_read_again_and_is_the_same(tmp_path: Path, read: list[str]) -> None:
    file = write(tmp_path / "a", b"x")
    before = digest_files([file])
    os.utime(file, (1, 1))
    assert digest_files([file]) == before
    assert read == ["a", "a"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("by", ["writing", "renaming"])
def test_a_file_that_was_replaced_is_read_again_though_size_and_date_are_the_same(by: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a", b"before")
    os.utime(file, (1, 1))
    changed = os.stat(file).st_ctime_ns
    digest_files([file])
    if by == "renaming":
        os.replace(write(tmp_path / "other", b"behind"), file)
    else:
        write(tmp_path / "a", b"behind")
    os.utime(file, (1, 1))
    while os.stat(file).st_ctime_ns == changed:  # the file system's clock may tick slowly
        os.utime(file, (1, 1))
    assert digest_files([file]) == [FileDigest(6, hashlib.sha256(b"behind").hexdigest())]


def test_a_file_written_just_now_is_not_remembered_whatever_its_date(tmp_path: Path, read: list[str]) -> None:
    file = write(tmp_path / "a", b"x")
    os.utime(file, (1, 1))
    digest_files([file])
    write(tmp_path / "a", b"y")
    os.utime(file, (1, 1))
    assert digest_files([file]) == [FileDigest(1, hashlib.sha256(b"y").hexdigest())]
    assert read == ["a", "a"]


def test_what_cannot_be_read_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert digest_files([str(tmp_path / "gone"), str(tmp_path)]) == [None, None]


@pytest.mark.usefixtures("patient")
def test_names_that_are_no_text_are_remembered_too(tmp_path: Path, read: list[str]) -> None:
    file = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    write(Path(file), b"x")
    assert digest_files([file]) == digest_files([file])
    assert len(read) == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("damage", ["no database", "another table", "a folder"])
def test_a_cache_that_cannot_be_used_costs_time_and_nothing_else(damage: str, tmp_path: Path) -> None:
    place = inputs_cache() / "files.sqlite"
    place.parent.mkdir(parents=True)
    if damage == "no database":
        place.write_bytes(b"no database " * 100)
    elif damage == "a folder":
        place.mkdir()
    else:
        with sqlite3.connect(place) as con:
            con.execute("CREATE TABLE digests (other)")
        con.close()
    file = write(tmp_path / "a", b"x")
    assert digest_files([file]) == digest_files([file]) == [FileDigest(1, hashlib.sha256(b"x").hexdigest())]


def test_many_files_are_done_in_their_order_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "BATCH_FILES", 7)
    files = [write(tmp_path / f"{number}", b"%d" % number) for number in range(30)]
    done: list[int] = []
    found = digest_files(files, done.append)
    assert [digest.sha256 for digest in found if digest] == [
        hashlib.sha256(b"%d" % number).hexdigest() for number in range(30)
    ]
    assert sum(done) == 30
