import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from diptych.errors import DataError, ShardError
from diptych.storage.local_files import LocalLocation
from diptych.storage.location import Location


def test_an_address_with_the_scheme_of_no_store_is_refused() -> None:
    with pytest.raises(
        DataError, match="https://host/x: no place of https:// can be used; give a local path, or one of s3://"
    ):
        Location.at("https://host/x")


def test_a_path_that_was_made_of_an_address_with_a_scheme_is_refused() -> None:
    with pytest.raises(DataError, match="s3:/bucket/x"):  # a Path makes one slash of two
        Location.at(Path("s3://bucket/x"))


@pytest.mark.parametrize("address", ["runs/a", "/tmp/a:b", "./s3:x", "C:/data", "a=b/c d#e?.parquet"])
def test_any_path_of_this_machine_is_a_location(address: str) -> None:
    assert str(Location.at(address)) == str(Path(address))
    assert Location.at(Location.at(address)) == Location.at(Path(address))


def test_a_location_names_what_lies_in_it_and_where_it_lies(tmp_path: Path) -> None:
    place = Location.at(tmp_path) / "data" / "00000.parquet"
    assert (place.name, place.parent.name, os.fspath(place)) == (
        "00000.parquet",
        "data",
        f"{tmp_path}/data/00000.parquet",
    )
    assert (place.exists(), place.is_file(), place.size(), place.parent.is_directory()) == (False, False, None, False)
    place.write(b"abc")
    assert (place.is_file(), place.size(), place.read(), place.parent.is_directory()) == (True, 3, b"abc", True)


def test_children_are_listed_by_name_and_hidden_ones_only_where_asked(tmp_path: Path) -> None:
    for name in ("b.parquet", "a.parquet", ".a.parquet.7.tmp", "_shards.jsonl"):
        (tmp_path / name).touch()
    place = Location.at(tmp_path)
    assert [child.name for child in place.children()] == ["_shards.jsonl", "a.parquet", "b.parquet"]
    assert [child.name for child in place.children("*.parquet")] == ["a.parquet", "b.parquet"]
    assert [child.name for child in place.children(".*.tmp")] == [".a.parquet.7.tmp"]
    assert (place / "absent").children() == (place / "a.parquet").children() == []


def test_only_temporary_files_are_removed(tmp_path: Path) -> None:
    for name in (".00000.parquet.123.tmp", "00000.parquet", "x.tmp", "_shards.jsonl"):
        (tmp_path / name).touch()
    Location.at(tmp_path).remove_temporary()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.parquet", "_shards.jsonl", "x.tmp"]
    Location.at(tmp_path / "absent").remove_temporary()


class Crash(Exception):
    pass


@pytest.mark.parametrize("step", ["body", "fsync of the file", "replace", "fsync of the directory"])
@pytest.mark.parametrize("error", [Crash(), OSError(errno.ENOSPC, "No space left on device")], ids=["crash", "disk"])
def test_an_object_is_replaced_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    place = Location.at(tmp_path / "a")
    place.write(b"old")
    calls = []

    def failing(*_: object) -> None:
        calls.append(1)
        if step != "fsync of the directory" or len(calls) == 2:
            raise error

    def publish() -> None:
        with place.publishing() as file:
            file.write(b"new")
            if step == "body":
                raise error

    with monkeypatch.context() as patch:
        if step != "body":
            patch.setattr(os, "fsync" if "fsync" in step else "replace", failing)
        with pytest.raises(ShardError if isinstance(error, OSError) else Crash) as caught:
            publish()
    if isinstance(error, OSError):
        assert str(caught.value).startswith(f"{tmp_path}/a: cannot be written: ")
    assert place.read() == (b"new" if step == "fsync of the directory" else b"old")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = Location.at(tmp_path / "file")
    for refused in (place / "x", place / "deeper" / "x"):
        with pytest.raises(ShardError, match="x: cannot be written"):
            refused.write(b"")
        with pytest.raises(ShardError, match="x: cannot be written"):
            refused.make()


def test_appended_bytes_follow_what_was_there(tmp_path: Path) -> None:
    place = Location.at(tmp_path / "journal")
    place.append(b"a\n")
    place.append(b"b\n")
    assert place.read() == b"a\nb\n"


def test_a_place_moves_with_all_that_lies_in_it_and_goes_with_it(tmp_path: Path) -> None:
    old, new = Location.at(tmp_path / "old"), Location.at(tmp_path / "new")
    (old / "deep" / "x").write(b"1")
    old.move_to(new)
    assert ((new / "deep" / "x").read(), old.exists()) == (b"1", False)
    new.remove_everything()
    new.remove_everything()
    assert not new.exists()


def test_the_stamp_changes_when_an_object_is_written_again(tmp_path: Path) -> None:
    place = Location.at(tmp_path / "a")
    place.write(b"1")
    before = place.stamp()
    place.write(b"2")
    assert place.stamp() != before


def test_the_stamp_changes_with_a_byte_though_size_and_date_are_the_same(tmp_path: Path) -> None:
    place = Location.at(tmp_path / "a")
    place.write(b"1")
    before, stat = place.stamp(), place.path.stat()
    place.path.write_bytes(b"2")
    os.utime(place.path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    while place.path.stat().st_ctime_ns == stat.st_ctime_ns:  # the file system's clock may tick slowly
        os.utime(place.path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert place.stamp() != before


def test_of_several_that_create_a_file_one_succeeds_and_nothing_is_left_over(tmp_path: Path) -> None:
    place = Location.at(tmp_path) / "a"
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(place.create, bytes([number]) * 9) for number in range(4)]
    assert sorted(type(one.exception()).__name__ for one in done) == ["FileExistsError"] * 3 + ["NoneType"]
    (first,) = [number for number, one in enumerate(done) if one.exception() is None]
    assert place.read() == bytes([first]) * 9
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_created_is_on_the_disk_and_a_kill_before_leaves_what_goes_as_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: there.append((tmp_path / "a").exists()))
        (Location.at(tmp_path) / "a").create(b"x")
    assert there == [False, False, True], "the file, the folder with it, the folder with its name"

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(Crash))
        patch.setattr(LocalLocation, "remove", lambda _: None)
        with pytest.raises(Crash):
            (Location.at(tmp_path) / "b").create(b"x")
    assert len(list(tmp_path.iterdir())) == 2
    Location.at(tmp_path).remove_temporary()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_without_hard_links_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "Operation not permitted")))
    said = f"^{tmp_path}/a: cannot be written: Operation not permitted; a disk that knows hard links is needed"
    with pytest.raises(ShardError, match=said):
        (Location.at(tmp_path) / "a").create(b"x")
    assert list(tmp_path.iterdir()) == []


def test_sizes_come_from_one_listing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "folder").mkdir()
    (tmp_path / "round").symlink_to("round")
    assert Location.at(tmp_path).sizes() == {"a": 3}
    assert Location.at(tmp_path / "absent").sizes() == Location.at(tmp_path / "a").sizes() == {}
