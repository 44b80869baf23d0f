"""A machine that has no more of something: one line that says of what, and nothing is lost by it."""

import errno
import os
import pickle
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import yaml
from drawn import draw_folder, picture
from own_mounts import NEEDS_MOUNT, run_with_mounts
from tiny_dataset import good_rows, make_dataset

from diptych.data import images
from diptych.data.images import decode
from diptych.data.sql import connect
from diptych.errors import ConfigError, DataError, DecodeError, Shortage
from diptych.scores import own_file
from diptych.shortage import MEMORY_LIMIT, telling_shortage, what_ran_out
from diptych.storage.spill import spill_settings

SRC = Path(own_file.__file__).resolve().parents[2]
MUCH = 2**50
SORT = "SELECT count(*) FROM (SELECT i, md5(i::VARCHAR) AS text FROM range(1000000) AS r(i) ORDER BY text)"
HUNGRY = """
import os
import numpy as np
from diptych.scores import Column

class Hungry:
    identity = {"score": "hungry", "version": 1}
    columns = (Column("hunger", "how much", "float32"),)
    reads = frozenset()

    def score(self, batch):
        if os.environ.get("MEMORY") == "none":
            np.zeros(2**50)
        return {"hunger": np.zeros(len(batch), np.float32)}

def hungry():
    return Hungry()
"""


def by_numpy() -> None:
    np.zeros(MUCH)


def by_arrow() -> None:
    pa.allocate_buffer(MUCH)


def by_torch() -> None:
    import torch

    torch.zeros(MUCH)


def by_python() -> None:
    bytearray(2**62)


def onto_a_full_disk() -> None:
    with open("/dev/full", "w") as file:
        file.write("x" * 100_000)


def blaming(cause: Exception, message: str) -> Callable[[], None]:
    def run() -> None:
        try:
            raise cause
        except type(cause) as error:
            raise DataError(message) from error

    return run


@pytest.mark.parametrize("run", [by_numpy, by_arrow, by_torch, by_python])
def test_memory_that_runs_out_is_told_in_one_line_whoever_asked_for_it(run: Callable[[], None]) -> None:
    with (
        pytest.raises(Shortage, match=r"^pool: the memory ran out: .*what is finished is kept") as caught,
        telling_shortage("pool"),
    ):
        run()
    assert "\n" not in str(caught.value)
    assert "DIPTYCH_MEMORY_LIMIT" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {},
            r"^the memory ran out: Out of Memory Error: could not allocate block of size [^;:]* used\); "
            r"what is finished is kept, run again to go on with a DIPTYCH_MEMORY_LIMIT above 2MB, or without it$",
        ),
        (
            {"memory_limit": "20MB", "max_temp_directory_size": "1MB"},
            r"^the disk is full: Out of Memory Error: failed to offload data block of size [^;:]* used\); "
            r"what is finished is kept, run again to go on once there is room there, or with TMPDIR where there is",
        ),
    ],
    ids=["memory", "disk"],
)
def test_the_limits_of_duckdb_are_told_in_one_line_without_its_own_advice(
    settings: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "2MB")
    all_of_them = {**spill_settings(), "temp_directory": str(tmp_path), "threads": 1, **settings}
    with pytest.raises(Shortage, match=said), telling_shortage():
        duckdb.connect(config=all_of_them).execute(f"CREATE TABLE t AS {SORT}")


def test_a_limit_that_stands_is_to_be_lower_where_the_rest_ran_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "4GB")
    said = "or a DIPTYCH_MEMORY_LIMIT below 4GB, which DuckDB takes of it"
    with pytest.raises(Shortage, match=said), telling_shortage():
        by_numpy()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_disk_is_told_as_one() -> None:
    with pytest.raises(Shortage, match=r"^the disk is full: .*No space left on device"), telling_shortage():
        onto_a_full_disk()


@pytest.mark.parametrize(
    ("error", "resource_"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "open files"),
        (RuntimeError("can't start new thread"), "threads"),
        (ImportError("_duckdb.so: failed to map segment from shared object"), "memory"),
        (ImportError("cannot import name 'x'"), None),
        (pa.ArrowException("Unknown error: Failed to launch worker thread: Resource temporarily"), "threads"),
        (pa.ArrowInvalid("in column 3: Failed to launch worker thread"), None),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), "memory"),
        (OSError(errno.ENOENT, "no such file: out of memory"), None),
        (ValueError("out of memory"), None),
        (DataError("out of memory/a.jpg: is damaged"), None),
    ],
)
def test_what_ran_out_is_known_by_its_number_or_the_words_of_those_who_give_none(
    error: Exception, resource_: str | None
) -> None:
    assert what_ran_out(error) == resource_


