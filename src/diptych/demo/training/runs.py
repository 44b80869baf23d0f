"""What every training here has in common: it claims its directory, takes steps, keeps checkpoints, can be stopped.

A trainer's batches follow from the seed and the number of the step, so a run that was stopped goes on exactly where it
was. Decides nothing about what is learned.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import cos, pi
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import torch

from diptych.demo.training.stops import Stopped, stopping
from diptych.errors import ConfigError
from diptych.progress import track
from diptych.storage.json_objects import read_json, write_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CHECKPOINT = "checkpoint.pt"
CURVE = "curve.jsonl"


class Schedule(Protocol):
    """How long a training is, and how fast it learns."""

    @property
    def steps(self) -> int:
        """How many batches in all."""
        ...

    @property
    def learning_rate(self) -> float:
        """Its peak."""
        ...

    @property
    def warm_up(self) -> int:
        """Steps in which it rises."""
        ...


class Trainable(Protocol):
    """A model under training."""

    step: int

    def take_step(self) -> dict[str, float]:
        """Learn from the batch of this step, and return its losses."""
        ...

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds: everything with a ``state_dict``."""
        ...


def run_steps(
    trainer: Trainable, steps: int, out: Path, *, check_every: int, look: Callable[[], Mapping[str, float]]
) -> None:
    """Go on from the checkpoint in ``out``, if there is one, to the last step or until a signal.

    Args:
        trainer: What learns.
        steps: How many in all.
        out: Holds the checkpoint and the curve.
        check_every: Steps between two checkpoints, each with a line of the curve.
        look: Gives further figures for that line, measured on pictures that are not trained on.

    Raises:
        Stopped: On a SIGTERM or SIGINT, once the step under way is kept; the model is then unfinished.
    """
    load_checkpoint(trainer, out / CHECKPOINT)
    kept, losses = trainer.step, {}
    with track("train", steps, unit="steps", done=trainer.step) as tracker, stopping() as caught:
        while trainer.step < steps and not caught:
            losses = trainer.take_step()
            tracker.advance()
            if trainer.step % check_every == 0 or trainer.step == steps:
                _keep(trainer, out, {**losses, **look()})
                kept = trainer.step
        if caught:
            if trainer.step > kept:
                _keep(trainer, out, {**losses, **look()})
            raise Stopped(caught[0], f"at step {trainer.step} of {steps}")


def claim(
    out: Path,
    training: "DataclassInstance",
    *,
    sources: Mapping[str, str | None] = MappingProxyType({}),
    may_change: frozenset[str] = frozenset({"steps"}),
) -> None:
    """Note the settings and the sources of a directory, or see that they are those of the run in it.

    Args:
        out: The directory.
        training: The settings.
        sources: Hashes of what the run learns from, by names that no setting has.
        may_change: Names of settings that a run may go on with other values of.

    Raises:
        ConfigError: If ``out`` belongs to other settings or sources, or cannot be made.
        ShardError: If what an earlier run noted cannot be read.
    """
    path, facts = out / "training.json", json.loads(json.dumps(asdict(training))) | dict(sources)
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


def learning_rate_at(step: int, schedule: Schedule) -> float:
    """Return the learning rate of a step: a line up, then a cosine down to 0."""
    if step < schedule.warm_up:
        return schedule.learning_rate * (step + 1) / schedule.warm_up
    share = (step - schedule.warm_up) / max(1, schedule.steps - schedule.warm_up)
    return schedule.learning_rate * 0.5 * (1.0 + cos(pi * share))


def _keep(trainer: Trainable, out: Path, figures: Mapping[str, float]) -> None:
    """Write the checkpoint and a line of the curve."""
    save_checkpoint(trainer, out / CHECKPOINT)
    with (out / CURVE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": trainer.step, "time": round(time.time()), **figures}) + "\n")


def save_checkpoint(trainer: Trainable, path: Path) -> None:
    """Write a checkpoint under a temporary name and rename it; batches follow from the step, not from a state."""
    state = {"step": trainer.step, **{name: part.state_dict() for name, part in trainer.parts().items()}}
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load_checkpoint(trainer: Trainable, path: Path, *, device: torch.device | str = "cpu") -> None:
    """Go on from a checkpoint, where there is one."""
    if not path.is_file():
        return
    state = torch.load(path, map_location=device, weights_only=True)
    for name, part in trainer.parts().items():
        part.load_state_dict(state[name])
    trainer.step = state["step"]
