"""Hashes over decoded pixels: exact for the same picture in another file, perceptual for one that looks the same.

The perceptual hashes are bit for bit those of the ImageHash library (JohannesBuchner/imagehash 4.3: ``phash`` and
``dhash`` with their defaults). Other libraries compute other hashes under the same names: imagededup resizes before the
conversion to luma and leaves the DC coefficient out of the median, which moves about one bit in 64. Hashes of two
implementations must not be compared, so the column names say whose they are. A hash is an unsigned 64-bit integer whose
most significant bit is the first (top left) bit, so its 16 hex digits are the text that ImageHash prints; duplicates
are pairs of a small Hamming distance.

A mirrored or cropped copy has another pHash. With ``variants`` there are also those that a picture would have if it
were mirrored, or if a margin were cut off all around: one of these is near the hash of such a copy.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch

COLUMNS = (
    Column("phash_imagehash", "ImageHash phash: low 8 x 8 DCT-II frequencies above their median", dtype="uint64"),
    Column("dhash_imagehash", "ImageHash dhash: where luma rises from left to right on 9 x 8 pixels", dtype="uint64"),
    Column("sha256_pixels", "SHA-256 of size and RGB pixels: equal for one picture in any container", dtype="string"),
)
# Percent of the width and height that is left of a cropped picture. A crop between two of them is at most 1.5 % off.
INNER = (97, 94, 91)
VARIANTS = (
    Column("phash_imagehash_mirrored", "phash of the picture with left and right exchanged", dtype="uint64"),
    *(Column(f"phash_imagehash_inner_{share}", f"phash of the middle {share} %", dtype="uint64") for share in INNER),
)

_LANCZOS = 1  # PIL.Image.Resampling.LANCZOS; only diptych.data.images imports PIL
_SIDE = 32
_GAP = 4.0  # a large picture is averaged down to four times the side first, which is quick


@dataclass(frozen=True)
class Hashes:
    """Three hashes of one picture each, and four more with ``variants``."""

    variants: bool = False
    reads: frozenset[Reads] = frozenset({"pixels"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """The hashes of the picture, then those of its variants."""
        return COLUMNS + VARIANTS if self.variants else COLUMNS

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, and the variants if there are any."""
        variants = {"variants": [column.name for column in VARIANTS]} if self.variants else {}
        return {"score": "hashes", "version": 1, **variants}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the hashes as objects, int or str; None without an image."""
        none = (None,) * len(self.columns)
        rows = [_hash(image, self.variants) if image is not None else none for image in batch.images()]
        return {column.name: np.array(values, object) for column, *values in zip(self.columns, *rows, strict=True)}


def hashes(*, variants: bool = False) -> Hashes:
    """Return the score.

    Args:
        variants: Whether to hash the mirrored picture and its middle as well, for ``dedup.variants``.
    """
    return Hashes(variants)


def perceptual_hash(image: Image) -> int:
    """Return the 64-bit pHash of an image, in [0, 2**64).

    Luma on 32 x 32 pixels, DCT-II of the columns and rows, the lowest 8 x 8 frequencies against their median, the DC
    coefficient included.

    Source: ``imagehash.phash`` (ImageHash 4.3), after hackerfactor.com, "Looks Like It", 2011.
    """
    return _perceptual(_luma(image, (_SIDE, _SIDE)))


def variant_hashes(image: Image) -> tuple[int, ...]:
    """Return the pHash of the mirrored picture and of its middle 97, 94 and 91 %, each in [0, 2**64).

    The mirrored one is of the 32 x 32 pixels of luma with their columns exchanged, which is that of the mirrored
    picture but for rounding in the resizing. A margin cut off need not be a whole number of pixels.
    """
    luma, (width, height) = image.convert("L"), image.size
    middles = []
    for share in INNER:
        margin = (1.0 - share / 100.0) / 2.0
        box = (width * margin, height * margin, width * (1.0 - margin), height * (1.0 - margin))
        small = luma.resize((_SIDE, _SIDE), _LANCZOS, box=box, reducing_gap=_GAP)
        middles.append(_perceptual(np.asarray(small)))
    return _perceptual(_luma(luma, (_SIDE, _SIDE))[:, ::-1]), *middles


def difference_hash(image: Image) -> int:
    """Return the 64-bit dHash of an image, in [0, 2**64): luma on 9 x 8 pixels, each against its left neighbour.

    Source: ``imagehash.dhash`` (ImageHash 4.3), after hackerfactor.com, "Kind of Like That", 2013.
    """
    pixels = _luma(image, (9, 8))
    return _to_int(pixels[:, 1:] > pixels[:, :-1])


def pixel_digest(image: Image) -> str:
    """Return the SHA-256, in hex, of "<width>x<height>", a line feed, and the RGB bytes row by row."""
    digest = hashlib.sha256(b"%dx%d\n" % image.size)
    digest.update((image if image.mode == "RGB" else image.convert("RGB")).tobytes())
    return digest.hexdigest()


def _hash(image: Image, variants: bool) -> tuple[int | str, ...]:
    luma = image.convert("L")
    further = variant_hashes(luma) if variants else ()
    return perceptual_hash(luma), difference_hash(luma), pixel_digest(image), *further


def _perceptual(luma: npt.NDArray[np.uint8]) -> int:
    pixels = luma.astype(np.float64)
    low = _dct(_dct(pixels.T)[:, :8].T)[:, :8]
    return _to_int(low > np.median(low))


def _luma(image: Image, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return the luma (ITU-R BT.601) resized with Lanczos to width x height, uint8 (height, width)."""
    return np.asarray(image.convert("L").resize(size, _LANCZOS))


