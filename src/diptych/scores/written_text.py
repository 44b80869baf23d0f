"""What is written in each image, as a judge reads it.

The text, how many lines it has, and how much of the picture they take: a signal to select by, since pictures full of
letters are posters, slides and memes. Decides nothing about whether it is the text that a prompt asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.judges.contract import TextJudge, TextLine
from diptych.judges.evidence import TEXT
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule, check_threshold
from diptych.scores.looks import look_with

COLUMNS = (
    Column("written_text", "What the judge reads, its lines in reading order; empty if none", dtype="string"),
    Column("written_lines", "How many lines it reads", dtype="int32", low=0.0),
    Column("written_share", "Boxes of the lines as a share of the picture; where two overlap, once", low=0.0, high=1.0),
    Column("written_cut", "Whether the judge was stopped before it had read all", dtype="bool"),
)


@dataclass(frozen=True, eq=False)
class WrittenText(JudgeRule[TextLine]):
    """What one judge reads.

    Attributes:
        look: At the lines of the judge.
        threshold: A line that the judge is not surer of is none.
    """

    threshold: float
    columns: tuple[Column, ...] = COLUMNS

    score_name = "written_text"
    version = 2

    @property
    def options(self) -> Mapping[str, Any]:
        """Threshold."""
        return {"threshold": self.threshold}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; None and NaN where the judge could not look."""
        text, count, is_cut = (np.full(len(batch), None, object) for _ in range(3))
        share = np.full(len(batch), np.nan, np.float32)
        widths, heights = batch.column("width"), batch.column("height")
        for row, read in enumerate(batch.evidence(self.look)):
            if read is None:
                continue
            lines = [line for line in read if line.text and line.confidence > self.threshold]
            text[row], count[row] = "\n".join(line.text for line in lines), len(lines)
            is_cut[row] = any(line.is_cut for line in read)
            if widths[row] and heights[row]:
                share[row] = covered(lines) / (widths[row] * heights[row])
        share = np.minimum(share, np.float32(1.0))
        return {"written_text": text, "written_lines": count, "written_share": share, "written_cut": is_cut}


def covered(lines: Sequence[TextLine]) -> float:
    """Return the pixels that lie in the box of at least one line.

    >>> covered([TextLine("a", 1.0, (0, 0, 4, 2)), TextLine("b", 1.0, (2, 0, 6, 2))])
    12.0
    """
    across = sorted({side for line in lines for side in (line.corners[0], line.corners[2])})
    pixels = 0.0
    for left, right in pairwise(across):
        spans = sorted((line.corners[1], line.corners[3]) for line in lines if _spans(line, left, right))
        reached = high = 0.0
        for top, bottom in spans:
            high += max(bottom - max(top, reached), 0.0)
            reached = max(reached, bottom)
        pixels += high * (right - left)
    return pixels


def written_text(*, judge: TextJudge, threshold: float = 0.0) -> WrittenText:
    """Return the score; loads no model yet.

    Args:
        judge: Reads.
        threshold: A line that the judge is not surer of is none, in [0, 1).

    Raises:
        ConfigError: If the judge does not read, or the threshold is out of range.
    """
    check_threshold(threshold, 0.0, "score 'written_text': threshold")
    return WrittenText(look_with(judge, TEXT), threshold)


def _spans(line: TextLine, left: float, right: float) -> bool:
    return line.corners[0] <= left and right <= line.corners[2]
