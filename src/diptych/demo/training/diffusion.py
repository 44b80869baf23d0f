"""Trains a demo text-to-image pipeline on a dataset directory: Stable Diffusion's shape at a hundredth of its size.

Latents of the shared autoencoder, CLIP's text model, a U-Net that predicts the velocity, diffusers' classes and layout.
What ``demo-raw`` and ``demo-curated`` learn from differs; the settings here are the same for both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from diptych.config.identity import fingerprint
from diptych.demo.training.clip import scaled
from diptych.demo.training.linear_start import LATENTS
from diptych.demo.training.pairs import CaptionedPictures, read_pairs
from diptych.demo.training.runs import claim, learning_rate_at, run_steps
from diptych.demo.training.sources import Sources
from diptych.demo.training.tokenizer import make_text_model, make_tokenizer
from diptych.demo.training.vae import check_pixels, hash_of
from diptych.demo.world.captions import caption_of
from diptych.demo.world.scenes import scene
from diptych.demo.world.seeds import LOOKED_AT
from diptych.errors import DataError, one_line
from diptych.progress import track

STREAM = 108  # keeps the order of batches apart from other choices
CONTEXT = 32  # tokens of a caption; the longest has 26
ENCODED = 128  # pictures that are encoded at once
DECAY = 0.999  # of the running mean of the weights

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


@dataclass(frozen=True)
class DiffusionTraining:
    """What decides the weights, beside the pairs, the autoencoder and the CLIP.

    Attributes:
        steps: How many batches in all.
        batch: Pairs in a batch.
        learning_rate: Its peak, after ``warm_up`` steps; a cosine leads it to 0.
        warm_up: Steps in which it rises.
        silent_share: Share of the captions that are left out, for guidance without a classifier (Ho and Salimans 2021).
        seed: Of the weights, the order of the batches and the noise.
        model: Configuration of ``UNet2DConditionModel``.
    """

    steps: int = 12_500
    batch: int = 64
    learning_rate: float = 1.5e-3
    warm_up: int = 100
    silent_share: float = 0.1
    seed: int = 0
    model: Mapping[str, Any] = field(default_factory=default_model)


class NoisedExamples(NamedTuple):
    """What is learned from, on the CPU.

    Attributes:
        latents: float32 (N, 2, C, H, W), scaled; the second of each pair is that of the mirrored picture.
        tokens: int64 (N, CONTEXT).
        has_sides: bool (N,).
    """

    latents: torch.Tensor
    tokens: torch.Tensor
    has_sides: torch.Tensor


def train_diffusion(
    out: Path,
    sources: Sources,
    training: DiffusionTraining,
    *,
    threads: int,
    check_every: int = 250,
    compiled: bool = False,
) -> Path:
    """Train, or go on where an earlier run with the same settings stopped, and return the folder of the pipeline.

    Args:
        out: Holds the checkpoint, the curve and in the end the pipeline (``pipeline``).
        sources: What to learn from.
        training: What to train.
        threads: Threads of torch.
        check_every: Steps between two checkpoints.
        compiled: Compile the U-Net first (needs a C++ compiler): a quarter less time per step, the last digits differ.

    Raises:
        ConfigError: If ``out`` belongs to other settings or sources, or a source lacks a file.
        DataError: If there are fewer pairs to learn from than a batch has, or the autoencoder is none.
        Stopped: On SIGTERM or SIGINT, after the step under way, with a checkpoint and without a pipeline.
    """
    torch.set_num_threads(threads)
    hashes = sources.hashes()
    claim(out, training, sources=hashes)
    vae = load_vae(sources.vae)
    tokenizer = make_tokenizer(CONTEXT)
    examples = kept_examples(out / "examples.pt", sources.pairs, vae, tokenizer, hashes)
    if training.batch > len(examples.tokens):
        raise DataError(
            f"{sources.pairs}: batches of {training.batch} need as many pairs; it has {len(examples.tokens)}"
        )
    trainer = DiffusionTrainer(training, examples, make_text_model(sources.clip, tokenizer), compiled=compiled)
    if sources.begin is not None:
        trainer.begin_from(sources.begin)
    check = encode_pairs(_check_pairs(vae.config.sample_size), vae, tokenizer)
    run_steps(trainer, training.steps, out, check_every=check_every, look=lambda: trainer.look(check))
    return save_pipeline(trainer, vae, tokenizer, out / "pipeline")


def load_vae(folder: Path) -> Any:
    """Return the autoencoder of a folder in single precision.

    Raises:
        DataError: If the folder holds something else.
    """
    from diffusers import AutoencoderKL

    try:
        kind = AutoencoderKL.load_config(folder).get("_class_name")
        if kind != AutoencoderKL.__name__:
            raise DataError(f"{folder}: holds a {kind}, not an {AutoencoderKL.__name__}")
        vae = AutoencoderKL.from_pretrained(folder, dtype=torch.float32).eval()
    except (OSError, ValueError, TypeError, RuntimeError, KeyError, AttributeError) as error:
        raise DataError(f"{folder}: cannot be loaded as an autoencoder: {one_line(error)}") from error
    return vae.to(memory_format=torch.channels_last)


def kept_examples(
    path: Path, pairs: Path, vae: Any, tokenizer: Any, hashes: Mapping[str, str | None]
) -> NoisedExamples:
    """Return the pairs of a dataset directory as latents and tokens.

    They come from ``path`` where an earlier run kept those of the same pairs, autoencoder and tokenizer; otherwise they
    are made and kept there.

    Args:
        path: The file.
        pairs: The dataset directory.
        vae: The autoencoder.
        tokenizer: The tokenizer.
        hashes: Of the content of ``pairs`` and ``vae``, under these names.
    """
    words = {"vocabulary": tokenizer.get_vocab(), "context": CONTEXT}
    wanted = fingerprint({"pairs": hashes["pairs"], "vae": hashes["vae"], "tokenizer": words})
    if path.is_file():
        kept = torch.load(path, weights_only=True)
        if kept.pop("fingerprint", None) == wanted:
            return NoisedExamples(**kept)
    examples = encode_pairs(read_pairs(pairs, vae.config.sample_size), vae, tokenizer)
    part = path.with_suffix(".part")
    torch.save({"fingerprint": wanted, **examples._asdict()}, part)
    part.replace(path)
    return examples


def encode_pairs(pairs: CaptionedPictures, vae: Any, tokenizer: Any) -> NoisedExamples:
    """Return pairs as latents and tokens; each picture is encoded once, and its mirror image once."""
    tokens = tokenizer(pairs.captions, padding="max_length", truncation=True, max_length=CONTEXT, return_tensors="pt")
    latents = []
    half = torch.autocast(vae.device.type, torch.bfloat16)
    with track("encode", len(pairs.pixels), unit="pictures") as tracker, torch.inference_mode(), half:
        for start in range(0, len(pairs.pixels), ENCODED):
            part = scaled(torch.from_numpy(pairs.pixels[start : start + ENCODED]))
            sides = (side.contiguous(memory_format=torch.channels_last) for side in (part, part.flip(3)))
            both = [vae.encode(side).latent_dist.mode().float() for side in sides]
            latents.append(torch.stack(both, dim=1) * vae.config.scaling_factor)
            tracker.advance(len(part))
    return NoisedExamples(torch.cat(latents).clone(), tokens["input_ids"].clone(), torch.from_numpy(pairs.has_sides))


class DiffusionTrainer:
    """A U-Net and its text model under training."""

    def __init__(
        self, training: DiffusionTraining, examples: NoisedExamples, text_model: Any, *, compiled: bool = False
    ) -> None:
        """Make the weights of the U-Net from the seed."""
        from diffusers import DDPMScheduler, UNet2DConditionModel

        self.step = 0
        self.training, self.examples = training, examples
        torch.manual_seed(training.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        unet: Any = UNet2DConditionModel(**training.model)
        self.unet = unet.to(self.device, memory_format=torch.channels_last).train()
        self.learner = torch.compile(self.unet) if compiled else self.unet  # the same weights
        self.text_model = text_model.to(self.device).train()
        self.noise = DDPMScheduler(**NOISE_SCHEDULE)
        self.mean = self._make_mean()
        self.optimiser = torch.optim.AdamW(self._weights(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.01)

    def take_step(self) -> dict[str, float]:
        """Learn from the batch of this step, and return its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.training)
        dice = np.random.default_rng((STREAM, self.training.seed, self.step))
        at = np.sort(dice.choice(len(self.examples.tokens), self.training.batch, replace=False))
        mirrored = (dice.random(len(at)) < 0.5) & ~self.examples.has_sides[at].numpy()
        tokens = self.examples.tokens[at].clone()
        tokens[dice.random(len(at)) < self.training.silent_share] = self._silence()
        # One time from each of as many equal spans, so that a batch of 64 sees all of them.
        times = (dice.permutation(len(at)) + dice.random(len(at))) / len(at) * len(self.noise.alphas_cumprod)
        latents = self.examples.latents[at, mirrored.astype(np.int64)]
        loss = self._loss(self.learner, latents, tokens, times, hash_of(self.training.seed, self.step))
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._weights(), 1.0)
        self.optimiser.step()
        self.mean.step(self._weights())
        self.step += 1
        return {"loss": round(loss.item(), 4)}

    def look(self, check: NoisedExamples) -> dict[str, float]:
        """Return the loss of the running mean on examples that are not trained on, always with the same noise."""
        with averaged(self.mean, self._weights()), torch.inference_mode():
            count = len(check.tokens)
            times = (np.arange(count) + 0.5) / count * len(self.noise.alphas_cumprod)
            loss = self._loss(self.unet, check.latents[:, 0], check.tokens, times, 0)
        return {"held_out_loss": round(loss.item(), 4)}

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"unet": self.unet, "text_model": self.text_model, "mean": self.mean, "optimiser": self.optimiser}

    def begin_from(self, pipeline: Path) -> None:
        """Take the weights of a pipeline of the same shape; a checkpoint, where there is one, goes before them."""
        from safetensors.torch import load_file

        self.unet.load_state_dict(load_file(pipeline / "unet" / "diffusion_pytorch_model.safetensors"))
        self.text_model.load_state_dict(load_file(pipeline / "text_encoder" / "model.safetensors"))
        self.mean = self._make_mean()

    def weights_of_mean(self) -> None:
        """Put the running mean in the place of the weights, for good."""
        self.mean.copy_to(self._weights())

    def _loss(
        self, unet: Any, latents: torch.Tensor, tokens: torch.Tensor, times: np.ndarray[Any, Any], seed: int
    ) -> torch.Tensor:
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed)).to(self.device)
        at, latents = torch.from_numpy(times.astype(np.int64)).to(self.device), latents.to(self.device)
        noisy = self.noise.add_noise(latents, noise, at).contiguous(memory_format=torch.channels_last)
        # On a CPU the fused attention is slower backwards than the plain one.
        with torch.autocast(self.device.type, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            texts = self.text_model(tokens.to(self.device)).last_hidden_state
            velocity = unet(noisy, at, texts).sample
        return functional.mse_loss(velocity.float(), self.noise.get_velocity(latents, noise, at))

    def _make_mean(self) -> Any:
        from diffusers.training_utils import EMAModel

        return EMAModel(self._weights(), decay=DECAY, use_ema_warmup=True, inv_gamma=1.0, power=2 / 3)

    def _silence(self) -> torch.Tensor:
        """Return the tokens of the empty text: its begin, and its end up to the end."""
        row = torch.full_like(self.examples.tokens[0], self.text_model.config.eos_token_id)
        row[0] = self.text_model.config.bos_token_id
        return row

    def _weights(self) -> list[torch.nn.Parameter]:
        return [*self.unet.parameters(), *self.text_model.parameters()]


class averaged:  # noqa: N801 -- a context manager reads as a verb
    """Let the running mean stand in for the weights while the context lasts."""

    def __init__(self, mean: Any, weights: list[torch.nn.Parameter]) -> None:
        """Remember both."""
        self._mean, self._weights = mean, weights

    def __enter__(self) -> None:
        """Exchange."""
        self._mean.store(self._weights)
        self._mean.copy_to(self._weights)

    def __exit__(self, *_: object) -> None:
        """Exchange back."""
        self._mean.restore(self._weights)


def save_pipeline(trainer: DiffusionTrainer, vae: Any, tokenizer: Any, folder: Path) -> Path:
    """Write the running mean of the weights as diffusers' ``StableDiffusionPipeline``, in half precision."""
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    trainer.weights_of_mean()
    vae.register_to_config(_name_or_path="")  # where it lay is nobody's business
    pipeline = StableDiffusionPipeline(
        vae=vae.half(),
        text_encoder=trainer.text_model.eval().half(),
        tokenizer=tokenizer,
        unet=trainer.unet.eval().half(),
        scheduler=DPMSolverMultistepScheduler(**NOISE_SCHEDULE, timestep_spacing="trailing"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def _check_pairs(side: int) -> CaptionedPictures:
    """Return pairs that nothing is trained on."""
    pixels = check_pixels(side).numpy()
    captions = [caption_of(scene(seed)) for seed in range(LOOKED_AT, LOOKED_AT + len(pixels))]
    return CaptionedPictures(pixels, captions, np.zeros(len(pixels), np.bool_))