def _to_int(bits: npt.NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _dct(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the DCT-II of each row, 2 sum x[n] cos(pi k (2n + 1) / 64), float64 (N, 32), as SciPy rounds it.

    In a symmetric picture, a logo for one, most frequencies are zero but for rounding, and so is their median: then the
    bits of the hash are the signs of rounding errors. To agree with ImageHash there too, this takes the very steps of
    ``scipy.fftpack.dct`` (pocketfft's ``T_dcst23``), whose inner real FFT is the one that NumPy ships.
    """
    half = _SIDE // 2
    ends = rows[:, [0, -1]] * 2
    spectrum = np.zeros((len(rows), half + 1), np.complex128)
    spectrum.real[:, [0, half]] = ends
    spectrum.real[:, 1:half] = rows[:, 1:-1:2] + rows[:, 2:-1:2]
    spectrum.imag[:, 1:half] = rows[:, 2:-1:2] - rows[:, 1:-1:2]
    waves = np.fft.irfft(spectrum, _SIDE) * _SIDE  # exact: both scale by a power of two
    rising, falling = waves[:, 1:half], waves[:, :half:-1]
    twice_odd = _TWIDDLES[1:half] * falling + _TWIDDLES[:half:-1] * rising
    twice_even = _TWIDDLES[1:half] * rising - _TWIDDLES[:half:-1] * falling
    result = waves.copy()
    result[:, 1:half] = (twice_odd + twice_even) * 0.5
    result[:, :half:-1] = (twice_odd - twice_even) * 0.5
    result[:, half] *= _TWIDDLES[half]
    return result


def _twiddles() -> npt.NDArray[np.float64]:
    """Return cos(pi k / 64) for k of 0 to 31, rounded as in pocketfft: a table of 16, turned by an eighth."""
    angles = [math.pi * k / (2 * _SIDE) for k in range(_SIDE // 2)]
    first = [math.cos(angle) for angle in angles]
    turned = [math.cos(a) * math.sin(math.pi / 4) - math.sin(a) * math.cos(math.pi / 4) for a in angles]
    return np.array(first + turned)


_TWIDDLES = _twiddles()
