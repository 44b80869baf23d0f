"""How a picture becomes 299 pixels wide, against the programs whose FID each way is."""

import itertools

import numpy as np
import PIL.Image
import pytest
import torch
from drawn import picture

from diptych.data.images import Image, decode
from diptych.encoders.inception_resizes import RESIZES, resize_clean, resize_legacy, resize_pytorch_fid

SIZES = [(48, 32), (32, 48), (299, 299), (640, 480), (7, 1024), (1, 1)]


def as_tensor(image: Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[np.newaxis]


@pytest.mark.reference
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_legacy_is_the_resize_of_torch_fidelity(size: tuple[int, int]) -> None:
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    image = decode(picture(3, size, kind="PNG"))
    expected = interpolate_bilinear_2d_like_tensorflow1x(as_tensor(image).float(), size=(299, 299), align_corners=False)
    np.testing.assert_array_equal(resize_legacy(image), expected[0].permute(1, 2, 0).numpy())


def test_legacy_takes_the_pixels_that_tensorflow_1_takes() -> None:
    """x_in = x_out * in / out without half-pixel centres: at two pixels the first half blends, the last stays."""
    image = PIL.Image.fromarray(np.array([[[0] * 3, [200] * 3]], np.uint8))
    row = resize_legacy(image)[0, :, 0]
    places = np.arange(299) * 2 / 299
    expected = np.where(places < 1, places * 200, 200)
    np.testing.assert_allclose(row, expected, atol=1e-4)


@pytest.mark.reference
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_clean_is_the_separable_bicubic_of_pillow(size: tuple[int, int]) -> None:
    image = decode(picture(3, size, kind="PNG"))
    across, down = (bicubic_weights(side) for side in image.size)
    expected = np.einsum("yi,ijc,xj->yxc", down, np.asarray(image, np.float64), across, optimize=True)
    np.testing.assert_allclose(resize_clean(image), expected.clip(0, 255), atol=1e-3)


def bicubic_weights(size: int, out: int = 299) -> np.ndarray:
    """Pillow's weights: Keys' cubic with a = -0.5, widened when it shrinks, normalised at the edges."""
    scale = size / out
    support = max(scale, 1.0)
    centres = (np.arange(out) + 0.5) * scale
    x = np.abs((np.arange(size) + 0.5 - centres[:, np.newaxis]) / support)
    weights = np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0.0))
    weights[np.abs(np.arange(size) + 0.5 - centres[:, np.newaxis]) > 2 * support] = 0.0
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pytorch_fid_blends_the_two_nearest_pixels_by_half_pixel_centres(size: tuple[int, int]) -> None:
    """x_in = (x_out + 1/2) * in / out - 1/2, not beyond the first and the last pixel; no pixel further off counts."""
    image = decode(picture(3, size, kind="PNG"))
    across, down = (two_nearest(side) for side in image.size)
    expected = np.einsum("yi,ijc,xj->yxc", down, np.asarray(image, np.float64) / 255, across, optimize=True)
    np.testing.assert_allclose(resize_pytorch_fid(image), expected, atol=2e-5)


def two_nearest(size: int, out: int = 299) -> np.ndarray:
    places = np.clip((np.arange(out) + 0.5) * size / out - 0.5, 0.0, size - 1.0)
    return np.maximum(0.0, 1.0 - np.abs(places[:, np.newaxis] - np.arange(size)))


def test_a_picture_of_the_right_size_is_left_as_it_is() -> None:
    image = decode(picture(1, (299, 299), kind="PNG"))
    for resize in (resize_legacy, resize_clean):
        np.testing.assert_array_equal(resize(image), np.asarray(image, np.float32))
    np.testing.assert_allclose(255 * resize_pytorch_fid(image), np.asarray(image, np.float32), atol=1e-4)


def test_the_network_sees_other_numbers_of_the_same_range_by_each_way() -> None:
    image = decode(picture(0, (640, 480), kind="PNG"))
    seen = [resize.input_of(image) for resize in RESIZES.values()]
    assert all((each.shape, each.dtype) == ((299, 299, 3), np.dtype(np.float32)) for each in seen)
    assert -1.0 <= min(map(np.min, seen)) <= max(map(np.max, seen)) <= 1.0
    assert all(np.abs(one - other).max() > 1e-3 for one, other in itertools.combinations(seen, 2))
