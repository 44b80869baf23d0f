import _multiprocessing
import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from local_jobs import Dying, Placed, Reporting, Square, Unopenable, counted, is_alive

from diptych.errors import DataError, DecodeError, DiptychError, Shortage
from diptych.jobs import local
from diptych.jobs.local import PARENT_POLL_S, run_local
from diptych.processors import SHARE
from diptych.shortage import telling_shortage


class Unpicklable(Square):
    def __reduce__(self) -> str:
        raise TypeError("stays here")


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_opened_when_there_is_no_task(tmp_path: Path, workers: int) -> None:
    assert list(run_local(Square(tmp_path / "opened"), [], workers=workers)) == []
    assert not (tmp_path / "opened").exists()


def test_one_worker_runs_here_in_order_and_opens_once(tmp_path: Path) -> None:
    outcomes = list(run_local(Unpicklable(tmp_path / "opened"), range(5)))
    assert outcomes == [(task, task * task, os.getpid()) for task in range(5)]
    assert (tmp_path / "opened").read_text() == f"{os.getpid()}\n"


def test_one_worker_takes_a_task_when_it_is_asked_for_its_outcome(tmp_path: Path) -> None:
    taken: list[int] = []
    outcomes = run_local(Square(tmp_path / "opened"), counted(100, taken))
    assert taken == []
    next(outcomes)
    next(outcomes)
    assert taken == [0, 1]


def test_two_workers_do_all_tasks_elsewhere_and_open_once_each(tmp_path: Path) -> None:
    taken: list[int] = []
    ahead = []
    outcomes = []
    for outcome in run_local(Square(tmp_path / "opened", wait_s=0.02), counted(30, taken), workers=2):
        outcomes.append(outcome)
        ahead.append(len(taken) - len(outcomes))
    assert sorted(outcome[:2] for outcome in outcomes) == [(task, task * task) for task in range(30)]
    opened = [int(line) for line in (tmp_path / "opened").read_text().split()]
    processes = {outcome[2] for outcome in outcomes}
    assert sorted(opened) == sorted(processes)
    assert 1 <= len(processes) <= 2
    assert os.getpid() not in processes
    assert max(ahead) <= 2, "no more than one task waits beside those being done"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_exception_of_a_task_ends_the_run_after_the_outcomes_before_it(tmp_path: Path, workers: int) -> None:
    taken: list[int] = []
    outcomes: list[int] = []
    tasks = (task if task != 4 else -4 for task in counted(10_000, taken))
    run = run_local(Square(tmp_path / "opened", wait_s=0.01), tasks, workers=workers)
    with pytest.raises(DecodeError, match="corrupt: task -4") as caught:
        outcomes.extend(outcome[0] for outcome in run)
    assert caught.value.code == "corrupt"
    assert set(outcomes) <= set(range(8)) - {4}
    assert len(outcomes) >= 2
    assert len(taken) < 12


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_that_cannot_be_opened_says_why(workers: int) -> None:
    with pytest.raises(DecodeError, match="unsupported: no model here"):
        list(run_local(Unopenable(), range(3), workers=workers))


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("SIGKILL", "was ended by SIGKILL, as a system does whose memory runs out; .* with fewer workers"),
        ("SIGTERM", "was ended by SIGTERM, which somebody sent it"),
        ("SIGSEGV", "was ended by SIGSEGV, as by a library that crashes; .* faulthandler"),
        ("exit", "ended by itself, with the exit code 3, while it worked; .* look for what calls exit there"),
    ],
)
def test_a_worker_that_ends_ends_the_run_with_how_it_ended(way: str, told: str) -> None:
    with pytest.raises(DataError, match=f"^a worker process {told}") as caught:
        list(run_local(Dying(way), range(3), workers=2))
    assert ("memory" in str(caught.value)) == (way == "SIGKILL")


