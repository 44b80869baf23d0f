"""Evaluations whose results lie in an object store: written on this machine, and uploaded whole."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from drawn import picture
from evaluate_configs import call, call_json, make_config, run, write_config
from object_store import ATTEMPTS, Bucket, Fail
from PIL import Image
from tiny_generated import made_grid, make_generated

from diptych.api import open_store
from diptych.cli import main
from diptych.errors import DataError, StoreInUse
from diptych.storage.location import Location
from diptych.store.store import Store

MEANS = {"scores": {"words": {"score": "caption_stats"}}, "means": [{"score": "words.caption_words"}]}


@pytest.fixture
def config(bucket: Bucket, tmp_path: Path) -> dict[str, Any]:
    """An evaluation of generated images, everything of it in a bucket."""
    make_generated(tmp_path / "generated", made_grid(prompts=3, samples=2))
    address = bucket.upload(tmp_path / "generated", "generated")
    config = make_config(tmp_path, **MEANS)
    config["datasets"]["generated"]["path"] = address
    return {**config, "store": f"{bucket.address}/results/store.duckdb"}


def digest_of(address: Any) -> str:
    with open_store(address) as store:
        return store.digest()


def test_results_are_those_of_a_store_on_this_machine(config: dict[str, Any], bucket: Bucket, tmp_path: Path) -> None:
    for name in ("store.duckdb", ".sha256"):
        bucket.server.fail("PUT", name, Fail.CUT, times=ATTEMPTS - 1)
    run(config)
    run({**config, "store": str(tmp_path / "store.duckdb")})
    assert digest_of(config["store"]) == digest_of(tmp_path / "store.duckdb")
    written = bucket.files("results")
    assert sorted(written) == ["store.duckdb", "store.duckdb.sha256"]
    assert call("verify", config["store"]).exit_code == 0
    given = write_config(tmp_path, config)
    assert f"in {config['store']}" in call("evaluate", "run", given).output
    (first, *_) = call_json("evaluate", "results", config["store"])["results"]
    assert first["metric"] == "words.caption_words"
    assert digest_of(config["store"]) == digest_of(tmp_path / "store.duckdb")
    bucket.server.clear()
    Store.open(config["store"]).close()
    assert not bucket.server.asked("PUT")


def test_two_models_of_a_remote_store_are_compared(config: dict[str, Any]) -> None:
    run(config)
    models = [row["groups"]["model"] for row in call_json("evaluate", "results", config["store"])["results"]]
    a, b = sorted(set(models))[:2]
    for more in ([], ["--other", config["store"]]):
        told = call_json("evaluate", "compare", config["store"], a, b, *more)
        assert told["differences"]


def test_a_store_that_goes_on_failing_keeps_what_was_there(config: dict[str, Any], bucket: Bucket) -> None:
    run(config)
    before = bucket.files("results")
    bucket.server.fail("PUT", "store.duckdb", Fail.DENIED, times=99)
    with pytest.raises(DataError, match=f"^{config['store']}: cannot be written: .*; give credentials that may"):
        run({**config, "name": "other"})
    bucket.server.clear()
    after = bucket.files("results")
    assert after["store.duckdb"] == before["store.duckdb"]
    run({**config, "name": "other"})
    with open_store(config["store"]) as store:
        assert [row["name"] for row in store.query("SELECT name FROM runs ORDER BY name")] == ["other", "tiny"]


def test_what_somebody_else_wrote_meanwhile_is_not_written_over(config: dict[str, Any]) -> None:
    run(config)
    with pytest.raises(StoreInUse, match=f"^{config['store']}: somebody else has written it meanwhile; run again"):
        write_twice(config["store"])
    assert Location.at(config["store"]).read() == b"of somebody else"


def write_twice(address: str) -> None:
    with Store.open(address) as store:
        store.insert_identity({"metric": "another"})
        Location.at(address).write(b"of somebody else")


def test_a_place_where_nothing_is_written_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    given = write_config(tmp_path, {**config, "store": "hf://datasets/a/b/store.duckdb"})
    result = CliRunner().invoke(main, ["evaluate", "run", str(given)])
    assert "nothing is written in a store of this kind; give another place" in result.output


def test_a_config_in_a_store_is_run_and_what_is_wrong_with_it_named(config: dict[str, Any], bucket: Bucket) -> None:
    address = f"{bucket.address}/words.yaml"
    bucket.put("words.yaml", yaml.safe_dump(config).encode())
    assert call("evaluate", "run", address).exit_code == 0
    assert f"{address}: ok (job evaluate" in call("validate", address).output
    bucket.put("words.yaml", yaml.safe_dump({**config, "means": [{"scor": "words.caption_words"}]}).encode())
    for command in (["evaluate", "run"], ["validate"]):
        said = call(*command, address).output
        assert re.search(rf"^(Error: )?{address}:\d+:\d+: unknown key 'means.0.scor'", said, re.MULTILINE), said
    absent = f"{bucket.address}/absent.yaml"
    assert f"{absent}: no such file" in call("validate", absent).output


@pytest.mark.parametrize("kind", ["dataset", "folder", "array", "statistics"])
def test_distances_are_those_between_sets_on_this_machine(kind: str, bucket: Bucket, tmp_path: Path) -> None:
    make_generated(tmp_path / "dataset", made_grid(prompts=3, samples=2))
    (tmp_path / "folder").mkdir()
    for number in range(6):
        (tmp_path / "folder" / f"{number}.png").write_bytes(picture(number))
    (tmp_path / "folder" / "about.txt").write_text("no picture")
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(picture(n))).convert("RGB").resize((9, 9))) for n in range(6)])
    np.savez(tmp_path / "array.npz", arr_0=pixels)
    encoder = ("--encoder", "projection")
    name = kind if kind in ("dataset", "folder") else f"{kind}.npz"
    call_json("evaluate", "statistics", tmp_path / "folder", *encoder, "--out", tmp_path / "statistics.npz")
    call_json("evaluate", "statistics", tmp_path / "folder", *encoder, "--out", f"{bucket.address}/statistics.npz")
    bucket.upload(tmp_path, "all")
    metric = ("--metric", "frechet_distance", "--metric", "kid")
    here = call_json("evaluate", "distance", tmp_path / name, tmp_path / "folder", *encoder, *metric)
    there = call_json(
        "evaluate", "distance", f"{bucket.address}/all/{name}", f"{bucket.address}/all/folder", *encoder, *metric
    )
    assert there["values"] == here["values"]
    assert there["a"]["path"] == f"{bucket.address}/all/{name}"
    given = call_json("evaluate", "distance", tmp_path / name, f"{bucket.address}/statistics.npz", *encoder, *metric)
    assert given["values"].keys() == here["values"].keys()
    bucket.server.clear()
    nowhere = ("--out", "s3://no-such-bucket/x.npz")
    said = call("evaluate", "statistics", f"{bucket.address}/all/folder", *encoder, *nowhere).output
    assert said.startswith("Error: s3://no-such-bucket: there is no such bucket")
    assert bucket.server.bytes_read() == 0
    absent = call("evaluate", "distance", f"{bucket.address}/absent", tmp_path / "folder", *encoder)
    assert (absent.exit_code, len(absent.output.splitlines())) == (1, 1)
