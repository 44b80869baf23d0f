"""What a share of some rows rests on less than it seems."""

import numpy as np

from diptych.evaluate.inputs.scored_rows import Index, ScoredRows

ONE_ALONE = "about one prompt alone"  # beside a share whose interval knows of no other


def share_caution(rows: ScoredRows, scored: Index) -> str | None:
    """Return what a share of some rows rests on less than it seems; None where on nothing less."""
    if not rows.is_of_one(scored):
        return None
    return ONE_ALONE if len(np.unique(rows.prompts[scored])) < 2 else f"{rows.most_of_one(scored)} prompt"
