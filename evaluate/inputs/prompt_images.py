"""The images of one prompt by one model at one setting, such as the four of a grid, and how much each then counts."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.generated_columns import columns_of
from diptych.evaluate.inputs.row_codes import codes
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.statistics.nested_means import even_weights

SETS = columns_of("prompt", "model", "setting")


def prompt_sets_of_images(rows: ScoredRows) -> Index:
    """Return a number per row, equal for images of one prompt by one model at one setting."""
    texts = pa.array([text[0] if text else None for text in rows.texts_apart], pa.string())
    return codes([*(rows.values(name) for name in SETS if rows.has(name)), texts], len(rows))


def prompt_weights(rows: ScoredRows, index: Index, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Return how much images count in a mean over prompts, in each over its images; None where all count alike.

    Args:
        rows: The dataset.
        index: Numbers of its rows, (M,).
        values: (M,); NaN is unscored and counts in no prompt.
    """
    scored = np.isfinite(values)
    weights = even_weights(prompt_sets_of_images(rows)[index], scored)
    return weights if len(np.unique(weights[scored])) > 1 else None
