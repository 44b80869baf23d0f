"""The network behind ``centre_point``: what it is made of, what it gives per cell, how things are read off it.

A thing is a peak of a map of its kind at the centre of its box, the rest is read where the peak is. Source: Zhou, Wang
and Krähenbühl 2019, "Objects as Points" (arXiv 1904.07850), on a small residual network with a top-down path (Lin et
al. 2017, arXiv 1612.03144). Unlike there, one place has one thing: a peak has to be the highest of all kinds, and of
boxes that overlap by half the surest is kept.
"""

from pathlib import Path
from typing import NamedTuple, Self

import torch
from pydantic import Field, ValidationError, model_validator
from torch import nn
from torch.nn import functional

from diptych.config.settings import Settings
from diptych.config.wording import in_words
from diptych.errors import DataError, one_line

STRIDE = 4  # pixels of a cell's side
DEEPEST = 16  # pixels of a cell's side where the network is deepest
MEAN = STD = 127.5
RARE = -4.6  # logit of 0.01: at first, nothing is anywhere (Lin et al. 2017, arXiv 1708.02002, section 3.3)
MAX_OVERLAP = 0.5  # intersection over union from which on two boxes are one thing
MAX_LOG_SIZE = 4.0  # e^4 = 55 cells


class CentreConfig(Settings):
    """What decides the shape of a network and the meaning of its outputs.

    Attributes:
        side: Pixels of the side of its pictures, a multiple of 16.
        widths: Channels at strides 2, 4, 8 and 16.
        blocks: Residual blocks at each stride from 4 on.
        labels: What it finds.
        coloured: Those of the labels that have a colour.
        attributed: Those of the labels that have an attribute.
        colours: Which colours it tells.
        attributes: Which attributes it sees.
    """

    side: int = Field(ge=DEEPEST, le=1024, multiple_of=DEEPEST)
    widths: tuple[int, int, int, int]
    blocks: int = Field(ge=0, le=16)
    labels: tuple[str, ...] = Field(min_length=1)
    coloured: tuple[str, ...] = ()
    attributed: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if min(self.widths) < 1 or max(self.widths) > 4096:
            raise ValueError("widths are in [1, 4096]")
        for name in ("labels", "coloured", "attributed", "colours", "attributes"):
            names = getattr(self, name)
            if len(set(names)) < len(names) or "" in names:
                raise ValueError(f"{name} hold a name twice, or an empty one")
        if not set(self.coloured + self.attributed) <= set(self.labels):
            raise ValueError("coloured and attributed hold names that are no labels")
        return self


class Maps(NamedTuple):
    """What the network gives for N pictures of (H, W) cells.

    Attributes:
        heat: Logits of the labels (N, L, H, W).
        offset: Of a centre from the middle of its cell, x and y in cells (N, 2, H, W).
        log_size: Logarithm of the width and height in cells (N, 2, H, W).
        colour: Logits of the colours, one of which it is (N, C, H, W).
        attribute: Logits of the attributes, of which it may be none (N, A, H, W).
    """

    heat: torch.Tensor
    offset: torch.Tensor
    log_size: torch.Tensor
    colour: torch.Tensor
    attribute: torch.Tensor


class Peaks(NamedTuple):
    """P things found in N pictures, ordered by picture and from the surest on.

    Attributes:
        picture: Number of the picture, int64 (P,).
        label: Number of the label, int64 (P,).
        score: float32 (P,) in [0, 1].
        box: Left, top, right, bottom as shares of the side, float32 (P, 4) in [0, 1].
        colour: Probabilities of the colours, float32 (P, C), adding up to 1.
        attribute: Probability of each attribute, float32 (P, A).
    """

    picture: torch.Tensor
    label: torch.Tensor
    score: torch.Tensor
    box: torch.Tensor
    colour: torch.Tensor
    attribute: torch.Tensor


