"""What a demo pipeline learns from: the pairs of a dataset directory as latents and tokens, encoded once and kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from diptych.config.identity import fingerprint
from diptych.demo.training.pairs import CaptionedPictures, read_pairs
from diptych.demo.training.pictures import scaled
from diptych.demo.training.tokenizer import CONTEXT
from diptych.errors import DataError, one_line
from diptych.progress import track
from diptych.storage.location import Location

ENCODED = 128  # pictures that are encoded at once


class LatentExamples(NamedTuple):
    """Pairs as they are learned from, on the CPU.

    Attributes:
        latents: float32 (N, 2, C, H, W), scaled; the second of each pair is that of the mirrored picture.
        tokens: int64 (N, CONTEXT).
        has_sides: bool (N,).
    """

    latents: torch.Tensor
    tokens: torch.Tensor
    has_sides: torch.Tensor


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
) -> LatentExamples:
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
            return LatentExamples(**kept)
    examples = encode_pairs(read_pairs(pairs, vae.config.sample_size), vae, tokenizer)
    with Location.at(path).publishing() as file:
        torch.save({"fingerprint": wanted, **examples._asdict()}, file)
    return examples


def encode_pairs(pairs: CaptionedPictures, vae: Any, tokenizer: Any) -> LatentExamples:
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
    return LatentExamples(torch.cat(latents).clone(), tokens["input_ids"].clone(), torch.from_numpy(pairs.has_sides))
