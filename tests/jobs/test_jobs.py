from pathlib import Path

import pytest
from local_jobs import Square

from diptych.errors import ConfigError
from diptych.jobs import EXECUTORS, run_job


@pytest.mark.parametrize("executor", EXECUTORS)
def test_every_executor_gives_the_outcome_of_each_task(tmp_path: Path, executor: str) -> None:
    outcomes = run_job(Square(tmp_path / "opened"), range(4), executor=executor)
    assert sorted(outcome[:2] for outcome in outcomes) == [(task, task * task) for task in range(4)]


def test_an_unknown_executor_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown executor 'locale'; did you mean 'local'\? Known: local"):
        run_job(Square(tmp_path / "opened"), range(4), executor="locale")
    assert not (tmp_path / "opened").exists()
