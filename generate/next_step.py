"""What fits after images were made or imported: the commands that judge them, by what there is to compare."""

import shlex
from pathlib import Path

import pyarrow.compute as pc

from diptych.config.overrides import path_setting
from diptych.data.dataset import Dataset
from diptych.data.shards import read_shard
from diptych.generate.rows import OK
from diptych.scores.named import example_command

COLUMNS = ("caption", "benchmark", "model", "setting", "status")
OF_SET = {"geneval": ("geneval_score", "datasets.sdxl.path")}  # the config of a prompt set, and its key of a dataset
OF_PROMPTS = "clip_similarity"


def next_lines(dataset: Dataset, out: Path) -> list[str]:
    """Return the lines that say what to do next with generated images; none where no image is there.

    Args:
        dataset: The images.
        out: Its directory, as it was given.
    """
    values: dict[str, set[str | None]] = {name: set() for name in COLUMNS}
    for file in dataset.files:
        table = read_shard(file, list(COLUMNS))
        there = table.filter(pc.equal(table["status"], OK))
        for name in COLUMNS:
            values[name] |= set(pc.unique(there[name]).to_pylist())
    if not values["status"]:
        return []
    commands = _commands(values, out)
    return [f"{'Next:' if number == 0 else '     '} {command}" for number, command in enumerate(commands)]


def _commands(values: dict[str, set[str | None]], out: Path) -> list[str]:
    shown = shlex.quote(str(out))
    if not values["caption"] - {None}:
        return [f"diptych evaluate distance {shown} PHOTOGRAPHS"]
    if len(values["benchmark"]) == 1 and (of_set := OF_SET.get(str(*values["benchmark"]))):
        return _ready(*of_set, out)
    if len(values["model"]) > 1:
        return _ready("two_models", "datasets.images.path", out)
    if len(values["setting"]) > 1:
        return _ready("two_settings", "datasets.images.path", out)
    return [f"diptych score {shown} {example_command(OF_PROMPTS)}"]


def _ready(config: str, key: str, out: Path) -> list[str]:
    return [
        f"diptych init {config}",
        f"diptych evaluate run {config}.yaml --set {shlex.quote(path_setting(key, out))}",
    ]
