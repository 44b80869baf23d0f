import hashlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from drawn import draw_dataset

from diptych.cli import main
from diptych.curate.decisions import Decisions, write_decisions
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.journal import JOURNAL
from diptych.data.labels import give_labels
from diptych.data.shards import read_shard, write_shard
from diptych.data.verification import find_datasets, repair_dataset, verify_dataset
from diptych.scores.run import ScorePlan, score_dataset
from diptych.storage.local_files import LocalLocation
from diptych.storage.location import Location
from diptych.store.store import Store

PLAN = ScorePlan(
    {"small": ("projection", {"dim": 8})},
    {"similarity": ("clip_similarity", {"encoder": "small"}), "stats": ("image_stats", {})},
)
FLIPS = 200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a small run with everything that a run can leave: data, all kinds of column sets, and a store."""
    run = tmp_path_factory.mktemp("run")
    dataset = draw_dataset(run / "pool", rows=6, rows_per_shard=3)
    score_dataset(run / "pool", PLAN, progress="none")
    keep = np.array([True, False] * 3)
    write_decisions(dataset, "select", {"step": "select"}, Decisions(keep, ("no",), np.where(keep, -1, 0)), {})
    growing = GrowingSet(dataset, "evidence", "told-1", {"judge": "told"})
    growing.begin()
    for shard, file in zip(dataset.shards, dataset.files, strict=True):
        table = read_shard(file, ["key"]).append_column("seen", pa.array([["a cat"]] * shard.rows))
        growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
    growing.seal({})
    Store.open(run / "results.duckdb").close()
    return run


@pytest.fixture
def run(made: Path) -> Path:
    """Return the run; whatever a test does to its files is undone by it."""
    return made


def parts_of(run: Path) -> list[Path]:
    """Return every file that verify vouches for."""
    found = [
        path for path in run.rglob("*") if path.is_file() and path.suffix in (".parquet", ".json", ".jsonl", ".duckdb")
    ]
    return sorted(found)


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def test_a_run_as_it_was_written_is_sound(run: Path) -> None:
    found = verify_dataset(Location.at(run / "pool"))
    assert (found.problems, found.unfinished) == ([], [])
    assert found.files == len(parts_of(run)) - 1  # without the store
    assert found.bytes == sum(path.stat().st_size for path in parts_of(run) if path.suffix != ".duckdb")
    result = CliRunner().invoke(main, ["verify", str(run), str(run / "results.duckdb")])
    assert (result.exit_code, result.output.count(": ok (")) == (0, 2)


def test_each_of_200_flipped_bits_is_named(run: Path) -> None:
    generator = random.Random(10)
    parts = parts_of(run)
    kinds = set()
    for number in range(FLIPS):
        path = parts[number % len(parts)]
        whole = path.read_bytes()
        path.write_bytes(flipped(whole, generator.randrange(len(whole)), generator.randrange(8)))
        place = run if path.suffix != ".duckdb" else path
        result = CliRunner().invoke(main, ["--progress", "none", "verify", str(place)])
        path.write_bytes(whole)
        assert result.exit_code == 1, path
        assert f"{path}: is damaged" in result.output or f"{path}: line " in result.output, (path, result.output)
        kinds.add(path.relative_to(run).parts[0] if path.suffix == ".duckdb" else path.relative_to(run).parts[1])
    assert kinds == {"dataset.json", "data", "scores", "embeddings", "evidence", "decisions", "results.duckdb"}


@pytest.mark.parametrize(
    "name", ["pool/dataset.json", "pool/data/_shards.jsonl", "pool/evidence/told-1/_evidence.json"]
)
@pytest.mark.parametrize("how", ["flipped", "zeroed", "gone"])
def test_a_manifest_or_a_journal_is_written_again_from_the_other(run: Path, name: str, how: str) -> None:
    path = run / name
    whole = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(flipped(whole, len(whole) // 2, 1) if how == "flipped" else bytes(len(whole)))
    location = Location.at(run / "pool")
    found = verify_dataset(location)
    assert {problem.file.path for problem in found.problems} == {path}
    assert repair_dataset(location, found) == []
    assert path.read_bytes() == whole
    assert verify_dataset(location).problems == []


def copied(run: Path, to: Path) -> Path:
    for path in (run / "pool").rglob("*"):
        if path.is_file():
            Location.at(to / path.relative_to(run / "pool")).write(path.read_bytes())
    return to


@pytest.mark.parametrize("where", ["sha256", "size"])
def test_a_shard_that_may_not_be_read_is_not_taken_for_damaged(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    pool = copied(run, tmp_path / "pool")
    shard = pool / "data" / "00000.parquet"

    def refuse(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    if where == "sha256":
        real = LocalLocation.sha256
        monkeypatch.setattr(LocalLocation, "sha256", lambda at: refuse(at.path) if at.path == shard else real(at))
    else:
        is_file = Path.is_file
        monkeypatch.setattr(Path, "is_file", lambda path: refuse(path) if path == shard else is_file(path))
    result = CliRunner().invoke(main, ["--progress", "none", "verify", str(pool), "--repair"])
    assert (result.exit_code, shard.exists()) == (1, True)
    assert result.stderr.startswith(f"Error: {shard}: permission denied; see that this user may read")


def test_a_damaged_score_shard_is_taken_out_and_exactly_it_is_made_again(run: Path, tmp_path: Path) -> None:
    pool = copied(run, tmp_path / "pool")
    before = {path.relative_to(pool): path.read_bytes() for path in pool.rglob("*") if path.is_file()}
    (damaged,) = pool.glob("scores/image_stats-*/00001.parquet")
    damaged.write_bytes(flipped(damaged.read_bytes(), 50, 3))
    result = CliRunner().invoke(main, ["--progress", "none", "verify", str(pool), "--repair"])
    assert result.exit_code == 0, result.output
    assert (
        f"{damaged.parent}: damaged shards were moved aside; run again what made them: diptych curate run or"
        in result.output
    )
    assert not damaged.exists()
    assert score_dataset(pool, PLAN, progress="none").shards_done == 1
    assert {path.relative_to(pool): path.read_bytes() for path in pool.rglob("*") if path.name in before} == {
        name: data for name, data in before.items() if name.name in before
    }
    assert damaged.read_bytes() == before[damaged.relative_to(pool)]


def test_a_damaged_shard_of_the_data_is_taken_out_and_the_scores_of_it_stay(run: Path, tmp_path: Path) -> None:
    pool = copied(run, tmp_path / "pool")
    damaged = pool / "data" / "00000.parquet"
    damaged.write_bytes(bytes(damaged.stat().st_size))
    location = Location.at(pool)
    assert repair_dataset(location, verify_dataset(location)) == [location / "data"]
    found = verify_dataset(location)
    assert (found.problems, found.unfinished) == ([], [location / "data"])
    assert len(list(pool.glob("scores/*/00000.parquet"))) == 2


def test_a_file_that_readers_would_take_for_a_shard_is_named_and_moved_aside(run: Path, tmp_path: Path) -> None:
    pool = copied(run, tmp_path / "pool")
    stranger = pool / "data" / "00009.parquet"
    stranger.write_bytes((pool / "data" / "00000.parquet").read_bytes())
    location = Location.at(pool)
    found = verify_dataset(location)
    assert [problem.what for problem in found.problems] == [
        "is none of its shards, and readers of the directory take it for one"
    ]
    repair_dataset(location, found)
    assert not stranger.exists()
    assert (pool / "data" / ".00009.parquet.aside").read_bytes() == (pool / "data" / "00000.parquet").read_bytes()
    assert verify_dataset(location).problems == []
    stranger.write_bytes(b"another")
    repair_dataset(location, verify_dataset(location))
    assert (pool / "data" / ".00009.parquet.aside-2").read_bytes() == b"another"


def test_shards_that_nothing_says_anything_of_are_named(run: Path, tmp_path: Path) -> None:
    pool = copied(run, tmp_path / "pool")
    (scores,) = pool.glob("scores/image_stats-*")
    for place in (pool / "dataset.json", pool / "data" / JOURNAL, scores / "_score.json", scores / JOURNAL):
        place.unlink()
    found = verify_dataset(find_datasets(Location.at(tmp_path))[0])
    assert {problem.file.path for problem in found.problems} == {pool / "dataset.json", scores / "_score.json"}
    assert all(problem.what.startswith("is missing, and _shards.jsonl too") for problem in found.problems)


def test_a_column_set_of_other_data_is_not_finished(run: Path, tmp_path: Path) -> None:
    pool = copied(run, tmp_path / "pool")
    other = draw_dataset(tmp_path / "other", rows=5, rows_per_shard=3)
    score_dataset(other.path, PLAN, progress="none")
    (scores,) = pool.glob("scores/image_stats-*")
    for path in (other.path / "scores" / scores.name).iterdir():
        (scores / path.name).write_bytes(path.read_bytes())
    found = verify_dataset(Location.at(pool))
    assert (found.problems, found.unfinished) == ([], [Location.at(scores)])


def test_labels_that_were_given_half_are_no_damage(run: Path, tmp_path: Path) -> None:
    pool = copied(run, tmp_path / "pool")
    dataset = open_dataset(pool)
    (scores,) = (one for one in dataset.column_sets("scores") if one.name.startswith("image_stats"))
    before = (scores.path / JOURNAL).read_bytes()
    give_labels(dataset, {"again": scores})
    assert (scores.path / JOURNAL).read_bytes() != before
    (scores.path / JOURNAL).write_bytes(before)  # killed between the manifest and the journal
    assert verify_dataset(Location.at(pool)).problems == []


def test_a_label_costs_no_shard_where_the_journal_is_damaged(run: Path, tmp_path: Path) -> None:
    pool = copied(run, tmp_path / "pool")
    dataset = open_dataset(pool)
    (scores,) = (one for one in dataset.column_sets("scores") if one.name.startswith("image_stats"))
    whole = (scores.path / JOURNAL).read_bytes()
    for data in (b"", whole.splitlines(keepends=True)[0], flipped(whole, len(whole) - 20, 1)):
        (scores.path / JOURNAL).write_bytes(data)
        give_labels(dataset, {f"label_{len(data)}": scores})
        assert open_dataset(pool).column_set("scores", scores.name) is not None
        assert verify_dataset(Location.at(pool)).problems == []


def test_datasets_are_found_here_and_in_runs_below(run: Path, tmp_path: Path) -> None:
    assert Location.at(run / "pool") in find_datasets(Location.at(run.parent))
    assert find_datasets(Location.at(run)) == [Location.at(run / "pool")]
    assert find_datasets(Location.at(run / "pool")) == [Location.at(run / "pool")]
    assert find_datasets(Location.at(tmp_path)) == []


def test_what_is_no_dataset_is_refused_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["verify", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output == f"Error: {tmp_path}: neither a dataset directory, a directory of such, nor a store\n"
    table, seal = tmp_path / "table.csv", tmp_path / "table.csv.sha256"
    table.write_text("a,b\n1,2\n")
    seal.write_text(f"{hashlib.sha256(table.read_bytes()).hexdigest()}  table.csv\n")
    for _ in range(2):
        result = CliRunner().invoke(main, ["verify", str(table)])
        assert result.output == f"Error: {table}: neither a dataset directory, a directory of such, nor a store\n"
        seal.unlink(missing_ok=True)


def test_an_unfinished_directory_is_no_damage(tmp_path: Path) -> None:
    dataset: Dataset = draw_dataset(tmp_path, rows=4, rows_per_shard=2)
    (tmp_path / "dataset.json").unlink()
    journal = tmp_path / "data" / JOURNAL
    growing = GrowingSet(dataset, "scores", "own-1", {"score": "own"})
    growing.begin()
    assert journal.exists()
    found = verify_dataset(Location.at(tmp_path))
    assert [problem.what for problem in found.problems] == ["is missing"]  # sealed, so its manifest was there
    repair_dataset(Location.at(tmp_path), found)
    again = verify_dataset(Location.at(tmp_path))
    assert (again.problems, again.unfinished) == ([], [growing.location])
    assert open_dataset(tmp_path).rows == 4