class CentreNet(nn.Module):
    """From pixels to maps."""

    def __init__(self, config: CentreConfig) -> None:
        """Make a network with random weights."""
        super().__init__()
        self.config = config
        first, fine, middle, deep = config.widths
        self.stem = _convolution(3, first, stride=2)
        self.fine = _stage(first, fine, config.blocks)
        self.middle = _stage(fine, middle, config.blocks)
        self.deep = _stage(middle, deep, config.blocks)
        self.deep_to_middle = nn.Conv2d(deep, middle, 1)
        self.mix_middle = _convolution(middle, middle)
        self.middle_to_fine = nn.Conv2d(middle, fine, 1)
        self.mix_fine = _convolution(fine, fine)
        self.before_heads = _convolution(fine, 2 * fine)
        self.heads = nn.Conv2d(2 * fine, sum(self._sizes()), 1)
        nn.init.constant_(self.heads.bias[: len(config.labels)], RARE)  # type: ignore[index]  # there is a bias

    def forward(self, pixels: torch.Tensor) -> Maps:
        """Return the maps of float32 (N, 3, side, side) in [-1, 1]."""
        fine = self.fine(self.stem(pixels))
        middle = self.middle(fine)
        deep = self.deep(middle)
        middle = self.mix_middle(middle + functional.interpolate(self.deep_to_middle(deep), scale_factor=2))
        fine = self.mix_fine(fine + functional.interpolate(self.middle_to_fine(middle), scale_factor=2))
        outputs = self.heads(self.before_heads(fine)).float()
        return Maps(*outputs.split(self._sizes(), dim=1))

    def _sizes(self) -> list[int]:
        config = self.config
        return [len(config.labels), 2, 2, len(config.colours), len(config.attributes)]


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """Return uint8 RGB (N, H, W, 3) as the network takes it: float32 (N, 3, H, W) in [-1, 1]."""
    return (pixels.permute(0, 3, 1, 2).float() - MEAN) / STD


def find_peaks(maps: Maps, least_score: float) -> Peaks:
    """Return the things whose score is at least ``least_score``."""
    highest, labels = maps.heat.max(dim=1)
    # Compared as logits: probabilities near 1 would be equal, and one thing be found twice.
    is_peak = (highest == functional.max_pool2d(highest, 3, stride=1, padding=1)) & (highest.sigmoid() >= least_score)
    picture, row, column = is_peak.nonzero(as_tuple=True)
    score = highest[is_peak].sigmoid()
    order = torch.argsort(score, descending=True, stable=True)
    order = order[torch.argsort(picture[order], stable=True)]
    picture, row, column = picture[order], row[order], column[order]
    offset, log_size = maps.offset[picture, :, row, column], maps.log_size[picture, :, row, column]
    cells = torch.tensor([maps.heat.shape[3], maps.heat.shape[2]], dtype=torch.float32, device=offset.device)
    centre = (torch.stack([column, row], dim=1) + 0.5 + offset) / cells
    half = log_size.clamp(max=MAX_LOG_SIZE).exp() / cells / 2.0
    peaks = Peaks(
        picture,
        labels[is_peak][order],
        score[order],
        torch.cat([centre - half, centre + half], dim=1).clamp(0.0, 1.0),
        maps.colour[picture, :, row, column].softmax(dim=1),
        maps.attribute[picture, :, row, column].sigmoid(),
    )
    kept = _not_doubled(picture, peaks.box)
    return Peaks(*(values[kept] for values in peaks))


def _not_doubled(picture: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
    """Return whether each box overlaps no surer one that is kept: bool (P,); the surest of each picture come first."""
    low, high = torch.maximum(box[:, None, :2], box[None, :, :2]), torch.minimum(box[:, None, 2:], box[None, :, 2:])
    common, area = (high - low).clamp(min=0.0).prod(dim=-1), (box[:, 2:] - box[:, :2]).prod(dim=-1)
    doubled = common > MAX_OVERLAP * (area[:, None] + area[None] - common)
    doubled &= (picture[:, None] == picture[None]).tril(diagonal=-1)
    kept = torch.ones(len(box), dtype=torch.bool, device=box.device)
    for at in torch.nonzero(doubled.any(dim=1))[:, 0].tolist():
        kept[at] = not (doubled[at] & kept).any()
    return kept


def read_config(path: Path) -> CentreConfig:
    """Read the ``config.json`` of a network.

    Raises:
        DataError: If it cannot be read or describes no network of this kind.
    """
    try:
        return CentreConfig.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{path}: describes no centre-point network: {f'{key}: ' if key else ''}{in_words(first)}"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def load_net(config: CentreConfig, path: Path) -> CentreNet:
    """Return a network with the weights of a safetensors file, ready to look at pictures.

    Raises:
        DataError: If the file is damaged or holds another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    model = CentreNet(config)
    try:
        state = {name: value.float() for name, value in load_file(path).items()}
        missing, unexpected = model.load_state_dict(state, strict=False)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise DataError(f"{path}: does not load as the network of its config.json: {one_line(error)}") from error
    wrong = [name for name in missing if not name.endswith("num_batches_tracked")] + list(unexpected)
    if wrong:
        raise DataError(f"{path}: does not fit the network of its config.json: {wrong[0]} is missing or too much")
    return model.eval().requires_grad_(False)


class _Residual(nn.Module):
    """Two convolutions beside a straight way (He et al. 2016, figure 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = _convolution(width, width)[:2]  # without the rectifier

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = functional.relu(values + self.second(self.first(values)))
        return changed


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(_convolution(inputs, outputs, stride=2), *(_Residual(outputs) for _ in range(blocks)))
