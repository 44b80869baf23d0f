import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from diptych.errors import StoreError
from diptych.storage.location import Location
from diptych.store.image_rows import Run
from diptych.store.seal import seal_of, seal_problem
from diptych.store.store import Store


def closed(path: Path) -> Location:
    with Store.open(path) as store, store.replace_run(Run("r-1", "r", "print", {}, {})):
        pass
    return Location.at(path)


def test_a_store_that_was_closed_is_sealed_as_sha256sum_reads_it(tmp_path: Path) -> None:
    place = closed(tmp_path / "results.duckdb")
    assert (seal_problem(place), seal_of(place).name) == ("", "results.duckdb.sha256")
    checked = subprocess.run(
        [shutil.which("sha256sum") or "sha256sum", "-c", "results.duckdb.sha256"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked.stdout == "results.duckdb: OK\n"


def test_reading_leaves_the_seal_alone_and_writing_sets_it_anew(tmp_path: Path) -> None:
    place = closed(tmp_path / "results.duckdb")
    before = seal_of(place).read()
    with Store.open(place.path, read_only=True) as store:
        assert [run["name"] for run in store.query("SELECT name FROM runs")] == ["r"]
    assert seal_of(place).read() == before
    with Store.open(place.path) as store:
        assert not seal_of(place).exists()
        with store.replace_run(Run("s-1", "s", "print", {}, {})):
            pass
    assert (seal_problem(place), seal_of(place).read() != before) == ("", True)


@pytest.mark.parametrize("read_only", [True, False])
def test_every_flipped_bit_keeps_a_store_from_being_opened(tmp_path: Path, read_only: bool) -> None:
    place = closed(tmp_path / "results.duckdb")
    whole = place.read()
    for at in range(7, len(whole), len(whole) // 40):
        place.path.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        with pytest.raises(
            StoreError,
            match=r"results\.duckdb: is damaged, or results.*sha256 is: .* restore it",
        ):
            Store.open(place.path, read_only=read_only)
        assert seal_problem(place).startswith("is damaged")
    place.path.write_bytes(whole)
    Store.open(place.path, read_only=read_only).close()


def test_a_store_without_a_seal_opens_and_is_named(tmp_path: Path) -> None:
    place = closed(tmp_path / "results.duckdb")
    seal_of(place).remove()
    assert seal_problem(place).startswith("has no results.duckdb.sha256: whoever wrote it last was stopped")
    Store.open(place.path, read_only=True).close()
    Store.open(place.path).close()
    assert seal_problem(place) == ""


def test_a_store_that_is_refused_keeps_a_seal(tmp_path: Path) -> None:
    place = closed(tmp_path / "results.duckdb")
    with Store.open(place.path):
        pass
    (tmp_path / "text.duckdb").write_text("not a database")
    with pytest.raises(StoreError, match="not a DuckDB file"):
        Store.open(tmp_path / "text.duckdb")
    assert not (tmp_path / "text.duckdb.sha256").exists()
    assert seal_problem(place) == ""


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("folder", ["runs", "blocks-of-a-lock", "version number"])
def test_a_damaged_store_without_a_seal_is_called_damaged(tmp_path: Path, folder: str, read_only: bool) -> None:
    place = closed(tmp_path / folder / "results.duckdb")
    whole = place.read()
    for damaged in (flipped(whole, 12288 + 100), flipped(whole, 12), whole[:5000]):
        seal_of(place).remove()
        place.path.write_bytes(damaged)
        with pytest.raises(
            StoreError, match=r"results\.duckdb: is damaged: .*; restore it, or evaluate again"
        ) as caught:
            Store.open(place.path, read_only=read_only)
        assert "\n" not in str(caught.value)
        assert "is using the store" not in str(caught.value)


def test_a_damaged_block_that_only_a_query_meets_is_called_damaged(tmp_path: Path) -> None:
    place = closed(tmp_path / "results.duckdb")
    seal_of(place).remove()
    whole, told = place.read(), []
    for at in range(12288 + 100, len(whole), 262144):  # the blocks behind the headers
        place.path.write_bytes(flipped(whole, at))
        with suppress(StoreError), Store.open(place.path, read_only=True) as store:  # some are read as it is opened
            try:
                store.query("SELECT * FROM runs")
            except StoreError as error:
                told.append(str(error))
    assert told
    assert all("results.duckdb: is damaged: Corrupt database file" in one for one in told)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :]
