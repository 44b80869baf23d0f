"""The trainer of every model of the demo. A recipe says what is learned from what; this, in which order and how fast.

Every batch follows from the seed and the number of its step, so a run that was stopped goes on exactly where it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from diptych.demo.training.run_directory import CHECKPOINT, claim, note_figures
from diptych.demo.training.stops import Stopped, stopping
from diptych.progress import track
from diptych.storage.location import Location

NOISE = 107  # keeps the noise of a step apart from its other choices


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What decides the weights of every model; a recipe adds what only its own has.

    Attributes:
        steps: How many batches in all.
        batch: Examples in a batch.
        learning_rate: Its peak, after ``warm_up`` steps; a cosine leads it to 0.
        warm_up: Steps in which it rises.
        seed: Of the first weights, the order of the batches and all that is done to them.
        LENGTHS: Names of the settings that are numbers of steps, one for each part of the training. A run may go on
            with others; the learning rate rises and falls in each part.
    """

    steps: int
    batch: int
    learning_rate: float
    warm_up: int = 100
    seed: int = 0

    LENGTHS: ClassVar[tuple[str, ...]] = ("steps",)

    @property
    def spans(self) -> list[int]:
        """Steps of each part of the training."""
        return [getattr(self, name) for name in self.LENGTHS]


class StepDraw(NamedTuple):
    """What a step learns from, and all the chance that there is in it.

    Attributes:
        step: Its number.
        at: Numbers of the examples, int64 (batch,), ascending.
        dice: Decides what is done to them.
        noise: Gives the noise that is added.
    """

    step: int
    at: npt.NDArray[np.int64]
    dice: np.random.Generator
    noise: torch.Generator


class StepLosses(NamedTuple):
    """What a step makes smaller, and the parts of it that the curve shows."""

    total: torch.Tensor
    shown: Mapping[str, torch.Tensor]


class Recipe(Protocol):
    """A model under training, and what only its training has.

    Attributes:
        name: Of the folder of the finished model.
        stream: Keeps the order of its batches apart from that of others.
        examples: How many there are to draw batches from.
        device: That the model is on.
        optimiser: Of its weights; the trainer sets the learning rate.
        parts: What a checkpoint holds, each with a ``state_dict``.
    """

    name: str
    stream: int
    examples: int
    device: torch.device
    optimiser: torch.optim.Optimizer
    parts: dict[str, Any]

    def losses(self, draw: StepDraw) -> StepLosses:
        """Return the losses of a batch."""
        ...

    def update(self, step: int) -> None:
        """Move the weights along their gradients, and whatever follows them."""
        ...

    def look(self) -> dict[str, float]:
        """Return figures measured on examples that are not trained on."""
        ...

    def save(self, folder: Path) -> None:
        """Write the finished model; the recipe is of no use after that."""
        ...


def train(
    out: Path,
    settings: TrainingSettings,
    begin: Callable[[], Recipe],
    *,
    threads: int,
    check_every: int,
    sources: Mapping[str, str | None] = MappingProxyType({}),
) -> Path:
    """Train, or go on where an earlier run with the same settings stopped, and return the folder of the model.

    A run may go on with other numbers of steps: the learning rate then follows the new cosine from where the run is.
    SIGTERM and SIGINT end a run after the step under way, with a checkpoint and without a model.

    Args:
        out: Holds the checkpoint, the curve (``curve.jsonl``) and in the end the model, in a folder of its name.
        settings: How to train.
        begin: Makes the recipe, once ``out`` is known to be its place.
        threads: Threads of torch.
        check_every: Steps between two looks at examples that are not trained on; a checkpoint is written with each.
        sources: Hashes of what is learned from, by names that no setting has.

    Raises:
        ConfigError: If ``out`` belongs to other settings or sources, or cannot be made.
        ShardError: If what an earlier run noted cannot be read, or the disk refuses.
        Stopped: On SIGTERM or SIGINT.
    """
    torch.set_num_threads(threads)
    claim(out, settings, sources=sources, may_change=settings.LENGTHS)
    trainer = Trainer(begin(), settings)
    trainer.load(out)
    trainer.run(out, check_every=check_every)
    folder = out / trainer.recipe.name
    trainer.recipe.save(folder)
    return folder


class Trainer:
    """Takes the steps of a recipe, and keeps where it is."""

    def __init__(self, recipe: Recipe, settings: TrainingSettings) -> None:
        """Begin at the first step."""
        self.recipe, self.settings, self.step = recipe, settings, 0

    def take_step(self) -> dict[str, float]:
        """Learn from the batch of this step, and return its losses."""
        recipe = self.recipe
        for group in recipe.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.settings)
        losses = recipe.losses(draw_step(recipe, self.settings, self.step))
        recipe.optimiser.zero_grad()
        torch.autograd.backward(losses.total)
        recipe.update(self.step)
        self.step += 1
        return {name: round(loss.item(), 4) for name, loss in losses.shown.items()}

    def run(self, out: Path, *, check_every: int) -> None:
        """Take the steps that are left.

        Raises:
            Stopped: On a SIGTERM or SIGINT, once the step under way is kept; the model is then unfinished.
        """
        steps, kept, losses = sum(self.settings.spans), self.step, {}
        with track("train", steps, unit="steps", done=self.step) as tracker, stopping() as caught:
            while self.step < steps and not caught:
                losses = self.take_step()
                tracker.advance()
                if self.step % check_every == 0 or self.step == steps:
                    self.keep(out, losses)
                    kept = self.step
            if caught:
                if self.step > kept:
                    self.keep(out, losses)
                raise Stopped(caught[0], f"at step {self.step} of {steps}")

    def keep(self, out: Path, losses: Mapping[str, float]) -> None:
        """Write the checkpoint and a line of the curve; batches follow from the step, not from a state."""
        state = {"step": self.step, **{name: part.state_dict() for name, part in self.recipe.parts.items()}}
        with Location.at(out / CHECKPOINT).publishing() as file:
            torch.save(state, file)
        note_figures(out, self.step, {**losses, **self.recipe.look()})

    def load(self, out: Path) -> None:
        """Go on from the checkpoint, where there is one."""
        path = out / CHECKPOINT
        if not path.is_file():
            return
        state = torch.load(path, map_location=self.recipe.device, weights_only=True)
        for name, part in self.recipe.parts.items():
            part.load_state_dict(state[name])
        self.step = state["step"]


def draw_step(recipe: Recipe, settings: TrainingSettings, step: int) -> StepDraw:
    """Draw the batch of a step: so many of all examples, each at most once."""
    dice = np.random.default_rng((recipe.stream, settings.seed, step))
    at = np.sort(dice.choice(recipe.examples, settings.batch, replace=False))
    seed = int(np.random.SeedSequence((NOISE, settings.seed, step)).generate_state(1, np.uint64)[0] >> 1)
    return StepDraw(step, at, dice, torch.Generator().manual_seed(seed))


def learning_rate_at(step: int, settings: TrainingSettings) -> float:
    """Return the learning rate of a step: in each part of the training a line up, then a cosine down to 0."""
    *earlier, length = settings.spans
    for span in earlier:
        if step < span:
            length = span
            break
        step -= span
    if step < settings.warm_up:
        return settings.learning_rate * (step + 1) / settings.warm_up
    share = (step - settings.warm_up) / max(1, length - settings.warm_up)
    return settings.learning_rate * 0.5 * (1.0 + cos(pi * share))
