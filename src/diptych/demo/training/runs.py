"""What every training here has in common: it claims its directory, takes steps, keeps checkpoints, can be stopped.

A trainer's batches follow from the seed and the number of the step, so a run that was stopped goes on exactly where it
was. Decides nothing about what is learned.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from math import cos, pi
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from diptych.errors import ConfigError
from diptych.progress import track

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CHECKPOINT = "checkpoint.pt"
CURVE = "curve.jsonl"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


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
    """
    load_checkpoint(trainer, out / CHECKPOINT)
    with track("train", steps, unit="steps", done=trainer.step) as tracker, stopping() as caught:
        while trainer.step < steps and not caught:
            losses = trainer.take_step()
            tracker.advance()
            if trainer.step % check_every == 0 or trainer.step == steps or caught:
                save_checkpoint(trainer, out / CHECKPOINT)
                facts = {"step": trainer.step, "time": round(time.time()), **losses, **look()}
                with (out / CURVE).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(facts) + "\n")


def claim(out: Path, training: "DataclassInstance", *, may_change: frozenset[str] = frozenset({"steps"})) -> None:
    """Note the settings of a directory, or see that they are those of the run in it.

    Args:
        out: The directory.
        training: The settings.
        may_change: Names of settings that a run may go on with other values of.

    Raises:
        ConfigError: If ``out`` belongs to other settings.
    """
    path, facts = out / "training.json", json.loads(json.dumps(asdict(training)))
    if path.is_file():
        known = json.loads(path.read_text(encoding="utf-8"))
        other = sorted(name for name in facts if name not in may_change and facts[name] != known.get(name))
        if other:
            raise ConfigError(f"{path}: this run has another {', '.join(other)}; give the same, or another --out")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def learning_rate_at(step: int, schedule: Schedule) -> float:
    """Return the learning rate of a step: a line up, then a cosine down to 0."""
    if step < schedule.warm_up:
        return schedule.learning_rate * (step + 1) / schedule.warm_up
    share = (step - schedule.warm_up) / max(1, schedule.steps - schedule.warm_up)
    return schedule.learning_rate * 0.5 * (1.0 + cos(pi * share))


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


@contextmanager
def stopping() -> Iterator[list[int]]:
    """Yield a list that a SIGTERM or SIGINT puts something into, so that the step under way can be kept."""
    caught: list[int] = []
    before = {number: signal.signal(number, lambda got, _: caught.append(got)) for number in STOP_SIGNALS}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
