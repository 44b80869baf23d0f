"""DINOv2 as an encoder: what FD-DINOv2 is made of (Stein et al. 2023, arXiv 2306.04675), through transformers.

Two protocols give two numbers. ``resize: pil`` squeezes a picture to 224 x 224 with Pillow's bicubic, as dgm-eval does,
which FD-DINOv2 comes from; ``resize: tf1`` with TensorFlow 1's bilinear, which skips pixels, as torch-fidelity does.

The model was trained at 518 pixels. Upstream's code (``interpolate_pos_encoding`` of facebookresearch/dinov2) fits its
table of positions to 224 in another way than transformers: with a scale that is a tenth of a patch too large, or
antialiased for models with registers. Published numbers are of upstream's, so that is what is done here.
"""

import math
from typing import Annotated, Any

from diptych.config.such_as import SuchAs
from diptych.devices import Precision
from diptych.encoders.dino_vision import SIDE_PX, DinoEncoder, Resize, find_dino
from diptych.encoders.stored_vectors import StoredVectors

OFFSET = 0.1  # of a patch


class Dinov2Encoder(DinoEncoder):
    """DINOv2 without registers, loaded on first use."""

    kind = "dinov2"
    model_class = "Dinov2Model"
    model_type = "dinov2"

    def fit(self, network: Any) -> Any:
        """Return the network with its table of positions for 224 pixels."""
        import torch

        places = network.embeddings.position_embeddings.data
        fitted = fitted_positions(places.float(), SIDE_PX // int(network.config.patch_size))
        network.embeddings.position_embeddings = torch.nn.Parameter(fitted.to(places.dtype), requires_grad=False)
        return network


def dinov2_encoder(
    *,
    weights: Annotated[str, SuchAs("facebook/dinov2-large")],
    resize: Resize = "pil",
    precision: Precision = "fp32",
    vectors: StoredVectors = "float16",
    device: str = "auto",
) -> Dinov2Encoder:
    """Return an encoder; finds (and downloads, unless offline) its files but loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as ``facebook/dinov2-large``, the one
            of FD-DINOv2, with ``@REVISION`` behind it where it is to be a certain one.
        resize: ``pil`` as dgm-eval, ``tf1`` as torch-fidelity.
        precision: Of weights and activations.
        vectors: In which precision they are stored, see ``stored_vectors``.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model, or it is no DINOv2; on first use, if there is no such device.
        DataError: If the model cannot be fetched; on first use, if the weights do not load.
    """
    model = find_dino(weights, Dinov2Encoder.kind, Dinov2Encoder.model_type)
    return Dinov2Encoder(model, resize, precision, device, vectors)


def fitted_positions(places: Any, side: int) -> Any:
    """Return a table of positions, float32 (1, 1 + side^2, D), for pictures of ``side`` patches a side.

    Args:
        places: float32 (1, 1 + N, D), of N patches in a square; the first is of the class token.
        side: In patches.
    """
    import torch

    own = math.isqrt(places.shape[1] - 1)
    if own == side:
        return places
    square = places[:, 1:].reshape(1, own, own, -1).permute(0, 3, 1, 2)
    scale = (side + OFFSET) / own
    fitted = torch.nn.functional.interpolate(square, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([places[:, :1], fitted.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
