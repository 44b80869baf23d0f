"""What the commands do where another process has the store open, as docs/store.md says."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from tiny_generated import Made, make_generated

from diptych.cli import main
from diptych.store.store import Store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with a store that somebody has open, and configs that name it."""
    monkeypatch.chdir(tmp_path)
    make_generated(tmp_path / "images", [Made("raw", 0)])
    judged = {"job": "evaluate", "store": "r.duckdb", "datasets": {"images": {"path": "images"}}}
    scores = {"scores": {"s": {"score": "image_stats"}}, "means": [{"score": "s.entropy"}]}
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump({**judged, **scores}))
    (tmp_path / "report.yaml").write_text(yaml.safe_dump({"job": "report", "store": "r.duckdb"}))
    Store.open(tmp_path / "r.duckdb").close()
    with duckdb.connect(str(tmp_path / "r.duckdb")):
        yield tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "evaluate results r.duckdb",
        "evaluate compare r.duckdb a b",
        "evaluate run judge.yaml",
        "report build report.yaml --out report",
    ],
)
def test_a_command_that_needs_the_store_says_who_has_it_and_does_nothing(folder: Path, command: str) -> None:
    before = sorted(folder.rglob("*"))
    done = CliRunner().invoke(main, command.split())
    said = "r.duckdb: another connection is using the store; wait until it is done, or stop it\n"
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"Error: {folder}/{said}"
    assert sorted(folder.rglob("*")) == before


def test_a_store_that_is_in_use_can_be_verified(folder: Path) -> None:
    assert CliRunner().invoke(main, ["verify", "r.duckdb"]).exit_code == 0
