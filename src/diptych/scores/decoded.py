"""Whether a picture decodes, and as a whole. Here and in plain Pillow; also whether its range was mapped.

Of a file whose body is damaged under a sound header nobody knows before it is decoded. Most formats then fail, with
the decoder's code as the reason; a JPEG need not: libjpeg fills what is missing with mid grey. Such a picture is found
in two ways:

- Bytes put before the end marker of the JPEG tell: a picture whose data ended before it was whole takes them for its
  own and changes, a whole one does not. Tried where a corner is of one brightness, and on every JPEG of several scans
  that are all there: what the last one lacks is no grey. A missing scan or end marker tells as well.
- A picture that was cut and then saved again is whole. Its last blocks are of nothing but the grey that libjpeg fills
  in, from within a line of blocks on. A grey bar, frame or ground alone is no evidence; the smeared edge of one that
  was stored with loss, in a photograph, may be taken for it.

Less than a block of a cut JPEG is not found. Of one that was saved again neither are less than a line of blocks, what
was cut between two lines, drawings and pages, and pictures that were resized or cropped since.
"""

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.containers import JpegScan, jpeg_components, jpeg_end, jpeg_has_end, jpeg_scans
from diptych.data.images import TONE_MAP, Image, decode
from diptych.data.plain import NOT_PLAIN, opens_plainly
from diptych.errors import DecodeError
from diptych.scores import DECODED, Column, Reads
from diptych.scores.batches import Batch

NAME = DECODED
COLUMN = "is_truncated"
MAP = "tone_map"
COLUMNS = (
    Column(
        COLUMN, "Whether the end of the picture is missing: a JPEG that was cut, or grey in its place", dtype="bool"
    ),
    Column(MAP, "High dynamic range that was mapped to sRGB to decode it: pq, hlg or none", dtype="string"),
)

THREADS = 4  # decoding once more takes as long as the first time, and leaves Python to others
GREY = 128  # what a block without coefficients decodes to: ITU-T T.81, A.3.1, level shift
SLACK = 2  # by which saving again may move it
LUMA = np.array((0.299, 0.587, 0.114), np.float32)  # ITU-R BT.601, as in JFIF
LEVEL = 3  # between which the brightness of one grey is rounded
DARKEST, BRIGHTEST = 32, 208  # what a colour profile or the inks of CMYK make of it lies within
BLOCK = 8
MAX_GREY_ELSEWHERE = 0.1  # of what is before the first block that is missing
MAX_EVEN = 0.5  # of the pixels that equal their left neighbour, in a photograph; drawings and pages have more
# Bytes that no decoder takes for nothing; without 0xFF, which begins a marker.
FILLER = bytes((37 * number * number + 11 * number + 85) % 255 for number in range(512))


@dataclass(frozen=True)
class Decoded:
    """What decoding a picture shows of its file."""

    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"pixels", "bytes"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name and version."""
        return {"score": NAME, "version": 6}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns; None where a picture does not decode, with the decoder's code as the reason.

        ``is_truncated`` is None, too, of a picture that Pillow does not open from its own bytes, for what they hold
        beside it: programs that read an export fail on such a file. The reason is ``not_plain``.
        """
        images = batch.images()
        # Filters belong to the whole process: set once around the threads. No other part of a decode warns.
        with warnings.catch_warnings(), ThreadPoolExecutor(THREADS) as pool:
            warnings.simplefilter("ignore")
            found = list(pool.map(_look, images, batch.bytes))
        maps = [None if image is None else image.info[TONE_MAP] for image in images]
        values, reasons = [value for value, _ in found], [reason for _, reason in found]
        return {column: np.array(of, object) for column, of in ((COLUMN, values), (MAP, maps), ("reason", reasons))}


def decoded() -> Decoded:
    """Return the score."""
    return Decoded()


def _look(image: Image | None, data: bytes | None) -> tuple[bool | None, str | None]:
    """Return whether a picture is truncated, or None and a reason; without one the row's own is written."""
    if image is None or data is None:
        return None, None
    return (is_truncated(image, data), None) if opens_plainly(data) else (None, NOT_PLAIN)


