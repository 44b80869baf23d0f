"""No command makes a number from a file in which a bit was flipped: it names the file, or it never looked at it."""

import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from drawn import picture
from generated_runs import digests, pictures
from tiny_generated import made_grid, make_generated

from diptych.cli import main
from diptych.generate.backends import BACKENDS

SUFFIXES = (".parquet", ".json", ".jsonl", ".duckdb")
Command = Callable[[Path], list[str]]  # from the directory of everything


def call(arguments: list[str]) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--progress", "none", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def write(path: Path, config: dict[str, object]) -> Path:
    path.write_text(yaml.safe_dump(config))
    return path


def curate_config(folder: Path, least: int) -> dict[str, object]:
    return {
        "job": "curate",
        "source": {"kind": "folder", "path": str(folder / "in"), "captions": "file_name"},
        "rows_per_shard": 3,
        "encoders": {"small": {"kind": "projection", "options": {"dim": 8}}},
        "scores": {"fit": {"score": "clip_similarity", "encoder": "small"}, "stats": {"score": "image_stats"}},
        "dedup": {"exact": True},
        "select": [{"name": "wide", "where": f"stats.short_side > {least}"}],
    }


def evaluate_config(folder: Path, store: str) -> dict[str, object]:
    return {
        "job": "evaluate",
        "store": str(folder / store),
        "datasets": {"images": {"path": str(folder / "images")}},
        "scores": {"stats": {"score": "image_stats"}},
        "means": [{"score": "stats.sharpness"}],
        "compare": {"by": "model"},
    }


def report_config(folder: Path) -> dict[str, object]:
    return {"job": "report", "store": str(folder / "results.duckdb"), "pools": [str(folder / "run" / "pool")]}


def generate_config(folder: Path, prompts: int) -> dict[str, object]:
    (folder / "prompts.txt").write_text("".join(f"a fish of {number} colours\n" for number in range(prompts)))
    return {
        "job": "generate",
        "prompts": [{"kind": "txt", "path": str(folder / "prompts.txt")}],
        "models": {"grey": {"backend": "grey", "path_or_id": "paper"}},
        "settings": [{"steps": [3, 4]}],
        "rows_per_shard": 2,
    }


COMMANDS: dict[str, Command] = {
    "curate select --where": lambda d: ["curate", "select", str(d / "run/pool"), "--where", "stats.sharpness > 0"],
    "curate run, another rule": lambda d: [
        *("curate", "run", str(write(d / "curate.yaml", curate_config(d, 9))), "--out", str(d / "run"), "--json")
    ],
    "generate run, a prompt more": lambda d: [
        *("generate", "run", str(write(d / "g.yaml", generate_config(d, 6))), "--out", str(d / "grey"), "--json")
    ],
    "generate verify": lambda d: ["generate", "verify", str(d / "grey"), "--count", "100"],
    "score": lambda d: ["score", str(d / "images"), "caption_stats"],
    "score, another label": lambda d: ["score", str(d / "run/pool"), "second=image_stats"],
    "curate run --extend": lambda d: [
        *("curate", "run", str(write(d / "curate.yaml", curate_config(d, 8))), "--out", str(d / "run"), "--extend")
    ],
    "evaluate run": lambda d: ["evaluate", "run", str(write(d / "e.yaml", evaluate_config(d, "other.duckdb")))],
    "evaluate distance": lambda d: [
        *("evaluate", "distance", str(d / "images"), str(d / "run/pool"), "--encoder", "projection", "--set", "dim=8")
    ],
    "evaluate compare": lambda d: ["evaluate", "compare", str(d / "results.duckdb"), "curated", "raw"],
    "evaluate results": lambda d: ["evaluate", "results", str(d / "results.duckdb")],
    "report build": lambda d: [
        *("report", "build", str(write(d / "r.yaml", report_config(d))), "--out", str(d / "report"), "--json")
    ],
}


