"""OUT in an object store: what a local run writes, byte for byte, whatever is killed and whatever the store refuses."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ingested
import pytest
import yaml
from click.testing import CliRunner
from ingested import draw_folder, make_config
from object_store import ATTEMPTS, Bucket, Fail, local_files
from tiny_dataset import good_rows, make_dataset

from diptych.cli import main
from diptych.curate.config import CurateConfig
from diptych.curate.ingest import run as run_module
from diptych.curate.ingest.part import ingest_part
from diptych.curate.ingest.run import IngestOptions, ingest
from diptych.data.dataset import open_dataset
from diptych.data.markers import MARKERS
from diptych.data.verification import verify_dataset
from diptych.errors import ConfigError, DataError, ShardError
from diptych.jobs import run_job
from diptych.parts import JobPart
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.storage.location import Location
from diptych.storage.locks import only_one

SHARDS = 4
# Of which half a dozen are for each shard and column set; the others are listings and manifests.
MOST_REQUESTS = {"ingest": 45, "run": 330, "again": 70}
PLAN = ScorePlan({}, {"stats": ("image_stats", {}), "words": ("caption_stats", {})})


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> CurateConfig:
    """Four pictures in four shards."""
    folder = tmp_path_factory.mktemp("source") / "in"
    draw_folder(folder, range(SHARDS))
    return make_config({"kind": "folder", "path": folder}, rows_per_shard=1)


@pytest.fixture(scope="module")
def pool(config: CurateConfig, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a pool that was made of them on this machine."""
    folder = tmp_path_factory.mktemp("local") / "pool"
    ingested.run(config, folder)
    return local_files(folder)


def killing(killed_after: int | None) -> Callable[..., Iterator[Any]]:
    """Return ``run_job`` that is killed after so many shards; the next lies there, and nobody has noted it."""

    def killed(*args: Any, **named: Any) -> Iterator[Any]:
        for number, outcome in enumerate(run_job(*args, **named)):
            if number == killed_after:
                raise KeyboardInterrupt
            yield outcome

    return killed


def test_a_pool_is_written_as_on_this_machine(config: CurateConfig, pool: dict[str, bytes], bucket: Bucket) -> None:
    with only_one(f"{bucket.address}/pool"):
        ingest(config, f"{bucket.address}/pool", progress="none")
    assert len(bucket.server.requests) <= MOST_REQUESTS["ingest"]
    assert bucket.files("pool") == pool
    assert not verify_dataset(Location.at(f"{bucket.address}/pool")).problems
    bucket.server.clear()
    assert ingest(config, f"{bucket.address}/pool", progress="none").rows_made == 0
    assert not bucket.server.asked("PUT")
    assert not bucket.server.asked("GET", ".parquet")


@pytest.mark.parametrize("killed_after", [0, 2])
def test_a_run_that_was_killed_loses_the_shard_in_flight_and_no_other(
    config: CurateConfig,
    pool: dict[str, bytes],
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    killed_after: int,
) -> None:
    address = f"{bucket.address}/pool"
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "run_job", killing(killed_after))
        with pytest.raises(KeyboardInterrupt):
            ingest(config, address, progress="none")
    with pytest.raises(ShardError, match="not a finished dataset directory: it is not finished"):
        open_dataset(address)
    assert len((Location.at(address) / "data" / MARKERS).children()) == killed_after
    bucket.server.clear()
    ingest(config, address, progress="none")
    shards, markers = (bucket.server.asked("PUT", part) for part in ("/data/0", MARKERS))
    assert len(shards) == len(markers) == SHARDS - killed_after
    assert bucket.files("pool") == pool


def test_a_store_that_fails_for_a_moment_changes_no_byte(
    config: CurateConfig, pool: dict[str, bytes], bucket: Bucket
) -> None:
    faults = {
        "00000.parquet": Fail.CUT,
        "00001.parquet": Fail.UNAVAILABLE,
        "00002.parquet.json": Fail.CUT,
        "00003.parquet.json": Fail.UNAVAILABLE,
        "dataset.json": Fail.UNAVAILABLE,
    }
    for ending, how in faults.items():
        bucket.server.fail("PUT", ending, how)
    ingest(config, f"{bucket.address}/pool", progress="none")
    assert not any(fault.times for fault in bucket.server.failing)
    assert bucket.files("pool") == pool


@pytest.mark.parametrize("killed_after", [0, 2, None])
def test_listings_that_are_behind_change_no_byte(
    config: CurateConfig,
    pool: dict[str, bytes],
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    killed_after: int | None,
) -> None:
    address = f"{bucket.address}/pool"
    bucket.server.is_behind = True
    try:
        with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt), only_one(address):
            patch.setattr(run_module, "run_job", killing(killed_after))
            ingest(config, address, progress="none")
        with only_one(address):
            ingest(config, address, progress="none")
        score_dataset(address, PLAN, progress="none")
    finally:
        bucket.server.catch_up()
    written = {name: data for name, data in bucket.files("pool").items() if not name.startswith("scores/")}
    assert written == pool
    with only_one(address):
        assert ingest(config, address, progress="none").rows_made == 0
    assert not verify_dataset(Location.at(address)).problems


