"""Nobody takes a dataset of another version of the format for a damaged one: it is named, and stays as it is."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from drawn import draw_dataset, picture

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.growing import grow_data, sealed_data
from diptych.data.growing_sets import GrowingSet
from diptych.errors import OtherVersion
from diptych.storage.json_objects import json_text
from diptych.storage.location import Location

CONFIG = """
job: curate
source: {kind: folder, path: in, captions: file_name}
scores: {stats: {score: image_stats}}
"""


def say_version(manifest: Path, version: int, *, with_check: bool = True) -> None:
    """Write a manifest as a diptych of another version would have."""
    value = {**json.loads(manifest.read_text()), "format_version": version, "check": ""}
    value["check"] = hashlib.sha256(json_text(value).encode()).hexdigest()
    if not with_check:
        del value["check"]
    manifest.write_text(json_text(value))


def say_version_in_journal(journal: Path, version: int) -> None:
    head, *others = journal.read_text().splitlines(keepends=True)
    value = {**json.loads(head), "format_version": version}
    del value["check"]
    value["check"] = hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()[:16]
    journal.write_text("".join([json.dumps(value, ensure_ascii=False) + "\n", *others]))


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


OTHER: dict[str, Callable[[Path], None]] = {
    "the manifest of a newer one": lambda pool: say_version(pool / "dataset.json", 3),
    "the manifest of version 1": lambda pool: say_version(pool / "dataset.json", 1, with_check=False),
    "the journal of a newer one": lambda pool: say_version_in_journal(pool / "data" / "_shards.jsonl", 3),
    "a score set of a newer one": lambda pool: say_version(next(pool.glob("scores/*/_score.json")), 3),
}


@pytest.mark.parametrize("other", OTHER)
def test_a_curation_of_another_version_is_refused_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for number in range(4):
        (tmp_path / "in" / f"{number}.jpg").write_bytes(picture(number))
    (tmp_path / "c.yaml").write_text(CONFIG)
    run = ["--progress", "none", "curate", "run", "c.yaml", "--out", "run"]
    assert CliRunner().invoke(main, run).exit_code == 0
    OTHER[other](tmp_path / "run" / "pool")
    before = everything(tmp_path)
    for command in (run, ["--progress", "none", "verify", "run"], ["--progress", "none", "verify", "run", "--repair"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 1, (command, result.output)
        *steps, refusal = result.output.splitlines()
        assert ": format version " in refusal
        assert all(" kept " in step for step in steps), result.output
        assert everything(tmp_path) == before


@pytest.mark.parametrize("version", [1, 3])
def test_the_data_of_another_version_is_not_taken_for_unfinished(tmp_path: Path, version: int) -> None:
    draw_dataset(tmp_path, rows=4, rows_per_shard=2)
    say_version(tmp_path / "dataset.json", version)
    (tmp_path / "data" / "_shards.jsonl").unlink(missing_ok=True)
    with pytest.raises(OtherVersion, match=f"format version {version}; this diptych reads 2"):
        sealed_data(Location.at(tmp_path), "anything")
    with pytest.raises(OtherVersion, match=f"format version {version}; this diptych reads 2"):
        grow_data(Location.at(tmp_path), "generate", "anything")


def test_a_column_set_of_another_version_is_not_taken_for_missing(tmp_path: Path) -> None:
    dataset = draw_dataset(tmp_path, rows=2, rows_per_shard=2)
    place = tmp_path / "scores" / "own-1"
    place.mkdir(parents=True)
    (place / "_score.json").write_text(json_text({"shards": [], "identity": {}}))
    say_version(place / "_score.json", 3)
    with pytest.raises(OtherVersion, match=r"own-1/_score\.json: format version 3"):
        GrowingSet(open_dataset(dataset.path), "scores", "own-1", {"score": "own"})
