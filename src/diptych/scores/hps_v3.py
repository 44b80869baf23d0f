"""HPSv3: what people would like, by Qwen2-VL and a head.

The network reads the picture, an instruction of the authors' and the prompt, and a head makes two numbers of what it
knows at the token ``<|Reward|>``: the score, and how unsure it is, which the authors leave out too (Ma et al. 2025,
arXiv 2508.03789; MizzenAI/HPSv3 at 72b7eba, whose instruction lies beside this file, MIT). A score has no bounds and is
neither clamped nor standardised. A picture has about 256 x 28 x 28 pixels, bicubic; tokens are counted one by one,
those of the picture too, as in their code, and not by Qwen2-VL's own places in the picture. Published means over their
benchmark: SDXL 8.20, Stable Diffusion 2 -0.24.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt

from diptych.assets import file_sha256, named_path
from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision
from diptych.errors import ConfigError, DataError
from diptych.judges.evidence import JUDGE_FAILED
from diptych.judges.prepared import groups_of_one_shape, prepared_by
from diptych.pretrained.folder import PretrainedFolder, find_pretrained
from diptych.pretrained.memory import ANY_PRECISION, HeldWeights, check_fits
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch, without_caption

if TYPE_CHECKING:
    from diptych.scores.weight_formats.hps_v3_checkpoint import HpsV3Network

PROMPT = Path(__file__).with_name("hps_v3_prompt.txt")
GAP = "{text_prompt}"
REWARD = "<|Reward|>"  # the token at which the head reads
PIXELS = 256 * 28 * 28  # of a prepared picture, as near as sides of 28 pixels allow
CHUNK = 4  # pairs that the network sees at once
FAMILY = "qwen2_vl"
COLUMNS = (
    Column(
        "hps_v3",
        "HPSv3 of picture and prompt: the mean that its head tells",
        better_for_data="higher",
        better_for_models="higher",
    ),
)


@dataclass(frozen=True, eq=False)
class HpsV3:
    """The score; its weights are loaded by the first pair of picture and prompt.

    Attributes:
        weights: The checkpoint.
        model: The folder of the configuration, the tokenizer and the processor.
        precision: Of weights and activations but for the head, which has fp32.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    weights: Path
    model: PretrainedFolder
    precision: Precision
    device: str
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"pixels", "caption"})

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of checkpoint, instruction and the files that prepare, size of pictures, precision."""
        prompt = hashlib.sha256(PROMPT.read_bytes()).hexdigest()
        facts = {"weights_sha256": file_sha256(self.weights), "prompt_sha256": prompt, "pixels": PIXELS}
        return {"score": "hps_v3", "version": 1, **self.model.described, **facts, "precision": self.precision}

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load: the checkpoint alone, not what may lie beside the configuration."""
        return HeldWeights((self.weights,), self.precision, self.device, "score 'hps_v3'", ANY_PRECISION)

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return ``hps_v3``, float32 (N,); NaN without image or caption, and where the network cannot take a pair."""
        values, reason = np.full(len(batch), np.nan, np.float32), without_caption(batch.captions)
        pairs = list(enumerate(zip(batch.images(), batch.captions, strict=True)))
        whole = [(row, image, text) for row, (image, text) in pairs if image is not None and text is not None]
        for start in range(0, len(whole), CHUNK):
            prepared = {}
            for row, image, text in whole[start : start + CHUNK]:
                given = self._prepared(image, text)
                if given is None:
                    reason[row] = JUDGE_FAILED
                else:
                    prepared[row] = given
            for rows in groups_of_one_shape({row: given["input_ids"] for row, given in prepared.items()}, CHUNK):
                values[rows] = list(self._rewards([prepared[row] for row in rows]))
        return {"hps_v3": values, "reason": reason}

    def _prepared(self, image: Image, text: str) -> Mapping[str, Any] | None:
        """Return a picture with its prompt as the network takes them; None where it cannot take the pair."""
        if any(token in text for token in (REWARD, *self._processor.tokenizer.all_special_tokens)):
            return None
        said = PROMPT.read_text("utf-8").replace(GAP, text)
        turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": said}]}
        whole = self._processor.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)

        def processor(**given: Any) -> Mapping[str, Any]:
            made: Mapping[str, Any] = self._processor(text=whole, **given)
            return made

        return prepared_by(processor, image, f"score 'hps_v3': {self.model.path}")

    def _rewards(self, prepared: Sequence[Mapping[str, Any]]) -> Iterator[float]:
        """Yield the score of each of some pairs whose texts are as long."""
        import torch

        network = self._network
        given = {name: torch.cat([one[name] for one in prepared]) for name in ("input_ids", "pixel_values")}
        ids = given["input_ids"].to(network.device)
        grids = torch.cat([one["image_grid_thw"] for one in prepared]).to(network.device)
        with torch.inference_mode():
            read = network.read(ids, given["pixel_values"].to(network.device), grids)
        places = (ids == self._reward_id).int().argmax(dim=1)
        for knows, place in zip(read, places.tolist(), strict=True):
            yield float(network.head(knows[place])[0])

    @property
    def _reward_id(self) -> int:
        return int(self._processor.tokenizer.convert_tokens_to_ids(REWARD))

    @cached_property
    def _processor(self) -> Any:
        processor = self.model.processor("AutoProcessor")
        processor.image_processor.size = {"shortest_edge": PIXELS, "longest_edge": PIXELS}
        processor.tokenizer.add_tokens([REWARD], special_tokens=True)
        return processor

    @cached_property
    def _network(self) -> "HpsV3Network":
        from diptych.scores.weight_formats.hps_v3_checkpoint import read_hps_v3

        network = read_hps_v3(self.weights, self.model, self.precision, check_fits(self.held_weights))
        if network.vocabulary <= self._reward_id:
            raise DataError(
                f"{self.weights}: knows {network.vocabulary:,} tokens, and {REWARD} is number {self._reward_id:,} of "
                f"{self.model.path}; give the tokenizer of Qwen/Qwen2-VL-7B-Instruct"
            )
        return network


def hps_v3(
    *,
    weights: Annotated[str, SuchAs("HPSv3.safetensors")],
    model: str = "Qwen/Qwen2-VL-7B-Instruct",
    precision: Precision = "bf16",
    device: str = "auto",
) -> HpsV3:
    """Return the score; loads no weights yet.

    Args:
        weights: Path of ``HPSv3.safetensors``, of MizzenAI/HPSv3 on the hub.
        model: Folder or name on the hub of the Qwen2-VL whose configuration, tokenizer and processor are used, with
            ``@REVISION`` behind it; its own weights are not needed, nor fetched.
        precision: Of weights and activations; published numbers are of ``bf16``.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such file or model, or it is of another family; on first use, if there is no such
            device.
        DataError: If the model cannot be fetched; on first use, if the device has not the memory, or the weights do not
            load.
    """
    path = named_path(weights)
    if not path.is_file():
        raise ConfigError(f"score 'hps_v3': weights: no file {str(path)!r}; give HPSv3.safetensors of MizzenAI/HPSv3")
    found = find_pretrained(model, "score 'hps_v3': model", weights=False)
    if found.config.get("model_type") != FAMILY:
        raise ConfigError(f"score 'hps_v3': model: {found.path} is a {found.config.get('model_type')}, not a {FAMILY}")
    return HpsV3(path, found, precision, device)