@pytest.mark.parametrize("is_file", [True, False])
def test_a_main_module_that_workers_cannot_import_is_told_of_its_guard(is_file: bool, tmp_path: Path) -> None:
    import diptych

    script = "from local_jobs import run_square\nrun_square()\n"
    (tmp_path / "mine.py").write_text(script)
    paths = [str(Path(__file__).parents[1]), str(Path(diptych.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "mine.py" if is_file else "-"],
        input="" if is_file else script,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    told = "no worker process could begin (with the exit code 1): each first imports the main module, "
    (said,) = [line for line in done.stderr.splitlines() if told in line]  # Python may warn of its own semaphores below
    assert f"{'mine.py' if is_file else '<stdin>'}; it has to be a file, with what it does under" in said
    assert 'if __name__ == "__main__":' in said


@pytest.mark.parametrize(
    ("number", "kind", "told"),
    [
        (
            errno.EROFS,
            DataError,
            "/dev/shm: read-only file system, and worker .*; let it be written to, or .*--workers 1",
        ),
        (errno.ENOENT, DataError, "/dev/shm: no such file or directory, and worker .*, or run with --workers 1"),
        (errno.ENOSPC, Shortage, "/dev/shm: no space left on device, and worker .*; make room there, or .*--workers 1"),
    ],
)
def test_a_system_without_semaphores_is_told_where_it_has_them(
    number: int, kind: type[DiptychError], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_multiprocessing, "SemLock", refuse)
    with pytest.raises(kind, match=f"^{told}$"), telling_shortage():
        list(run_local(Square(tmp_path / "opened"), range(3), workers=2))


def test_a_run_that_is_left_early_leaves_no_worker(tmp_path: Path) -> None:
    outcomes = run_local(Square(tmp_path / "opened"), range(10**9), workers=2)
    process = next(outcomes)[2]
    assert is_alive(process)
    outcomes.close()
    assert not is_alive(process)


def test_a_killed_parent_leaves_no_worker(tmp_path: Path) -> None:
    import diptych

    opened = tmp_path / "opened"
    paths = [str(Path(__file__).parents[1]), str(Path(diptych.__file__).parents[1])]
    script = f"from pathlib import Path; from local_jobs import run_for_ever; run_for_ever(Path({str(opened)!r}))"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)}, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while not opened.exists() or len(opened.read_text().splitlines()) < 2:
            assert time.monotonic() < deadline, "the workers did not start"
            assert parent.poll() is None
            time.sleep(0.02)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    workers = [int(line) for line in opened.read_text().split()]
    deadline = time.monotonic() + PARENT_POLL_S + 5
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [worker for worker in workers if is_alive(worker)] == []


@pytest.mark.parametrize("workers", [1, 2])
def test_reports_arrive_while_and_before_the_outcome(workers: int) -> None:
    seen: Counter[str] = Counter()
    rows = 0

    def note(count: int, reasons: Mapping[str, int]) -> None:
        nonlocal rows
        rows += count
        seen.update(reasons)

    for task in run_local(Reporting(50), range(6), workers=workers, report=note):
        assert seen[f"task {task}"] == 50
    assert rows == 300


def test_leaving_early_does_not_wait_for_workers_whose_reports_nobody_takes() -> None:
    run = run_local(Reporting(20_000), range(100), workers=2)
    next(run)
    run.close()  # type: ignore[attr-defined]


def test_worker_and_gpu_go_together_for_a_job_that_uses_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "count_gpus", lambda: 2)
    monkeypatch.setenv(SHARE, "8")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    parts = list(run_local(Placed(tmp_path / "opened", uses_gpu=True), [2, 2], workers=None))
    assert sorted(parts) == [("0,1", "4"), ("1,0", "4")]
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert os.environ[SHARE] == "8"


def test_a_job_without_models_has_one_worker_by_default_and_asks_for_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "count_gpus", lambda: pytest.fail("nobody needs to know"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "as it was")
    parts = list(run_local(Placed(tmp_path / "opened", uses_gpu=False), [1, 1], workers=None))
    assert [visible for visible, _ in parts] == ["as it was"] * 2
    assert (tmp_path / "opened").read_text().split() == [str(os.getpid())]
