"""The tone map of PQ and HLG: how light of a high dynamic range is shown within that of sRGB. One, and always the same.

White of a picture with a standard range is 203 cd/m2 (ITU-R BT.2408-7, 5.1), which is 1 in sRGB; light from 0 to 1,000
cd/m2, the display that HLG is defined for, is mapped to it by the curve of ITU-R BT.2390-11, 5.4.1, applied to the
greatest of red, green and blue, so that hues stay. Light up to 91 cd/m2 stays as it is, 203 becomes 158, and 1,000 and
more become 203.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

HDR = {16: "pq", 18: "hlg"}  # TransferCharacteristics of ITU-T H.273, table 3

PEAK_CD_M2 = 1000.0
WHITE_CD_M2 = 203.0

# SMPTE ST 2084, 5.2, and ITU-R BT.2100-2, table 4.
M1, M2 = 2610 / 16384, 2523 / 4096 * 128
C1, C2, C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
PQ_MAX_CD_M2 = 10_000.0
# ITU-R BT.2100-2, table 5.
A, B, C = 0.17883277, 0.28466892, 0.55991073
SYSTEM_GAMMA = 1.2  # for a display of 1,000 cd/m2

Light = npt.NDArray[np.float32]


def tone_mapped(values: Light, kind: str, luminance: Light) -> Light:
    """Return light relative to the white of sRGB, float32 (..., 3) in [0, 1], of values in PQ or HLG.

    Args:
        values: float32 (..., 3) in [0, 1].
        kind: ``pq`` or ``hlg``.
        luminance: float32 (3,): what of the luminance is red, green and blue; sums to 1.
    """
    light = _pq_light(values) if kind == "pq" else _hlg_light(values, luminance)
    greatest = light.max(axis=-1, keepdims=True)
    shown = _pq_light(_compressed(_pq_value(greatest.clip(0, PEAK_CD_M2))))
    scale = np.divide(shown, greatest, out=np.zeros_like(greatest), where=greatest > 0)
    result: Light = light * scale / np.float32(WHITE_CD_M2)
    return result


def _compressed(values: Light) -> Light:
    """Return PQ values up to that of the peak as PQ values up to that of white (BT.2390-11, 5.4.1, black at 0)."""
    peak = float(_pq_value(np.float32(PEAK_CD_M2)))
    most = float(_pq_value(np.float32(WHITE_CD_M2))) / peak
    knee = 1.5 * most - 0.5
    scaled = values / peak
    t = (scaled - knee) / (1 - knee)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    result: Light = np.where(scaled < knee, scaled, bent) * np.float32(peak)
    return result


def _pq_light(values: Any) -> Any:
    """Return cd/m2 of PQ values in [0, 1] (SMPTE ST 2084, equation 4.1)."""
    power = np.power(values, 1 / M2)
    return PQ_MAX_CD_M2 * np.power(np.maximum(power - C1, 0) / (C2 - C3 * power), 1 / M1)


def _pq_value(light: Any) -> Any:
    """Return PQ values in [0, 1] of cd/m2 (SMPTE ST 2084, equation 5.1)."""
    power = np.power(light / PQ_MAX_CD_M2, M1)
    return np.power((C1 + C2 * power) / (1 + C3 * power), M2)


def _hlg_light(values: Light, luminance: Light) -> Light:
    """Return cd/m2 of HLG values in [0, 1] on a display of 1,000 (BT.2100-2, table 5: inverse OETF, then OOTF)."""
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - C) / A) + B) / 12).astype(np.float32)
    whole = (scene @ luminance)[..., None]
    result: Light = np.float32(PEAK_CD_M2) * np.power(whole, np.float32(SYSTEM_GAMMA - 1)) * scene
    return result
