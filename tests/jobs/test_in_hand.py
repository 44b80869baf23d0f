"""A job that says so has several tasks in hand, in this process and in others."""

import os
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from local_jobs import Dying, SeveralDying, Sharing, counted

from diptych.errors import DataError, DecodeError
from diptych.jobs.contract import Job, tasks_at_once
from diptych.jobs.local import run_local


def test_a_job_says_how_many_tasks_a_worker_has_in_hand(tmp_path: Path) -> None:
    jobs: list[Job[int, object]] = [Sharing(tmp_path), Dying("exit")]
    assert [tasks_at_once(job) for job in jobs] == [3, 1]


def test_one_worker_has_several_in_hand_and_takes_the_next_when_one_is_through(tmp_path: Path) -> None:
    taken: list[int] = []
    told: list[tuple[threading.Thread, int]] = []

    def hear(rows: int, _: Mapping[str, int]) -> None:
        told.append((threading.current_thread(), rows))

    outcomes = []
    for outcome in run_local(Sharing(tmp_path / "closed"), counted(9, taken), report=hear):
        outcomes.append(outcome)
        assert len(taken) - len(outcomes) <= 3
    assert sorted(outcomes) == [(task, os.getpid()) for task in range(9)]
    assert told == [(threading.current_thread(), 1)] * 9
    assert (tmp_path / "closed").read_text() == f"{os.getpid()}\n"


def test_each_of_two_workers_has_several_in_hand(tmp_path: Path) -> None:
    heard: Counter[str] = Counter()
    run = run_local(Sharing(tmp_path / "closed"), range(12), workers=2, report=lambda _, reasons: heard.update(reasons))
    outcomes = sorted(run)
    assert [task for task, _ in outcomes] == list(range(12))
    assert os.getpid() not in {process for _, process in outcomes}
    assert heard.total() == 12
    assert heard["together"] >= 3


@pytest.mark.parametrize("workers", [1, 2])
def test_the_exception_of_one_ends_the_run_and_breaks_off_the_others(tmp_path: Path, workers: int) -> None:
    taken: list[int] = []
    tasks = (-1 if task == 1 else task for task in counted(10_000, taken))
    with pytest.raises(DecodeError, match="corrupt: task -1"):
        list(run_local(Sharing(tmp_path / "closed"), tasks, workers=workers))
    assert len(taken) < 10_000


def test_leaving_early_breaks_off_what_is_in_hand(tmp_path: Path) -> None:
    run = run_local(Sharing(tmp_path / "closed"), iter([0, 1, 2, 100, 100, 100]))
    next(run)
    run.close()
    assert (tmp_path / "closed").exists()


def test_a_worker_that_ends_with_several_in_hand_ends_the_run_with_how_it_ended() -> None:
    with pytest.raises(DataError, match=r"^a worker process was ended by SIGKILL.* with fewer workers"):
        list(run_local(SeveralDying("SIGKILL"), range(9), workers=2))
