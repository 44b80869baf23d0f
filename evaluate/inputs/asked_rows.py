"""Which rows of a dataset a number is about: those of some prompts, as far as somebody asked for the image."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.generated_columns import BENCHMARK, columns_of
from diptych.data.row_states import is_stray
from diptych.evaluate.inputs.category_sets import kind_of
from diptych.evaluate.inputs.scored_rows import ScoredRows

(SAMPLE,) = columns_of("sample")


def is_asked_for(rows: ScoredRows, prompts: str | None) -> npt.NDArray[np.bool_]:
    """Return bool (N,): whether the image of a row was asked for, and is of a prompt set of some kind.

    An image that an import found no place for is none that a model owes, so that it has no part in any count.

    Args:
        rows: The dataset.
        prompts: The kind; None takes all prompts.
    """
    wanted = _has_place(rows)
    if prompts is None:
        return wanted
    if not rows.has(BENCHMARK):
        return np.zeros(len(rows), bool)
    labels = rows.values(BENCHMARK)
    own = [label for label in labels.unique().to_pylist() if kind_of(str(label), rows.prompt_kinds) == prompts]
    of_kind: npt.NDArray[np.bool_] = np.asarray(pc.is_in(labels, pa.array(own, labels.type)), bool)
    return wanted & of_kind


def _has_place(rows: ScoredRows) -> npt.NDArray[np.bool_]:
    samples = rows.values(SAMPLE).to_pylist() if rows.has(SAMPLE) else [0] * len(rows)
    states = rows.values("status").to_pylist()
    return np.array([not is_stray(*said) for said in zip(states, samples, strict=True)], bool)
