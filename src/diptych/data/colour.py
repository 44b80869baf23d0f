"""What the values of a picture mean as colours: from what its file says of them to sRGB. Decides nothing else.

A colour profile is honoured; where there is none, codes and numbers are (cICP in a PNG goes before both). Light is
taken from the values, brought from its primaries to those of sRGB (white points by Bradford's adaptation), clipped to
what sRGB has, and encoded. PQ and HLG are tone-mapped first, see ``diptych.data.tone_map``.

The transfer functions of video (BT.709, BT.601, SMPTE 240M, BT.2020) are shown with the curve of sRGB, as web browsers
show them. Of the primaries of sRGB a gamma near 2.2 is the curve of sRGB, which programs mean by it. Unknown codes are
those of sRGB.
"""

import functools
import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageCms

from diptych.data.colour_signals import ColourSignal
from diptych.data.profile_curves import middle_of_curve
from diptych.data.tone_map import HDR, tone_mapped

SRGB = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
# x and y of white, red, green and blue: ITU-T H.273, table 2.
PRIMARIES: Mapping[int, tuple[float, ...]] = {
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# ITU-T H.273, table 3; all others that are not HDR have the curve of sRGB.
GAMMAS: Mapping[int, float] = {4: 2.2, 5: 2.8, 8: 1.0}
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

SRGB_GAMMA, SRGB_NEAR = 2.2, 0.05  # as libpng: a gamma that differs by less than 5 % is the same
USUAL_GAMMAS = (0.1, 10.0)  # one beyond is damage
SAME_POINT = 0.002
SRGB_MIDDLE, SAME_MIDDLE = 0.2140, 0.015  # light of the value 0.5; a gamma of 2.2 gives 0.2176, one of 2 0.25
STRIP_PIXELS = 2**20
LEVELS = 2**16 - 1  # of light, each of which is encoded once

_SRGB_AT_D50 = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))  # XYZ in its profile
_SRGB_NAMES = {"GIMP built-in sRGB", "c2", "sRGB", "sRGB IEC61966-2.1", "sRGB built-in"}  # no transform needed

Light = npt.NDArray[np.float32]


class SrgbPicture(NamedTuple):
    """A picture in sRGB, and the high dynamic range that it was mapped from: ``pq``, ``hlg`` or ``none``."""

    image: PIL.Image.Image
    tone_map: str


def to_srgb(image: PIL.Image.Image, icc: bytes, signal: ColourSignal | None = None) -> SrgbPicture:
    """Return the image as RGB in sRGB, by its profile or by what else its file says; as it is where none is sound.

    Args:
        image: Of 8 bits a channel.
        icc: The profile, empty where there is none.
        signal: What the file says beside it.
    """
    found = None if signal is not None and signal.goes_before_profile else _by_profile(image, icc)
    if found is not None:
        return SrgbPicture(found, "none")
    image = image if image.mode == "RGB" else image.convert("RGB")
    if signal is None:
        return SrgbPicture(image, "none")
    return SrgbPicture(_by_signal(image, signal), HDR.get(signal.transfer, "none"))


def _by_profile(image: PIL.Image.Image, icc: bytes) -> PIL.Image.Image | None:
    space = {"CMYK": "CMYK", "L": "GRAY", "RGB": "RGB"}.get(image.mode)
    if not icc or not space:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space.strip() != space:
            return None
        if ImageCms.getProfileDescription(profile).strip() in _SRGB_NAMES and _is_srgb(profile.profile, icc):
            return image if image.mode == "RGB" else image.convert("RGB")
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
        transform = ImageCms.ImageCmsTransform(profile, target, image.mode, "RGB", intent, flags=flags)
        return transform.apply(image)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None  # a broken profile says nothing about the colours, and nothing against the picture


