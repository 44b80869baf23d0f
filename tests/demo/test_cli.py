"""The demo from end to end, as a newcomer runs it."""

import hashlib
import html
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from diptych.cli import CONFIGS
from diptych.config.load import load, read_job
from diptych.config.overrides import path_setting
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.demo import cli
from diptych.errors import ConfigError
from diptych.lookup import import_attribute
from diptych.ready_configs import config_path
from diptych.store.store import Store

ROWS = "150"
CONFIG_NAMES = (
    "curate.yaml",
    "held_out.yaml",
    "generate.yaml",
    "occupations.yaml",
    "evaluate.yaml",
    "drawn.yaml",
    "questions.yaml",
    "report.yaml",
)

# The same loop with less of everything, and a deadline that the URLs without an answer do not hold up.
LESS = {
    "deadline_s: 4": "deadline_s: 1.5",
    "per_category: 8, categories: [single, count, pair, relation]": "per_category: 2, categories: [single, relation]",
    "steps: [6, 10], guidance: [2.0, 5.0]": "steps: [3], guidance: [2.0]",
    "steps: 10, guidance: 1.5": "steps: 3, guidance: 1.5",
    "samples: 20": "samples: 2",
}

# The demo in a process of its own, with those configs.
PROGRAM = """
import sys
from pathlib import Path
from diptych.demo import cli
folder = Path(sys.argv.pop(1))
cli.config_path = lambda name: folder / name
cli.HELD_OUT_PICTURES = 160
cli.main()
"""

QUESTIONS = "drawn_questions_mean_truth.question_accuracy"


def run(out: Path, *options: str) -> Result:
    return CliRunner().invoke(cli.demo, ["--out", str(out), "--rows", ROWS, "--workers", "1", "--no-open", *options])


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Let the demo find configs that ask for less."""
    folder = tmp_path_factory.mktemp("configs")
    for name in CONFIG_NAMES:
        text = config_path(f"demo/{name}").read_text(encoding="utf-8")
        for much, little in LESS.items():
            text = text.replace(much, little)
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "config_path", lambda name: folder / Path(name).name)
        patch.setattr(cli, "HELD_OUT_PICTURES", 160)
        yield folder


@pytest.fixture(scope="module")
def first(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Run the demo once."""
    out = tmp_path_factory.mktemp("demo") / "out"
    result = run(out)
    assert result.exit_code == 0, (result.output, result.exception)
    return out, result


def test_commands_are_printed_as_they_can_be_typed(first: tuple[Path, Result]) -> None:
    out, result = first
    typed = [shlex.split(line)[1:] for line in result.stdout.splitlines() if line.startswith("$ ")]
    assert [words[1:3] for words in typed] == [
        ["curate", "run"],
        ["curate", "run"],
        ["generate", "run"],
        ["generate", "run"],
        ["evaluate", "run"],
        ["generate", "import"],
        ["evaluate", "run"],
        ["report", "build"],
    ]
    assert all(Path(words[3]).is_file() for words in typed)
    assert typed[0][4:] == [
        "--out",
        str(out / "run"),
        "--set",
        f"source.path={json.dumps(str(out / 'web' / 'urls.parquet'))}",
        "--set",
        "download.allow_private_addresses=true",
    ]


def test_report_is_whole_and_its_place_is_said(first: tuple[Path, Result]) -> None:
    out, result = first
    last = result.stdout.splitlines()[-1]
    assert re.fullmatch(r"The whole loop took \d+ s\. The report is .*index\.html", last)
    page = Path(last.rpartition("The report is ")[2])
    assert page == (out / "report" / "index.html").resolve()
    text = page.read_text(encoding="utf-8")
    assert "demo-curated" in text
    assert "demo-raw" in text
    assert {"gallery.html", "funnel.html", "scores.html", "audit.html"} <= {file.name for file in page.parent.iterdir()}


def test_store_has_what_the_report_is_about(first: tuple[Path, Result]) -> None:
    out, _ = first
    with Store.open(out / "results.duckdb", read_only=True) as store:
        found = {(row["metric"], row["groups"].get("model")) for row in store.query("SELECT * FROM results")}
        shown = store.query("SELECT count(*) AS n FROM images WHERE dataset = 'images'")[0]["n"]
        audits = store.query("SELECT * FROM audits")
    for metric in ("frechet_distance", "kernel_distance", "match.clip_score", "objects.object_accuracy"):
        assert {(metric, "demo-raw"), (metric, "demo-curated")} <= found
    assert shown == 2 * 2 * 2 * 2  # prompts, samplers, models
    assert audits


def test_questions_that_the_truth_answers_tell_the_careful_hand_from_the_careless(first: tuple[Path, Result]) -> None:
    out, _ = first
    with Store.open(out / "questions.duckdb", read_only=True) as store:
        means = store.query(
            f"SELECT groups->>'model' AS hand, value FROM results WHERE metric = '{QUESTIONS}' "
            "AND groups->>'category' IS NULL"
        )
        (whole,) = store.query(f"SELECT a, better FROM differences WHERE metric = '{QUESTIONS}' AND groups = '{{}}'")
    values = {row["hand"]: row["value"] for row in means}
    assert values["careful"] == 1.0 > values["careless"]
    assert (whole["a"], whole["better"]) == ("careful", "higher")


