"""Whether a number of 0 is that of a judge that found nothing: a detector that does not work finds no picture right.

Looked at is only where no image has any of what is counted, in the evidence itself: what was found of any class, and
how sure the judge was.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from diptych.data.checks import CHECKS, read_checks
from diptych.data.column_names import full_name
from diptych.data.shards import read_shard
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.protocols.means import CountedRule
from diptych.judges.evidence import BOXES, COUNTING_THRESHOLD, RATINGS, THRESHOLD, evidence_name
from diptych.progress.wording import quantity

PROBLEM = "object_problem"  # the column of the words of who decided
NONE_FOUND = "found 0"  # in GenEval's own words, of what is not there


def nothing_found(rule: CountedRule, rows: ScoredRows, scored: Index) -> str:
    """Return that nothing was found in any of some images, or nothing surely enough; empty where something was.

    Args:
        rule: Whose number it is.
        rows: The dataset.
        scored: Numbers of the rows that have a number.
    """
    if rule.rule.column is None or not len(scored) or rows.score(rule.scored).values[scored].any():
        return ""
    identity = rows.table.columns[rule.scored].identity
    if identity.get("evidence") == RATINGS.name:
        return _decided(rule, rows, scored)
    return _seen(identity, rows, scored) if identity.get("evidence") == BOXES.name else ""


def _seen(identity: Mapping[str, Any], rows: ScoredRows, scored: Index) -> str:
    best = _surest(identity, rows)
    images = f"any of {quantity(len(scored), 'image')}" if len(scored) > 1 else "its only image"
    if best is None or not len(best):
        return ""
    if not np.isfinite(best[scored]).any():
        return f"the judge found nothing of any class in {images}; see whether it works"
    lines, words = np.full(len(scored), identity[THRESHOLD], np.float64), f"{identity[THRESHOLD]:g}"
    if COUNTING_THRESHOLD in identity:
        asked = [read_checks(text) for text in rows.values(CHECKS).take(scored).to_pylist()]
        is_counting = np.array([checks is not None and checks.is_counting for checks in asked])
        lines[is_counting] = identity[COUNTING_THRESHOLD]
        words = " or ".join(f"{line:g}" for line in np.unique(lines))
    if (best[scored] > lines).any():
        return ""
    most = float(best[scored].max())
    return (
        f"nothing that the judge found in {images} is surer than {words}, the surest {most:.2g}; see whether it works"
    )


def _surest(identity: Mapping[str, Any], rows: ScoredRows) -> npt.NDArray[np.float64] | None:
    """Return how sure the judge was of the surest box of each row, (N,), -inf without one; None if nobody knows."""
    name = evidence_name(identity)
    evidence = next((one for one in rows.dataset.column_sets("evidence") if one.name == name), None)
    if evidence is None:
        return None
    parts = []
    for file in evidence.files:
        boxes = read_shard(file, [BOXES.name])[BOXES.name].combine_chunks()
        best = np.full(len(boxes), -np.inf)
        scores = pc.struct_field(pc.list_flatten(boxes), "score")
        np.maximum.at(best, pc.list_parent_indices(boxes).to_numpy(), scores.to_numpy(zero_copy_only=False))
        parts.append(best)
    return np.concatenate(parts) if parts else None


def _decided(rule: CountedRule, rows: ScoredRows, scored: Index) -> str:
    name = full_name(rule.label, PROBLEM)
    texts = rows.score(name).texts if name in rows.scored else None
    if texts is None or not all(NONE_FOUND in (texts[row] or "") for row in scored):
        return ""
    told = f"each of {quantity(len(scored), 'decision')}" if len(scored) > 1 else "its only decision"
    return f"{told} says of something that was asked for that none was found; see whether the detector worked"
