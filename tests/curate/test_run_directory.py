"""A run changes nothing but its own pool and export: whatever else its directory is, it is refused as it was."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import draw_dataset, picture

from diptych.cli import main


def curate(folder: Path, out: Path, source: dict[str, str] | None = None, *options: str) -> Result:
    config = {
        "job": "curate",
        "source": source or {"kind": "folder", "path": str(folder / "in"), "captions": "none"},
        "scores": {"words": {"score": "caption_stats"}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return CliRunner().invoke(
        main, ["--progress", "none", "curate", "run", str(folder / "config.yaml"), "--out", str(out), *options]
    )


def pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(2):
        (folder / f"{number}.jpg").write_bytes(picture(number))


def tree(folder: Path) -> dict[str, bytes]:
    """Return all that lies in a folder, hidden files too, but for the config that the test itself writes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b"a folder"
        for path in folder.rglob("*")
        if path.name != "config.yaml"
    }


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("set", "set: is itself a dataset that test made; give another --out"),
        ("set/sub", "set/sub: lies inside the dataset "),
        ("set/scores/deep/run", "set/scores/deep/run: lies inside the dataset "),
        ("report", "report: is a report; give another --out"),
        ("report/run", "report/run: lies inside the report "),
        ("in", "in: lies in the source, "),
        ("in/run", "in/run: lies in the source, "),
        ("photos", "photos/pool: holds 0.jpg, which diptych has not written there; give another --out"),
        ("link/run", "link/run: lies inside the dataset "),
    ],
)
def test_a_directory_that_is_something_else_is_refused_as_it_was(out: str, told: str, tmp_path: Path) -> None:
    for name in ("in", "photos/pool"):
        pictures(tmp_path / name)
    draw_dataset(tmp_path / "set")
    (tmp_path / "link").symlink_to(tmp_path / "set")
    (tmp_path / "report").mkdir()
    (tmp_path / "report/report.json").write_text(json.dumps({"format": 1, "title": "a report"}))
    before = tree(tmp_path)
    for options in ((), ("--dry-run",)):
        result = curate(tmp_path, tmp_path / out, None, *options)
        assert result.exit_code == 1, result.output
        assert f"Error: {tmp_path}/{told}" in result.output
        assert len(result.output.splitlines()) == 1
        assert tree(tmp_path) == before


@pytest.mark.parametrize("place", ["in", "in/columns", "link/columns"])
def test_columns_do_not_go_into_the_source(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(tmp_path / "in")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    monkeypatch.setenv("DIPTYCH_COLUMNS_DIR", str(tmp_path / place))
    before = tree(tmp_path)
    result = curate(tmp_path, tmp_path / "run")
    assert result.exit_code == 1, result.output
    assert f"Error: {tmp_path / place}: the place for columns lies in the source, {tmp_path}/in, " in result.output
    assert len(result.output.splitlines()) == 1
    assert tree(tmp_path) == before


@pytest.mark.parametrize("part", ["pool", "selected"])
def test_a_run_does_not_read_what_it_writes(part: str, tmp_path: Path) -> None:
    pictures(tmp_path / "in")
    assert curate(tmp_path, tmp_path / "run").exit_code == 0
    before = tree(tmp_path)
    result = curate(tmp_path, tmp_path / "run", {"kind": "parquet", "path": f"{tmp_path}/run/{part}/data/*.parquet"})
    assert result.exit_code == 1
    assert f"/run/{part}/data/*.parquet: the source lies in {tmp_path}/run/{part}, which the run" in result.output
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("link", "to"),
    [("in/all", ""), ("in/sub/own", "run"), ("in/pool", "run/pool"), ("in/0.parquet", "run/pool/data/0")],
)
def test_a_run_is_not_read_through_a_link_in_the_source(link: str, to: str, tmp_path: Path) -> None:
    pictures(tmp_path / "in")
    (tmp_path / "run/pool/data").mkdir(parents=True)
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / to)
    before = tree(tmp_path)
    result = curate(tmp_path, tmp_path / "run")
    assert result.exit_code == 1, result.output
    assert f"Error: {tmp_path}/run: is read through a link in the source, {tmp_path}/{link}; " in result.output
    assert tree(tmp_path) == before


def test_a_link_to_pictures_beside_the_pool_is_followed(tmp_path: Path) -> None:
    pictures(tmp_path / "run/pictures")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/linked").symlink_to(tmp_path / "run/pictures")
    source = {"kind": "folder", "path": str(tmp_path / "in"), "captions": "none"}
    assert curate(tmp_path, tmp_path / "run", source).exit_code == 0


def test_a_source_beside_the_pool_is_read_again_and_again(tmp_path: Path) -> None:
    pictures(tmp_path / "run/pictures")
    source = {"kind": "folder", "path": str(tmp_path / "run/pictures"), "captions": "none"}
    for _ in range(2):
        result = curate(tmp_path, tmp_path / "run", source)
        assert result.exit_code == 0, result.output
    assert "Nothing to do" in result.output
