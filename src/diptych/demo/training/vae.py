"""Trains the autoencoder of the demo pipelines: diffusers' ``AutoencoderKL``, pictures of 64 px to latents of 16 x 16.

Both pipelines share it, and it learns from the same drawn pictures as the CLIP, the spoilt ones included, so that it
favours neither. After ``steps`` its encoder is fixed, so that the pipelines can begin to learn its latents, and the
decoder alone goes on for ``decoder_steps``. What the pipelines learn from is decided in ``diffusion``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diptych.demo.training.clip import scaled
from diptych.demo.training.linear_start import LATENTS, begin_linear
from diptych.demo.training.rows import CaptionRows, draw_rows
from diptych.demo.training.runs import claim, learning_rate_at, run_steps
from diptych.demo.world.drawing import draw
from diptych.demo.world.scenes import scene
from diptych.demo.world.seeds import LOOKED_AT
from diptych.errors import ConfigError

STREAM = 107  # keeps the order of batches apart from other choices
CHECK_ROWS = 64
CONTEXT = 40  # tokens of the captions that the drawn rows carry beside the pixels
FIRST_ROWS = 1024  # pictures that decide the first weights and the scaling factor
EDGE_WEIGHT = 0.5
SQUARE_WEIGHT = 2.0
DECAY = 0.999  # of the running mean of the weights


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


@dataclass(frozen=True)
class VaeTraining:
    """What decides the weights.

    Attributes:
        steps: Batches that encoder and decoder learn from.
        decoder_steps: Further batches that the decoder learns from.
        batch: Pictures in a batch.
        rows: Pictures in all; they are drawn once.
        learning_rate: Its peak, after ``warm_up`` steps; a cosine leads it to 0, once for each part.
        warm_up: Steps in which it rises.
        kl_weight: Of the divergence of the latents from a normal distribution, beside the loss of the pictures.
        seed: Of the weights and of the order of the batches.
        model: Configuration of ``AutoencoderKL``.
    """

    steps: int = 320
    decoder_steps: int = 0
    batch: int = 32
    rows: int = 12288
    learning_rate: float = 1e-3
    warm_up: int = 50
    kl_weight: float = 1e-5
    seed: int = 0
    model: Mapping[str, Any] = field(default_factory=default_model)


def train_vae(out: Path, training: VaeTraining, *, threads: int, check_every: int = 100) -> Path:
    """Train, or go on where an earlier run with the same settings stopped, and return the folder of the model.

    Args:
        out: Holds the pictures, the checkpoint, the curve and in the end the model (``vae``).
        training: What to train.
        threads: Threads of torch, and processes that draw.
        check_every: Steps between two checkpoints.

    Raises:
        ConfigError: If ``out`` belongs to other settings, or a batch is more than all pictures.
        Stopped: On SIGTERM or SIGINT, after the step under way, with a checkpoint and without a model.
    """
    torch.set_num_threads(threads)
    if training.batch > training.rows:
        raise ConfigError(f"batches of {training.batch} need as many pictures; there are {training.rows}")
    claim(out, training, may_change=frozenset({"steps", "decoder_steps"}))
    rows = draw_rows(
        out / "rows", training.rows, side=training.model["sample_size"], context=CONTEXT, processes=threads
    )
    trainer = VaeTrainer(training, rows)
    check = check_pixels(training.model["sample_size"])
    steps = training.steps + training.decoder_steps
    run_steps(trainer, steps, out, check_every=check_every, look=lambda: trainer.errors(check))
    return save_vae(trainer, rows, out / "vae")


class VaeTrainer:
    """An autoencoder under training."""

    def __init__(self, training: VaeTraining, rows: CaptionRows) -> None:
        """Make the weights from the seed."""
        from diffusers import AutoencoderKL
        from diffusers.training_utils import EMAModel

        self.step = 0
        self.training, self.rows = training, rows
        torch.manual_seed(training.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model: Any = AutoencoderKL(**training.model)
        begin_linear(model, torch.from_numpy(rows.pixels[:FIRST_ROWS]))
        self.model = model.to(self.device, memory_format=torch.channels_last).train()
        self.mean = EMAModel(self.model.parameters(), decay=DECAY, use_ema_warmup=True)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)

    def take_step(self) -> dict[str, float]:
        """Learn from the batch of this step, and return its losses."""
        if self.step == self.training.steps:
            self._fix_encoder()
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate()
        pixels = self._batch()
        noise = torch.Generator().manual_seed(hash_of(self.training.seed, self.step))
        with torch.autocast(self.device.type, torch.bfloat16):
            latents = self.model.encode(pixels).latent_dist
            drawn = self.model.decode(latents.sample(generator=noise)).sample
        loss = picture_loss(drawn.float(), pixels)
        self.optimiser.zero_grad()
        torch.autograd.backward(loss + self.training.kl_weight * latents.kl().float().mean())
        if self.step >= self.training.steps:
            for weight in self._encoder_weights():
                weight.grad = None
        self.optimiser.step()
        self.mean.step(self.model.parameters())
        self.step += 1
        return {"picture": round(loss.item(), 4), "kl": round(latents.kl().float().mean().item(), 1)}

    def errors(self, pixels: torch.Tensor) -> dict[str, float]:
        """Return the mean absolute error of the running mean's pictures, in levels of [0, 255]."""
        self.mean.store(self.model.parameters())
        self.mean.copy_to(self.model.parameters())
        self.model.eval()
        with torch.inference_mode():
            pixels = scaled(pixels.to(self.device))
            drawn = self.model.decode(self.model.encode(pixels).latent_dist.mode()).sample
        self.model.train()
        self.mean.restore(self.model.parameters())
        return {"absolute_error": round(float((drawn.float() - pixels).abs().mean()) * 127.5, 3)}

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"model": self.model, "mean": self.mean, "optimiser": self.optimiser}

    def _learning_rate(self) -> float:
        training = self.training
        if self.step < training.steps:
            return learning_rate_at(self.step, training)
        return learning_rate_at(self.step - training.steps, replace(training, steps=training.decoder_steps))

    def _fix_encoder(self) -> None:
        """Go on from the running mean, whose encoder is the one that stays."""
        self.mean.copy_to(self.model.parameters())

    def _encoder_weights(self) -> list[torch.nn.Parameter]:
        return [*self.model.encoder.parameters(), *self.model.quant_conv.parameters()]

    def _batch(self) -> torch.Tensor:
        dice = np.random.default_rng((STREAM, self.training.seed, self.step))
        at = np.sort(dice.choice(len(self.rows.pixels), self.training.batch, replace=False))
        pixels = self.rows.pixels[at]
        mirrored = dice.random(len(at)) < 0.5
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        return scaled(torch.from_numpy(pixels).to(self.device))


