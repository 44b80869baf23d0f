"""The captioned pictures that a demo pipeline learns from: all of a dataset directory, as the model takes them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from diptych.data.dataset import open_dataset
from diptych.data.images import Image, decode
from diptych.data.shards import read_groups
from diptych.errors import DataError, DecodeError
from diptych.progress import track

SIDES = frozenset({"left", "right"})  # a caption with one of these is false of the mirrored picture


class CaptionedPictures(NamedTuple):
    """Pictures and captions.

    Attributes:
        pixels: uint8 RGB (N, side, side, 3).
        captions: N texts.
        has_sides: bool (N,), whether the caption would be false of the mirrored picture.
    """

    pixels: npt.NDArray[np.uint8]
    captions: list[str]
    has_sides: npt.NDArray[np.bool_]


def read_pairs(path: Path, side: int) -> CaptionedPictures:
    """Return the rows of a dataset directory that have a readable picture and a caption; the others are passed over.

    Args:
        path: The dataset directory.
        side: Of the pictures in pixels; they are shrunk to it and cut to their middle.

    Raises:
        DataError: If no row has both.
        ShardError: If the directory is unfinished or damaged.
    """
    dataset = open_dataset(path)
    dataset.check(progress="auto")
    pixels, captions = [], []
    with track("read", dataset.rows, unit="rows") as tracker:
        for table in (table for file in dataset.files for table in read_groups(file, ["image", "caption", "status"])):
            for row in table.to_pylist():
                tracker.advance()
                if row["status"] != "ok" or not row["caption"]:
                    continue
                try:
                    picture = decode(row["image"]["bytes"])
                except DecodeError:
                    continue
                pixels.append(fitted(picture, side))
                captions.append(row["caption"])
    if not captions:
        raise DataError(f"{path}: no row has both a readable picture and a caption; nothing can be learned from it")
    has_sides = np.array([not SIDES.isdisjoint(caption.lower().split()) for caption in captions])
    return CaptionedPictures(np.stack(pixels), captions, has_sides)


def fitted(picture: Image, side: int) -> npt.NDArray[np.uint8]:
    """Return the middle of a picture, shrunk or enlarged until its short side fits: uint8 (side, side, 3)."""
    scale = side / min(picture.size)
    size = (max(side, round(picture.width * scale)), max(side, round(picture.height * scale)))
    resized = picture.resize(size, Resampling.BICUBIC)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return np.asarray(resized.crop((left, top, left + side, top + side)))
