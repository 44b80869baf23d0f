"""HPSv3's checkpoint as a Qwen2-VL of transformers and a head.

The file is one state dict with the keys of transformers 4.45, which newer ones still read, and those of ``rm_head``:
three linear layers with activations between them, which the authors compute in fp32. Source: MizzenAI/HPSv3 at 72b7eba,
hpsv3/model/qwen2vl_trainer.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.devices import Precision, torch_dtype
from diptych.errors import DataError, one_line
from diptych.pretrained.folder import PretrainedFolder
from diptych.pretrained.libraries import import_library

HEAD = "rm_head."
LAYERS = (0, 3, 5)  # the numbers of the linear ones; between them are activations and a dropout
EMBEDDED = "embed_tokens.weight"


@dataclass(frozen=True, eq=False)
class HpsV3Network:
    """The network, ready to be asked.

    Attributes:
        model: ``Qwen2VLModel``.
        layers: Weight and bias of each layer of the head, tensors float32 (outputs, inputs) and (outputs,).
        vocabulary: Number of its tokens.
    """

    model: Any
    layers: tuple[tuple[Any, Any], ...]
    vocabulary: int

    @property
    def device(self) -> Any:
        """Where it is."""
        return self.model.device

    def read(self, ids: Any, pixels: Any, grids: Any) -> Any:
        """Return what it knows at each token, tensor (N, tokens, dim); the tokens are counted one by one.

        Args:
            ids: Tensor int64 (N, tokens).
            pixels: Tensor float32 (patches, values), those of all pictures.
            grids: Tensor int64 (N, 3): the patches of each picture.
        """
        import torch

        model = self.model
        words = model.get_input_embeddings()(ids)
        seen = torch.cat(list(model.get_image_features(pixels.to(model.dtype), grids).pooler_output)).to(words)
        is_picture = (ids == model.config.image_token_id).unsqueeze(-1).expand_as(words)
        return model.language_model(inputs_embeds=words.masked_scatter(is_picture, seen), use_cache=False)[0]

    def head(self, knows: Any) -> Any:
        """Return what the head makes of one token, tensor float32 (2,), of a tensor (dim,)."""
        from torch.nn.functional import linear, relu

        value = knows.float()
        for number, (weight, bias) in enumerate(self.layers):
            value = linear(relu(value) if number else value, weight, bias)
        return value


def read_hps_v3(path: Path, model: PretrainedFolder, precision: Precision, device: Any) -> HpsV3Network:
    """Read the checkpoint.

    Args:
        path: ``HPSv3.safetensors``.
        model: Where the configuration is.
        precision: Of weights and activations but for the head.
        device: A ``torch.device``.

    Raises:
        DataError: If it is another kind of file, or does not fit the configuration.
        MissingExtra: If transformers is not installed.
    """
    from safetensors.torch import load_file

    library = import_library("transformers", extra="evaluate")
    try:
        state = load_file(path)
        vocabulary = next(len(value) for name, value in state.items() if name.endswith(EMBEDDED))
        head = {name.removeprefix(HEAD): value for name, value in state.items() if name.startswith(HEAD)}
        layers = tuple((_on(head[f"{n}.weight"], device), _on(head[f"{n}.bias"], device)) for n in LAYERS)
        config = library.AutoConfig.from_pretrained(model.path, local_files_only=True)
        config.text_config.vocab_size = vocabulary
        network, said = library.Qwen2VLForConditionalGeneration.from_pretrained(
            None, config=config, state_dict=_without_head(state), dtype=torch_dtype(precision), output_loading_info=True
        )
    except Exception as error:  # whatever the libraries throw at such a file
        raise DataError(f"{path}: is no checkpoint of HPSv3: {one_line(error)}") from error
    if lacks := sorted(said["missing_keys"]):
        raise DataError(f"{path}: lacks {len(lacks):,} weights that HPSv3 needs, such as {lacks[0]!r}; fetch it again")
    return HpsV3Network(network.model.eval().requires_grad_(False).to(device), layers, vocabulary)


def _on(value: Any, device: Any) -> Any:
    return value.float().to(device)


def _without_head(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if not name.startswith(HEAD)}
