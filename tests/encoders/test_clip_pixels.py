"""What a CLIP sees is what open_clip's own transform gives it, to the last bit."""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from open_clip.transform import PreprocessCfg, image_transform_v2

from diptych.data.images import Image, decode
from diptych.encoders import clip_pixels, pillow_resize
from diptych.encoders.clip_pixels import clip_preprocessing
from diptych.errors import DecodeError

pytestmark = pytest.mark.usefixtures("one_thread")

USUAL = {"size": 224, "resize_mode": "shortest", "interpolation": "bicubic", "mean": (0.5, 0.4, 0.3), "std": (0.2,) * 3}
WAYS: list[dict[str, Any]] = [
    {},
    {"size": (64, 64)},
    {"interpolation": "bilinear"},
    {"resize_mode": "squash"},
    {"resize_mode": "longest"},
    {"size": (64, 48)},
]


def by_open_clip(settings: dict[str, Any], image: Image) -> Any:
    return image_transform_v2(PreprocessCfg(**settings), is_train=False)(image).numpy()


@pytest.mark.reference
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_each_way_is_open_clip_s(way: dict[str, Any]) -> None:
    settings = {**USUAL, **way}
    prepare = clip_preprocessing(settings)
    for number, size in enumerate([(70, 50), (50, 70), (64, 64), (301, 200), (20, 90), (1, 3), (224, 300)]):
        noise = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
        image = PIL.Image.fromarray(noise)
        prepared = prepare(image)
        assert prepared.dtype == np.float32
        assert prepared.flags.c_contiguous
        assert np.array_equal(prepared, by_open_clip(settings, image)), size


@pytest.mark.reference
def test_real_photographs_come_out_the_same_and_mostly_without_pillow(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, found, sums = clip_preprocessing(USUAL), list[object](), pillow_resize._resized
    assert pillow_resize._is_the_same()
    monkeypatch.setattr(pillow_resize, "_resized", lambda *given: (found.append(given[0].size), sums(*given))[1])
    count = 0
    for path in sorted((shared / "real/photos").rglob("*.*"))[::4]:
        try:
            image = decode(path.read_bytes())
        except DecodeError:
            continue
        count += 1
        assert np.array_equal(prepare(image), by_open_clip(USUAL, image)), path
    assert count > 20
    assert len(found) > 0.8 * count


def test_what_is_cropped_away_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    resized = clip_pixels.resized
    monkeypatch.setattr(clip_pixels, "resized", lambda *given: (asked.append(given[1:]), resized(*given))[1])
    clip_preprocessing(USUAL)(PIL.Image.new("RGB", (448, 300)))
    assert asked == [((334, 224), (55, 0, 279, 224), "bicubic")]
