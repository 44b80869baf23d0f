"""NSFWJS: drawing, hentai, neutral, porn or sexy. The probability of each, from the pixels.

A MobileNetV2 at 224 pixels by GantMan (nsfw_model), as infinitered/nsfwjs d55a54c ships it: Keras layers in the format
of TensorFlow.js, weights quantised to 8 bits. Looks at pixels, not at a CLIP embedding, so it errs on other pictures
than ``nsfw`` does. Preprocessing as ``NSFWJS.infer`` (nsfwjs ``src/core.ts``): bilinear resize of the whole picture to
224 x 224 with aligned corners, no antialiasing, aspect ratio not kept; pixels / 255.

Its users sum the classes they want to keep out; all of them count porn and hentai, many not "sexy" (by nsfwjs's README
"sexually explicit images, not pornography"). ``nsfw_pixels`` is porn + hentai; ``nsfw_sexy`` stays apart, so that
another sum is a rule over columns.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image
from diptych.devices import torch_device
from diptych.errors import DataError, named_line
from diptych.scores import Column, Direction, Reads
from diptych.scores.batches import Batch

if TYPE_CHECKING:  # torch is loaded by the first picture
    from diptych.scores.weight_formats.tfjs import Network

SIZE_PX = 224
CLASSES = ("drawing", "hentai", "neutral", "porn", "sexy")  # nsfwjs src/nsfw_classes.ts, in the order of the outputs
UNSAFE = ("hentai", "porn")
IMAGES_PER_RUN = 8  # the activations of more leave the caches: 10 ms per picture with 8, 19 ms with 32, on two cores

DESCRIPTIONS = {
    "drawing": "drawing, safe for work",
    "hentai": "hentai or pornographic drawing",
    "neutral": "neutral picture, safe for work",
    "porn": "pornographic picture",
    "sexy": "sexually explicit picture, not pornography",
}
# For training data and for models. A neutral picture is no drawing; that a model draws more does not make it worse.
DIRECTIONS: Mapping[str, tuple[Direction | None, Direction | None]] = {
    "drawing": (None, None),
    "hentai": ("lower", "lower"),
    "neutral": ("higher", None),
    "porn": ("lower", "lower"),
    "sexy": ("lower", "lower"),
}
COLUMNS = (
    *(
        Column(
            f"nsfw_{name}",
            f"Probability of the class {name} ({DESCRIPTIONS[name]}) by NSFWJS MobileNetV2",
            low=0.0,
            high=1.0,
            better_for_data=DIRECTIONS[name][0],
            better_for_models=DIRECTIONS[name][1],
        )
        for name in CLASSES
    ),
    Column(
        "nsfw_pixels",
        "Probability of unsafe content by NSFWJS MobileNetV2: porn + hentai",
        low=0.0,
        high=1.0,
        better_for_data="lower",
        better_for_models="lower",
    ),
)


@dataclass(frozen=True)
class NsfwMobilenet:
    """The classifier; its weights are loaded by the first batch that has a picture."""

    model: Path
    shards: tuple[Path, ...]
    weights_sha256: tuple[str, ...]
    device: str
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"pixels"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and the sha256 of the model's files."""
        return {"score": "nsfw_mobilenet", "version": 1, "weights_sha256": list(self.weights_sha256)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the probabilities of the five classes and ``nsfw_pixels``, float32 (N,); NaN without an image."""
        images = batch.images()
        probabilities = np.full((len(images), len(CLASSES)), np.nan, np.float32)
        present = [row for row, image in enumerate(images) if image is not None]
        for start in range(0, len(present), IMAGES_PER_RUN):
            rows = present[start : start + IMAGES_PER_RUN]
            pixels = np.stack([prepare(image) for row in rows if (image := images[row]) is not None])
            probabilities[rows] = self._network(pixels)
        columns = {f"nsfw_{name}": probabilities[:, number] for number, name in enumerate(CLASSES)}
        return {**columns, "nsfw_pixels": sum_unsafe(probabilities)}

    @cached_property
    def _network(self) -> "Network":
        from diptych.scores.weight_formats.tfjs import load_network

        network = load_network(self.model, self.shards, torch_device(self.device))
        try:
            outputs = network(np.zeros((1, SIZE_PX, SIZE_PX, 3), np.float32)).shape[1:]
        except (LookupError, RuntimeError, ValueError) as error:
            raise DataError(f"{self.model}: does not run on a picture of {SIZE_PX} pixels: {error}") from error
        if outputs != (len(CLASSES),):
            raise DataError(
                f"{self.model}: gives {outputs} numbers per picture, not the {len(CLASSES)} classes of NSFWJS"
            )
        return network


def nsfw_mobilenet(*, weights: str | None = None, device: str = "auto") -> NsfwMobilenet:
    """Return the score.

    Args:
        weights: Path of ``model.json``, its weight files beside it, or of their folder; None takes the published
            files, a verified download.
        device: ``auto`` takes a CUDA device if there is one. Not part of the identity.

    Raises:
        DataError: If the weights cannot be had or read.
    """
    from diptych.assets import fetch, file_sha256, named_path

    published = ("nsfwjs-mobilenet-v2", "nsfwjs-mobilenet-v2-weights")
    files = tuple(map(fetch, published)) if weights is None else find_files(named_path(weights))
    return NsfwMobilenet(files[0], files[1:], tuple(file_sha256(file) for file in files), device)


def prepare(image: Image) -> npt.NDArray[np.float32]:
    """Return the network's input for one RGB image: float32 (224, 224, 3) in [0, 1]."""
    scaled: npt.NDArray[np.float32] = resize_bilinear(np.asarray(image), SIZE_PX) / np.float32(255)
    return scaled


def resize_bilinear(pixels: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.float32]:
    """Return the picture at ``size`` x ``size`` as ``tf.image.resizeBilinear(..., alignCorners=true)`` gives it.

    The corner pixels of input and output coincide, and each output pixel mixes four input pixels however far apart.

    Args:
        pixels: uint8 (height, width, channels).
        size: Height and width of the result, 2 at least.

    Returns:
        float32 (size, size, channels), in the range of the input.

    >>> resize_bilinear(np.uint8([[[0], [10]], [[20], [30]]]), 3)[:, :, 0].tolist()
    [[0.0, 5.0, 10.0], [10.0, 15.0, 20.0], [20.0, 25.0, 30.0]]
    """
    (top, bottom, down), (left, right, across) = (_neighbours(length, size) for length in pixels.shape[:2])
    down, across = down[:, None, None], across[None, :, None]
    corners = [pixels[rows][:, columns].astype(np.float32) for rows in (top, bottom) for columns in (left, right)]
    upper = corners[0] + (corners[1] - corners[0]) * across
    lower = corners[2] + (corners[3] - corners[2]) * across
    resized: npt.NDArray[np.float32] = upper + (lower - upper) * down
    return resized


def sum_unsafe(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return porn + hentai of float32 (N, 5) probabilities: float32 (N,), at most 1."""
    hentai, porn = (probabilities[:, CLASSES.index(name)] for name in UNSAFE)
    total: npt.NDArray[np.float32] = np.minimum(hentai + porn, np.float32(1))  # the sum may round to just above 1
    return total


def find_files(path: Path) -> tuple[Path, ...]:
    """Return ``model.json`` and the weight files that it names.

    Args:
        path: Of ``model.json`` or of its folder.

    Raises:
        DataError: If a file is missing, ``model.json`` is not a TensorFlow.js model, or it names a file elsewhere.
    """
    model = path / "model.json" if path.is_dir() else path
    try:
        manifest = json.loads(model.read_text(encoding="utf-8"))["weightsManifest"]
        names = [name for group in manifest for name in group["paths"]]
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise DataError(f"{model}: cannot be read as a TensorFlow.js model ({named_line(error)})") from error
    for name in names:
        if Path(name).name != name or not (model.parent / name).is_file():
            raise DataError(f"{model}: names the weight file {name!r}, which is not beside it; put it there")
    return (model, *(model.parent / name for name in names))


def _neighbours(length: int, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the input positions before and after each output position, and the weight of the latter."""
    positions = np.arange(size) * ((length - 1) / (size - 1))
    before = np.minimum(np.floor(positions).astype(np.int64), length - 1)
    return before, np.minimum(before + 1, length - 1), (positions - before).astype(np.float32)
