"""The demo from end to end, as a newcomer runs it."""

import json
import shlex
import socket
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from diptych.config import load
from diptych.curate.config import CurateConfig
from diptych.dataset import open_dataset
from diptych.demo import cli
from diptych.demo.web import DEFAULT_ROWS
from diptych.errors import ConfigError
from diptych.shards import read_shard

ROWS = "150"


def run(out: Path, *options: str) -> Result:
    return CliRunner().invoke(cli.demo, ["--out", str(out), "--rows", ROWS, *options])


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Run the demo once, with a deadline that the URLs without an answer do not hold up."""
    folder = tmp_path_factory.mktemp("demo")
    quick = folder / "curate.yaml"
    quick.write_text(cli.config_path().read_text(encoding="utf-8").replace("deadline_s: 4", "deadline_s: 1.5"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "config_path", lambda: quick)
        result = run(folder / "out")
    assert result.exit_code == 0, (result.output, result.exception)
    return folder / "out", result


def test_command_is_printed_as_it_can_be_typed(first: tuple[Path, Result]) -> None:
    out, result = first
    line = next(line for line in result.stdout.splitlines() if line.startswith("$ "))
    words = shlex.split(line)
    assert words[1:4] == ["diptych", "curate", "run"]
    assert Path(words[4]).is_file()
    assert words[5:] == [
        "--out",
        str(out / "run"),
        "--set",
        f"source.path={out / 'web' / 'urls.parquet'}",
        "--set",
        "download.allow_private_addresses=true",
    ]


def test_funnel_and_place_of_the_result_are_printed(first: tuple[Path, Result]) -> None:
    out, result = first
    assert "readable" in result.stdout
    assert "duplicate" in result.stdout
    assert f"The curated pairs are in {out / 'run' / 'selected'}" in result.stdout
    assert open_dataset(out / "run" / "selected").rows > 30


def test_every_row_of_the_pool_has_the_status_that_the_truth_foretells(first: tuple[Path, Result]) -> None:
    out, _ = first
    truth = pq.read_table(out / "web" / "truth.parquet", columns=["url", "status"])
    pool = open_dataset(out / "run" / "pool")
    found = {
        row["url"]: row["status"] for file in pool.files for row in read_shard(file, ["url", "status"]).to_pylist()
    }
    assert found == dict(zip(*(truth[name].to_pylist() for name in ("url", "status")), strict=True))


def test_rules_lose_what_they_are_for_and_little_else(first: tuple[Path, Result]) -> None:
    _, result = first
    lines = result.stdout.partition("What the rules kept")[2].splitlines()[2:]
    kept = {line.split()[0]: (int(line.split()[1]), int(line.split()[2])) for line in lines if line and line[16] == " "}
    for fault in ("blurred", "tiny", "other_language", "file_name", "no_caption", "not_found", "html", "truncated"):
        assert kept[fault][1] == 0, fault
    rows, sound = kept["none"]
    assert sound >= 0.9 * rows


def test_second_run_finds_everything_done(first: tuple[Path, Result]) -> None:
    out, _ = first
    again = run(out)
    assert again.exit_code == 0, (again.output, again.exception)
    assert "Nothing to do" in again.stdout
    assert again.stdout.partition("What the rules kept")[2] == first[1].stdout.partition("What the rules kept")[2]


def test_other_number_of_rows_in_the_same_directory_is_refused(first: tuple[Path, Result]) -> None:
    out, _ = first
    result = CliRunner().invoke(cli.demo, ["--out", str(out), "--rows", "200"])
    assert isinstance(result.exception, ConfigError)
    assert "is a demo web of 150 rows, not 200; give another --out or --rows 150" in str(result.exception)


def test_taken_port_of_an_earlier_run_is_said_in_one_line(first: tuple[Path, Result]) -> None:
    out, _ = first
    port = json.loads((out / "web" / "web.json").read_text())["port"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        result = run(out)
    assert isinstance(result.exception, ConfigError)
    assert f"cannot serve on 127.0.0.1:{port}" in str(result.exception)


def test_damaged_state_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "web.json").write_text("{}")
    result = run(tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert f"delete {tmp_path}" in str(result.exception)


def test_config_is_found_and_fits_as_it_stands() -> None:
    path = cli.config_path()
    assert path.is_file()
    config = load(path, CurateConfig)
    assert set(config.scores) == {"image", "text", "hashes"}
    assert not config.encoders


def test_default_number_of_rows_is_that_of_the_web() -> None:
    option = next(option for option in cli.demo.params if option.name == "rows")
    assert isinstance(option, click.Option)
    assert option.default == cli.DEFAULT_ROWS == DEFAULT_ROWS
