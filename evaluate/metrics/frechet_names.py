"""What a Fréchet distance is called in the space of an encoder.

It is FID where the vectors are those of the Inception network that FID is defined by, and each of the three ways in
which programs make a picture 299 pixels wide has a name of its own: their numbers differ by up to ten percent. So has
FID of pictures that are cropped first, as ``fid_crop256``. Over the spatial layer of the network it is sFID (Nash et
al. 2021, arXiv 2103.03841, as guided-diffusion computes it), which the ``legacy`` resize alone makes ``sfid``.
"""

from collections.abc import Mapping
from typing import Any

from diptych.asset_table import ASSETS
from diptych.encoders.inception import ASSET, NETWORK
from diptych.encoders.inception_layers import LAYERS
from diptych.encoders.inception_resizes import RESIZES, Preprocess

PUBLISHED, CORRECTED = "frechet_distance", "corrected_frechet_distance"

# Preprocessing of the encoder -> what the distance is called.
FIELD_NAMES: dict[Preprocess, str] = {"clean": "clean_fid", "legacy": "fid", "pytorch_fid": "pytorch_fid"}


def frechet_names(encoder: Mapping[str, Any]) -> dict[str, str]:
    """Return what both values are called, by their own names; nothing for vectors that do not make it FID.

    Args:
        encoder: Its identity.
    """
    name = fid_name(encoder)
    return {} if name is None else {PUBLISHED: name, CORRECTED: f"corrected_{name}"}


def fid_name(encoder: Mapping[str, Any]) -> str | None:
    """Return what a Fréchet distance in the space of an encoder is called; None where it is no FID."""
    layers = {LAYERS["pool3"].said: "fid", LAYERS["spatial"].said: "sfid"}
    is_fid = (
        encoder.get("network") == NETWORK
        and encoder.get("layer") in layers
        and encoder.get("weights_sha256") == ASSETS[ASSET].sha256
    )
    ways = [way for way, resize in RESIZES.items() if encoder.get("preprocess") == resize.said]
    if not is_fid or not ways:
        return None
    side = encoder.get("centre_crop_px")
    name = FIELD_NAMES[ways[0]].replace("fid", layers[encoder["layer"]])
    return name if side is None else f"{name}_crop{side}"
