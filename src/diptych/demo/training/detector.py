"""Trains the demo detector: a small centre-point network on drawn scenes and on nothing else.

Every batch follows from the seed and the number of its step, so a run that was stopped goes on exactly where it was.
What is shipped is the running average of the weights.
"""

import copy
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from diptych.demo.training.detector_rows import COLOUR_NAMES, LABELS, NOTHING, DetectorRows, draw_rows, places_of
from diptych.demo.training.distortions import distort
from diptych.demo.training.runs import claim, learning_rate_at, run_steps
from diptych.demo.world.drawing import draw
from diptych.demo.world.figures import HATS, OCCUPATIONS
from diptych.demo.world.scenes import scene
from diptych.demo.world.seeds import DETECTOR_LOOKED_AT
from diptych.demo.world.things import KINDS
from diptych.demo.world.truth import truth_of
from diptych.errors import ConfigError
from diptych.judges.boxes.centre_net import CentreConfig, CentreNet, Maps, find_peaks, normalised
from diptych.judges.boxes.centre_point import CONFIG_NAME, WEIGHTS_NAME

STREAM = 111  # keeps the order of batches apart from other choices
CHECK_ROWS = 400
CHECK_SCORE = 0.3

# Weights of the losses beside that of the heat.
OFFSET, SIZE, COLOUR, HAT = 0.5, 0.5, 0.5, 0.5


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


@dataclass(frozen=True)
class DetectorTraining:
    """What decides the weights.

    Attributes:
        steps: How many batches in all.
        batch: Pictures in a batch.
        rows: Pictures in all; they are drawn once.
        learning_rate: Its peak, after ``warm_up`` steps; a cosine leads it to 0.
        warm_up: Steps in which it rises.
        weight_decay: Of the kernels.
        averaged: Steps that the running average of the weights looks back on.
        seed: Of the weights, of the order of the batches and of what is done to them.
        model: Configuration of the network.
    """

    steps: int = 3600
    batch: int = 64
    rows: int = 20480
    learning_rate: float = 3e-3
    warm_up: int = 100
    weight_decay: float = 0.05
    averaged: int = 300
    seed: int = 0
    model: dict[str, Any] = field(default_factory=default_model)


class CentreBatch(NamedTuple):
    """One step's pictures and what is in them, on the device; see ``detector_rows.Rows``."""

    pixels: torch.Tensor
    boxes: torch.Tensor
    labels: torch.Tensor
    colours: torch.Tensor
    hats: torch.Tensor


def train_detector(out: Path, training: DetectorTraining, *, threads: int, check_every: int = 100) -> Path:
    """Train, or go on where an earlier run with the same settings stopped, and return the folder of the model.

    A run may go on with other ``steps``: the learning rate then follows the new cosine from where the run is. SIGTERM
    and SIGINT end a run after the step under way, with a checkpoint and without a model.

    Args:
        out: Holds the pictures, the checkpoint, the curve (``curve.jsonl``) and in the end the model (``detector``).
        training: What to train.
        threads: Threads of torch, and processes that draw.
        check_every: Steps between two looks at pictures that are not trained on; a checkpoint is written with each.

    Raises:
        ConfigError: If ``out`` belongs to other settings, or a batch is more than all pictures.
        Stopped: On SIGTERM or SIGINT.
    """
    if training.batch > training.rows:
        raise ConfigError(f"batches of {training.batch} need as many pictures; there are {training.rows}")
    torch.set_num_threads(threads)
    claim(out, training)
    rows = draw_rows(out / "rows", training.rows, side=training.model["side"], processes=threads)
    trainer = DetectorTrainer(training, rows)
    run_steps(trainer, training.steps, out, check_every=check_every, look=lambda: {"right": trainer.share_right()})
    return save_detector(trainer.average, out / "detector")


