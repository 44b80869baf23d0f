"""Trains the demo CLIP: open_clip's classes and tokenizer, a configuration small enough to ship.

The captions are true and silent about the faults of the pictures. Two linear outputs on the embedding learn what the
captions leave out (whether a picture is flagged, and its quality), so that linear heads find it there later; they are
not part of the model.

Every batch follows from the seed and the number of its step, so a run that was stopped goes on exactly where it was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from diptych.demo.measure.ratings import recall_at_1
from diptych.demo.training.rows import VARIANTS, CaptionRows, draw_rows
from diptych.demo.training.runs import claim, learning_rate_at, run_steps
from diptych.demo.world.captions import distinct_captions
from diptych.demo.world.drawing import draw
from diptych.demo.world.seeds import LOOKED_AT
from diptych.errors import ConfigError

STREAM = 106  # keeps the order of batches apart from other choices
CHECK_ROWS = 500
MAX_LOGIT_SCALE = log(100.0)  # as in CLIP (Radford et al. 2021, section 2.5)
MEAN = STD = 0.5


def default_model() -> dict[str, Any]:
    """Return open_clip's model configuration of the demo CLIP."""
    return {
        "embed_dim": 128,
        "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 1], "width": 16, "head_width": 32},
        "text_cfg": {"context_length": 40, "vocab_size": 49408, "width": 48, "heads": 3, "layers": 4},
    }


@dataclass(frozen=True)
class ClipTraining:
    """What decides the weights; ``threads`` is not part of it as far as torch allows.

    Attributes:
        steps: How many batches in all.
        batch: Pictures in a batch.
        rows: Pictures in all; they are drawn once.
        learning_rate: Its peak, after ``warm_up`` steps; a cosine leads it to 0.
        warm_up: Steps in which it rises.
        weight_decay: Of the matrices.
        said_weight: Weight of what the captions leave out beside the contrastive loss.
        seed: Of the weights and of the order of the batches.
        model: open_clip's model configuration.
    """

    steps: int = 2200
    batch: int = 256
    rows: int = 49152
    learning_rate: float = 2e-3
    warm_up: int = 100
    weight_decay: float = 0.05
    said_weight: float = 0.5
    seed: int = 0
    model: Mapping[str, Any] = field(default_factory=default_model)


class CaptionBatch(NamedTuple):
    """One step's pictures, captions and truths, on the device."""

    images: torch.Tensor
    tokens: torch.Tensor
    quality: torch.Tensor
    flagged: torch.Tensor


def train_clip(out: Path, training: ClipTraining, *, threads: int, check_every: int = 100) -> Path:
    """Train, or go on where an earlier run with the same settings stopped, and return the folder of the model.

    A run may go on with other ``steps``: the learning rate then follows the new cosine from where the run is. SIGTERM
    and SIGINT end a run after the step under way, with a checkpoint and without a model.

    Args:
        out: Holds the pictures, the checkpoint, the curve (``curve.jsonl``) and in the end the model (``clip``).
        training: What to train.
        threads: Threads of torch, and processes that draw.
        check_every: Steps between two looks at pictures that are not trained on; a checkpoint is written with each.

    Raises:
        ConfigError: If ``out`` belongs to other settings, or a batch is more than all pictures.
        Stopped: On SIGTERM or SIGINT.
    """
    torch.set_num_threads(threads)
    if training.batch > training.rows:
        raise ConfigError(f"batches of {training.batch} need as many pictures; there are {training.rows}")
    claim(out, training)
    side, context = training.model["vision_cfg"]["image_size"], training.model["text_cfg"]["context_length"]
    rows = draw_rows(out / "rows", training.rows, side=side, context=context, processes=threads)
    trainer, check = ClipTrainer(training, rows), _check_pictures(training.model)
    run_steps(
        trainer,
        training.steps,
        out,
        check_every=check_every,
        look=lambda: {"recall_at_1": trainer.recall(*check)},
    )
    return save_clip(trainer.model, training.model, out / "clip")


