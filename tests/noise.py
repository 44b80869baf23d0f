"""Pictures of noise, in the sizes that a test wants."""

import numpy as np
from PIL import Image


def noise(*sizes: tuple[int, int]) -> list[Image.Image]:
    """Return a picture of each size (width, height), the same every time."""
    rng = np.random.default_rng(7)
    return [Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)) for width, height in sizes]
