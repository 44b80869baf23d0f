"""ImageReward: what people would like, by BLIP and a head.

BLIP's text encoder reads the prompt while it looks at the picture, and a head makes a number of its first token, less
the mean 0.16717 and by the deviation 1.0333 of its training (Xu et al. 2023, arXiv 2304.05977; code of
THUDM/ImageReward at c1392c6): neither clamped nor with a prefix, mostly in [-2, 2]. A prompt is cut after 35 tokens,
its first and last among them, and ``caption_truncated`` says so. Pictures are scaled by their short side, bicubic, and
cut to a square. Published for the four pictures of its README: 0.581, 0.275, -1.413 and -2.030.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt

from diptych.assets import file_sha256, named_path
from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import torch_device
from diptych.errors import ConfigError, DataError
from diptych.pretrained.libraries import import_library
from diptych.pretrained.memory import HeldWeights
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch, without_caption
from diptych.scores.clip_similarity import CAPTION_TRUNCATED

if TYPE_CHECKING:
    from diptych.scores.weight_formats.image_reward_checkpoint import RewardNetwork

MEAN, DEVIATION = 0.16717362830052426, 1.0333394966054072
MOST_TOKENS = 35
CHUNK = 8  # pairs that the network sees at once
PIXEL_MEAN, PIXEL_DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
COLUMNS = (
    Column(
        "image_reward",
        "ImageReward of picture and prompt, standardised",
        unit="standard deviations",
        better_for_data="higher",
        better_for_models="higher",
    ),
    CAPTION_TRUNCATED,
)


@dataclass(frozen=True, eq=False)
class ImageReward:
    """The score; its weights are loaded by the first pair of picture and prompt.

    Attributes:
        weights: The checkpoint.
        vocabulary: The words that its tokenizer knows.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    weights: Path
    vocabulary: Path
    device: str
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"pixels", "caption"})

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of checkpoint and vocabulary."""
        files = {"weights_sha256": file_sha256(self.weights), "vocabulary_sha256": file_sha256(self.vocabulary)}
        return {"score": "image_reward", "version": 1, **files}

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load."""
        return HeldWeights((self.weights,), "fp32", self.device, "score 'image_reward'")

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return ``image_reward``, float32 (N,), NaN without image or caption, and ``caption_truncated``."""
        pairs = list(zip(batch.images(), batch.captions, strict=True))
        truncated = np.full(len(batch), None, object)
        for row, (_, caption) in enumerate(pairs):
            if caption is not None:
                truncated[row] = len(self._tokenizer(caption)["input_ids"]) > MOST_TOKENS
        values = np.full(len(batch), np.nan, np.float32)
        whole = [(row, image, text) for row, (image, text) in enumerate(pairs) if image and text is not None]
        for start in range(0, len(whole), CHUNK):
            rows, images, texts = zip(*whole[start : start + CHUNK], strict=True)
            values[list(rows)] = self._rewards(images, texts)
        reason = without_caption(batch.captions)
        return {"image_reward": values, "caption_truncated": truncated, "reason": reason}

    def _rewards(self, images: Sequence[Image], texts: Sequence[str]) -> npt.NDArray[np.float32]:
        import torch

        network, device = self._network, self._device
        tokens = self._tokenizer(list(texts), padding="max_length", truncation=True, max_length=MOST_TOKENS)
        ids, mask = (torch.tensor(tokens[name], device=device) for name in ("input_ids", "attention_mask"))
        pixels = torch.stack([self._transform(image) for image in images]).to(device)
        with torch.inference_mode():
            seen = network.pictures(pixel_values=pixels).last_hidden_state
            read = network.words(input_ids=ids, attention_mask=mask, encoder_hidden_states=seen).last_hidden_state
        first = read[:, 0].double().cpu().numpy()
        rewards = np.einsum("nd,d->n", first, network.head.weight) + network.head.bias
        standard: npt.NDArray[np.float32] = ((rewards - MEAN) / DEVIATION).astype(np.float32)
        return standard

    @cached_property
    def _transform(self) -> Any:
        from torchvision import transforms

        side = self._network.side
        scaled = transforms.Resize(side, interpolation=transforms.InterpolationMode.BICUBIC)
        normal = transforms.Normalize(PIXEL_MEAN, PIXEL_DEVIATION)
        return transforms.Compose([scaled, transforms.CenterCrop(side), transforms.ToTensor(), normal])

    @cached_property
    def _tokenizer(self) -> Any:
        return import_library("transformers", extra="evaluate").BertTokenizer(str(self.vocabulary))

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _network(self) -> "RewardNetwork":
        from diptych.scores.weight_formats.image_reward_checkpoint import read_image_reward

        network = read_image_reward(self.weights, self._device)
        if len(self._tokenizer) > network.vocabulary:
            raise DataError(
                f"{self.vocabulary}: has {len(self._tokenizer):,} words, and {self.weights} knows "
                f"{network.vocabulary:,}; give the vocab.txt of bert-base-uncased"
            )
        return network


def image_reward(
    *,
    weights: Annotated[str, SuchAs("ImageReward.pt")],
    vocabulary: Annotated[str, SuchAs("vocab.txt")],
    device: str = "auto",
) -> ImageReward:
    """Return the score; loads no weights yet.

    Args:
        weights: Path of ``ImageReward.pt``, of THUDM/ImageReward on the hub.
        vocabulary: Path of ``vocab.txt``, of google-bert/bert-base-uncased on the hub.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such file; on first use, if there is no such device.
        DataError: On first use, if the weights do not load, or know fewer words.
    """
    paths = {"weights": named_path(weights), "vocabulary": named_path(vocabulary)}
    for option, path in paths.items():
        if not path.is_file():
            raise ConfigError(
                f"score 'image_reward': {option}: no file {str(path)!r}; its documentation says which it is"
            )
    return ImageReward(paths["weights"], paths["vocabulary"], device)
