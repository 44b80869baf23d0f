"""Column sets of a dataset that cannot be written lie in another place, and everybody finds them there."""

import hashlib
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from drawn import draw_folder
from evaluate_configs import make_config
from evaluate_configs import run as evaluate
from own_mounts import NEEDS_MOUNT, run_with_mounts
from tiny_dataset import good_rows, make_dataset

import diptych
from diptych.addresses import COLUMNS_DIR
from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.labels import labelled_sets
from diptych.data.verification import verify_dataset
from diptych.errors import ShardError
from diptych.jobs.engine import Engine
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.storage.location import Location


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "pool", good_rows(6)).path


@pytest.fixture
def columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(COLUMNS_DIR, str(tmp_path / "columns"))
    return tmp_path / "columns"


def plan(**labels: str) -> ScorePlan:
    return ScorePlan({}, {label: (name, {}) for label, name in labels.items()})


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def home(columns: Path) -> Path:
    (found,) = columns.iterdir()
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_scores_go_there_and_nothing_is_written_beside_the_data(pool: Path, columns: Path, workers: int) -> None:
    before = digests(pool)
    done = score_dataset(pool, plan(stats="image_stats", h="hashes"), engine=Engine(workers), progress="none")
    assert digests(pool) == before
    assert {found.location.parent.parent.path for found in done.sets.values()} == {home(columns)}
    assert home(columns).name.startswith("tiny-")
    assert sorted(labelled_sets(open_dataset(pool))) == ["h", "stats"]
    assert score_dataset(pool, plan(stats="image_stats", h="hashes"), progress="none").shards_done == 0


def test_a_run_that_was_stopped_goes_on_there(pool: Path, columns: Path) -> None:
    done = score_dataset(pool, plan(h="hashes"), progress="none").sets["h"]
    place = done.location.path
    (place / "_score.json").unlink()
    lines = (place / "_shards.jsonl").read_text().splitlines(keepends=True)
    (place / "_shards.jsonl").write_text("".join(lines[:2]))  # what it begins with, and the first shard
    assert score_dataset(pool, plan(h="hashes"), progress="none").shards_done == 1


def test_data_is_found_again_wherever_it_is_mounted(pool: Path, columns: Path, tmp_path: Path) -> None:
    score_dataset(pool, plan(h="hashes"), progress="none")
    shutil.move(pool, tmp_path / "elsewhere")
    assert score_dataset(tmp_path / "elsewhere", plan(h="hashes"), progress="none").shards_done == 0


def test_two_datasets_of_one_name_are_told_apart(pool: Path, columns: Path, tmp_path: Path) -> None:
    other = make_dataset(tmp_path / "other" / "pool", good_rows(5)).path
    for place in (pool, other):
        score_dataset(place, plan(h="hashes"), progress="none")
    assert len(list(columns.iterdir())) == 2


def test_what_lies_beside_the_data_is_used_and_its_label_goes_over_to_what_was_asked_for_last(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_dataset(pool, plan(a="image_stats", b="hashes"), progress="none")
    before = digests(pool)
    monkeypatch.setenv(COLUMNS_DIR, str(tmp_path / "columns"))
    assert score_dataset(pool, plan(a="image_stats"), progress="none").shards_done == 0
    assert not (tmp_path / "columns").exists()
    done = score_dataset(pool, plan(a="caption_stats"), progress="none")
    assert done.shards_done == 2
    found = labelled_sets(open_dataset(pool))
    assert {label: each.name.rpartition("-")[0] for label, each in found.items()} == {
        "a": "caption_stats",
        "b": "hashes",
    }
    # And back again: the set beside the data cannot be given its label, so it is copied.
    assert score_dataset(pool, plan(a="image_stats"), progress="none").shards_done == 0
    found = labelled_sets(open_dataset(pool))
    assert found["a"].name.startswith("image_stats")
    assert found["a"].location.parent.parent.path == home(tmp_path / "columns")
    assert digests(pool) == before


def test_rows_of_python_and_of_sql_find_them(pool: Path, columns: Path) -> None:
    dataset = diptych.score(pool, {"stats": "image_stats"})
    assert "stats.sharpness" in dataset.columns
    assert dataset.query("count(*) AS n", "stats.sharpness >= 0")["n"].to_pylist() == [6]


def test_a_damaged_shard_there_is_found_and_made_again(pool: Path, columns: Path) -> None:
    shard = score_dataset(pool, plan(h="hashes"), progress="none").sets["h"].files[0].path
    shard.write_bytes(shard.read_bytes()[:-20])
    assert [problem.file.path for problem in verify_dataset(Location.at(pool)).problems] == [shard]
    with pytest.raises(ShardError):
        labelled_sets(open_dataset(pool))
    assert score_dataset(pool, plan(h="hashes"), progress="none").shards_done == 1


def test_an_evaluation_finds_them(tmp_path: Path, pool: Path, columns: Path) -> None:
    before = digests(pool)
    config = make_config(
        tmp_path,
        datasets={"pool": {"path": str(pool), "role": "pairs"}},
        scores={"text": {"score": "caption_stats"}},
        means=[{"score": "text.caption_words", "by": []}],
    )
    assert evaluate(config).shards_done == 2
    assert evaluate(config).shards_done == 0
    assert digests(pool) == before


def test_the_option_is_the_variable(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COLUMNS_DIR, "")  # set, so that it is put back afterwards
    done = CliRunner().invoke(main, ["--columns-dir", str(tmp_path / "columns"), "score", str(pool), "hashes"])
    assert done.exit_code == 0, done.output
    assert f"in {tmp_path / 'columns' / 'tiny-'}" in done.stdout
    assert not (pool / "scores").exists()
    assert not (pool / ".lock").exists()


@NEEDS_MOUNT
def test_a_pool_that_cannot_be_written_is_scored_curated_exported_and_shown(tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", 6)
    config = {
        "job": "curate",
        "source": {"kind": "folder", "path": "in", "captions": "none"},
        "scores": {"s": {"score": "image_stats"}},
        "select": [{"name": "big", "where": "width > 3"}],
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({"job": "report", "pools": ["again/pool"]}))
    program = f"{sys.executable} -m diptych --progress none"
    again = f"{program} --columns-dir columns curate run c.yaml --out again --set 'select.0.where=width > 30'"
    script = f"""
    {program} curate run c.yaml --out out && mkdir -p again/pool || exit 9
    mount --bind out/pool again/pool && mount -o remount,ro,bind again/pool || exit 9
    {program} score again/pool hashes; echo "code $?"
    {again}; echo "code $?"
    {again}; echo "code $?"
    {program} --columns-dir columns curate select again/pool --where "sharpness >= 0"; echo "code $?"
    {program} --columns-dir columns report build r.yaml --out report; echo "code $?"
    """
    done = run_with_mounts(script, tmp_path)
    assert [line for line in done.stdout.splitlines() if line.startswith("code")] == ["code 1", *["code 0"] * 4]
    assert done.stderr.splitlines() == [
        "Error: again/pool: cannot be written: Read-only file system; give another place, or for scores of what lies "
        "there: diptych --columns-dir DIR ..."
    ]
    assert "Nothing to do: everything is finished and nothing changed." in done.stdout
    assert open_dataset(tmp_path / "again" / "selected").rows == 6