# Where the files lie that a command may look at.
LOOKS_AT = {
    "curate select --where": ("run/pool",),
    "curate run, another rule": ("run/pool",),
    "generate run, a prompt more": ("grey",),
    "generate verify": ("grey",),
    "score": ("images",),
    "score, another label": ("run/pool/scores/image_stats",),
    "curate run --extend": ("run",),
    "evaluate run": ("images",),
    "evaluate distance": ("images", "run/pool"),
    "evaluate compare": ("results.duckdb",),
    "evaluate results": ("results.duckdb",),
    "report build": ("results.duckdb", "run/pool", "images"),
}

# What adds rows, and to which datasets.
GROWS = {"generate run, a prompt more": ("grey",), "curate run --extend": ("run/pool", "run/selected")}
# What makes again what is damaged, and so need not name it, and where it leaves its bytes.
MAKES_AGAIN = {
    "curate run, another rule": "run",
    "generate run, a prompt more": "grey",
    "score, another label": "run/pool",
    "curate run --extend": "run",
    "report build": "report",
}


@pytest.fixture(scope="module", autouse=True)
def grey() -> Iterator[None]:
    """Put a backend of one's own beside the others: its images cost nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKENDS, "grey", "own_backend:GreyBackend")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a curation, two sets of generated images and a store of an evaluation."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "in").mkdir()
    for number in range(7):
        (folder / "in" / f"{number}.jpg").write_bytes(picture(number))
    config = write(folder / "curate.yaml", curate_config(folder, 8))
    assert call(["curate", "run", str(config), "--out", str(folder / "run")])[0] == 0
    make_generated(folder / "images", made_grid(prompts=3))
    generation = write(folder / "g.yaml", generate_config(folder, 5))
    assert call(["generate", "run", str(generation), "--out", str(folder / "grey")])[0] == 0
    evaluation = write(folder / "e.yaml", evaluate_config(folder, "results.duckdb"))
    assert call(["evaluate", "run", str(evaluation)])[0] == 0
    return folder


def parts_of(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix in SUFFIXES)
    return sorted(path.relative_to(folder) for path in found)


def flip(path: Path, generator: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    path.write_bytes(data)


def answer(command: str, folder: Path, made: Path, name: Path | None, seed: int) -> tuple[int, str]:
    """Run a command on a copy of everything in the place of the original, one bit of one file flipped."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder)
    for path in folder.rglob("*.yaml"):
        path.unlink()
    if "--extend" in command:
        (folder / "in" / "7.jpg").write_bytes(picture(7))
    if name is not None:
        flip(folder / name, random.Random(seed))
    code, output = call(COMMANDS[command](folder))
    if command in GROWS and code == 0:  # the new row may lie in the shard that is made again
        output = repr([sorted(pictures(folder / place).items()) for place in GROWS[command]])
    elif command in MAKES_AGAIN and code == 0:
        output = repr(digests(folder / MAKES_AGAIN[command]))
    output = re.sub(r"((all )?\d+ (of \d+ )?shards were|the shard was) there already", "shards were there", output)
    return code, output.replace('"is_new": true', '"is_new": false')  # what is damaged may well be made again


def check(made: Path, folder: Path, command: str, count: int) -> None:
    moved = folder / "made"
    # The store says where the images lie: the copy is evaluated where it will lie.
    base = folder / "base"
    shutil.copytree(made, base)
    undisturbed = answer(command, moved, base, None, 0)
    assert undisturbed[0] == 0, undisturbed[1]
    named = 0
    parts = [part for part in parts_of(base) if part.as_posix().startswith(LOOKS_AT[command])]
    for number in range(count):
        name = parts[random.Random(f"{command} {number}").randrange(len(parts))]
        code, output = answer(command, moved, base, name, number)
        if code == 0:
            assert output == undisturbed[1], (name, number, output)
        else:
            assert (code, str(moved / name) in output) == (1, True), (name, number, output)
            named += 1
    assert named or command in MAKES_AGAIN


@pytest.mark.parametrize("command", COMMANDS)
def test_a_flipped_bit_is_named_or_changes_nothing(command: str, made: Path, tmp_path: Path) -> None:
    check(made, tmp_path, command, 8)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_many_flipped_bits_are_named_or_change_nothing(command: str, made: Path, tmp_path: Path) -> None:
    check(made, tmp_path, command, 60)
