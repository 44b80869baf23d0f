"""OneIG-Bench's number of texts: 1 - min(M, E) (1 - C) (1 - A) / M over images together.

E is the mean number of edits, C the share of images without any, A the share of all words that are read, M the edits
beyond which nothing is worse. That is no mean over images, so that its error is linearised: each image has the number
that it would be if the others were as they are, the mean of which is the whole. Source: ``scripts/text/text_score.py``
of OneIG-Bench/OneIG-Benchmark at 41b4983.
"""

import numpy as np
import numpy.typing as npt

from diptych.evaluate.protocols.contract import TextErrors

COLUMNS = ("text_edits", "text_matched", "text_expected")  # of the score ``text_edits``

Floats = npt.NDArray[np.float64]


def shares_of(parts: Floats, pool: TextErrors) -> Floats:
    """Return what each image adds to the number, float64 (N,), so that their mean is the number.

    >>> two = np.array([[0.0, 2.0, 2.0], [50.0, 1.0, 2.0]])
    >>> float(shares_of(two, TextErrors(100, "mean")).mean())  # 1 - 25 x 0.5 x 0.25 / 100
    0.96875

    Args:
        parts: Float64 (N, 3): the columns of ``COLUMNS``; NaN edits are those of an image without a number.
        pool: How many edits count.
    """
    found = np.full(len(parts), np.nan)
    is_known = np.isfinite(parts[:, 1]) if len(parts) else np.zeros(0, bool)
    if not is_known.any():
        return found
    edits, matched, expected = parts[is_known].T
    most = float(pool.most_edits)
    counted = np.minimum(edits, most) if pool.capped == "image" else edits
    exact = (edits == 0.0).astype(float)
    mean, whole, words = counted.mean(), exact.mean(), expected.mean()
    read = matched.mean() / words if words else 0.0
    capped = min(mean, most)
    by_edits = counted - mean if mean < most else np.zeros(len(edits))
    by_words = (matched - read * expected) / words if words else np.zeros(len(edits))
    slope = by_edits * (1 - whole) * (1 - read) - capped * ((exact - whole) * (1 - read) + (1 - whole) * by_words)
    found[is_known] = 1.0 - (capped * (1 - whole) * (1 - read) + slope) / most
    return found


def at_worst(parts: Floats) -> Floats:
    """Return the same with nothing read of the images without a number, and no end of edits."""
    lacking = np.isnan(parts[:, 1])
    filled = parts.copy()
    filled[lacking, 0], filled[lacking, 1] = np.inf, 0.0
    return filled
