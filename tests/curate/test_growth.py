"""``curate run`` over an input that grows, and over a web that had a bad day."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import picture
from fault_server import Fault, FaultServer, Route
from ingested import write_urls

from diptych.cli import main
from diptych.data.dataset import open_dataset


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)], catch_exceptions=False)


def write_config(folder: Path) -> Path:
    config = {
        "job": "curate",
        "source": {"kind": "url_table", "path": str(folder / "table.parquet")},
        "rows_per_shard": 3,
        "download": {"allow_private_addresses": True, "threads": 4, "retries": 0},
        "scores": {"hashes": {"score": "hashes"}, "words": {"score": "caption_stats"}},
        "dedup": {"perceptual": "phash_imagehash"},
        "select": [{"name": "told", "where": "caption_words > 1"}],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


def parts(out: Path) -> dict[str, int]:
    """Return when each shard of data and scores was written."""
    paths = [*(out / "pool/data").glob("*.parquet"), *(out / "pool/scores").glob("*/*.parquet")]
    return {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in paths}


def selected(out: Path) -> dict[str, Any]:
    return {file.name: file.read() for file in open_dataset(out / "selected").files}


def test_an_input_that_has_grown_costs_only_what_is_new(tmp_path: Path) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    with FaultServer({f"/{row}.jpg": picture(row) for row in range(10)}) as server:
        urls = [server.url(f"/{row}.jpg") for row in range(10)]
        write_urls(tmp_path / "table.parquet", urls[:6])
        assert call("curate", "run", config, "--out", out).exit_code == 0
        before = parts(out)
        write_urls(tmp_path / "table.parquet", urls)

        refused = call("curate", "run", config, "--out", out)
        assert refused.exit_code == 1
        assert refused.output == (
            f"Error: {out}/pool: made from another input: 4 rows new; "
            "add what is new with --extend, or give another --out\n"
        )
        told = call("curate", "run", config, "--out", out, "--extend", "--dry-run")
        assert "rows    10 (4 new, in 2 shards to make)" in told.output
        assert len(server.requests) == 6

        summary = json.loads(call("curate", "run", config, "--out", out, "--extend", "--json").output)
        assert (summary["ingest"]["rows"], summary["ingest"]["rows_made"]) == (10, 4)
        assert (summary["score"]["shards"], summary["score"]["shards_done"]) == (4, 2)
        assert len(server.requests) == 10
        assert before.items() <= parts(out).items(), "shards and scores that were there are not touched"
        assert "rows    10 (all there already)" in call("curate", "run", config, "--out", out, "--dry-run").output
        assert call("curate", "run", config, "--out", tmp_path / "at-once").exit_code == 0
    assert selected(out) == selected(tmp_path / "at-once")


def test_rows_that_the_input_has_no_longer_are_said_before_and_after(tmp_path: Path) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    with FaultServer({f"/{row}.jpg": picture(row) for row in range(3)}) as server:
        urls = [server.url(f"/{row}.jpg") for row in range(3)]
        write_urls(tmp_path / "table.parquet", urls, ["a cat", "a dog", "a fish"])
        assert "no longer" not in call("curate", "ingest", config, "--out", out).output
        write_urls(tmp_path / "table.parquet", urls, ["a cat", "a new caption", "another one"])
        told = call("curate", "run", config, "--out", out, "--extend", "--dry-run").output
        assert (
            "rows    3 (2 new, in 1 shard to make)\ngone    2 rows of the pool, no longer in the input; they stay\n"
            in told
        )
        said, gone = "5 rows, 5 images", "; no longer in the input: 2 rows"
        extended = call("curate", "ingest", config, "--out", out, "--extend").output
        assert extended == f"ingest  done  {said}; 3 of 5 rows were there already{gone}\n"
        assert call("curate", "ingest", config, "--out", out).output == f"ingest  kept  {said}{gone}\n"
        summary = json.loads(call("curate", "run", config, "--out", out, "--json").output)
        assert summary["ingest"]["rows_gone"] == 2


def test_rows_that_failed_for_a_day_are_asked_for_again_and_just_their_shards_are_scored_anew(tmp_path: Path) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    routes: dict[str, Route] = {f"/{row}.jpg": picture(row) for row in range(9)}
    routes["/4.jpg"] = [Fault(status=503), Fault(body=picture(4))]
    with FaultServer(routes) as server:
        write_urls(tmp_path / "table.parquet", [server.url(f"/{row}.jpg") for row in range(9)])
        assert "server_error 1" in call("curate", "run", config, "--out", out).output
        before = parts(out)
        told = call("curate", "run", config, "--out", out, "--retry", "transient", "--dry-run")
        assert "retry   1 row to ask for again, in 1 shard" in told.output
        assert call("curate", "ingest", config, "--out", out, "--retry", "timeout, server_error").exit_code == 0
        assert [request.path for request in server.requests[9:]] == ["/4.jpg"]
        assert "9 of 9 rows kept" in call("curate", "run", config, "--out", out).output
        after = parts(out)
        assert {path for path in before if before[path] != after[path]} == {
            path for path in before if path.endswith("00001.parquet")
        }
        assert call("curate", "run", config, "--out", tmp_path / "at-once").exit_code == 0
    assert selected(out) == selected(tmp_path / "at-once")


@pytest.mark.parametrize("command", ["run", "ingest"])
def test_a_status_that_is_none_is_one_line(command: str, tmp_path: Path) -> None:
    result = call("curate", command, write_config(tmp_path), "--out", tmp_path / "out", "--retry", "transiant")
    assert result.exit_code == 1
    assert result.output.startswith("Error: --retry: unknown status 'transiant'; did you mean 'transient'")
