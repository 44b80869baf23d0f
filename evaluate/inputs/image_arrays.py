"""Images that somebody saved as one array in an .npz file: ``arr_0``, uint8 (N, H, W, 3), as ADM's samples are.

They are taken one by one as they stand in the file, so that memory is that of a few. Each is handed on as a PNG, which
holds the same pixels and is decoded as any other picture.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, NamedTuple

import numpy as np
from PIL import Image

from diptych.errors import DataError
from diptych.evaluate.inputs.npz_members import NPZ_ERRORS
from diptych.storage.store_path import ReadPath

MEMBER = "arr_0.npy"


class ImageArray(NamedTuple):
    """The images of a file.

    Attributes:
        rows: How many.
        pictures: What makes the bytes of each as a PNG, in their order, from any thread.
    """

    rows: int
    pictures: Iterator[Callable[[], bytes]]


def is_image_array(path: ReadPath) -> bool:
    """Return whether a file has such images and no statistics."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
    return MEMBER in names and not names & {"mu.npy", "facts.npy"}


@contextmanager
def opened_images(path: ReadPath) -> Iterator[ImageArray]:
    """Open the images of a file.

    Raises:
        DataError: If they are no images, or the file is damaged, also where that shows while they are read.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive, archive.open(MEMBER) as member:
            shape = _shape(path, member)
            yield ImageArray(shape[0], _pictures(path, member, shape))
    except NPZ_ERRORS as error:
        raise DataError(f"{path}: arr_0 cannot be read; save it again, or give a folder of images") from error


def _shape(path: ReadPath, member: IO[bytes]) -> tuple[int, ...]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(member)
    if len(shape) != 4 or shape[3] != 3 or 0 in shape or dtype != np.uint8 or is_fortran:
        raise DataError(f"{path}: arr_0 is {dtype} {shape}; images are needed, as uint8 (N, height, width, 3)")
    return shape


def _pictures(path: ReadPath, member: IO[bytes], shape: tuple[int, ...]) -> Iterator[Callable[[], bytes]]:
    _, height, width, channels = shape
    for number in range(shape[0]):
        try:
            pixels = member.read(height * width * channels)
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"{path}: arr_0 is damaged at image {number}") from error
        if len(pixels) < height * width * channels:
            raise DataError(f"{path}: arr_0 ends at image {number} of {shape[0]}")
        yield partial(_png, pixels, width, height)


def _png(pixels: bytes, width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()
