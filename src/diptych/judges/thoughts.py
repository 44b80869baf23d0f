"""What of a generated text is an answer: what stands behind the judge's thought, said to its end.

A thought ends with ``</think>``; where a model's template begins it, no ``<think>`` stands in the text. A judge that
was stopped, or that never ended its thought, has not answered, whatever words are in what it said.
"""

from dataclasses import replace

from diptych.judges.contract import CUT, Answer

BEGIN, END = "<think>", "</think>"


def behind_thought(text: str) -> str | None:
    r"""Return what stands behind the thought in a text, all of it where there is none; None where it does not end.

    >>> behind_thought("Is it 0? No.</think>\n1"), behind_thought("1"), behind_thought("<think>Is it 0?")
    ('1', '1', None)
    """
    said = text.rpartition(END)[2].strip()
    return None if BEGIN in said else said


def whole_answer(answer: Answer) -> Answer:
    """Return an answer as rules read it: one in the judge's own words without its thought, or cut and no answer."""
    if answer.choices or answer.state:
        return answer
    said = behind_thought(answer.text)
    return replace(answer, state=CUT) if answer.is_cut or said is None else replace(answer, text=said)