def _is_srgb(profile: Any, icc: bytes) -> bool:
    """Return whether a profile has the colours and the curve of sRGB, or none of its own: a name alone may be wrong."""
    middle = middle_of_curve(icc)
    if middle is not None and abs(middle - SRGB_MIDDLE) > SAME_MIDDLE:
        return False
    colorants = [profile.red_colorant, profile.green_colorant, profile.blue_colorant]
    found = [one[0] for one in colorants if one]
    return not found or np.allclose(found, _SRGB_AT_D50, rtol=0, atol=SAME_POINT)


def _by_signal(image: PIL.Image.Image, signal: ColourSignal) -> PIL.Image.Image:
    points = signal.chromaticities or PRIMARIES.get(signal.primaries, SRGB)
    is_srgb = np.allclose(points, SRGB, rtol=0, atol=SAME_POINT)
    curve = _curve(signal, is_srgb=is_srgb)
    is_hdr = signal.transfer in HDR
    if curve is None and is_srgb and not signal.is_narrow and not is_hdr:
        return image
    try:
        own = _to_xyz(points)
        matrix = np.linalg.inv(_to_xyz(SRGB)) @ own
    except np.linalg.LinAlgError:  # no triangle of colours
        return image
    values = np.arange(256) / 255
    values = ((values * 255 - 16) / 219).clip(0, 1) if signal.is_narrow else values
    light = values if is_hdr else values**curve if curve is not None else _srgb_light(values)
    light = light.astype(np.float32)
    pixels = np.asarray(image)
    result = np.empty_like(pixels)
    rows = max(1, STRIP_PIXELS // max(1, pixels.shape[1]))
    for start in range(0, len(pixels), rows):
        strip = light[pixels[start : start + rows]]
        if is_hdr:  # light holds values still
            strip = tone_mapped(strip, HDR[signal.transfer], own[1].astype(np.float32))
        result[start : start + rows] = _encoded(strip @ matrix.T.astype(np.float32))
    return PIL.Image.fromarray(result)


def _curve(signal: ColourSignal, *, is_srgb: bool) -> float | None:
    """Return the exponent that gives light from a value; None for the curve of sRGB."""
    gamma = GAMMAS.get(signal.transfer, signal.gamma)
    if gamma is None or not USUAL_GAMMAS[0] <= gamma <= USUAL_GAMMAS[1]:
        return None
    return None if is_srgb and abs(gamma / SRGB_GAMMA - 1) < SRGB_NEAR else gamma


def _to_xyz(points: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Return the matrix from linear RGB with these chromaticities to XYZ at the white of sRGB: float64 (3, 3).

    Source: SMPTE RP 177, 3.3; adaptation after Lam, "Metamerism and Colour Constancy", 1985 (Bradford).

    Raises:
        LinAlgError: If they make no triangle.
    """
    if min(points[1::2]) <= 0:
        raise np.linalg.LinAlgError("a chromaticity without light")
    white, *primaries = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in np.reshape(points, (4, 2)))
    columns = np.stack(primaries, axis=1)
    matrix = columns * np.linalg.solve(columns, white)
    x, y = SRGB[:2]
    target = np.array([x / y, 1.0, (1 - x - y) / y])
    cones = (BRADFORD @ target) / (BRADFORD @ white)
    adapted: npt.NDArray[np.float64] = np.linalg.solve(BRADFORD, cones[:, None] * (BRADFORD @ matrix))
    return adapted


def _srgb_light(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return light in [0, 1] of values in [0, 1] (IEC 61966-2-1, 4.2)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _encoded(light: Light) -> npt.NDArray[np.uint8]:
    """Return light as values of sRGB, uint8; what is below 0 or above 1 is clipped."""
    codes: npt.NDArray[np.uint8] = _codes()[np.rint(light.clip(0, 1) * LEVELS).astype(np.uint16)]
    return codes


@functools.cache
def _codes() -> npt.NDArray[np.uint8]:
    light = np.arange(LEVELS + 1) / LEVELS
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    codes: npt.NDArray[np.uint8] = np.rint(values * 255).astype(np.uint8)
    return codes
