"""What a protocol's number rests on less than it seems by its images: unanswered questions, blank and equal pictures.

Which prompts it is of says ``coverage``.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.column_names import full_name
from diptych.data.row_states import ONE_COLOURED, REPEATED
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.protocols.means import CountedRule
from diptych.progress.wording import quantity
from diptych.scores.question_accuracy import OUTCOMES
from diptych.scores.question_rule import LOST, read_outcomes


@dataclass(frozen=True)
class ImageCautions:
    """Says of some images of a dataset what a rule's number of them rests on.

    Attributes:
        rule: Whose number it is.
        rows: The dataset.
    """

    rule: CountedRule
    rows: ScoredRows

    def of(self, scored: Index) -> list[str]:
        """Return what there is to say of the rows that have a number; empty text where there is nothing."""
        return [self._questions(scored), pictures_note(self.rows, scored)]

    def _questions(self, scored: Index) -> str:
        """Return how many questions have no answer, why, and what they count; empty where all have one."""
        every = [state for row in scored for state in self._states.get(int(row), ())]
        counts = Counter(filter(None, every))
        if not counts:
            return ""
        are = "wrong" if self.rule.rule.options.get("unanswered") == "wrong" else "left out"
        return (
            f"{counts.total():,} of {quantity(len(every), 'question')} without an answer, {are}: {told_counts(counts)}"
        )

    @cached_property
    def _states(self) -> dict[int, list[str]]:
        """Of each row of which something was said why each of its questions has no answer; empty text where it has."""
        name = full_name(self.rule.label, OUTCOMES)
        if name not in self.rows.scored:
            return {}
        texts = enumerate(self.rows.score(name).texts or ())
        return {row: [state for state in read_outcomes(text)[1] if state != LOST] for row, text in texts if text}


def pictures_note(rows: ScoredRows, of: Index) -> str:
    """Return how many of some pictures are of one colour, or the same as another; empty where none is.

    One of one colour is not counted again as the same as others.

    Args:
        rows: The dataset.
        of: Numbers of its rows.
    """
    index = pa.array(of)
    errors = rows.values("error").take(index).cast(pa.string())
    is_blank, is_repeated = (pc.fill_null(pc.starts_with(errors, start), False) for start in (ONE_COLOURED, REPEATED))
    blank, repeated = (pc.sum(of_kind).as_py() or 0 for of_kind in (is_blank, is_repeated))
    known = rows.values("sha256").take(index).filter(pc.invert(is_blank)).drop_null()
    same = len(known) - len(known.unique())
    notes = (
        f"{quantity(blank, 'image')} of one colour" if blank else "",
        f"{quantity(same, 'image')} with the bytes of another" if same else "",
        f"{quantity(repeated, 'image')} the same as another of the grid" if repeated else "",
    )
    return "; ".join(filter(None, notes))


def told_counts(counts: Counter[str]) -> str:
    """Return states in words, the most frequent first.

    >>> told_counts(Counter(["unparsed", "failed", "unparsed"]))
    '2 unparsed, 1 failed'
    """
    return ", ".join(f"{count:,} {state}" for state, count in counts.most_common())
