"""How likely an image is by the balls of a reference alone (Kynkäänniemi et al. 2019, arXiv 1904.06991, equation (3)).

What may be the largest ratio is found in float32 and measured in float64, see ``near_pairs``.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.kept_vectors import KeptVectors
from diptych.evaluate.metrics.manifolds import Manifold
from diptych.evaluate.metrics.near_pairs import (
    DENSE,
    TIE,
    TINY,
    UNIT,
    Floats,
    Rough,
    blocks,
    measured,
    rough_of,
    squared_distances,
    squared_lengths,
)


def realism_of(images: KeptVectors, reference: Manifold) -> Floats:
    """Return the realism of each image, float64 (N,); infinite on the centre of a ball.

    It is the largest ratio of a radius to the distance from the centre, over the balls that are narrower than the
    median. Where half of the radii are equal, none is below the median and those that are the median count.
    """
    radii = reference.radii[:, 0]
    rounding = 2.0 * TIE * reference.lengths
    narrow = radii < np.median(radii) - rounding
    narrow = narrow if narrow.any() else radii <= np.median(radii) + rounding
    centres, lengths, widths = reference.vectors[narrow], reference.lengths[narrow], radii[narrow]
    vectors, found = images.matrix, np.zeros(images.n)
    own = squared_lengths(vectors)
    rough = rough_of(vectors, centres, centres.mean(axis=0, dtype=np.float64))
    for rows, columns, may in _candidates(rough, widths * rough.scale):
        row, column = np.divmod(np.flatnonzero(may), may.shape[1])
        row, column = row + rows.start, column + columns.start
        if len(row) > DENSE * may.size:
            squares = squared_distances(vectors[rows], centres[columns], own[rows], lengths[columns])[may]
        else:
            squares = measured(vectors, centres, row, column)
        is_apart = squares > TIE * (own[row] + lengths[column])
        ratios = np.divide(widths[column], squares, out=np.full(len(row), np.inf), where=is_apart)
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        found[row[starts]] = np.maximum(found[row[starts]], np.maximum.reduceat(ratios, starts))
    return np.sqrt(found)


def _candidates(rough: Rough, widths: Floats) -> Iterator[tuple[slice, slice, npt.NDArray[np.bool_]]]:
    """Yield blocks with which pairs of them may have a larger ratio than all before.

    Args:
        rough: Images and centres.
        widths: float64 (M,), squared radii in its scale.
    """
    inverse = (1.0 / np.maximum(widths, TINY)).astype(np.float32)
    rounding = [2.0 * rough.share * each + TINY for each in (rough.left_lengths, rough.right_lengths)]
    low = [((1.0 - rough.share) * each - TINY).astype(np.float32) for each in (rough.left_lengths, rough.right_lengths)]
    most = np.full(len(rough.left), np.inf)  # the least square over a width, at the most
    for columns in blocks(len(rough.right)):
        for rows in blocks(len(rough.left)):
            squares = rough.left[rows] @ rough.right[columns].T
            squares *= np.float32(-2.0)
            squares += low[0][rows][:, np.newaxis]
            squares += low[1][columns]
            high = squares + rounding[0][rows].astype(np.float32)[:, np.newaxis]
            high += rounding[1][columns].astype(np.float32)
            high *= inverse[columns]
            most[rows] = np.minimum(most[rows], high.min(axis=1))
            squares *= inverse[columns]
            may = squares <= (most[rows] * (1.0 + 8.0 * UNIT)).astype(np.float32)[:, np.newaxis]
            if may.any():
                yield rows, columns, may
