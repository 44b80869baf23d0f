"""What fits after images were made or imported: the commands that judge them, by what there is to compare."""

import shlex

import pyarrow.compute as pc

from diptych.addresses import Address
from diptych.config.overrides import path_setting
from diptych.data.dataset import Dataset
from diptych.data.prompt_sets import prompt_kinds
from diptych.data.shards import read_shard
from diptych.generate.next_configs import IMAGES, OF_SETS
from diptych.generate.rows import OK
from diptych.scores.named import example_command

COLUMNS = ("caption", "benchmark", "model", "setting", "status")
OF_PROMPTS = "clip_similarity"


def next_lines(dataset: Dataset, out: Address) -> list[str]:
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
    kinds = prompt_kinds(dataset.manifest)
    commands = _commands(values, {kinds.get(str(label), str(label)) for label in values["benchmark"]}, out)
    return [f"{'Next:' if number == 0 else '     '} {command}" for number, command in enumerate(commands)]


def _commands(values: dict[str, set[str | None]], kinds: set[str], out: Address) -> list[str]:
    shown = shlex.quote(str(out))
    if not values["caption"] - {None}:
        return [f"diptych evaluate distance {shown} PHOTOGRAPHS"]
    if len(kinds) == 1 and (of_set := OF_SETS.get(next(iter(kinds)))):
        return _ready(of_set.config, of_set.settings(out))
    if len(values["model"]) > 1:
        return _ready("two_models", [path_setting(IMAGES, out)])
    if len(values["setting"]) > 1:
        return _ready("two_settings", [path_setting(IMAGES, out)])
    return [f"diptych score {shown} {example_command(OF_PROMPTS)}"]


def _ready(config: str, settings: list[str]) -> list[str]:
    given = " ".join(f"--set {shlex.quote(setting)}" for setting in settings)
    return [f"diptych init {config}", f"diptych evaluate run {config}.yaml {given}"]
