"""A clock that is set back while a run works, and after it: the run ends, what is there stands, and nothing waits."""

import itertools
import os
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from drawn import draw_folder

from diptych.cli import main

CURATE = {
    "job": "curate",
    "source": {"kind": "folder", "path": "in", "captions": "file_name"},
    "rows_per_shard": 2,
    "scores": {"stats": {"score": "image_stats"}},
    "select": [{"name": "wide", "where": "width > 8"}],
}
YEAR_NS = 365 * 24 * 3600 * 10**9


def run() -> None:
    result = CliRunner().invoke(main, ["--progress", "none", "curate", "run", "c.yaml", "--out", "run"])
    assert result.exit_code == 0, result.output


def set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look at the clock find a year less than the one before."""
    now, years = time.time_ns(), itertools.count(1)
    monkeypatch.setattr(time, "time_ns", lambda: now - YEAR_NS * next(years))
    monkeypatch.setattr(time, "time", lambda: time.time_ns() / 1e9)


def date_ahead(folder: Path) -> None:
    """Date all files as those are that were written before a clock was set back by a year."""
    ahead = time.time_ns() + YEAR_NS
    for path in folder.rglob("*"):
        os.utime(path, ns=(ahead, ahead))


def stamps(folder: Path) -> dict[Path, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_run_is_made_once_whatever_the_clock_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "cache"))
    draw_folder(tmp_path / "in", 4)
    Path("c.yaml").write_text(yaml.safe_dump(CURATE))
    with monkeypatch.context() as patch:
        set_back(patch)
        run()
    date_ahead(tmp_path)
    made = stamps(tmp_path / "run")
    run()
    assert stamps(tmp_path / "run") == made
