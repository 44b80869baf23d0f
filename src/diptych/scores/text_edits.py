"""How far what is read is from what is asked for.

The edits between the two, whether there are none, and how many of its words are read, as OneIG-Bench counts them. Case
counts, and of words their order counts in the edits alone. A text with Chinese in it has no spaces, and characters in
the place of words. Source: ``scripts/text`` of OneIG-Bench/OneIG-Benchmark at 41b4983.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED, Checks
from diptych.data.letters import letters_in
from diptych.errors import ConfigError
from diptych.judges.contract import TextJudge, TextLine
from diptych.judges.evidence import TEXT
from diptych.scores import Column
from diptych.scores.batches import Batch
from diptych.scores.edit_distance import edit_distance
from diptych.scores.judge_rule import JudgeRule
from diptych.scores.looks import look_with
from diptych.scores.text_accuracy import NOT_LISTED, TEXT_CUT, CutText, Letters

MOST_EDITS = 100  # of an English text; upstream has 50 of a Chinese one
CHINESE = re.compile("[\u4e00-\u9fff]")
NOT_OF_THE_PICTURE = ("addCriterion", "No text recognized.")  # what upstream's judge says beside the text
COLUMNS = (
    Column(
        "text_score",
        "1 where the text is read as it is, else 1 less edits by the most that count x the share that is not read",
        low=0.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column(
        "text_edits",
        "Letters to put in, take out or change between what is read and the text that is asked for",
        low=0.0,
        better_for_data="lower",
        better_for_models="lower",
    ),
    Column("text_matched", "Number of words, or Chinese characters, of the text that are read", low=0.0),
    Column("text_expected", "Number of words, or Chinese characters, of the text", low=0.0),
    Column("text_cut", "Whether the judge was stopped before it had read all", dtype="bool"),
)


class TextGap(NamedTuple):
    """How far a text is from another: edits, and how many of its words are there, and of how many."""

    edits: int
    matched: int
    expected: int


@dataclass(frozen=True, eq=False)
class TextEdits(JudgeRule[TextLine]):
    """The rule on one judge.

    Attributes:
        look: At the lines that it reads.
        letters: Which count.
        cut: What a text is that was not read to its end.
        most_edits: That count of one picture for ``text_score``.
    """

    letters: Letters
    cut: CutText
    most_edits: int
    columns: tuple[Column, ...] = COLUMNS

    score_name = "text_edits"
    version = 2

    @property
    def options(self) -> Mapping[str, Any]:
        """Which letters count, what a cut text is, the most edits."""
        return {"letters": self.letters, "cut": self.cut, "most_edits": self.most_edits}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``; what is expected is told also where the judge could not look."""
        numbers = {column.name: np.full(len(batch), np.nan, np.float32) for column in COLUMNS[:4]}
        is_cut, reasons = (np.full(len(batch), None, object) for _ in range(2))
        for row, checks, lines in self.checked_rows(batch, _no_texts, reasons):
            asked = asked_text(checks.texts, self.letters)
            numbers["text_expected"][row] = len(units_of(asked, asked))
            if lines is None:
                continue
            is_cut[row] = any(line.is_cut for line in lines)
            if is_cut[row] and self.cut == "left_out":
                reasons[row] = TEXT_CUT
                continue
            found = gap_of(read_text(lines, self.letters), asked)
            numbers["text_edits"][row], numbers["text_matched"][row] = found.edits, found.matched
            numbers["text_score"][row] = self._score_of(found)
        return {**numbers, "text_cut": is_cut, "reason": reasons}

    def _score_of(self, found: TextGap) -> float:
        if not found.edits:
            return 1.0
        missed = 1.0 - found.matched / found.expected if found.expected else 1.0
        return 1.0 - min(found.edits / self.most_edits, 1.0) * missed


def _no_texts(checks: Checks) -> str | None:
    return None if checks.texts else NOT_ASKED


def asked_text(texts: Sequence[str], letters: Letters) -> str:
    r"""Return the text that is asked for as it is compared. Upstream's is its list as Python writes it.

    >>> asked_text(["Sale:\nup to", "50 % off"], "all"), asked_text(["Sale:\nup to", "50 % off"], "listed")
    ('Sale up to 50 off', 'Salenup to 50 off')
    """
    return compared(str(list(texts)) if letters == "listed" else "\n".join(texts), letters)


def read_text(lines: Sequence[TextLine], letters: Letters) -> str:
    """Return the text that was read as it is compared."""
    text = "\n".join(line.text for line in lines)
    for phrase in NOT_OF_THE_PICTURE:
        text = text.replace(phrase, "")
    return compared(text, letters)


def compared(text: str, letters: Letters) -> str:
    """Return a text as it is compared: its letters and single spaces, none where there is Chinese in it.

    >>> compared("FRESH  Brews, piñata!", "listed"), compared("FRESH  Brews, piñata!", "all")
    ('FRESH Brews piata', 'FRESH Brews piñata')
    >>> compared("每日 Ab", "all")
    '每日Ab'
    """
    kept = NOT_LISTED.sub("", text) if letters == "listed" else letters_in(unicodedata.normalize("NFKC", text))
    return ("" if CHINESE.search(kept) else " ").join(kept.split())


def units_of(text: str, asked: str) -> list[str]:
    """Return the parts of a text that are looked for: characters where there is Chinese in the one asked for."""
    return list(text) if CHINESE.search(asked) else text.split()


def gap_of(read: str, asked: str) -> TextGap:
    """Return how far a text that was read is from the one asked for, both as they are compared.

    >>> gap_of("up sale", "sale up to"), gap_of("每日", "每日新")
    (TextGap(edits=9, matched=2, expected=3), TextGap(edits=1, matched=2, expected=3))
    """
    wanted = Counter(units_of(asked, asked))
    matched = wanted & Counter(units_of(read, asked))
    return TextGap(edit_distance(read, asked), matched.total(), wanted.total())


def text_edits(
    *, judge: TextJudge, letters: Letters = "all", cut: CutText = "left_out", most_edits: int = MOST_EDITS
) -> TextEdits:
    """Return the score; loads no model yet.

    Args:
        judge: Reads.
        letters: Which count: ``all``, whatever their script; or ``listed``, as OneIG-Bench has it: Latin without most
            accents, digits and common Chinese, of a list as Python writes it, so that a line break is the letter n.
        cut: What is read of a picture where the judge was stopped before it had read all: no number, ``left_out``, or
            all that there is, ``counted``.
        most_edits: That count of one picture for ``text_score``.

    Raises:
        ConfigError: If the judge does not read, or the most edits are below 1.
    """
    if most_edits < 1:
        raise ConfigError(f"score 'text_edits': most_edits is at least 1, not {most_edits}")
    return TextEdits(look_with(judge, TEXT), letters, cut, most_edits)