class ClipTrainer:
    """A model under training: everything that a checkpoint holds, and one step."""

    def __init__(self, training: ClipTraining, rows: CaptionRows) -> None:
        """Make the weights from the seed."""
        from open_clip.model import CLIP

        self.training, self.rows = training, rows
        self.step = 0
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(training.seed)
        self.model = CLIP(**training.model)
        # Words that are in no caption mean nothing; as zeros they do so, and shrink to nothing in an archive.
        met = torch.zeros(len(self.model.token_embedding.weight), dtype=torch.bool)
        met[torch.from_numpy(np.unique(rows.tokens)).long()] = True
        self.model.token_embedding.weight.data[~met] = 0.0
        self.said = torch.nn.Linear(training.model["embed_dim"], 2)  # what no caption says: flagged, quality
        self.model.to(self.device).train()
        self.said.to(self.device)
        self.optimiser = self._make_optimiser()

    def take_step(self) -> dict[str, float]:
        """Learn from the batch of this step, and return its losses."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.training)
        batch = batch_of(self.rows, self.training, self.step, self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            images = self.model.encode_image(batch.images)
        images = functional.normalize(images.float(), dim=-1)
        texts = functional.normalize(encode_texts(self.model, batch.tokens), dim=-1)
        contrast = contrastive_loss(images, texts, batch.tokens, self.model.logit_scale)
        said = self.said(images * len(images[0]) ** 0.5)  # in units of about 1, so that small weights do
        flagged = functional.binary_cross_entropy_with_logits(said[:, 0], batch.flagged)
        quality = functional.mse_loss(said[:, 1], batch.quality)
        self.optimiser.zero_grad()
        torch.autograd.backward(contrast + self.training.said_weight * (flagged + 10.0 * quality))
        self.optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, MAX_LOGIT_SCALE)
        self.step += 1
        return {
            "contrast": round(contrast.item(), 4),
            "flagged": round(flagged.item(), 4),
            "quality": round(quality.item(), 4),
        }

    def recall(self, pixels: torch.Tensor, tokens: torch.Tensor) -> float:
        """Return the share of pictures whose own caption is the nearest."""
        self.model.eval()
        with torch.inference_mode():
            images = self.model.encode_image(scaled(pixels.to(self.device)))
            texts = encode_texts(self.model, tokens.to(self.device))
        self.model.train()
        vectors = [functional.normalize(part.float(), dim=-1).cpu().numpy() for part in (images, texts)]
        return recall_at_1(vectors[0] @ vectors[1].T)

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"model": self.model, "said": self.said, "optimiser": self.optimiser}

    def _make_optimiser(self) -> torch.optim.Optimizer:
        """Return AdamW that decays matrices alone: no gains, biases or embeddings."""
        named = [*self.model.named_parameters(), *self.said.named_parameters()]
        decayed = [weight for name, weight in named if weight.ndim > 1 and "embedding" not in name]
        others = [weight for name, weight in named if not (weight.ndim > 1 and "embedding" not in name)]
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": self.training.weight_decay},
            {"params": others},
        ]
        return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0)


def batch_of(rows: CaptionRows, training: ClipTraining, step: int, device: torch.device) -> CaptionBatch:
    """Return the batch of a step: any pictures, mirrored or not where that leaves captions true, any captions."""
    dice = np.random.default_rng((STREAM, training.seed, step))
    at = np.sort(dice.choice(len(rows.pixels), training.batch, replace=False))
    variants = dice.integers(0, VARIANTS, len(at))
    mirrored = (dice.random(len(at)) < 0.5) & ~rows.has_sides[at]
    pixels = rows.pixels[at]
    pixels[mirrored] = pixels[mirrored, :, ::-1]
    return CaptionBatch(
        scaled(torch.from_numpy(pixels).to(device)),
        torch.from_numpy(rows.tokens[at, variants].astype(np.int64)).to(device),
        torch.from_numpy(rows.quality[at]).to(device),
        torch.from_numpy(rows.flagged[at].astype(np.float32)).to(device),
    )


def scaled(pixels: torch.Tensor) -> torch.Tensor:
    """Return uint8 (N, H, W, 3) as the model takes it: float32 (N, 3, H, W) in [-1, 1]."""
    return ((pixels.permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD).contiguous()


def encode_texts(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Return what ``model.encode_text`` does, without working through the padding that all texts end in."""
    ends = tokens.argmax(dim=1)  # the end of a text is the highest token
    length = int(ends.max()) + 1
    values = model.token_embedding(tokens[:, :length]) + model.positional_embedding[:length]
    values = model.ln_final(model.transformer(values, attn_mask=model.attn_mask[:length, :length]))
    vectors: torch.Tensor = values[torch.arange(len(tokens), device=tokens.device), ends] @ model.text_projection
    return vectors


def contrastive_loss(
    images: torch.Tensor, texts: torch.Tensor, tokens: torch.Tensor, logit_scale: torch.Tensor
) -> torch.Tensor:
    """Return CLIP's symmetric cross entropy (Radford et al. 2021, figure 3); equal captions are no negatives."""
    logits = logit_scale.exp() * images @ texts.T
    own = torch.eye(len(tokens), dtype=torch.bool, device=tokens.device)
    equal = (tokens[:, None] == tokens[None]).all(dim=-1) & ~own
    logits = logits.masked_fill(equal, -1e4)
    labels = torch.arange(len(tokens), device=tokens.device)
    return (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)) / 2.0


def save_clip(model: Any, config: Mapping[str, Any], folder: Path) -> Path:
    """Write a model in open_clip's layout, its weights in half precision."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in model.state_dict().items()
    }
    part = folder / "open_clip_model.part"
    part.write_bytes(save(state))  # save_file would let nobody else read the file
    part.replace(folder / "open_clip_model.safetensors")
    preprocess = {"mean": [MEAN] * 3, "std": [STD] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
    facts = {"model_cfg": dict(config), "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return folder


def _check_pictures(model: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pixels and tokens that are neither trained on nor part of the final figures."""
    import open_clip

    tokenizer = open_clip.get_tokenizer("ViT-B-32", context_length=model["text_cfg"]["context_length"])
    chosen = distinct_captions(CHECK_ROWS, start=LOOKED_AT)
    pixels = np.stack([draw(one.scene, model["vision_cfg"]["image_size"]) for one in chosen])
    return torch.from_numpy(pixels), tokenizer([one.caption for one in chosen])
