"""The pictures of a report by several workers: the same files, of the same rows, and only those that are not there."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from report_world import World
from tiny_dataset import Row

from diptych.cli import main
from diptych.jobs.engine import HERE, Engine
from diptych.reports.build import build_report
from diptych.reports.read import pictures as module
from diptych.reports.read.picture_job import Picture
from diptych.reports.read.pictures import make_pictures

from .test_pictures import SIZES, photo, rows_of

ROWS = [Row(photo(200 + 10 * number, 120, seed=number % 5)) for number in range(9)]
ROWS[4] = Row(b"<html>")
ROWS[7] = Row(None, status="not_found")


def made(folder: Path, out: Path, engine: Engine) -> list[Picture]:
    rows = rows_of(folder, ROWS, ["sd"] * 3 + [None] * 6)
    return make_pictures(rows, [number == 1 for number in range(9)], out, SIZES, engine=engine, progress="none")


def files_of(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("engine", [HERE, Engine(2)])
def test_pictures_do_not_depend_on_who_makes_them_nor_on_how_they_are_cut(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(tmp_path / "first", tmp_path / "one", HERE)
    monkeypatch.setattr(module, "TASK_ROWS", 2)
    assert made(tmp_path / "second", tmp_path / "cut", engine) == whole
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "one")
    assert [picture.problem for picture in whole].count("") == 7


def test_a_report_by_two_workers_is_the_same_and_goes_on_where_one_was_killed(world: World, tmp_path: Path) -> None:
    config, out = world.config(), tmp_path / "out"
    built = build_report(config, tmp_path / "one")
    assert build_report(config, out, engine=Engine(2)).pictures_kept == 0
    thumbnails = sorted((out / "thumbs").glob("??/*"))
    for path in thumbnails[:3]:
        path.unlink()
    again = build_report(config, out, engine=Engine(2))
    assert again.pictures_kept < built.images
    assert files_of(out) == files_of(tmp_path / "one")


def test_the_command_takes_an_engine() -> None:
    told = CliRunner().invoke(main, ["report", "build", "--help"]).stdout
    assert "--workers" in told
    assert "--engine [local|ray]" in told
