"""CLIP-like models through open_clip: by architecture and pretrained tag, hub name, local checkpoint or local folder.

The model's own preprocessing and tokenizer are used (77 tokens for CLIP, the end token kept when a text is cut), and
both stand in the identity beside the sha256 of the weights. The QuickGELU trap is closed: OpenAI's weights need
QuickGELU, the plain architecture names build GELU, and open_clip only warns; here a tag that needs it gets it, and a
checkpoint file that is known to need it is refused under the wrong name.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.devices import Precision, stacked_on, torch_device, torch_dtype
from diptych.encoders.open_clip_source import Source, find_source
from diptych.errors import DataError, one_line
from diptych.pretrained.memory import ANY_PRECISION, HeldWeights

# The longest token of CLIP's vocabulary, in bytes. Tokenizing takes quadratic time in a word's length, and a caption
# may be a megabyte without a space; what lies beyond this many characters per token of context is never seen anyway.
MAX_TOKEN_CHARACTERS = 32

# What loading raises for a file that is damaged or holds something else.
UNREADABLE = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)


@dataclass(frozen=True)
class OpenClipEncoder:
    """An open_clip model, loaded on first use.

    Attributes:
        source: Where its configuration and weights are.
        precision: Of the model and its inputs; the vectors are float32 in any case.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    source: Source
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Architecture, weights sha256, activation, preprocessing, context length and precision."""
        return {"encoder": "open_clip", **self.source.facts, "precision": self.precision}

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load."""
        where = f"encoder 'open_clip': {self.source.label}"
        return HeldWeights((self.source.weights,), self.precision, self.device, where, ANY_PRECISION)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.source.model["embed_dim"])

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """Return the model's own preprocessing of one RGB image: float32 (3, H, W), normalised."""
        return self._preprocessing(image)

    def images(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), L2-normalised."""
        import torch

        with torch.inference_mode():
            vectors = self._model.encode_image(stacked_on(self._device, prepared, self._dtype))
            return _normalised(vectors)

    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32 (N, dim), L2-normalised; texts longer than the context are cut, the end token kept."""
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer([self._shortened(text) for text in texts])
            return _normalised(self._model.encode_text(tokens.to(self._device)))

    def truncated(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return bool (N,): whether the text has more tokens than the context holds beside start and end."""
        tokenizer, shortened = self._tokenizer, [self._shortened(text) for text in texts]
        if hasattr(tokenizer, "encode"):
            lengths = [len(tokenizer.encode(text)) + 2 for text in shortened]
        else:  # a Hugging Face tokenizer, which counts the special tokens itself
            lengths = [len(tokenizer.tokenizer(tokenizer.clean_fn(text))["input_ids"]) for text in shortened]
        return np.array([length > tokenizer.context_length for length in lengths], bool)

    def _shortened(self, text: str) -> str:
        limit = MAX_TOKEN_CHARACTERS * self._tokenizer.context_length
        return text if len(text) <= limit else " ".join(text.split())[:limit]

    @cached_property
    def _preprocessing(self) -> Callable[[Image], npt.NDArray[np.float32]]:
        from diptych.encoders.clip_pixels import clip_preprocessing  # imports torch

        return clip_preprocessing(self.source.preprocess)

    @cached_property
    def _tokenizer(self) -> Any:
        import open_clip

        return open_clip.get_tokenizer(self.source.tokenizer_name)

    @cached_property
    def _device(self) -> Any:
        return torch_device(self.device)

    @cached_property
    def _dtype(self) -> Any:
        return torch_dtype(self.precision)

    @cached_property
    def _model(self) -> Any:
        import open_clip
        from safetensors import SafetensorError

        device = self._device
        try:
            model = open_clip.create_model(
                self.source.name,
                pretrained=str(self.source.weights) if self.source.is_named else None,
                precision="fp32",
                force_quick_gelu=self.source.quick_gelu,
            )
        except (*UNREADABLE, SafetensorError) as error:
            raise DataError(
                f"{self.source.weights}: does not load as the architecture {self.source.label}: {one_line(error)}; "
                f"give a state dict of that architecture (.safetensors, .pt, .bin)"
            ) from error
        return model.eval().to(device, self._dtype)


def open_clip_encoder(
    *,
    architecture: Annotated[str, SuchAs("ViT-L-14")],
    pretrained: Annotated[str | None, SuchAs("openai")] = None,
    precision: Precision = "fp32",
    device: str = "auto",
    preprocess: dict[str, Any] | None = None,
) -> OpenClipEncoder:
    """Return an encoder; finds (and downloads, unless offline) the weights but loads nothing yet.

    Args:
        architecture: A name of open_clip (``ViT-L-14``), ``hf-hub:owner/name``, or a folder with
            ``open_clip_config.json`` and its weights; see ``assets.named_path``.
        pretrained: A tag of that architecture (``openai``, ``laion2b_s34b_b79k``) or the path of a checkpoint.
        precision: Of the model and its inputs.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.
        preprocess: Overrides of the preprocessing (``mean``, ``std``, ``interpolation``, ``resize_mode``, ``size``),
            for checkpoint files that were trained with another than their architecture's.

    Raises:
        ConfigError: If the architecture, tag or path is unknown, the preprocessing does not fit, or the weights need
            QuickGELU and the name says GELU; on first use, if there is no such device.
        DataError: If the weights cannot be downloaded or read.
    """
    return OpenClipEncoder(find_source(architecture, pretrained, preprocess or {}), precision, device)


def _normalised(vectors: Any) -> npt.NDArray[np.float32]:
    import torch

    normalised: npt.NDArray[np.float32] = torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()
    return normalised
