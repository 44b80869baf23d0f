"""Which part of the words to be shown is read.

Words (or characters) are compared as a bag: what is expected and read, each as often as in both, whatever the order;
what is read beside it costs nothing. Source: ``textbench/summary_scores.py`` of X-Omni-Team/X-Omni at 2b8237b.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED, Checks
from diptych.data.letters import letters_in
from diptych.judges.contract import TextJudge, TextLine
from diptych.judges.evidence import TEXT
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with

Unit = Literal["words", "characters"]
# Which letters count: those of upstream's list, or of every script, without regard to case.
Letters = Literal["listed", "all"]
# What the words are of a judge that was stopped before it had read all: no number, or all that there is.
CutText = Literal["left_out", "counted"]
TEXT_CUT = "text_cut"  # the reason of a picture whose text the judge did not read to its end

COLUMNS = (
    Column(
        "text_accuracy",
        "Share of the words, or characters, of the texts that are asked for which the judge reads",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column("text_expected", "Number of words, or characters, that are asked for", low=0.0),
    Column("text_missing", "Those of them that the judge does not read", dtype="string"),
    Column("text_cut", "Whether the judge was stopped before it had read all", dtype="bool"),
)
NOT_LISTED = re.compile(r"[^\u4e00-\u9fa5a-zA-Z0-9\sàâäéèêëîïôöùûüçÀÂÄÉÈÊËÎÏÔÖÙÛÜÇ]")


@dataclass(frozen=True, eq=False)
class TextAccuracy(JudgeRule[TextLine]):
    """The rule on one judge.

    Attributes:
        look: At the lines that it reads.
        unit: What is compared.
        letters: Which count.
        cut: What a text is that was not read to its end.
    """

    unit: Unit
    letters: Letters
    cut: CutText
    columns: tuple[Column, ...] = COLUMNS

    score_name = "text_accuracy"
    version = 2

    @property
    def options(self) -> Mapping[str, Any]:
        """What is compared."""
        return {"unit": self.unit, "letters": self.letters, "cut": self.cut}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; what is expected is told also where the judge could not look."""
        share, expected = (np.full(len(batch), np.nan, np.float32) for _ in range(2))
        missing, is_cut, reasons = (np.full(len(batch), None, object) for _ in range(3))
        for row, checks, lines in self.checked_rows(batch, self._why_not, reasons):
            asked = self._asked(checks)
            expected[row] = asked.total()
            if lines is None:
                continue
            is_cut[row] = any(line.is_cut for line in lines)
            if is_cut[row] and self.cut == "left_out":
                reasons[row] = TEXT_CUT
                continue
            left = asked - Counter(parts_of("\n".join(line.text for line in lines), self.unit, self.letters))
            share[row], missing[row] = 1.0 - left.total() / asked.total(), " ".join(left.elements())
        return {
            "text_accuracy": share,
            "text_expected": expected,
            "text_missing": missing,
            "text_cut": is_cut,
            "reason": reasons,
        }

    def _asked(self, checks: Checks) -> Counter[str]:
        return Counter(parts_of(" ".join(checks.texts), self.unit, self.letters))

    def _why_not(self, checks: Checks) -> str | None:
        return None if self._asked(checks) else NOT_ASKED


def parts_of(text: str, unit: Unit, letters: Letters) -> list[str]:
    """Return the words or characters of a text that are compared.

    >>> parts_of("FRESH Brews, piñata!", "words", "listed"), parts_of("FRESH Brews, piñata!", "words", "all")
    (['fresh', 'brews', 'piata'], ['fresh', 'brews', 'piñata'])
    >>> parts_of("每日 Ab", "characters", "listed")
    ['每', '日', 'A', 'b']
    """
    if letters == "listed":
        kept = NOT_LISTED.sub("", text)
        kept = kept.lower() if unit == "words" else kept
    else:
        kept = letters_in(unicodedata.normalize("NFKC", text).casefold())
    return kept.split() if unit == "words" else list("".join(kept.split()))


def text_accuracy(
    *, judge: TextJudge, unit: Unit = "words", letters: Letters = "all", cut: CutText = "left_out"
) -> TextAccuracy:
    """Return the score; loads no model yet.

    Args:
        judge: Reads.
        unit: What is compared; ``characters`` where words have no spaces between them.
        letters: Which count: ``all``, whatever their script and case; or ``listed``, as LongText-Bench has it: Latin
            without most accents, digits and common Chinese, in characters with their case.
        cut: What is read of a picture where the judge was stopped before it had read all: no number, ``left_out``, or
            all that there is, ``counted``.

    Raises:
        ConfigError: If the judge does not read.
    """
    return TextAccuracy(look_with(judge, TEXT), unit, letters, cut)
