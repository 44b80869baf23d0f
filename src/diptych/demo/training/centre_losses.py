"""What the maps of a centre-point network should be for what is in the pictures, and how far they are from it."""

from typing import NamedTuple

import torch
from torch.nn import functional

from diptych.demo.training.detector_rows import NOTHING
from diptych.demo.world.figures import HATS
from diptych.demo.world.things import KINDS
from diptych.judges.boxes.centre_net import Maps

# Weights of the losses beside that of the heat.
OFFSET, SIZE, COLOUR, HAT = 0.5, 0.5, 0.5, 0.5


class CentreBatch(NamedTuple):
    """One step's pictures and what is in them, on the device; see ``detector_rows.DetectorRows``."""

    pixels: torch.Tensor
    boxes: torch.Tensor
    labels: torch.Tensor
    colours: torch.Tensor
    hats: torch.Tensor


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
