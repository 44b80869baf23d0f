"""The recipe of the demo detector: a small centre-point network on drawn scenes and on nothing else.

What is shipped is the running average of the weights.
"""

import copy
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from diptych.demo.training.centre_losses import CentreBatch, losses_of
from diptych.demo.training.detector_rows import (
    COLOUR_NAMES,
    LABELS,
    NOTHING,
    DetectorKind,
    DetectorRows,
    draw_detector_rows,
    places_of,
)
from diptych.demo.training.distortions import distort
from diptych.demo.training.pictures import drawn
from diptych.demo.training.rows import DrawnTraining
from diptych.demo.training.trainer import StepDraw, StepLosses, train
from diptych.demo.training.weights import decaying_adamw
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.scenes import scene
from diptych.demo.world.seeds import DETECTOR_LOOKED_AT
from diptych.demo.world.things import KINDS
from diptych.demo.world.truth import truth_of
from diptych.devices import torch_device
from diptych.judges.boxes.centre_net import CentreConfig, CentreNet, find_peaks, normalised
from diptych.judges.boxes.centre_point import CONFIG_NAME, WEIGHTS_NAME
from diptych.storage.location import Location

CHECK_ROWS = 400
CHECK_SCORE = 0.3


def default_model() -> dict[str, Any]:
    """Return the configuration of the demo detector."""
    return CentreConfig(
        side=64,
        widths=(24, 48, 64, 128),
        blocks=2,
        labels=LABELS,
        coloured=tuple(KINDS),
        attributed=tuple(OCCUPATIONS),
        colours=COLOUR_NAMES,
        attributes=HATS,
    ).model_dump(mode="json")


@dataclass(frozen=True, kw_only=True)
class DetectorTraining(DrawnTraining):
    """What decides the weights of the detector.

    Attributes:
        weight_decay: Of the kernels.
        averaged: Steps that the running average of the weights looks back on.
        model: Configuration of the network.
    """

    steps: int = 3600
    batch: int = 64
    rows: int = 20480
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    averaged: int = 300
    model: dict[str, Any] = field(default_factory=default_model)


def train_detector(out: Path, training: DetectorTraining, *, threads: int, check_every: int = 100) -> Path:
    """Train the detector as ``trainer.train`` says and return its folder, as ``centre_point`` reads it."""
    kind = DetectorKind(training.model["side"])

    def begin() -> DetectorRecipe:
        return DetectorRecipe(training, draw_detector_rows(out / "rows", training.rows, kind, processes=threads))

    return train(out, training, begin, threads=threads, check_every=check_every)


class DetectorRecipe:
    """A detector under training."""

    name, stream = "detector", 111

    def __init__(self, training: DetectorTraining, rows: DetectorRows) -> None:
        """Make the weights from the seed."""
        self.training, self.rows, self.examples = training, rows, len(rows.pixels)
        self.device = torch_device("auto")
        torch.manual_seed(training.seed)
        self.model = CentreNet(CentreConfig.model_validate(training.model))
        self.model.to(memory_format=torch.channels_last).to(self.device).train()
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimiser = decaying_adamw(self.model.named_parameters(), training.weight_decay, betas=(0.9, 0.999))
        self.parts = {"model": self.model, "average": self.average, "optimiser": self.optimiser}

    def losses(self, draw: StepDraw) -> StepLosses:
        """Return how far the maps are from what is in the pictures."""
        batch = self.batch_of(draw)
        with torch.autocast(self.device.type, torch.bfloat16):
            maps = self.model(batch.pixels.contiguous(memory_format=torch.channels_last))
        losses = losses_of(maps, batch)
        return StepLosses(sum(losses.values(), torch.zeros((), device=self.device)), losses)

    def batch_of(self, draw: StepDraw) -> CentreBatch:
        """Return the pictures of a step, distorted, and what is still to be seen in them."""
        pixels, boxes, labels, colours, hats = (torch.from_numpy(part[draw.at]).to(self.device) for part in self.rows)
        shown = distort(pixels, boxes, labels.long(), draw.dice)
        return CentreBatch(shown.pixels * 2.0 - 1.0, shown.boxes, shown.labels, colours.long(), hats.long())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the weights, and the average after them."""
        self.optimiser.step()
        # Early weights are forgotten sooner: they are not worth keeping.
        share = max(1.0 / self.training.averaged, 1.0 / (1.0 + step / 4.0))
        pairs = zip(self.average.state_dict().values(), self.model.state_dict().values(), strict=True)
        for average, value in pairs:
            if average.is_floating_point():
                average.lerp_(value, share)
            else:
                average.copy_(value)

    def look(self) -> dict[str, float]:
        """Return the share of other, clean pictures in which the average finds exactly what is there."""
        size = self.training.model["side"]
        shown = [scene(seed) for seed in range(DETECTOR_LOOKED_AT, DETECTOR_LOOKED_AT + CHECK_ROWS)]
        with torch.inference_mode():
            peaks = find_peaks(self.average(normalised(drawn(shown, size).to(self.device))), CHECK_SCORE)
        found: list[list[tuple[int, int, int]]] = [[] for _ in shown]
        facts = (peaks.picture, peaks.label, peaks.colour.argmax(dim=1), peaks.attribute.argmax(dim=1))
        for picture, label, colour, hat in zip(*(fact.tolist() for fact in facts), strict=True):
            is_thing = label < len(KINDS)
            found[picture].append((label, colour if is_thing else NOTHING, NOTHING if is_thing else hat))
        right = 0
        for one, things in zip(shown, found, strict=True):
            _, labels, colours, hats = places_of(truth_of(one, size))
            there = [place for place in zip(labels, colours, hats, strict=True) if place[0] >= 0]
            right += Counter(there) == Counter(things)
        return {"right": right / len(shown)}

    def save(self, folder: Path) -> None:
        """Write the average."""
        save_detector(self.average, folder)


def save_detector(model: CentreNet, folder: Path) -> None:
    """Write a model as ``centre_point`` reads it: kernels in half precision, the small rest in single."""
    from safetensors.torch import save

    state = {
        name: (value.half() if value.ndim > 1 else value).cpu().contiguous()
        for name, value in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    place = Location.at(folder)
    (place / WEIGHTS_NAME).write(save(state))
    text = json.dumps(model.config.model_dump(mode="json"), indent=2)
    (place / CONFIG_NAME).write(f"{text}\n".encode())
