"""The tone map against the numbers that its standards give."""

import numpy as np
import pytest

from diptych.data.tone_map import tone_mapped

LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020
# ITU-R BT.2408-7, table 1: what grey cards and white are in PQ and HLG, in percent, and their cd/m2.
LEVELS = {"grey card 18 %": (38, 38, 26), "grey card 83 %": (56, 71, 162), "white": (58, 75, 203)}


def light_of(value: float, kind: str) -> float:
    found = tone_mapped(np.full((1, 3), value, np.float32), kind, LUMINANCE)
    assert np.ptp(found) < 1e-6, "grey stays grey"
    return float(found[0, 0])


@pytest.mark.parametrize("name", LEVELS)
def test_pq_and_hlg_of_one_level_are_one_light(name: str) -> None:
    pq, hlg, _ = LEVELS[name]
    assert light_of(pq / 100, "pq") == pytest.approx(light_of(hlg / 100, "hlg"), rel=0.06)


def test_light_below_the_knee_stays_and_the_peak_is_white() -> None:
    assert light_of(0.38, "pq") * 203 == pytest.approx(26, rel=0.03)
    for kind in ("pq", "hlg"):
        assert light_of(0.0, kind) == pytest.approx(0, abs=1e-6)
        assert light_of(1.0, kind) == pytest.approx(1, abs=1e-3)
    assert light_of(0.5807, "pq") * 203 == pytest.approx(158, rel=0.01)
    assert light_of(0.7518, "pq") == pytest.approx(1, abs=1e-3), "1,000 cd/m2"


@pytest.mark.parametrize("kind", ["pq", "hlg"])
def test_more_light_is_never_shown_darker(kind: str) -> None:
    values = np.repeat(np.linspace(0, 1, 1001, dtype=np.float32)[:, None], 3, axis=1)
    shown = tone_mapped(values, kind, LUMINANCE)[:, 0]
    assert (np.diff(shown) > -1e-6).all()
    assert shown.min() >= 0
    assert shown.max() <= 1 + 1e-3


def test_hues_stay() -> None:
    values = np.array([0.6, 0.7, 0.65], np.float32)
    shown = tone_mapped(values[None], "pq", LUMINANCE)[0]
    power = values.astype(float) ** (32 / 2523)  # SMPTE ST 2084, equation 4.1
    light = ((power - 0.8359375) / (18.8515625 - 18.6875 * power)) ** (16384 / 2610)
    assert shown / shown.max() == pytest.approx(light / light.max(), rel=1e-4)