def picture_loss(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute error of pixels and, weighted, of their squares and of the differences of neighbours.

    The squares keep the colours of small things, the differences keep edges.
    """
    loss = (drawn - wanted).abs().mean() + SQUARE_WEIGHT * (drawn - wanted).square().mean()
    for axis in (2, 3):
        loss = loss + EDGE_WEIGHT * (drawn.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
    return loss


def hash_of(seed: int, step: int) -> int:
    """Return the seed of a step's noise."""
    return int(np.random.SeedSequence((STREAM, seed, step)).generate_state(1, np.uint64)[0] >> 1)


def check_pixels(side: int) -> torch.Tensor:
    """Return pictures that nothing is trained on: uint8 (N, side, side, 3)."""
    drawn = [draw(scene(seed), side) for seed in range(LOOKED_AT, LOOKED_AT + CHECK_ROWS)]
    return torch.from_numpy(np.stack(drawn))


def save_vae(trainer: VaeTrainer, rows: CaptionRows, folder: Path) -> Path:
    """Write the running mean of the weights in diffusers' layout and half precision.

    The scaling factor, by which a pipeline multiplies latents, is the reciprocal of their standard deviation (Rombach
    et al. 2022, section 4.1 and appendix D.1), over the first pictures.
    """
    trainer.mean.copy_to(trainer.model.parameters())
    model = trainer.model.eval().half().float()  # the deviation is that of the weights as they will be read
    with torch.inference_mode():
        pixels = torch.from_numpy(rows.pixels[:FIRST_ROWS])
        parts = (pixels[start : start + 128].to(trainer.device) for start in range(0, len(pixels), 128))
        latents = torch.cat([model.encode(scaled(part)).latent_dist.mode() for part in parts])
    model.register_to_config(scaling_factor=round(1.0 / float(latents.std()), 5))
    model.half().save_pretrained(folder)
    return folder
