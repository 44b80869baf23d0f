"""Hashes of the pixels, for copies and near copies. Exact ones of the same picture in another file, others of likeness.

The perceptual hashes are bit for bit those of the ImageHash library (JohannesBuchner/imagehash 4.3: ``phash`` and
``dhash`` with their defaults). Other libraries compute other hashes under the same names: imagededup resizes before the
conversion to luma and leaves the DC coefficient out of the median, which moves about one bit in 64. Hashes of two
implementations must not be compared, so the column names say whose they are. A hash is an unsigned 64-bit integer whose
most significant bit is the first (top left) bit, so its 16 hex digits are the text that ImageHash prints; duplicates
are pairs of a small Hamming distance.

A flat picture, a gradient and a flag of stripes have few frequencies: the other bits of their hashes are the signs of
rounding errors, and different ones have the same hash. Such a picture has no hash but that of its pixels, and so no
near duplicates.

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

NO_STRUCTURE = "no_structure"  # the reason of a row whose picture has no perceptual hash

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
# Luma is rounded to 8 bits, which moves a frequency by 4 sum x cos cos with a variance of 16 * 16 * 16 / 12 (a little
# more at the edges): beyond four standard deviations its sign is the picture's own. Of 63 frequencies photographs have
# 60, symmetric drawings 31, stripes and gradients 8 at most.
_BEYOND_ROUNDING = 4 * math.sqrt(16**3 / 12)
_MIN_FREQUENCIES = 16
# Two shades, each rounded, differ by 1 where the picture may not.
_MIN_DIFFERENCE = 2
_MIN_DIFFERENCES = 16
_GAP = 4.0  # a large picture is averaged down to four times the side first, which is quick


@dataclass(frozen=True)
class Hashes:
    """Three hashes of one picture each, and four more with ``variants``; of bare pictures only that of the pixels."""

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
        return {"score": "hashes", "version": 2, **variants}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the hashes as objects, int or str; None without an image, or without structure in it."""
        none = (None,) * len(self.columns)
        pictures = batch.images()
        rows = [_hash(image, self.variants) if image is not None else none for image in pictures]
        found = {column.name: np.array(values, object) for column, *values in zip(self.columns, *rows, strict=True)}
        is_bare = [image is not None and None in row for image, row in zip(pictures, rows, strict=True)]
        return {**found, "reason": np.array([NO_STRUCTURE if bare else None for bare in is_bare], object)}


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
    return _signs(_spectrum(_luma(image, (_SIDE, _SIDE))))


def variant_hashes(image: Image) -> tuple[int | None, ...]:
    """Return the pHash of the mirrored picture and of its middle 97, 94 and 91 %, each in [0, 2**64).

    One that has no structure has none.

    The mirrored one is of the 32 x 32 pixels of luma with their columns exchanged, which is that of the mirrored
    picture but for rounding in the resizing. A margin cut off need not be a whole number of pixels.
    """
    luma, (width, height) = image.convert("L"), image.size
    middles = []
    for share in INNER:
        margin = (1.0 - share / 100.0) / 2.0
        box = (width * margin, height * margin, width * (1.0 - margin), height * (1.0 - margin))
        small = luma.resize((_SIDE, _SIDE), _LANCZOS, box=box, reducing_gap=_GAP)
        middles.append(np.asarray(small))
    spectra = map(_spectrum, [_luma(luma, (_SIDE, _SIDE))[:, ::-1], *middles])
    return tuple(_signs(spectrum) if _is_structured(spectrum) else None for spectrum in spectra)


def difference_hash(image: Image) -> int:
    """Return the 64-bit dHash of an image, in [0, 2**64): luma on 9 x 8 pixels, each against its left neighbour.

    Source: ``imagehash.dhash`` (ImageHash 4.3), after hackerfactor.com, "Kind of Like That", 2013.
    """
    return _to_int(_steps(image) > 0)


def pixel_digest(image: Image) -> str:
    """Return the SHA-256, in hex, of "<width>x<height>", a line feed, and the RGB bytes row by row."""
    digest = hashlib.sha256(b"%dx%d\n" % image.size)
    digest.update((image if image.mode == "RGB" else image.convert("RGB")).tobytes())
    return digest.hexdigest()


def _hash(image: Image, variants: bool) -> tuple[int | str | None, ...]:
    luma = image.convert("L")
    further = variant_hashes(luma) if variants else ()
    spectrum, steps = _spectrum(_luma(luma, (_SIDE, _SIDE))), _steps(luma)
    if not _is_structured(spectrum):
        return None, None, pixel_digest(image), *further
    is_stepped = np.count_nonzero(abs(steps) >= _MIN_DIFFERENCE) >= _MIN_DIFFERENCES
    return _signs(spectrum), _to_int(steps > 0) if is_stepped else None, pixel_digest(image), *further


def _spectrum(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return the lowest frequencies of luma, uint8 (32, 32): its DCT-II, float64 (8, 8)."""
    return _dct(_dct(luma.astype(np.float64).T)[:, :8].T)[:, :8]


def _signs(spectrum: npt.NDArray[np.float64]) -> int:
    return _to_int(spectrum > np.median(spectrum))


def _is_structured(spectrum: npt.NDArray[np.float64]) -> bool:
    """Return whether an image has frequencies enough for its pHash to be its own, and not that of rounding."""
    return int(np.count_nonzero(abs(spectrum.ravel()[1:]) > _BEYOND_ROUNDING)) >= _MIN_FREQUENCIES


def _steps(image: Image) -> npt.NDArray[np.int16]:
    """Return by how much luma on 9 x 8 pixels rises from left to right: int16 (8, 8)."""
    pixels = _luma(image, (9, 8)).astype(np.int16)
    return np.diff(pixels, axis=1)


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
