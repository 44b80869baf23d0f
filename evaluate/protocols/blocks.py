"""How far the means of blocks of prompts that follow each other are apart, as HPSv2 tells it beside each style.

It says how much a mean of so few prompts varies, and is no interval of the mean over all.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.generated_columns import PROMPT_ID
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows


def spread_note(rows: ScoredRows, of: Index, values: npt.NDArray[np.float64], block: int) -> str:
    """Return the standard deviation of the means of blocks in words; empty where the last block is not full.

    Args:
        rows: The dataset.
        of: Numbers of its rows, (M,).
        values: (N,): what is averaged, over the images of a prompt first; NaN is unscored.
        block: How many prompts, in the order of their ids, are one.
    """
    if not rows.has(PROMPT_ID) or not len(of):
        return ""
    names = rows.values(PROMPT_ID).take(pa.array(of)).to_numpy(zero_copy_only=False)
    known, at = np.unique(names.astype(str), return_inverse=True)
    each = np.bincount(at, values[of]) / np.bincount(at)
    if len(known) % block or len(known) == block or np.isnan(each).any():
        return ""
    means = each.reshape(-1, block).mean(axis=1)
    return f"standard deviation of the {len(means)} means of {block} prompts {means.std():.4f}"