def test_a_store_that_goes_on_failing_ends_the_run_and_the_next_one_goes_on(
    config: CurateConfig, pool: dict[str, bytes], bucket: Bucket
) -> None:
    address = f"{bucket.address}/pool"
    bucket.server.fail("PUT", "00002.parquet", Fail.DENIED, times=99)
    with pytest.raises(DataError, match=rf"^{address}/data/00002\.parquet: cannot be written: .*run again to go on$"):
        ingest(config, address, progress="none")
    bucket.server.clear()
    ingest(config, address, progress="none")
    assert not bucket.server.asked("PUT", "00000.parquet")
    assert bucket.files("pool") == pool


def test_parts_write_into_one_place_and_the_last_run_finishes_it(
    config: CurateConfig, pool: dict[str, bytes], bucket: Bucket
) -> None:
    address = f"{bucket.address}/pool"
    assert [ingest_part(config, address, JobPart(number, 2), progress="none").made for number in (2, 1)] == [2, 2]
    assert ingest(config, address, progress="none").rows_made == 0
    assert bucket.files("pool") == pool


def test_scores_are_written_beside_the_data(bucket: Bucket, tmp_path: Path) -> None:
    local = make_dataset(tmp_path / "pool", good_rows(2), rows_per_shard=1)
    address = bucket.upload(local.path, "pool")
    score_dataset(local.path, PLAN, progress="none")
    bucket.server.fail("PUT", "00001.parquet", Fail.UNAVAILABLE, times=ATTEMPTS - 1)
    score_dataset(address, PLAN, progress="none")
    assert bucket.files("pool") == local_files(local.path)
    bucket.server.clear()
    assert score_dataset(address, PLAN, progress="none").shards_done == 0
    assert not [request for request in bucket.server.asked("GET", "/scores/") if request.path.endswith(".parquet")]


@pytest.mark.slow  # some hundred requests
def test_a_curation_runs_from_end_to_end(bucket: Bucket, tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(6))
    values = {
        "job": "curate",
        "source": {"kind": "folder", "path": str(tmp_path / "in")},
        "rows_per_shard": 2,
        "scores": {"hashes": {"score": "hashes"}, "words": {"score": "caption_stats"}},
        "dedup": {"perceptual": "hashes.phash_imagehash", "radius": 4},
        "select": [{"name": "told", "where": "words.caption_words > 1"}],
    }
    (tmp_path / "curate.yaml").write_text(yaml.safe_dump(values))

    def run(out: str | Path, *further: str) -> str:
        command = ["--progress", "none", "curate", "run", str(tmp_path / "curate.yaml"), "--out", str(out), *further]
        return CliRunner().invoke(main, command).output

    run(tmp_path / "run")
    bucket.server.clear()
    run(f"{bucket.address}/run")
    assert len(bucket.server.requests) <= MOST_REQUESTS["run"]
    assert bucket.files("run") == local_files(tmp_path / "run")
    bucket.server.clear()
    assert "Nothing to do" in run(f"{bucket.address}/run")
    assert len(bucket.server.requests) <= MOST_REQUESTS["again"], len(bucket.server.requests)
    refused = run(f"{bucket.address}/run", "--set", "select.0.where=words.caption_words > 9 OR true")
    assert f"{bucket.address}/run/selected: holds the export of another selection" in refused


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_kills_and_faults_between_change_no_byte(bucket: Bucket, tmp_path: Path) -> None:
    draw_folder(tmp_path / "in", range(60))
    values = {
        "job": "curate",
        "source": {"kind": "folder", "path": str(tmp_path / "in")},
        "rows_per_shard": 3,
        "scores": {"words": {"score": "caption_stats"}, "stats": {"score": "image_stats"}},
    }
    (tmp_path / "curate.yaml").write_text(yaml.safe_dump(values))

    def start(out: str | Path) -> subprocess.Popen[bytes]:
        program = [sys.executable, "-P", "-m", "diptych", "--progress", "none", "curate", "run"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")}
        return subprocess.Popen([*program, str(tmp_path / "curate.yaml"), "--out", str(out)], env=environment)

    assert start(tmp_path / "run").wait(300) == 0
    chance = random.Random(7)
    for how in [Fail.UNAVAILABLE, Fail.CUT] * 5:
        bucket.server.clear()
        bucket.server.fail("PUT", chance.choice([".parquet", ".json"]), how, times=chance.choice([1, ATTEMPTS - 1]))
        process, killed_at = start(f"{bucket.address}/run"), chance.randrange(60, 320)
        while process.poll() is None and len(bucket.server.requests) < killed_at:
            time.sleep(0.02)
        process.kill()
        process.wait(60)
    assert start(f"{bucket.address}/run").wait(300) == 0
    assert bucket.files("run") == local_files(tmp_path / "run")


def test_what_a_store_cannot_do_is_refused_in_one_line(config: CurateConfig, bucket: Bucket) -> None:
    with pytest.raises(ConfigError, match=f"^--retry: {bucket.address}/pool: nothing is replaced at once in a store"):
        ingest(config, f"{bucket.address}/pool", IngestOptions(retry=frozenset({"timeout"})), progress="none")


def test_another_dataset_there_is_not_written_over(config: CurateConfig, bucket: Bucket, tmp_path: Path) -> None:
    make_dataset(tmp_path / "pool", good_rows(2))
    address = bucket.upload(tmp_path / "pool", "pool")
    before = bucket.files("pool")
    with pytest.raises(ShardError, match=f"^{address}: holds a dataset that test made, and ingest would lose it"):
        ingest(config, address, progress="none")
    with pytest.raises(ShardError, match=f"^{address}/inner: lies inside the dataset {address}; give a place outside"):
        ingest(config, f"{address}/inner", progress="none")
    assert bucket.files("pool") == before
