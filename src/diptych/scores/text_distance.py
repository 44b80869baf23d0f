"""How far the words read are from those asked for.

GNED (Wei et al. 2025, arXiv:2506.02161, section 3.3) pairs words read and words asked for so that the edit distances of
the pairs, each over the length of the longer word, add up to the least; a word without a partner counts 1. The whole is
over the larger number of words, so that what is read beside the text costs too. A word is found where one is read with
few wrong letters. Source: ``eval/cal_gned_and_recall_models.py`` of A113N-W3I/TIIF-Bench at 3aae750.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED, Checks
from diptych.judges.contract import TextJudge, TextLine
from diptych.judges.evidence import TEXT
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.edit_distance import edit_distance
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with
from diptych.scores.text_accuracy import TEXT_CUT

# What a word is and which one of those near enough it is found in: as upstream's script has it, or as it is meant.
Words = Literal["upstream", "whole"]

NEAR = 0.3  # of upstream: a word is read if an edit distance over the length is at most this
COLUMNS = (
    Column(
        "text_distance",
        "GNED: the edit distance of the words that are read to those that are asked for, over their number",
        low=0.0,
        high=1.0,
        better_for_data="lower",
        better_for_models="lower",
    ),
    Column(
        "text_recall",
        "Share of the words that are asked for which are read with few wrong letters",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column("text_not_read", "The words that are not", dtype="string"),
)


class WordMatch(NamedTuple):
    """How words that are read go with those that are asked for.

    Attributes:
        distance: GNED, in [0, 1].
        unread: Words that are asked for and not read.
    """

    distance: float
    unread: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TextDistance(JudgeRule[TextLine]):
    """The rule on one judge.

    Attributes:
        look: At the lines that it reads.
        words: What a word is.
    """

    words: Words
    columns: tuple[Column, ...] = COLUMNS

    score_name = "text_distance"

    @property
    def options(self) -> Mapping[str, Any]:
        """What a word is."""
        return {"words": self.words}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; NaN and None where no text is asked for, or not all of it was read."""
        distance, recall = (np.full(len(batch), np.nan, np.float32) for _ in range(2))
        unread, reasons = (np.full(len(batch), None, object) for _ in range(2))
        for row, checks, lines in self.judged_rows(batch, self._why_not, reasons):
            if any(line.is_cut for line in lines):
                reasons[row] = TEXT_CUT
                continue
            asked = asked_words(checks.texts, self.words)
            found = matched_words(asked, read_words([line.text for line in lines], self.words), self.words)
            distance[row], recall[row] = found.distance, 1.0 - len(found.unread) / len(asked)
            unread[row] = " ".join(found.unread)
        return {"text_distance": distance, "text_recall": recall, "text_not_read": unread, "reason": reasons}

    def _why_not(self, checks: Checks) -> str | None:
        return None if asked_words(checks.texts, self.words) else NOT_ASKED


def asked_words(texts: Sequence[str], words: Words) -> list[str]:
    """Return the words that are asked for: each text is one to upstream, whatever spaces it has.

    >>> asked_words(["Green Tea"], "upstream"), asked_words(["Green Tea"], "whole")
    (['green tea'], ['green', 'tea'])
    """
    if words == "upstream":
        return [text.lower() for text in texts]
    return [word for text in texts for word in _folded(text).split()]


def read_words(lines: Sequence[str], words: Words) -> list[str]:
    """Return the words of the lines that are read.

    Upstream makes an empty one of every second space, and one where nothing is read.

    >>> read_words(["Green  Tea"], "upstream"), read_words(["Green  Tea"], "whole"), read_words([], "upstream")
    (['green', '', 'tea'], ['green', 'tea'], [''])
    """
    if words == "upstream":
        return [word for line in lines or [""] for word in line.lower().split(" ")]
    return [word for line in lines for word in _folded(line).split()]


def matched_words(asked: Sequence[str], read: Sequence[str], words: Words) -> WordMatch:
    """Return how far words that are read are from those that are asked for, of which there is one at least.

    >>> matched_words(["green", "tea"], ["tea", "gren", "shop"], "whole")
    WordMatch(distance=0.39999999999999997, unread=())
    """
    from scipy.optimize import linear_sum_assignment

    costs = np.array(
        [[edit_distance(one, other) / (max(len(one), len(other)) or 1) for other in read] for one in asked]
    )
    costs = costs.reshape(len(asked), len(read))
    pairs = linear_sum_assignment(costs)
    distance = (float(costs[pairs].sum()) + abs(len(asked) - len(read))) / max(len(asked), len(read))
    near = costs <= NEAR
    partner = _first_partners(near) if words == "upstream" else dict(zip(*linear_sum_assignment(~near), strict=True))
    found = {place for place, other in partner.items() if near[place, other]}
    return WordMatch(distance, tuple(word for place, word in enumerate(asked) if place not in found))


def _first_partners(near: npt.NDArray[np.bool_]) -> dict[int, int]:
    """Return for each word in turn the first one near to it that no word before has: not the most that there can be."""
    taken: dict[int, int] = {}
    for place, row in enumerate(near):
        other = next((other for other in np.flatnonzero(row) if other not in taken.values()), None)
        if other is not None:
            taken[place] = int(other)
    return taken


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def text_distance(*, judge: TextJudge, words: Words = "whole") -> TextDistance:
    """Return the score; loads no model yet.

    Args:
        judge: Reads.
        words: What a word is: ``whole``, what stands between spaces, on both sides, whatever its case, and as many as
            can be are found; or ``upstream``, as TIIF-Bench has it: what is asked for is not split, an empty word is
            read at every second space, and a word may take the one that another needs.

    Raises:
        ConfigError: If the judge does not read.
    """
    return TextDistance(look_with(judge, TEXT), words)
