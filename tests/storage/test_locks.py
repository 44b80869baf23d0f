import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from drawn import draw_dataset

from diptych.cli import main
from diptych.errors import ShardError
from diptych.storage.locks import LOCK, GivenCommand, commands_given, only_one
from diptych.verify import MAKERS


@click.command()
@click.argument("place", type=Path)
def write_there(place: Path) -> None:
    with only_one(place):
        pass


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a dataset over which somebody, in the directory around it, has computed three scores by name."""
    monkeypatch.chdir(tmp_path)
    draw_dataset(tmp_path / "pool", rows=4, rows_per_shard=2)
    for names in (["hashes"], ["image_stats"], ["image_stats"], ["hashes"]):
        result = CliRunner().invoke(main, ["--progress", "none", "score", "pool", *names])
        assert result.exit_code == 0, result.output
    return tmp_path / "pool"


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(ShardError, match="another diptych works there"), only_one(tmp_path):
        pass


def test_the_commands_that_wrote_there_are_noted_the_latest_first_each_once(given: Path) -> None:
    hashes, stats = (("--progress", "none", "score", "pool", name) for name in ("hashes", "image_stats"))
    assert commands_given(given) == [GivenCommand("score", hashes, ".."), GivenCommand("score", stats, "..")]
    assert len((given / LOCK).read_text().splitlines()) == 3


def test_a_torn_line_is_passed_over(given: Path) -> None:
    lines = (given / LOCK).read_bytes().splitlines(keepends=True)
    (given / LOCK).write_bytes(b"".join([*lines[:2], b"[1]\n", lines[2][:20]]))
    assert [command.arguments[-1] for command in commands_given(given)] == ["image_stats", "hashes"]
    assert all(json.loads(line)["name"] == "score" for line in lines)


def test_a_program_has_no_command(tmp_path: Path) -> None:
    with only_one(tmp_path):
        pass
    assert commands_given(tmp_path) == []
    assert CliRunner().invoke(write_there, [str(tmp_path)]).exit_code == 0  # of another program than diptych
    assert commands_given(tmp_path) == []


def test_verify_names_the_command_that_makes_again_what_it_took_out(given: Path) -> None:
    (damaged,) = given.glob("scores/hashes-*/00001.parquet")
    before = damaged.read_bytes()
    damaged.write_bytes(bytes(len(before)))
    result = CliRunner().invoke(main, ["--progress", "none", "verify", "pool", "--repair", "--json"])
    assert result.exit_code == 0, result.output
    (entry,) = json.loads(result.output)
    first, _ = entry["made_again_by"][str(damaged.parent.relative_to(given.parent))]
    assert first == "diptych --progress none score pool hashes"
    assert CliRunner().invoke(main, first.split()[1:]).exit_code == 0
    assert damaged.read_bytes() == before


def test_the_commands_that_verify_names_are_commands() -> None:
    for name in {maker for makers in MAKERS.values() for maker in makers}:
        group: click.Command | None = main
        for word in name.split():
            assert isinstance(group, click.Group)
            group = group.get_command(click.Context(group), word)
        assert group is not None, name


@pytest.mark.parametrize("place", ["prompts.txt", "prompts.txt/out"])
def test_a_file_in_the_place_of_a_folder_is_told(place: str, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").touch()
    with pytest.raises(ShardError, match="a file stands there or above it; give a folder"), only_one(tmp_path / place):
        pass
