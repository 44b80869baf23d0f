"""The command that finished a directory, given again, puts back whatever became of its files, and nothing else."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from drawn import picture

from diptych.cli import main
from diptych.generate.backends import BACKENDS

CURATE = {
    "job": "curate",
    "source": {"kind": "folder", "path": "in", "captions": "file_name"},
    "rows_per_shard": 3,
    "encoders": {"small": {"kind": "projection", "options": {"dim": 8}}},
    "judges": {"eye": {"kind": "zero_shot", "encoder": "small"}},
    "scores": {
        "fit": {"score": "clip_similarity", "encoder": "small"},
        "hat": {"score": "answer", "judge": "eye", "options": {"question": "a {} hat", "choices": ["red", "blue"]}},
        "hashes": {"score": "hashes"},
    },
    "dedup": {"exact": True, "perceptual": "hashes.phash_imagehash"},
    "select": [{"name": "wide", "where": "width > 8"}],
}
GENERATE = {
    "job": "generate",
    "prompts": [{"kind": "txt", "path": "prompts.txt"}],
    "models": {"grey": {"backend": "grey", "path_or_id": "paper"}},
    "settings": [{"steps": [3, 4]}],
    "rows_per_shard": 2,
}
COMMANDS = {
    "run": ["curate", "run", "curate.yaml", "--out", "run"],
    "images": ["generate", "run", "generate.yaml", "--out", "images"],
}
BESIDE = {".lock", "timings.jsonl"}

Fate = Callable[[Path], None]
FATES: dict[str, Fate] = {
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)) and None,
    "halved": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]) and None,
    "gone": lambda path: path.unlink(),
}


def call(command: list[str]) -> None:
    result = CliRunner().invoke(main, ["--progress", "none", *command])
    assert result.exit_code == 0, result.output


def files_of(folder: Path) -> dict[Path, bytes]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in BESIDE)
    return {path.relative_to(folder): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("made")
    (folder / "in").mkdir()
    for number in range(7):
        (folder / "in" / f"{number}.jpg").write_bytes(picture(number))
    (folder / "curate.yaml").write_text(yaml.safe_dump(CURATE))
    (folder / "prompts.txt").write_text("a fish\na house\ntwo stars\n")
    (folder / "generate.yaml").write_text(yaml.safe_dump(GENERATE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKENDS, "grey", "own_backend:GreyBackend")
        patch.chdir(folder)
        for command in COMMANDS.values():
            call(command)
        yield folder


@pytest.mark.parametrize(
    "fate", ["halved", *(pytest.param(fate, marks=pytest.mark.slow) for fate in ("gone", "zeroed"))]
)
@pytest.mark.parametrize("out", COMMANDS)
def test_the_same_command_ends_with_the_bytes_of_before(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, fate: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    whole = files_of(folder / out)
    for name in whole:
        if name.name == "README.md":  # the card is its owner's to write on
            continue
        FATES[fate](folder / out / name)
        call(COMMANDS[out])
        assert files_of(folder / out) == whole, name
    call(["verify", out])


def test_a_damaged_journal_lets_no_other_input_in(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    (folder / "in" / "9.jpg").write_bytes(picture(9))
    (folder / "in" / "0.jpg").unlink()
    (folder / "prompts.txt").write_text("a fish\na mouse\n")
    whole = files_of(folder / "run"), files_of(folder / "images")
    for journal in [*folder.glob("*/pool/data/_shards.jsonl"), *folder.glob("images/data/_shards.jsonl")]:
        for data in (b"", b"\0" + journal.read_bytes()[1:]):
            shutil.copy(journal, tmp_path / "kept")
            journal.write_bytes(data)
            for command in COMMANDS.values():
                assert CliRunner().invoke(main, ["--progress", "none", *command]).exit_code == 1
            shutil.copy(tmp_path / "kept", journal)
            assert (files_of(folder / "run"), files_of(folder / "images")) == whole