def test_an_error_that_blames_the_data_for_it_is_told_as_what_it_is() -> None:
    run = blaming(MemoryError("8 GiB"), "weights.pt: no weights file")
    with pytest.raises(Shortage, match=r"^weights\.pt: the memory ran out: 8 GiB; "), telling_shortage():
        run()


def test_an_error_that_says_where_a_disk_is_full_stays_as_it_is() -> None:
    run = blaming(OSError(errno.ENOSPC, "No space left on device"), "a.parquet: cannot be written")
    with pytest.raises(DataError, match=r"^a\.parquet: cannot be written$"), telling_shortage():
        run()


def test_it_survives_the_way_back_from_a_worker() -> None:
    assert str(pickle.loads(pickle.dumps(Shortage("the memory ran out")))) == "the memory ran out"


@pytest.mark.parametrize("is_short", [True, False])
def test_a_picture_is_blamed_only_where_another_one_would_decode(
    is_short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(images, "has_memory", lambda count: not is_short)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(MemoryError if is_short else DecodeError):
        decode(picture(1))


def test_duckdb_takes_no_more_than_it_is_told_and_spills_where_temporary_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "40MB")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    con = connect()
    limit, folder = con.execute("SELECT current_setting('memory_limit'), current_setting('temp_directory')").fetchone()
    assert (limit, Path(folder).parent) == ("38.1 MiB", tmp_path)
    assert con.execute(SORT).fetchall() == [(1_000_000,)]
    con.close()
    assert list(tmp_path.iterdir()) == []


def test_a_limit_that_is_no_amount_of_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "plenty")
    with pytest.raises(ConfigError, match=r"DIPTYCH_MEMORY_LIMIT: 'plenty' is no amount of memory; give one such as"):
        connect()


def diptych(*arguments: object, limits: Callable[[], None] | None = None, **environment: str) -> tuple[int, list[str]]:
    """Return the exit code of a command and the lines that it says on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "diptych", "--progress", "none", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=limits,
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_score_that_finds_no_memory_names_the_shard_and_a_rerun_goes_on(tmp_path: Path, workers: int) -> None:
    pool = make_dataset(tmp_path / "pool", good_rows(6), rows_per_shard=3).path
    (tmp_path / "own.py").write_text(HUNGRY)
    command = ("score", pool, f"{tmp_path / 'own.py'}:hungry", "image_stats", "--workers", workers)
    code, lines = diptych(*command, MEMORY="none")
    assert (code, len(lines)) == (1, 1), lines
    assert lines[0].startswith(f"Error: {pool / 'data/0000'}")
    assert "the memory ran out: Unable to allocate 8.00 PiB for an array" in lines[0]
    assert "run again to go on with smaller batches, fewer workers" in lines[0]
    assert diptych(*command) == (0, [])


def test_a_file_that_may_not_grow_is_a_full_disk_and_a_rerun_goes_on(tmp_path: Path) -> None:
    pool = make_dataset(tmp_path / "pool", good_rows(60), rows_per_shard=60).path
    command = ("score", pool, "image_stats", "hashes")
    code, lines = diptych(*command, limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)))
    assert (code, len(lines)) == (1, 1), lines
    assert "00000.parquet: cannot be written: [Errno 27] File too large" in lines[0]
    assert diptych(*command) == (0, [])


@NEEDS_MOUNT
def test_a_run_on_a_disk_that_gets_full_ends_in_one_line_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", 60)
    config = {"job": "curate", "rows_per_shard": 10, "scores": {"h": {"score": "hashes"}}}
    source = {"kind": "folder", "path": str(tmp_path / "in"), "captions": "none"}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({**config, "source": source}))
    (tmp_path / "disk").mkdir()
    run = f"{sys.executable} -m diptych --progress none curate run c.yaml --out disk/out"
    script = f"mount -t tmpfs -o size=64k none disk; {run}; echo $?; mount -o remount,size=20m disk; {run}; echo $?"
    done = run_with_mounts(script, tmp_path)
    assert [line for line in done.stdout.splitlines() if line.isdigit()] == ["1", "0"], done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "No space left on device" in done.stderr


def test_a_thread_that_cannot_be_started_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with (
        pytest.raises(Shortage, match=r"^threads ran out: can't start new thread; .*ulimit -u .*ulimit -v"),
        telling_shortage(),
    ):
        threading.Thread().start()
