"""DINOv3 as an encoder (Siméoni et al. 2025, arXiv 2508.10104), through transformers.

No published distance is made of it, so its numbers compare with each other alone. Pictures are squeezed to 224 x 224 as
for DINOv2, and the vector is the class token after the last norm. Its vision transformers are read, not its
convolutional networks.
"""

from typing import Annotated

from diptych.config.such_as import SuchAs
from diptych.devices import Precision
from diptych.encoders.dino_vision import DinoEncoder, Resize, find_dino
from diptych.encoders.stored_vectors import StoredVectors


class Dinov3Encoder(DinoEncoder):
    """A vision transformer of DINOv3, loaded on first use."""

    kind = "dinov3"
    model_class = "DINOv3ViTModel"
    model_type = "dinov3_vit"


def dinov3_encoder(
    *,
    weights: Annotated[str, SuchAs("facebook/dinov3-vitl16-pretrain-lvd1689m")],
    resize: Resize = "pil",
    precision: Precision = "fp32",
    vectors: StoredVectors = "float16",
    device: str = "auto",
) -> Dinov3Encoder:
    """Return an encoder; finds (and downloads, unless offline) its files but loads no weights yet.

    Args:
        weights: Folder of a model of transformers, or its name on the hub, such as
            ``facebook/dinov3-vitl16-pretrain-lvd1689m``, with ``@REVISION`` behind it where it is to be a certain one.
        resize: ``pil`` is Pillow's bicubic, ``tf1`` TensorFlow 1's bilinear.
        precision: Of weights and activations.
        vectors: In which precision they are stored, see ``stored_vectors``.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        ConfigError: If there is no such model, or it is no DINOv3; on first use, if there is no such device.
        DataError: If the model cannot be fetched; on first use, if the weights do not load.
    """
    model = find_dino(weights, Dinov3Encoder.kind, Dinov3Encoder.model_type)
    return Dinov3Encoder(model, resize, precision, device, vectors)