def is_truncated(image: Image, data: bytes) -> bool:
    """Return whether the end of a picture is missing.

    Args:
        image: What ``data`` decodes to, as ``diptych.data.images.decode`` gives it.
        data: The file as it came.
    """
    corners = _corners(image)
    if data.startswith(b"\xff\xd8\xff"):
        scans = list(jpeg_scans(data))
        if not jpeg_has_end(data) or _lacks_scans(data, scans):
            return True
        has_many = len(scans) > 1 or any((scan.first, scan.last) != (0, 63) for scan in scans)
        if (has_many or any(_may_be_filled_in(corner) for corner in corners)) and _takes_more(image, data):
            return True
    return any(bool(_is_grey(corner).all()) for corner in corners) and _was_cut(np.asarray(image))


def _lacks_scans(data: bytes, scans: Sequence[JpegScan]) -> bool:
    """Return whether a JPEG ends before each coefficient of each component had its last bit (ITU-T T.81, G.1.1.1)."""
    missing = set(product(jpeg_components(data), range(64)))
    for scan in scans:
        if scan.bits_left == 0:
            missing.difference_update(product(scan.components, range(scan.first, scan.last + 1)))
    return bool(missing)


def _takes_more(image: Image, data: bytes) -> bool:
    """Return whether a JPEG shows something else with more data before its end marker."""
    end = jpeg_end(data)
    try:
        other = decode(data[:end] + FILLER + (data[end:] or b"\xff\xd9"), max_pixels=image.width * image.height)
    except DecodeError:
        return True
    return other.tobytes() != image.tobytes()


def _corners(image: Image) -> list[npt.NDArray[np.uint8]]:
    """Return the pixels of the four corners, each uint8 (8, 8, 3) at most: what is seen there of a last block."""
    width, height = image.size
    wide, high = (width - 1) % BLOCK + 1, (height - 1) % BLOCK + 1
    boxes = product((0, width - wide), (0, height - high))
    return [np.asarray(image.crop((x, y, x + wide, y + high))) for x, y in boxes]


def _may_be_filled_in(pixels: npt.NDArray[np.uint8]) -> bool:
    """Return whether pixels, uint8 (H, W, 3), may be of a block that libjpeg filled in: of one brightness.

    Half of each ink, in CMYK, and a colour profile make other greys of it than mid grey; the colour of the block before
    it reaches over its first pixels, which are all that is seen of some.
    """
    brightness = pixels @ LUMA
    return bool(np.ptp(brightness) <= LEVEL and brightness.min() >= DARKEST and brightness.max() <= BRIGHTEST)


def _is_grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return bool (H, W): which of the pixels, uint8 (H, W, 3), are mid grey."""
    return np.asarray(((pixels >= GREY - SLACK) & (pixels <= GREY + SLACK)).all(axis=2))


def _was_cut(pixels: npt.NDArray[np.uint8]) -> bool:
    """Return whether a picture, uint8 (H, W, 3), ends in grey blocks as one does that was cut and then saved again.

    The blocks, in the order in which a JPEG stores them, are grey from one on that begins no line; before it hardly any
    is. What is shown has not the even faces of a drawing or a page, whose bars end at such places by design.
    """
    grey = _is_grey(pixels)
    even = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2)[~grey[:, 1:]]
    if not even.size or even.mean() > MAX_EVEN:
        return False
    turns = [turned[::down, ::right] for turned in (grey, grey.T) for down in (1, -1) for right in (1, -1)]
    return any(_ends_in_grey_blocks(turned, lines) for turned in turns for lines in (1, 2))


def _ends_in_grey_blocks(grey: npt.NDArray[np.bool_], lines: int) -> bool:
    """Return whether bool (H, W), stored in lines of so many blocks, is grey from one on that begins no line."""
    high, wide = grey.shape[0] // (BLOCK * lines), grey.shape[1] // BLOCK
    blocks = grey[: high * BLOCK * lines, : wide * BLOCK].reshape(high, BLOCK * lines, wide, BLOCK)
    # The outermost pixels of a block may be tinted by what is beside it.
    filled = np.asarray(blocks[:, 2:-2, :, 2:-2].all(axis=(1, 3)))
    shown = np.flatnonzero(~filled)
    line, place = divmod(int(shown[-1]) + 1, wide) if len(shown) else (0, 0)
    if place == 0 or not 0 < line < high - 1:  # it begins a line, or no whole line is grey
        return False
    before = filled.ravel()[: line * wide + place]
    return not filled[line - 1, place:].all() and float(before.mean()) < MAX_GREY_ELSEWHERE
