"""A new store is there whole or not at all, whatever the disk or another process does meanwhile."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from diptych.errors import StoreError
from diptych.store.store import Store

CONNECT = duckdb.connect


def on_a_full_disk(name: str, **_: Any) -> Any:
    """As DuckDB, which leaves what it wrote of a file."""
    Path(name).write_bytes(b"\0" * 4096)
    raise duckdb.IOException(f'Could not write file "{name}": No space left on device')


def test_a_store_that_a_full_disk_keeps_from_being_made_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.duckdb"
    monkeypatch.setattr(duckdb, "connect", on_a_full_disk)
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    said = f'Could not write file "{path}": No space left on device'
    assert str(caught.value) == f"{path}: cannot be made: {said}; make room, then run again"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(duckdb, "connect", CONNECT)
    Store.open(path).close()


def test_a_store_that_another_process_made_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, theirs = tmp_path / "store.duckdb", tmp_path / "theirs.duckdb"
    with Store.open(theirs) as store:
        identity_id = store.insert_identity({"metric": "theirs"})

    def begin_meanwhile(name: str, **options: Any) -> Any:
        if not path.exists():
            shutil.copy(theirs, path)
        return CONNECT(name, **options)

    monkeypatch.setattr(duckdb, "connect", begin_meanwhile)
    with Store.open(path) as store:
        assert store.query("SELECT identity_id FROM identities") == [{"identity_id": identity_id}]


def test_a_store_is_made_where_a_file_system_has_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    Store.open(tmp_path / "store.duckdb").close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store.duckdb", "store.duckdb.sha256"]
