"""What lies in the directory of a training beside the model: whose it is, how far it has come, its curve."""

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.errors import ConfigError
from diptych.storage.json_objects import read_json, write_json
from diptych.storage.location import Location

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NOTE = "training.json"
CHECKPOINT = "checkpoint.pt"
CURVE = "curve.jsonl"


def claim(
    out: Path, settings: "DataclassInstance", *, sources: Mapping[str, str | None], may_change: Collection[str]
) -> None:
    """Note the settings and the sources of a directory, or see that they are those of the run in it.

    Args:
        out: The directory.
        settings: How the run trains.
        sources: Hashes of what it learns from, by names that no setting has.
        may_change: Names of settings that a run may go on with other values of.

    Raises:
        ConfigError: If ``out`` belongs to other settings or sources, or cannot be made.
        ShardError: If what an earlier run noted cannot be read.
    """
    path, facts = out / NOTE, json.loads(json.dumps(asdict(settings))) | dict(sources)
    if path.is_file():
        known = read_json(path)
        other = sorted(
            name for name in facts if name not in may_change and (name not in known or facts[name] != known[name])
        )
        if other:
            raise ConfigError(f"{path}: this run has another {', '.join(other)}; give the same, or another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: the directory cannot be made: {error.strerror}; give another --out") from error
    write_json(path, facts)


def note_figures(out: Path, step: int, figures: Mapping[str, float]) -> None:
    """Add a line to the curve."""
    line = json.dumps({"step": step, "time": round(time.time()), **figures})
    Location.at(out / CURVE).append(f"{line}\n".encode())
