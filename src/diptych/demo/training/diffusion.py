"""The recipe of the demo's text-to-image pipelines: Stable Diffusion's shape at a hundredth of its size.

Latents of the shared autoencoder, CLIP's text model, a U-Net that predicts the velocity, diffusers' classes and layout.
What ``demo-raw`` and ``demo-curated`` learn from differs; the settings here are the same for both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from diptych.demo.training.latents import LatentExamples, encode_pairs, kept_examples, load_vae
from diptych.demo.training.linear_start import LATENTS
from diptych.demo.training.pairs import CaptionedPictures
from diptych.demo.training.pictures import drawn, looked_at
from diptych.demo.training.sources import Sources
from diptych.demo.training.tokenizer import make_text_model, make_tokenizer
from diptych.demo.training.trainer import StepDraw, StepLosses, TrainingSettings, train
from diptych.demo.training.weights import running_mean, standing_in
from diptych.demo.world.captions import caption_of
from diptych.devices import torch_device
from diptych.errors import DataError

CHECK_ROWS = 64

# The schedule of Stable Diffusion (Rombach et al. 2022); the target is the velocity (Salimans and Ho 2022, appendix D).
NOISE_SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "steps_offset": 1,
}


def default_model() -> dict[str, Any]:
    """Return the configuration of diffusers' ``UNet2DConditionModel``."""
    return {
        "sample_size": 16,
        "in_channels": LATENTS,
        "out_channels": LATENTS,
        "block_out_channels": [64, 112],
        "layers_per_block": 1,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        "attention_head_dim": 4,
        "norm_num_groups": 16,
        "cross_attention_dim": 48,
    }


@dataclass(frozen=True, kw_only=True)
class DiffusionTraining(TrainingSettings):
    """What decides the weights of a pipeline, beside the pairs, the autoencoder and the CLIP.

    Attributes:
        silent_share: Share of the captions that are left out, for guidance without a classifier (Ho and Salimans 2021).
        model: Configuration of ``UNet2DConditionModel``.
    """

    steps: int = 12_500
    batch: int = 64
    learning_rate: float = 1.5e-3
    silent_share: float = 0.1
    model: Mapping[str, Any] = field(default_factory=default_model)


class OtherParts(NamedTuple):
    """What a pipeline has beside the U-Net; of these the text model alone learns."""

    vae: Any
    tokenizer: Any
    text_model: Any


def train_diffusion(
    out: Path,
    sources: Sources,
    training: DiffusionTraining,
    *,
    threads: int,
    check_every: int = 250,
    compiled: bool = False,
) -> Path:
    """Train a pipeline as ``trainer.train`` says and return its folder, ``out / "pipeline"``.

    Args:
        out: Also holds the encoded pairs.
        sources: What to learn from.
        training: How to train.
        threads: Threads of torch.
        check_every: Steps between two checkpoints.
        compiled: Compile the U-Net first (needs a C++ compiler): a quarter less time per step, the last digits differ.

    Raises:
        ConfigError: If ``out`` belongs to other settings or sources, or a source lacks a file.
        DataError: If there are fewer pairs to learn from than a batch has, or the autoencoder is none.
        Stopped: On SIGTERM or SIGINT.
    """
    hashes = sources.hashes()

    def begin() -> DiffusionRecipe:
        vae, tokenizer = load_vae(sources.vae), make_tokenizer()
        examples = kept_examples(out / "examples.pt", sources.pairs, vae, tokenizer, hashes)
        if training.batch > len(examples.tokens):
            raise DataError(
                f"{sources.pairs}: batches of {training.batch} need as many pairs; it has {len(examples.tokens)}"
            )
        parts = OtherParts(vae, tokenizer, make_text_model(sources.clip, tokenizer))
        return DiffusionRecipe(training, examples, parts, start=sources.begin, compiled=compiled)

    return train(out, training, begin, threads=threads, check_every=check_every, sources=hashes)


