"""Parts of a pool, made by several at once into one place, give the bytes of one run."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ingested
import pytest
from ingested import draw_folder, make_config, pool_files

from diptych.curate.config import CurateConfig
from diptych.curate.ingest import part as part_module
from diptych.curate.ingest import run as run_module
from diptych.curate.ingest.part import ingest_part
from diptych.curate.ingest.run import IngestRun
from diptych.data.markers import MARKERS
from diptych.errors import ShardError
from diptych.jobs import run_job
from diptych.parts import WHOLE_JOB, JobPart, PartOutcome
from diptych.storage.locks import only_one

PARTS = 4


@pytest.fixture
def config(tmp_path: Path) -> CurateConfig:
    """Twenty pictures in ten shards."""
    draw_folder(tmp_path / "in", range(20))
    return make_config({"kind": "folder", "path": tmp_path / "in"}, rows_per_shard=2)


def stopped(*args: Any, **named: Any) -> Iterator[Any]:
    """Do one task and be killed."""
    yield next(run_job(*args, **named))
    raise KeyboardInterrupt


def run(config: CurateConfig, pool: Path) -> IngestRun:
    """Make all of it, alone."""
    with only_one(pool):
        return ingested.run(config, pool)


def do(config: CurateConfig, pool: Path, number: int, of: int = PARTS) -> PartOutcome:
    part = JobPart(number, of)
    with only_one(pool, part):
        return ingest_part(config, pool, part, progress="none")


def test_four_parts_at_once_and_a_run_that_finishes_them_give_the_bytes_of_one(
    config: CurateConfig, tmp_path: Path
) -> None:
    run(config, tmp_path / "one")
    with ThreadPoolExecutor(PARTS) as threads:
        done = list(threads.map(lambda number: do(config, tmp_path / "four", number), range(1, PARTS + 1)))
    assert [(one.made, one.own, one.shards) for one in done] == [(3, 3, 10), (3, 3, 10), (2, 2, 10), (2, 2, 10)]
    assert max(one.finished for one in done) == 10
    assert len(list((tmp_path / "four/data" / MARKERS).iterdir())) == 10
    assert run(config, tmp_path / "four").rows_made == 0
    assert pool_files(tmp_path / "four") == pool_files(tmp_path / "one")


def test_a_part_that_was_stopped_goes_on_and_whoever_finishes_makes_what_none_made(
    config: CurateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(config, tmp_path / "one")

    with monkeypatch.context() as patch:
        patch.setattr(part_module, "run_job", stopped)
        with pytest.raises(KeyboardInterrupt):
            do(config, tmp_path / "four", 1)
    assert do(config, tmp_path / "four", 1) == PartOutcome(made=2, own=3, finished=3, shards=10)
    assert do(config, tmp_path / "four", 1) == PartOutcome(made=0, own=3, finished=3, shards=10)
    assert run(config, tmp_path / "four").rows_made == 14
    assert pool_files(tmp_path / "four") == pool_files(tmp_path / "one")
    assert do(config, tmp_path / "four", 2) == PartOutcome(made=0, own=3, finished=10, shards=10)


def test_a_damaged_shard_of_its_own_is_made_again(config: CurateConfig, tmp_path: Path) -> None:
    run(config, tmp_path / "one")
    for number in (1, 2):
        do(config, tmp_path / "two", number, of=2)
    (tmp_path / "two/data/00003.parquet").write_bytes(b"torn")
    assert (do(config, tmp_path / "two", 1, of=2).made, do(config, tmp_path / "two", 2, of=2).made) == (0, 1)
    run(config, tmp_path / "two")
    assert pool_files(tmp_path / "two") == pool_files(tmp_path / "one")


def test_a_part_goes_on_with_what_one_run_began(
    config: CurateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(config, tmp_path / "one")
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "run_job", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(config, tmp_path / "begun")
    done = [do(config, tmp_path / "begun", number) for number in range(1, PARTS + 1)]
    assert sum(one.made for one in done) == 9
    run(config, tmp_path / "begun")
    assert pool_files(tmp_path / "begun") == pool_files(tmp_path / "one")


def test_what_was_begun_from_another_input_is_refused(config: CurateConfig, tmp_path: Path) -> None:
    do(config, tmp_path / "pool", 1)
    draw_folder(tmp_path / "in", range(21))
    with pytest.raises(ShardError, match="made from another input"):
        do(config, tmp_path / "pool", 2)


def test_the_same_part_runs_once_at_a_time_and_never_beside_a_whole_run(tmp_path: Path) -> None:
    parts = JobPart(1, 2), JobPart(2, 2)

    def refused(part: JobPart) -> str:
        with pytest.raises(ShardError) as caught, only_one(tmp_path, part):
            pass
        return str(caught.value)

    with only_one(tmp_path, parts[0]), only_one(tmp_path, parts[1]):
        assert refused(parts[0]) == f"{tmp_path}: another diptych makes part 1/2 there; wait for it, or stop it"
        assert refused(WHOLE_JOB) == f"{tmp_path}: another diptych works there; wait for it, or stop it"
    with only_one(tmp_path):
        assert refused(parts[0]) == f"{tmp_path}: another diptych works there; wait for it, or stop it"
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
