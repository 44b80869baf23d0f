"""What is written in pictures, in the words of a judge that answers: it is asked for the text and for nothing else.

The question is that of LongText-Bench (``textbench/evaluate_text_reward.py`` of X-Omni-Team/X-Omni at 2b8237b,
Apache-2.0) and of OneIG-Bench, word by word, so that their judge can be had. It tells neither places nor how sure it
is: a line is the whole picture's, and taken for certain.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diptych.data.images import Image
from diptych.judges.contract import UNPARSED, Answer, Found, Query, TextLine
from diptych.judges.thoughts import behind_thought

QUESTION = (
    "Recognize the text in the image, only reply with the text content, but avoid repeating previously mentioned "
    "content. If no text is recognized, please reply with 'No text recognized'."
)
NOTHING = re.compile(r"\W*no text recognized\W*", re.IGNORECASE)
NEW_TOKENS = 1024  # upstream's limit

VERSION = 1  # raised where other lines are read from the same words

Answers = Callable[[Sequence[Image], Sequence[Sequence[Query]]], Found[Answer]]


def reading(most: int) -> Mapping[str, Any]:
    """Return the facts of a judge's identity that decide which lines it reads: of so many tokens at most."""
    return {"question": QUESTION, "version": VERSION, "max_text_tokens": most}


def transcribed(answers: Answers, images: Sequence[Image]) -> list[list[TextLine] | None]:
    """Return the lines that a judge reads in each RGB image; None for one about which it gives no answer.

    Args:
        answers: Of the judge, in its own words.
        images: The images.
    """
    found = answers(images, [[Query(QUESTION)]] * len(images))
    return [lines_of(some[0], image.size) if some else None for some, image in zip(found, images, strict=True)]


def lines_of(answer: Answer, size: tuple[int, int]) -> list[TextLine] | None:
    r"""Return the lines of a transcription; None where the judge gave none. Where it was cut off, the last one is cut.

    >>> lines_of(Answer(QUESTION, (), (), "OPEN\n\nall day", is_cut=True), (64, 32))[1]
    TextLine(text='all day', confidence=1.0, corners=(0.0, 0.0, 64.0, 32.0), is_cut=True)
    >>> lines_of(Answer(QUESTION, (), (), "'No text recognized.'"), (64, 32))
    []

    Args:
        answer: In the judge's own words.
        size: Width and height of the picture.
    """
    if answer.state and answer.state != UNPARSED:  # an endpoint's empty text is one that reads nothing
        return None
    read = behind_thought(answer.text)
    said = "" if read is None or NOTHING.fullmatch(read) else read
    is_cut = answer.is_cut or read is None
    texts = [line.strip() for line in said.splitlines() if line.strip()]
    if is_cut and not texts:
        texts = [""]
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    return [TextLine(text, 1.0, whole, is_cut and number == len(texts)) for number, text in enumerate(texts, start=1)]
