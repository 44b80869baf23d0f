"""Copies on this machine of what lies in a store."""

import os
from pathlib import Path

import pytest
from object_store import ATTEMPTS, Bucket, Fail

from diptych.assets import named_path, without_downloads
from diptych.errors import DataError
from diptych.storage import kept_copies
from diptych.storage.kept_copies import kept_copy


@pytest.fixture
def model(bucket: Bucket) -> str:
    """The address of a folder with weights."""
    bucket.put("model/config.json", b"{}")
    bucket.put("model/parts/0.bin", bytes(70_000))
    return f"{bucket.address}/model"


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_folder_is_fetched_once_and_anew_once_it_is_another(model: str, bucket: Bucket, tmp_path: Path) -> None:
    bucket.server.fail("GET", "0.bin", Fail.CUT, times=ATTEMPTS - 1)
    copy = kept_copy(model, tmp_path)
    assert copy is not None
    assert (copy.name, files_of(copy)) == ("model", {"config.json": b"{}", "parts/0.bin": bytes(70_000)})
    bucket.server.clear()
    assert kept_copy(model, tmp_path) == copy
    assert bucket.server.bytes_read() == 0
    bucket.put("model/config.json", b"[]")
    other = kept_copy(model, tmp_path)
    assert other not in (None, copy)
    assert files_of(other or copy)["config.json"] == b"[]"
    assert files_of(copy)["config.json"] == b"{}"


def test_a_file_is_fetched_under_its_name(model: str, tmp_path: Path) -> None:
    copy = kept_copy(f"{model}/parts/0.bin", tmp_path)
    assert copy is not None
    assert (copy.name, copy.read_bytes()) == ("0.bin", bytes(70_000))


def test_what_is_not_fetched_whole_is_no_copy(model: str, bucket: Bucket, tmp_path: Path) -> None:
    bucket.server.fail("GET", "0.bin", Fail.DENIED, times=99)
    with pytest.raises(DataError, match=rf"^{model}/parts/0.bin: cannot be read: .*credentials that may"):
        kept_copy(model, tmp_path)
    assert list(tmp_path.iterdir()) == []
    bucket.server.clear()
    assert kept_copy(model, tmp_path) is not None


def test_of_several_that_fetch_at_once_each_gets_a_whole_one(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def slower(copy: Path, target: Path) -> None:
        monkeypatch.setattr(kept_copies.os, "rename", rename)
        kept_copy(model, tmp_path)  # another process, which is done in between
        rename(copy, target)

    monkeypatch.setattr(kept_copies.os, "rename", slower)
    copy = kept_copy(model, tmp_path)
    assert copy is not None
    assert set(files_of(tmp_path / copy.parent.name)) == {"model/config.json", "model/parts/0.bin"}
    assert list(tmp_path.iterdir()) == [copy.parent]


def test_a_name_in_a_config_may_be_an_address(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    with (
        without_downloads(),
        pytest.raises(DataError, match=f"^{model}: there is no copy of it in the cache, and"),
    ):
        named_path(model)
    assert not (tmp_path / "stores").exists()
    assert files_of(named_path(model)).keys() == {"config.json", "parts/0.bin"}
    with without_downloads():
        assert named_path(model).is_dir()
    with pytest.raises(DataError, match=f"^{model}s: nothing lies there; give a file, or a folder with files$"):
        named_path(f"{model}s")


def test_a_disk_without_room_is_named(model: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=f"^{model}: cannot be copied to {tmp_path}/file: File exists; make room"):
        kept_copy(model, tmp_path / "file")
