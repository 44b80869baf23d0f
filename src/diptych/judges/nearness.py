"""How near some descriptions are to a picture in the space of an encoder, as shares: how CLIP classifies.

The shares are the softmax of scale times cosine (Radford et al. 2021, arXiv 2103.00020, section 3.1.2): which
description fits better, not whether any fits.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

SCALE = 100.0  # where the logit scale of CLIP's training is capped (section 2.5); OpenAI's models have it


def unit(vector: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Return a vector (dim,) with length 1, float64; one of zeros stays as it is.

    >>> unit(np.float32([3, 4])).round(3).tolist()
    [0.6, 0.8]
    """
    wide = vector.astype(np.float64)
    length = float(np.linalg.norm(wide))
    return wide / length if length else wide


def mean_directions(vectors: npt.NDArray[np.float32], each: int) -> npt.NDArray[np.float64]:
    """Return the mean direction of every so many vectors, each of which counts alike (section 3.1.4).

    Args:
        vectors: float32 (N x each, dim), any length.
        each: How many belong together.

    Returns:
        float64 (N, dim), each of length 1.

    >>> mean_directions(np.float32([[2, 0], [0, 1]]), 2).round(3).tolist()
    [[0.707, 0.707]]
    """
    units = np.stack([unit(vector) for vector in vectors])
    return np.stack([unit(mean) for mean in units.reshape(-1, each, units.shape[1]).mean(axis=1)])


def shares(
    descriptions: npt.NDArray[np.float64], picture: npt.NDArray[np.float32], scale: float = SCALE
) -> tuple[float, ...]:
    """Return how likely each description is, adding up to 1.

    Args:
        descriptions: Their vectors, each of length 1, float64 (N, dim).
        picture: Its vector, float32 (dim,), any length.
        scale: What cosines are multiplied by.

    >>> [round(share, 3) for share in shares(np.eye(2), np.float32([0, 3]), scale=1.0)]
    [0.269, 0.731]
    """
    logits = scale * (descriptions @ unit(picture))
    likely = np.exp(logits - logits.max())
    return tuple((likely / likely.sum()).tolist())
