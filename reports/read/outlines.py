"""The outline of a mask as the path of a drawing: the sides of its pixels behind which there is none.

A mask of many pixels is looked at in every few of them, so that a path stays short; a drawing is not the evidence.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from diptych.judges.boxes.masks import filled

SIDE = 160  # pixels of the longer side that are looked at


def outline(runs: Sequence[int], width: int, height: int) -> str:
    """Return the path of an SVG around a mask, in pixels of the picture; empty if the mask is of another size.

    Args:
        runs: Run lengths, as of a ``Box``.
        width: Of the picture in pixels.
        height: Of the picture in pixels.

    >>> outline((1, 2, 1), 2, 2)
    'M1 0h1M0 1h2M0 2h1M0 1v1M1 0v2M2 0v1'
    """
    if sum(runs) != width * height:
        return ""
    step = -(-max(width, height) // SIDE)
    small = np.pad(filled(runs, height, width)[step // 2 :: step, step // 2 :: step], 1)
    across = _runs(small[1:, 1:-1] != small[:-1, 1:-1])
    down = _runs((small[1:-1, 1:] != small[1:-1, :-1]).T)
    paths = [f"M{start * step} {line * step}h{length * step}" for line, start, length in across]
    return "".join([*paths, *(f"M{line * step} {start * step}v{length * step}" for line, start, length in down)])


def _runs(lines: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield line, start and length of every run of true values in the lines of an array, bool (lines, places)."""
    turns = np.diff(np.pad(lines, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(turns == 1), np.argwhere(turns == -1)
    for (line, start), (_, end) in zip(starts.tolist(), ends.tolist(), strict=True):
        yield line, start, end - start
