"""Which of some choices a text names: the one with which it begins, else the only one in it."""

import re
from collections.abc import Sequence

from diptych.judges.answers.first_token import ways_of_writing


def by_text(choices: Sequence[str], text: str) -> list[float]:
    """Return 1 for the choice that a text names and 0 for the others; 0 for all where none or several are.

    >>> by_text(["yes", "no"], "Yes, there is no doubt.")
    [1.0, 0.0]
    >>> by_text(["yes", "no"], "Hard to say.")
    [0.0, 0.0]
    """
    said = " ".join(re.findall(r"\w+", text.casefold()))
    written = [[" ".join(re.findall(r"\w+", way.casefold())) for way in ways_of_writing(choice)] for choice in choices]
    begins = [max((len(way) for way in ways if f"{said} ".startswith(f"{way} ")), default=0) for ways in written]
    if any(begins):  # the longest: of "red" and "red car" the second, where both begin the text
        return [float(length == max(begins)) for length in begins]
    named = [any(f" {way} " in f" {said} " for way in ways) for ways in written]
    return [float(one) for one in named] if sum(named) == 1 else [0.0] * len(choices)
