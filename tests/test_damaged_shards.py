"""A shard that is not what was written, before every command that reads a dataset: one line, its place, what to do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from drawn import draw_dataset
from surroundings import CALLS, furnish

from diptych.cli import main
from diptych.scores.run import ScorePlan, score_dataset

SHARD = "00000.parquet"
SCORES = "scores/image_stats-*"
TO_DO = ("diptych verify", "run again", "run the command that wrote it again")
PLAN = ScorePlan({}, {"stats": ("image_stats", {})})

COMMANDS: dict[str, str] = {
    "score": "score {0}/set image_stats",
    "select": "curate select {0}/set --where width>1",
    "evaluate": "evaluate run {0}/evaluate.yaml",
    "statistics": "evaluate statistics {0}/set --encoder projection --out {0}/set.npz",
    "distance": "evaluate distance {0}/set {0}/whole --encoder projection --metric frechet_distance",
    "report": "report build {0}/report.yaml --out {0}/site",
}
# The data that the other commands read, in the folder that ``furnish`` fills; none of them makes it again.
READ: dict[tuple[str, ...], str] = {
    ("curate", "export"): "run/pool",
    ("curate", "score"): "run/pool",
    ("evaluate", "import-evidence"): "asked",
    ("generate", "export"): "made",
    ("generate", "verify"): "made",
}
CONFIGS = {
    "evaluate.yaml": """
        {job: evaluate, store: "$/r.duckdb", datasets: {a: {path: "$/set"}}, scores: {stats: {score: image_stats}},
         means: [{score: stats.sharpness, by: []}]}
    """,
    "report.yaml": '{job: report, store: "$/r.duckdb", datasets: {a: "$/set"}}',
}


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def foreign(path: Path) -> None:
    path.write_bytes(path.with_name("00001.parquet").read_bytes() + b" ")


def footer_flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


def missing(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: tuple[Callable[[Path], None], ...] = (half, foreign, footer_flipped, missing, folder)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a scored dataset, a copy of it, and the configs that name it; it is evaluated."""
    draw_dataset(tmp_path / "whole", rows=6, rows_per_shard=3)
    score_dataset(tmp_path / "whole", PLAN, progress="none")
    shutil.copytree(tmp_path / "whole", tmp_path / "set")
    for name, text in CONFIGS.items():
        (tmp_path / name).write_text(text.replace("$", str(tmp_path)))
    assert call(tmp_path, "evaluate").exit_code == 0
    return tmp_path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that ``CALLS`` are made in."""
    return furnish(tmp_path_factory.mktemp("world"))


def call(place: Path, command: str) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *COMMANDS[command].format(place).split(" ")])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_shard_of_the_data_is_one_line_and_a_rerun_goes_on(command: str, place: Path) -> None:
    shard, whole = place / "set" / "data" / SHARD, (place / "whole" / "data" / SHARD).read_bytes()
    for damage in DAMAGES:
        damage(shard)
        result = call(place, command)
        (line,) = result.stderr.splitlines()
        assert result.exit_code == 1
        assert line.startswith(f"Error: {shard}: "), (damage, line)
        assert any(hint in line for hint in TO_DO), line
        if damage is folder:
            shard.rmdir()
        shard.write_bytes(whole)
    assert call(place, command).exit_code == 0


@pytest.mark.parametrize("words", READ, ids=" ".join)
@pytest.mark.parametrize("damage", [half, footer_flipped, missing, folder])
def test_a_damaged_shard_of_the_data_is_one_line_for_the_other_commands_too(
    words: tuple[str, ...], damage: Callable[[Path], None], world: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(shutil.copytree(world, tmp_path / "here"))
    shard = Path(READ[words], "data", SHARD)
    damage(shard)
    result = CliRunner().invoke(main, ["--progress", "none", *words, *CALLS[words].split()])
    (line,) = result.stderr.splitlines()
    assert (result.exit_code, line.startswith(f"Error: {shard}: ")) == (1, True), line
    assert any(hint in line for hint in TO_DO), line


@pytest.mark.parametrize("damage", DAMAGES)
def test_scoring_again_makes_a_damaged_shard_of_scores_again(damage: Callable[[Path], None], place: Path) -> None:
    (shard,) = (found / SHARD for found in (place / "set").glob(SCORES))
    whole, data = shard.read_bytes(), (place / "set" / "data" / SHARD).read_bytes()
    damage(shard)
    result = call(place, "score")
    if damage is folder:  # nothing of somebody else's is removed
        assert result.stderr.splitlines() == [
            f"Error: {shard}: cannot be written: a folder stands there; move it away, then run again to go on"
        ]
        shard.rmdir()
        result = call(place, "score")
    assert (result.exit_code, result.stderr) == (0, "")
    assert shard.read_bytes() == whole
    assert (place / "set" / "data" / SHARD).read_bytes() == data


@pytest.mark.parametrize("command", ["select", "statistics", "distance"])
@pytest.mark.parametrize("damage", [half, foreign, missing, folder])
def test_what_reads_all_columns_names_a_damaged_shard_of_scores(
    command: str, damage: Callable[[Path], None], place: Path
) -> None:
    (shard,) = (found / SHARD for found in (place / "set").glob(SCORES))
    damage(shard)
    result = call(place, command)
    (line,) = result.stderr.splitlines()
    assert (result.exit_code, line.startswith(f"Error: {shard}: ")) == (1, True), line
    assert any(hint in line for hint in TO_DO), line
