from pathlib import Path

import pytest
from local_jobs import Square

from diptych.errors import ConfigError
from diptych.jobs import run_job
from diptych.jobs.engine import Engine


def test_a_job_is_done_here_unless_an_engine_is_named(tmp_path: Path) -> None:
    outcomes = run_job(Square(tmp_path / "opened"), range(4))
    assert sorted(outcome[:2] for outcome in outcomes) == [(task, task * task) for task in range(4)]


def test_an_unknown_engine_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown engine 'locale'; did you mean 'local'\? Known: local"):
        run_job(Square(tmp_path / "opened"), range(4), engine=Engine(name="locale"))
    assert not (tmp_path / "opened").exists()