def test_each_share_of_the_audit_leads_to_as_many_images_as_it_counts(first: tuple[Path, Result]) -> None:
    out, _ = first
    with Store.open(out / "results.duckdb", read_only=True) as store:
        images = store.query("""
            SELECT i.dataset, i.model, i.category, i.prompt_id, s.* EXCLUDE (dataset, key) FROM images i LEFT JOIN (
                SELECT dataset, key, max(text) FILTER (score = 'hats.attribute') AS "hats.attribute",
                    max(text) FILTER (score = 'hats.attribute_class') AS "hats.attribute_class"
                FROM scores GROUP BY dataset, key
            ) s ON i.dataset = s.dataset AND i.key = s.key
        """)
    page = (out / "report" / "audit.html").read_text(encoding="utf-8")
    links = re.findall(r'<a href="gallery\.html#([^"]+)">([\d,]+)</a>', page)
    shares = re.findall(r'([\d,]+)(?:</a>)? of <a href="gallery', page)
    assert len(links) == len(shares) + sum(counted != "0" for counted in shares) > 8, "no image, and nothing to show"
    for address, counted in links:
        wanted: dict[str, set[str]] = {}
        for part in html.unescape(address).split("&"):
            column, _, value = part.removeprefix("f=").partition(":")
            wanted.setdefault(unquote(column), set()).add(unquote(value))
        found = [image for image in images if all(shows(image[name], values) for name, values in wanted.items())]
        assert len(found) == int(counted), address


def shows(value: str | list[str] | None, values: set[str]) -> bool:
    """Return whether a filter of the gallery lets an image through: one of its values is wanted, or any at all."""
    own = set(value) if isinstance(value, list) else {value}
    return bool(own & values) or (values == {".."} and bool(value))


def test_funnel_and_place_of_the_result_are_printed(first: tuple[Path, Result]) -> None:
    out, result = first
    assert "readable" in result.stdout
    assert "duplicate" in result.stdout
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
    lines = result.stdout.partition("What the rules kept")[2].partition("How right")[0].splitlines()[2:]
    kept = {line.split()[0]: (int(line.split()[1]), int(line.split()[2])) for line in lines if line and line[16] == " "}
    for fault in ("blurred", "tiny", "other_language", "file_name", "no_caption", "not_found", "html", "truncated"):
        assert kept[fault][1] == 0, fault
    rows, sound = kept["none"]
    assert sound >= 0.9 * rows


def test_second_run_finds_everything_done_and_says_the_same(first: tuple[Path, Result]) -> None:
    out, result = first
    before = {path: path.read_bytes() for path in out.rglob("*") if path.suffix in {".parquet", ".html", ".js"}}
    again = run(out)
    assert again.exit_code == 0, (again.output, again.exception)
    assert "Nothing to do" in again.stdout
    said = [text.partition("What the rules kept")[2].partition("$ ")[0] for text in (again.stdout, result.stdout)]
    assert said[0] == said[1]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_loop_that_is_killed_at_random_moments_ends_as_if_it_had_not_been(
    small: Path, first: tuple[Path, Result], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    start = time.monotonic()
    assert _ended(small, tmp_path / "whole") == 0
    span = time.monotonic() - start
    delays = np.random.default_rng(5).uniform(0.1, 0.45, 10) * span
    codes = [_ended(small, out, after=float(delay)) for delay in delays]
    assert codes.count(-signal.SIGKILL) >= 6, codes
    assert _ended(small, out) == 0
    assert _made(out) == _made(first[0])
    assert _digest(out) == _digest(first[0])


def _ended(configs: Path, out: Path, *, after: float | None = None) -> int:
    """Run the demo in a process of its own, kill all of it after some seconds, and return how it ended."""
    words = [sys.executable, "-c", PROGRAM, str(configs), "--out", str(out), "--rows", ROWS, "--workers", "2"]
    with out.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen([*words, "--no-open"], stdout=log, stderr=log, start_new_session=True)
        try:
            return process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()


def _made(out: Path) -> dict[str, str]:
    """Return the sha256 of every shard of images, and what was kept of the web without URLs, which have ports."""
    files = [file for name in ("images", "occupations", "held-out/pool") for file in open_dataset(out / name).files]
    made = {file.relative_to(out).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    kept = [row for file in open_dataset(out / "run" / "selected").files for row in read_shard(file).to_pylist()]
    return made | {"selected": json.dumps([(row["caption"], row["sha256"]) for row in kept])}


def _digest(out: Path) -> str:
    with Store.open(out / "results.duckdb", read_only=True) as store:
        return store.digest()


def test_other_number_of_rows_in_the_same_directory_is_refused(first: tuple[Path, Result]) -> None:
    out, _ = first
    result = CliRunner().invoke(cli.demo, ["--out", str(out), "--rows", "200", "--no-open"])
    assert isinstance(result.exception, ConfigError)
    assert "is a demo web of 150 rows, not 200; give another --out, or 150 rows" in str(result.exception)


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


@pytest.mark.parametrize("name", CONFIG_NAMES)
def test_config_is_found_and_fits_as_it_stands(name: str) -> None:
    path = config_path(f"demo/{name}")
    assert path.is_file()
    load(path, import_attribute(CONFIGS[read_job(path)]))


def test_less_is_asked_for_in_words_that_stand_in_the_configs() -> None:
    texts = "".join(config_path(f"demo/{name}").read_text(encoding="utf-8") for name in CONFIG_NAMES)
    assert [much for much in LESS if much not in texts] == []


def test_number_of_rows_has_a_default() -> None:
    option = next(option for option in cli.demo.params if option.name == "rows")
    assert isinstance(option, click.Option)
    assert option.default == cli.DEFAULT_ROWS


@pytest.mark.parametrize("folder", ["d #2", "a: b", "[x", 'it\'s "that"', "caf\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_path_reaches_a_command_as_it_is(folder: str, tmp_path: Path) -> None:
    words = path_setting("source.path", Path(folder) / "urls.parquet")
    load_config = import_attribute("diptych.cli:CONFIGS")["curate"]
    loaded: Any = load(config_path("demo/curate.yaml"), import_attribute(load_config), [words])
    assert str(loaded.source.path) == f"{folder}/urls.parquet"
