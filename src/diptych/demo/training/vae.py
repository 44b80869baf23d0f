"""The recipe of the demo pipelines' autoencoder: diffusers' ``AutoencoderKL``, pictures of 64 px to latents of 16 x 16.

Both pipelines share it, and it learns from the same drawn pictures as the CLIP, the spoilt ones included, so that it
favours neither. After ``steps`` its encoder is fixed, so that the pipelines can begin to learn its latents, and the
decoder alone goes on for ``decoder_steps``. What the pipelines learn from is decided in ``diffusion``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch

from diptych.demo.training.caption_rows import CaptionKind, CaptionRows, draw_caption_rows
from diptych.demo.training.linear_start import LATENTS, begin_linear
from diptych.demo.training.pictures import drawn, looked_at, mirrored, scaled
from diptych.demo.training.rows import DrawnTraining
from diptych.demo.training.trainer import StepDraw, StepLosses, train
from diptych.demo.training.weights import running_mean, standing_in
from diptych.devices import torch_device

CHECK_ROWS = 64
CONTEXT = 40  # tokens of the captions that the drawn rows carry beside the pixels
FIRST_ROWS = 1024  # pictures that decide the first weights and the scaling factor
ENCODED = 128  # pictures that are encoded at once
EDGE_WEIGHT = 0.5
SQUARE_WEIGHT = 2.0


def default_model() -> dict[str, Any]:
    """Return the configuration of diffusers' ``AutoencoderKL``."""
    return {
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": LATENTS,
        "block_out_channels": [32, 48, 64],
        "layers_per_block": 1,
        "down_block_types": ["DownEncoderBlock2D"] * 3,
        "up_block_types": ["UpDecoderBlock2D"] * 3,
        "norm_num_groups": 1,
        "sample_size": 64,
        "mid_block_add_attention": False,
    }


@dataclass(frozen=True, kw_only=True)
class VaeTraining(DrawnTraining):
    """What decides the weights of the autoencoder.

    Attributes:
        decoder_steps: Further batches, after ``steps``, that the decoder alone learns from.
        kl_weight: Of the divergence of the latents from a normal distribution, beside the loss of the pictures.
        model: Configuration of ``AutoencoderKL``.
    """

    steps: int = 320
    decoder_steps: int = 0
    batch: int = 32
    rows: int = 12288
    learning_rate: float = 1e-3
    warm_up: int = 50
    kl_weight: float = 1e-5
    model: Mapping[str, Any] = field(default_factory=default_model)

    LENGTHS: ClassVar[tuple[str, ...]] = ("steps", "decoder_steps")


def train_vae(out: Path, training: VaeTraining, *, threads: int, check_every: int = 100) -> Path:
    """Train the autoencoder as ``trainer.train`` says and return its folder, in diffusers' layout."""
    kind = CaptionKind(training.model["sample_size"], CONTEXT)

    def begin() -> VaeRecipe:
        return VaeRecipe(training, draw_caption_rows(out / "rows", training.rows, kind, processes=threads))

    return train(out, training, begin, threads=threads, check_every=check_every)


class VaeRecipe:
    """An autoencoder under training; what is kept of it is the running mean of its weights."""

    name, stream = "vae", 107

    def __init__(self, training: VaeTraining, rows: CaptionRows) -> None:
        """Make the weights from the seed and the first pictures."""
        from diffusers import AutoencoderKL

        self.training, self.rows, self.examples = training, rows, len(rows.pixels)
        self.device = torch_device("auto")
        torch.manual_seed(training.seed)
        model: Any = AutoencoderKL(**training.model)
        begin_linear(model, torch.from_numpy(rows.pixels[:FIRST_ROWS]))
        self.model = model.to(self.device, memory_format=torch.channels_last).train()
        self.weights = list(self.model.parameters())
        self.mean = running_mean(self.weights)
        self.optimiser: torch.optim.Optimizer = torch.optim.AdamW(
            self.weights, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0
        )
        self.parts = {"model": self.model, "mean": self.mean, "optimiser": self.optimiser}

    def losses(self, draw: StepDraw) -> StepLosses:
        """Return how far the pictures that come back are from those that went in, and the divergence of the latents."""
        if draw.step == self.training.steps:
            self.mean.copy_to(self.weights)  # the decoder goes on from the mean, whose encoder is the one that stays
        turned = draw.dice.random(len(draw.at)) < 0.5
        pixels = scaled(torch.from_numpy(mirrored(self.rows.pixels[draw.at], turned)).to(self.device))
        with torch.autocast(self.device.type, torch.bfloat16):
            latents = self.model.encode(pixels).latent_dist
            came_back = self.model.decode(latents.sample(generator=draw.noise)).sample
        picture, kl = picture_loss(came_back.float(), pixels), latents.kl().float().mean()
        return StepLosses(picture + self.training.kl_weight * kl, {"picture": picture, "kl": kl})

    def update(self, step: int) -> None:
        """Move the weights, those of the encoder as long as it learns, and the mean after them."""
        if step >= self.training.steps:
            for weight in (*self.model.encoder.parameters(), *self.model.quant_conv.parameters()):
                weight.grad = None
        self.optimiser.step()
        self.mean.step(self.weights)

    def look(self) -> dict[str, float]:
        """Return the mean absolute error of the running mean's pictures, in levels of [0, 255]."""
        self.model.eval()
        with standing_in(self.mean, self.weights), torch.inference_mode():
            pixels = scaled(self._looked_at.to(self.device))
            came_back = self.model.decode(self.model.encode(pixels).latent_dist.mode()).sample
        self.model.train()
        return {"absolute_error": round(float((came_back.float() - pixels).abs().mean()) * 127.5, 3)}

    def save(self, folder: Path) -> None:
        """Write the running mean in diffusers' layout and half precision.

        The scaling factor, by which a pipeline multiplies latents, is the reciprocal of their standard deviation
        (Rombach et al. 2022, section 4.1 and appendix D.1), over the first pictures.
        """
        self.mean.copy_to(self.weights)
        model = self.model.eval().half().float()  # the deviation is that of the weights as they will be read
        pixels = torch.from_numpy(self.rows.pixels[:FIRST_ROWS])
        with torch.inference_mode():
            latents = [
                model.encode(scaled(part.to(self.device))).latent_dist.mode() for part in torch.split(pixels, ENCODED)
            ]
        model.register_to_config(scaling_factor=round(1.0 / float(torch.cat(latents).std()), 5))
        model.half().save_pretrained(folder)

    @cached_property
    def _looked_at(self) -> torch.Tensor:
        """Pixels that nothing is trained on."""
        return drawn(looked_at(CHECK_ROWS), self.training.model["sample_size"])


def picture_loss(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute error of pixels and, weighted, of their squares and of the differences of neighbours.

    The squares keep the colours of small things, the differences keep edges.
    """
    loss = (drawn - wanted).abs().mean() + SQUARE_WEIGHT * (drawn - wanted).square().mean()
    for axis in (2, 3):
        loss = loss + EDGE_WEIGHT * (drawn.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
    return loss