class DiffusionRecipe:
    """A U-Net and its text model under training; what is kept of them is the running mean of their weights."""

    name, stream = "pipeline", 108

    def __init__(
        self,
        training: DiffusionTraining,
        examples: LatentExamples,
        others: OtherParts,
        *,
        start: Path | None = None,
        compiled: bool = False,
    ) -> None:
        """Make the weights of the U-Net from the seed, or take those of a pipeline to start from."""
        from diffusers import DDPMScheduler, UNet2DConditionModel
        from safetensors.torch import load_file

        self.training, self.learned, self.examples = training, examples, len(examples.tokens)
        self.vae, self.tokenizer, self.text_model = others
        self.device = torch_device("auto")
        torch.manual_seed(training.seed)
        unet: Any = UNet2DConditionModel(**training.model)
        self.unet = unet.to(self.device, memory_format=torch.channels_last).train()
        self.learner = torch.compile(self.unet) if compiled else self.unet  # the same weights
        self.text_model.to(self.device).train()
        if start is not None:
            self.unet.load_state_dict(load_file(start / "unet" / "diffusion_pytorch_model.safetensors"))
            self.text_model.load_state_dict(load_file(start / "text_encoder" / "model.safetensors"))
        self.noising = DDPMScheduler(**NOISE_SCHEDULE)
        self.weights = [*self.unet.parameters(), *self.text_model.parameters()]
        self.mean = running_mean(self.weights)
        self.optimiser: torch.optim.Optimizer = torch.optim.AdamW(
            self.weights, lr=0.0, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.parts = {
            "unet": self.unet,
            "text_model": self.text_model,
            "mean": self.mean,
            "optimiser": self.optimiser,
        }

    def losses(self, draw: StepDraw) -> StepLosses:
        """Return how far the velocities are from what they should be."""
        at, dice = draw.at, draw.dice
        turned = (dice.random(len(at)) < 0.5) & ~self.learned.has_sides[at].numpy()
        tokens = self.learned.tokens[at].clone()
        tokens[dice.random(len(at)) < self.training.silent_share] = self._silence
        # One time from each of as many equal spans, so that a batch of 64 sees all of them.
        times = (dice.permutation(len(at)) + dice.random(len(at))) / len(at)
        latents = self.learned.latents[at, turned.astype(np.int64)]
        loss = self._loss(self.learner, latents, tokens, times, draw.noise)
        return StepLosses(loss, {"loss": loss})

    def update(self, step: int) -> None:
        """Move the weights, not too far at once, and the mean after them."""
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        self.mean.step(self.weights)

    def look(self) -> dict[str, float]:
        """Return the loss of the running mean on pairs that are not trained on, always with the same noise."""
        latents, tokens, _ = self._looked_at
        times = (np.arange(len(tokens)) + 0.5) / len(tokens)
        with standing_in(self.mean, self.weights), torch.inference_mode():
            loss = self._loss(self.unet, latents[:, 0], tokens, times, torch.Generator().manual_seed(0))
        return {"held_out_loss": round(loss.item(), 4)}

    def save(self, folder: Path) -> None:
        """Write the running mean as diffusers' ``StableDiffusionPipeline``, in half precision."""
        from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

        self.mean.copy_to(self.weights)
        self.vae.register_to_config(_name_or_path="")  # where it lay is nobody's business
        pipeline = StableDiffusionPipeline(
            vae=self.vae.half(),
            text_encoder=self.text_model.eval().half(),
            tokenizer=self.tokenizer,
            unet=self.unet.eval().half(),
            scheduler=DPMSolverMultistepScheduler(**NOISE_SCHEDULE, timestep_spacing="trailing"),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.save_pretrained(folder, safe_serialization=True)

    def _loss(
        self,
        unet: Any,
        latents: torch.Tensor,
        tokens: torch.Tensor,
        times: npt.NDArray[np.float64],
        source: torch.Generator,
    ) -> torch.Tensor:
        """Return the loss of latents at times in [0, 1) under the noise of a generator."""
        noise = torch.randn(latents.shape, generator=source).to(self.device)
        at = torch.from_numpy((times * len(self.noising.alphas_cumprod)).astype(np.int64)).to(self.device)
        latents = latents.to(self.device)
        noisy = self.noising.add_noise(latents, noise, at).contiguous(memory_format=torch.channels_last)
        # On a CPU the fused attention is slower backwards than the plain one.
        with torch.autocast(self.device.type, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            texts = self.text_model(tokens.to(self.device)).last_hidden_state
            velocity = unet(noisy, at, texts).sample
        return functional.mse_loss(velocity.float(), self.noising.get_velocity(latents, noise, at))

    @cached_property
    def _silence(self) -> torch.Tensor:
        """The tokens of the empty text: its begin, and its end up to the end."""
        row = torch.full_like(self.learned.tokens[0], self.text_model.config.eos_token_id)
        row[0] = self.text_model.config.bos_token_id
        return row

    @cached_property
    def _looked_at(self) -> LatentExamples:
        """Pairs that nothing is trained on."""
        scenes = looked_at(CHECK_ROWS)
        pixels = drawn(scenes, self.vae.config.sample_size).numpy()
        pairs = CaptionedPictures(pixels, [caption_of(one) for one in scenes], np.zeros(len(scenes), np.bool_))
        return encode_pairs(pairs, self.vae, self.tokenizer)
