"""How an answer in somebody's own words is read: as it is meant, or as a published scorer reads it.

An answer that a judge chose from what it was given to choose from needs no reading. Sources: DSG at 7330119 and
DPG-Bench at 3c228f1 (``exact``), OneIG-Bench at 41b4983 (``capital``), TIIF-Bench at 3aae750 (``first_word``),
T2I-CoReBench at ebf7b7a (``yes_anywhere``) and BizGenEval at 39e1bdc (``truth``).
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

from diptych.data.checks import NO, YES
from diptych.judges.answers.choice_in_words import TRUTHS
from diptych.judges.contract import UNPARSED, Answer

# As it is meant: the choice that it names, whatever its case. To the letter: the right answer, or that with a capital;
# whatever else is said is wrong. The yes or no with which it begins; a yes wherever it stands, else a no; a truth.
Reading = Literal["meant", "exact", "capital", "first_word", "yes_anywhere", "truth"]

FINDERS: tuple[Reading, ...] = ("first_word", "yes_anywhere", "truth")  # may find one where no choice is named


def is_right(answer: Answer, right: str, reading: Reading = "meant") -> bool | None:
    """Return whether an answer is the right one; None where there is none.

    >>> said = Answer("A cat?", (), (), "yes", words="Yes.")
    >>> is_right(said, "yes"), is_right(said, "yes", "exact"), is_right(said, "yes", "yes_anywhere")
    (True, False, True)
    """
    is_readable = not answer.state or (answer.state == UNPARSED and reading in FINDERS)
    if reading != "meant" and answer.words and is_readable:
        return READERS[reading](answer.words, right)
    return None if answer.state else same_words(answer.text, right)


def state_of(answer: Answer, reading: Reading = "meant") -> str:
    """Return why there is no answer as it is read; empty where there is one."""
    if is_right(answer, "", reading) is not None:
        return ""
    return answer.state or UNPARSED


def same_words(answer: str, right: str) -> bool:
    """Return whether an answer is the right one, whatever its case and the full stop behind it.

    >>> same_words(" Yes.", "yes"), same_words("yes, two", "yes")
    (True, False)
    """
    return plain_words(answer) == plain_words(right)


def plain_words(answer: str) -> str:
    """Return an answer as it counts: in small letters, without the full stop behind it.

    >>> plain_words(" Yes.")
    'yes'
    """
    return answer.strip().rstrip(".").casefold()


def _first_word(words: str, right: str) -> bool | None:
    found = re.match(r"(yes|no)\b", words.strip(), re.IGNORECASE)
    return None if found is None else same_words(found[1], right)


def _yes_anywhere(words: str, right: str) -> bool | None:
    """Read words in small letters, as upstream makes those of Gemini; of its other judges it reads no capitals."""
    found = next((word for word in (YES, NO) if re.search(rf"\b{word}\b", words.lower())), None)
    return None if found is None else same_words(found, right)


def _truth(words: str, right: str) -> bool | None:
    found = TRUTHS.get(words.strip().lower())
    return None if found is None else same_words(found, right)


READERS: Mapping[str, Callable[[str, str], bool | None]] = {
    "exact": lambda words, right: words == right,
    "capital": lambda words, right: words == right.capitalize(),
    "first_word": _first_word,
    "yes_anywhere": _yes_anywhere,
    "truth": _truth,
}
