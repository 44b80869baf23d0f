"""The middle square: its size, what of the picture it is, and that no pixel is skipped."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from diptych.encoders.centre_crop import centre_cropped


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 31), (1024, 1024), (33, 32), (7, 5)])
def test_the_square_has_the_side_whatever_the_picture(size: tuple[int, int]) -> None:
    assert centre_cropped(PillowImage.new("RGB", size, (9, 9, 9)), 32).size == (32, 32)


def test_it_is_the_middle_that_is_taken() -> None:
    pixels = np.zeros((64, 192, 3), np.uint8)
    pixels[:, 64:128] = 200
    found = np.asarray(centre_cropped(PillowImage.fromarray(pixels), 64))
    assert (found == 200).all()


def test_a_picture_that_is_twice_too_large_is_halved_by_the_mean_of_four_pixels() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    means = pixels.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    found = np.asarray(centre_cropped(PillowImage.fromarray(pixels), 32), float)
    assert np.abs(found - means).max() <= 1.0  # Pillow rounds once for each direction