class DetectorTrainer:
    """A model under training: everything that a checkpoint holds, and one step."""

    def __init__(self, training: DetectorTraining, rows: DetectorRows) -> None:
        """Make the weights from the seed."""
        self.training, self.rows = training, rows
        self.step = 0
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(training.seed)
        self.model = CentreNet(CentreConfig.model_validate(training.model))
        self.model.to(memory_format=torch.channels_last).to(self.device).train()
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        decayed = [weight for weight in self.model.parameters() if weight.ndim > 1]
        others = [weight for weight in self.model.parameters() if weight.ndim == 1]
        groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": training.weight_decay}, {"params": others}]
        self.optimiser = torch.optim.AdamW(groups, lr=0.0, weight_decay=0.0)

    def take_step(self) -> dict[str, float]:
        """Learn from the batch of this step, and return its losses."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.training)
        batch = batch_of(self.rows, self.training, self.step, self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            maps = self.model(batch.pixels.contiguous(memory_format=torch.channels_last))
        losses = losses_of(maps, batch)
        self.optimiser.zero_grad()
        torch.autograd.backward(sum(losses.values(), torch.zeros((), device=self.device)))
        self.optimiser.step()
        self._take_average()
        self.step += 1
        return {name: round(loss.item(), 4) for name, loss in losses.items()}

    def share_right(self) -> float:
        """Return the share of other, clean pictures in which the average finds exactly what is there."""
        size = self.training.model["side"]
        shown = [scene(seed) for seed in range(DETECTOR_LOOKED_AT, DETECTOR_LOOKED_AT + CHECK_ROWS)]
        pixels = torch.from_numpy(np.stack([draw(one, size) for one in shown])).to(self.device)
        with torch.inference_mode():
            peaks = find_peaks(self.average(normalised(pixels)), CHECK_SCORE)
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
        return right / len(shown)

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"model": self.model, "average": self.average, "optimiser": self.optimiser}

    @torch.no_grad()
    def _take_average(self) -> None:
        # Early weights are forgotten sooner: they are not worth keeping.
        share = max(1.0 / self.training.averaged, 1.0 / (1.0 + self.step / 4.0))
        pairs = zip(self.average.state_dict().values(), self.model.state_dict().values(), strict=True)
        for average, value in pairs:
            if average.is_floating_point():
                average.lerp_(value, share)
            else:
                average.copy_(value)


def batch_of(rows: DetectorRows, training: DetectorTraining, step: int, device: torch.device) -> CentreBatch:
    """Return the batch of a step: any pictures, distorted."""
    dice = np.random.default_rng((STREAM, training.seed, step))
    at = np.sort(dice.choice(len(rows.pixels), training.batch, replace=False))
    pixels, boxes, labels, colours, hats = (torch.from_numpy(part[at]).to(device) for part in rows)
    shown = distort(pixels, boxes, labels.long(), dice)
    return CentreBatch(shown.pixels * 2.0 - 1.0, shown.boxes, shown.labels, colours.long(), hats.long())


def losses_of(maps: Maps, batch: CentreBatch) -> dict[str, torch.Tensor]:
    """Return the weighted losses per thing in the batch."""
    height, width = maps.heat.shape[2:]
    cells = torch.tensor([width, height], device=maps.heat.device)
    centre = (batch.boxes[..., :2] + batch.boxes[..., 2:]) / 2.0 * cells
    size = ((batch.boxes[..., 2:] - batch.boxes[..., :2]) * cells).clamp(min=0.25)
    cell = torch.minimum(centre.floor().clamp(min=0.0), cells - 1.0)
    heat = heat_of(cell, size, batch.labels, maps.heat.shape)
    picture, place = torch.nonzero(batch.labels >= 0, as_tuple=True)
    count = max(1, len(picture))
    column, row = cell[picture, place].long().unbind(dim=1)
    there = Maps(*(values[picture, :, row, column].T for values in maps))
    offset = (centre - cell - 0.5)[picture, place].T
    colours, hats = batch.colours[picture, place], batch.hats[picture, place]
    is_figure = batch.labels[picture, place] >= len(KINDS)
    wanted = functional.one_hot(hats.clamp(min=0), len(HATS)).float() * (hats >= 0)[:, None]
    hat = functional.binary_cross_entropy_with_logits(there.attribute.T, wanted, reduction="none").sum(dim=1)
    return {
        "heat": focal_loss(maps.heat, heat) / count,
        "offset": OFFSET * functional.l1_loss(there.offset, offset, reduction="sum") / count,
        "size": SIZE * functional.l1_loss(there.log_size, size[picture, place].log().T, reduction="sum") / count,
        "colour": COLOUR
        * functional.cross_entropy(there.colour.T, colours, ignore_index=NOTHING, reduction="sum")
        / count,
        "hat": HAT * hat[is_figure].sum() / count * 4.0,  # one in ten things is a figure
    }


def heat_of(cell: torch.Tensor, size: torch.Tensor, labels: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Return what the heat should be: 1 at the cell of each centre, a bell around it as wide as the thing allows.

    Args:
        cell: Column and row of each thing, (N, K, 2).
        size: Width and height in cells, (N, K, 2).
        labels: int64 (N, K), -1 where there is nothing.
        shape: Of the result (N, labels, H, W).
    """
    heat = torch.zeros(shape, device=cell.device)
    spread = (size / 8.0).clamp(0.45, 1.5)
    columns, rows = (torch.arange(n, device=cell.device) for n in (shape[3], shape[2]))
    across = (-(((columns - cell[..., :1]) / spread[..., :1]) ** 2) / 2.0).exp()
    down = (-(((rows - cell[..., 1:]) / spread[..., 1:]) ** 2) / 2.0).exp()
    bells = down[..., :, None] * across[..., None, :]
    for place in range(labels.shape[1]):
        there = torch.nonzero(labels[:, place] >= 0)[:, 0]
        label = labels[there, place]
        heat[there, label] = torch.maximum(heat[there, label], bells[there, place])
    return heat


def focal_loss(logits: torch.Tensor, heat: torch.Tensor) -> torch.Tensor:
    """Return the summed focal loss of heat maps (Law and Deng 2018, arXiv 1808.01244, equation 1; alpha 2, beta 4)."""
    chance = logits.sigmoid()
    peak = -((1.0 - chance) ** 2) * functional.logsigmoid(logits)
    other = -((1.0 - heat) ** 4) * chance**2 * functional.logsigmoid(-logits)
    return torch.where(heat == 1.0, peak, other).sum()


def save_detector(model: CentreNet, folder: Path) -> Path:
    """Write a model as ``centre_point`` reads it: kernels in half precision, the small rest in single."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: (value.half() if value.ndim > 1 else value).cpu().contiguous()
        for name, value in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    part = folder / "model.part"
    part.write_bytes(save(state))  # save_file would let nobody else read the file
    part.replace(folder / WEIGHTS_NAME)
    text = json.dumps(model.config.model_dump(mode="json"), indent=2)
    (folder / CONFIG_NAME).write_text(text + "\n", encoding="utf-8")
    return folder
