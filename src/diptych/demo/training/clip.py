"""The recipe of the demo CLIP: open_clip's classes and tokenizer, a configuration small enough to ship.

The captions are true and silent about the faults of the pictures. Two linear outputs on the embedding learn what the
captions leave out (whether a picture is flagged, and its quality), so that linear heads find it there later; they are
not part of the model.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from diptych.demo.measure.ratings import recall_at_1
from diptych.demo.training.caption_rows import VARIANTS, CaptionKind, CaptionRows, draw_caption_rows
from diptych.demo.training.pictures import MEAN, STD, drawn, mirrored, scaled
from diptych.demo.training.rows import DrawnTraining
from diptych.demo.training.trainer import StepDraw, StepLosses, train
from diptych.demo.training.weights import decaying_adamw
from diptych.demo.world.captions import distinct_captions
from diptych.demo.world.seeds import LOOKED_AT
from diptych.devices import torch_device
from diptych.storage.location import Location

CHECK_ROWS = 500
MAX_LOGIT_SCALE = log(100.0)  # as in CLIP (Radford et al. 2021, section 2.5)
QUALITY_WEIGHT = 10.0  # its squared errors are small beside the loss of the flags


def default_model() -> dict[str, Any]:
    """Return open_clip's model configuration of the demo CLIP."""
    return {
        "embed_dim": 128,
        "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 1], "width": 16, "head_width": 32},
        "text_cfg": {"context_length": 40, "vocab_size": 49408, "width": 48, "heads": 3, "layers": 4},
    }


@dataclass(frozen=True, kw_only=True)
class ClipTraining(DrawnTraining):
    """What decides the weights of the CLIP.

    Attributes:
        weight_decay: Of the matrices.
        said_weight: Weight of what the captions leave out beside the contrastive loss.
        model: open_clip's model configuration.
    """

    steps: int = 2200
    batch: int = 256
    rows: int = 49152
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    said_weight: float = 0.5
    model: Mapping[str, Any] = field(default_factory=default_model)


def train_clip(out: Path, training: ClipTraining, *, threads: int, check_every: int = 50) -> Path:
    """Train the CLIP as ``trainer.train`` says and return its folder, in open_clip's layout."""
    kind = CaptionKind(training.model["vision_cfg"]["image_size"], training.model["text_cfg"]["context_length"])

    def begin() -> ClipRecipe:
        return ClipRecipe(training, draw_caption_rows(out / "rows", training.rows, kind, processes=threads))

    return train(out, training, begin, threads=threads, check_every=check_every)


class ClipRecipe:
    """A CLIP under training."""

    name, stream = "clip", 106

    def __init__(self, training: ClipTraining, rows: CaptionRows) -> None:
        """Make the weights from the seed."""
        from open_clip.model import CLIP

        self.training, self.rows, self.examples = training, rows, len(rows.pixels)
        self.device = torch_device("auto")
        torch.manual_seed(training.seed)
        self.model = CLIP(**training.model)
        # Words that are in no caption mean nothing; as zeros they do so, and shrink to nothing in an archive.
        met = torch.zeros(len(self.model.token_embedding.weight), dtype=torch.bool)
        met[torch.from_numpy(np.unique(rows.tokens)).long()] = True
        self.model.token_embedding.weight.data[~met] = 0.0
        self.said = torch.nn.Linear(training.model["embed_dim"], 2)  # what no caption says: flagged, quality
        self.model.to(self.device).train()
        self.said.to(self.device)
        named = [*self.model.named_parameters(), *self.said.named_parameters()]
        self.optimiser = decaying_adamw(named, training.weight_decay, betas=(0.9, 0.98))
        self.parts = {"model": self.model, "said": self.said, "optimiser": self.optimiser}

    def losses(self, draw: StepDraw) -> StepLosses:
        """Return how badly pictures and captions find each other, and how badly is told what captions leave out."""
        pixels, tokens = self.batch_of(draw)
        with torch.autocast(self.device.type, torch.bfloat16):
            images = self.model.encode_image(pixels)
        images = functional.normalize(images.float(), dim=-1)
        texts = functional.normalize(encode_texts(self.model, tokens), dim=-1)
        contrast = contrastive_loss(images, texts, tokens, self.model.logit_scale)
        said = self.said(images * len(images[0]) ** 0.5)  # in units of about 1, so that small weights do
        wanted = (self.rows.flagged[draw.at].astype(np.float32), self.rows.quality[draw.at])
        is_flagged, qualities = (torch.from_numpy(values).to(self.device) for values in wanted)
        flagged = functional.binary_cross_entropy_with_logits(said[:, 0], is_flagged)
        quality = functional.mse_loss(said[:, 1], qualities)
        total = contrast + self.training.said_weight * (flagged + QUALITY_WEIGHT * quality)
        return StepLosses(total, {"contrast": contrast, "flagged": flagged, "quality": quality})

    def batch_of(self, draw: StepDraw) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pixels, mirrored or not where that leaves captions true, and the tokens of any of their captions."""
        rows, at, dice = self.rows, draw.at, draw.dice
        variants = dice.integers(0, VARIANTS, len(at))
        turned = (dice.random(len(at)) < 0.5) & ~rows.has_sides[at]
        pixels = torch.from_numpy(mirrored(rows.pixels[at], turned))
        tokens = torch.from_numpy(rows.tokens[at, variants].astype(np.int64))
        return scaled(pixels.to(self.device)), tokens.to(self.device)

    def update(self, step: int) -> None:
        """Move the weights; the scale of the logits stays within its bounds."""
        self.optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, MAX_LOGIT_SCALE)

    def look(self) -> dict[str, float]:
        """Return the share of pictures whose own caption is the nearest."""
        pixels, tokens = self._looked_at
        self.model.eval()
        with torch.inference_mode():
            images = self.model.encode_image(scaled(pixels.to(self.device)))
            texts = encode_texts(self.model, tokens.to(self.device))
        self.model.train()
        vectors = [functional.normalize(part.float(), dim=-1).cpu().numpy() for part in (images, texts)]
        return {"recall_at_1": recall_at_1(vectors[0] @ vectors[1].T)}

    def save(self, folder: Path) -> None:
        """Write the model in open_clip's layout, its weights in half precision."""
        from safetensors.torch import save

        state = {
            name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
            for name, value in self.model.state_dict().items()
        }
        place = Location.at(folder)
        (place / "open_clip_model.safetensors").write(save(state))
        preprocess = {"mean": [MEAN] * 3, "std": [STD] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
        facts = {"model_cfg": dict(self.training.model), "preprocess_cfg": preprocess}
        (place / "open_clip_config.json").write(f"{json.dumps(facts, indent=2)}\n".encode())

    @cached_property
    def _looked_at(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels and tokens that are neither trained on nor part of the final figures."""
        import open_clip

        model = self.training.model
        tokenizer = open_clip.get_tokenizer("ViT-B-32", context_length=model["text_cfg"]["context_length"])
        chosen = distinct_captions(CHECK_ROWS, start=LOOKED_AT)
        pixels = drawn([one.scene for one in chosen], model["vision_cfg"]["image_size"])
        return pixels, tokenizer([one.caption for one in chosen])


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
