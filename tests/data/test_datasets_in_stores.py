"""A dataset in an object store is opened, read by columns, asked by SQL and scored from as one on this machine."""

import shutil
from pathlib import Path

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from object_store import Bucket, Fail, files_below, local_files
from tiny_dataset import Row, good_rows, make_dataset

import diptych
from diptych.addresses import COLUMNS_DIR
from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.sql import connect
from diptych.errors import DataError, ShardError
from diptych.jobs.engine import Engine
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.storage.location import Location
from diptych.storage.ranged_file import TAIL_BYTES

PLAN = ScorePlan({}, {"stats": ("image_stats", {}), "words": ("caption_stats", {})})


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of three shards with two scores."""
    dataset = make_dataset(tmp_path_factory.mktemp("local") / "pool", good_rows(9), rows_per_shard=3)
    score_dataset(dataset.path, PLAN, progress="none")
    return dataset.path


def shards_in(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in local_files(folder).items() if name.endswith(".parquet")}


def test_it_reads_as_the_same_dataset_on_this_machine(scored: Path, bucket: Bucket) -> None:
    here, there = diptych.open_dataset(scored), diptych.open_dataset(bucket.upload(scored, "runs/pool"))
    assert there.arrow().equals(here.arrow())
    assert there.arrow("stats.sharpness", "caption", rows=[7, 0]).equals(
        here.arrow("stats.sharpness", "caption", rows=[7, 0])
    )
    asked = "key, sharpness, caption_words", "sharpness > 0 AND key <> '000003'"
    assert there.query(*asked).equals(here.query(*asked))
    assert there.image(4).tobytes() == here.image(4).tobytes()
    assert there.dataset.fingerprint == here.dataset.fingerprint


def test_its_shards_are_found_by_one_listing(scored: Path, bucket: Bucket) -> None:
    address = bucket.upload(scored, "pool")
    bucket.server.clear()
    open_dataset(address)
    assert bucket.server.listings() == 1
    assert not bucket.server.asked("HEAD", ".parquet")
    assert not bucket.server.asked("GET", ".parquet")


def test_a_column_of_a_score_costs_its_bytes_and_no_picture(tmp_path: Path, bucket: Bucket) -> None:
    rows = [Row(bytes([number]) * 300_000, f"number {number}") for number in range(3)]
    local = make_dataset(tmp_path / "pool", rows, rows_per_shard=1)
    score_dataset(local.path, ScorePlan({}, {"words": ("caption_stats", {})}), progress="none")
    for name in ("by pyarrow", "by DuckDB"):
        opened = diptych.open_dataset(bucket.upload(local.path, name))
        bucket.server.clear()
        if name == "by pyarrow":
            assert opened.arrow("words.caption_words")["words.caption_words"].to_pylist() == [2, 2, 2]
        else:
            assert opened.query("max(words.caption_words) AS most").to_pylist() == [{"most": 2}]
        assert not bucket.server.asked("HEAD", ".parquet")
        assert bucket.server.asked("GET", "/scores/")
        assert bucket.server.bytes_read("/scores/") <= sum(
            path.stat().st_size for path in files_below(tmp_path / "pool/scores")
        )
        assert bucket.server.bytes_read("/data/") <= 3 * TAIL_BYTES, "the footers of three shards"


def test_sql_reads_nothing_else_of_the_store(scored: Path, bucket: Bucket) -> None:
    dataset = open_dataset(bucket.upload(scored, "pool"))
    bucket.upload(scored / "data", "secret")
    con = connect(dataset)
    inside = f"diptych-store://s3/{bucket.name}/pool/data/00000.parquet"
    assert con.sql(f"SELECT count(*) FROM read_parquet('{inside}')").fetchall() == [(3,)]
    for outside in (
        inside.replace("pool/data", "secret"),
        inside.replace("pool/", "pool/../secret/"),
        f"s3://{inside}",
    ):
        with pytest.raises(duckdb.Error):
            con.sql(f"SELECT count(*) FROM read_parquet('{outside}')").fetchall()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_scores_of_it_go_to_the_place_for_columns_and_are_the_same(
    scored: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    shutil.copytree(scored / "data", tmp_path / "pool" / "data")
    shutil.copy(scored / "dataset.json", tmp_path / "pool")
    address = bucket.upload(tmp_path / "pool", "pool")
    monkeypatch.setenv(COLUMNS_DIR, str(tmp_path / "columns"))
    bucket.server.clear()
    score_dataset(address, PLAN, engine=Engine(workers), progress="none")
    (home,) = (tmp_path / "columns").iterdir()
    assert shards_in(home / "scores") == shards_in(scored / "scores")
    assert not bucket.server.asked("PUT")
    whole = [request.path for request in bucket.server.asked("GET", ".parquet") if not request.range]
    assert len(whole) == 3, "each shard with pictures is fetched once"


def test_a_shard_of_another_size_or_with_another_footer_is_not_read(scored: Path, bucket: Bucket) -> None:
    address = bucket.upload(scored, "pool")
    shard = Location.at(address) / "data" / "00001.parquet"
    data = shard.read()
    shard.write(data[:-1])
    with pytest.raises(ShardError, match=f"^{shard}: the shard is damaged: it has"):
        open_dataset(address)
    shard.write(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    with pytest.raises(ShardError, match=f"^{shard}: is damaged: its sha256 is"):
        diptych.open_dataset(address).arrow("caption")
    shard.remove()
    with pytest.raises(ShardError, match=f"^{shard}: the shard is missing"):
        open_dataset(address)


def test_a_store_that_refuses_is_not_taken_for_a_missing_dataset(scored: Path, bucket: Bucket) -> None:
    address = bucket.upload(scored, "pool")
    bucket.server.fail("GET", "dataset.json", Fail.DENIED, times=9)
    with pytest.raises(DataError, match=f"^{address}/dataset.json: cannot be read: ") as caught:
        open_dataset(address)
    assert not isinstance(caught.value, ShardError)


def test_commands_take_its_address(
    scored: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COLUMNS_DIR, str(tmp_path))
    address = bucket.upload(scored, "pool")
    commands = {
        ("verify", address): f"{address}: ",
        ("curate", "select", address, "--where", "sharpness > 0"): "sharpness > 0",
        ("score", address, "h=hashes"): "h: ",
    }
    for command, said in commands.items():
        result = CliRunner().invoke(main, ["--progress", "none", *command])
        assert (result.exit_code, said in result.output) == (0, True), result.output
    refused = CliRunner().invoke(main, ["verify", address, "--repair"])
    assert refused.output.startswith(f"Error: {address}: --repair moves files aside, and nothing is moved in a store")


def test_it_is_evaluated_and_shown_in_a_report(scored: Path, bucket: Bucket, tmp_path: Path) -> None:
    address = bucket.upload(scored, "pool")
    values = {
        "job": "evaluate",
        "store": str(tmp_path / "results.duckdb"),
        "datasets": {"here": {"path": str(scored)}, "there": {"path": address}},
        "scores": {"stats": {"score": "image_stats"}},
        "means": [{"score": "stats.sharpness", "by": []}],
    }
    (tmp_path / "evaluate.yaml").write_text(yaml.safe_dump(values))
    found = diptych.run_evaluation(tmp_path / "evaluate.yaml").select(["dataset", "value", "n"]).to_pylist()
    here, there = found
    assert (here["dataset"], there["dataset"]) == ("here", "there")
    assert (here["value"], here["n"]) == (there["value"], there["n"])
    (tmp_path / "report.yaml").write_text(yaml.safe_dump({"job": "report", "store": values["store"]}))
    diptych.build_report(tmp_path / "report.yaml", tmp_path / "report")
    assert len(list((tmp_path / "report").rglob("*.webp")) + list((tmp_path / "report").rglob("*.jpg"))) >= 9
