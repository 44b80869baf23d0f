"""Which tokens an answer may begin with, and how likely it is that one of them comes first.

An answer may be written in several ways: as it is given, capitalised, after a space, and a number as a word or in
digits. ``distinct`` adds up the probabilities of the different tokens that these begin with. ``official`` adds up one
for each way of writing, as GenEval 2 does (``facebookresearch/GenEval2`` at a6e82d2), so that with a tokenizer that
writes two of them alike a token counts twice; where the sum would be above 1 it is 1.
"""

from collections.abc import Sequence
from typing import Any, Literal

from diptych.errors import ConfigError

Summation = Literal["distinct", "official"]

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def ways_of_writing(choice: str) -> list[str]:
    """Return the ways in which an answer may be written.

    >>> ways_of_writing("yes")
    ['yes', 'Yes', ' yes', ' Yes']
    >>> ways_of_writing("Two")
    ['two', 'Two', ' two', ' Two', '2', ' 2']
    """
    word = NUMBERS[int(choice)] if choice.isdecimal() and int(choice) < len(NUMBERS) else choice
    small = word.lower() if word[1:] == word[1:].lower() else word  # neither NASA nor iPhone
    cases = list(dict.fromkeys((small, small[:1].upper() + small[1:])))
    digits = [str(NUMBERS.index(small))] if small in NUMBERS else []
    return [*cases, *(f" {case}" for case in cases), *digits, *(f" {digit}" for digit in digits)]


def first_tokens(tokenizer: Any, choices: Sequence[str], summation: Summation, where: str) -> list[list[int]]:
    """Return the tokens of each answer whose probabilities add up to its own.

    A token that is nothing but space says of no answer that it follows, and is none of them in ``distinct``.

    Args:
        tokenizer: Of transformers.
        choices: The answers.
        summation: Whether a token counts once, or once for each way of writing.
        where: Who asks, for errors.

    Raises:
        ConfigError: If two answers begin with one token, or an answer with none, in ``distinct``.
    """
    firsts = [_firsts(tokenizer, choice) for choice in choices]
    if summation == "official":
        return firsts
    told = [[one for one in dict.fromkeys(some) if tokenizer.decode([one]).strip()] for some in firsts]
    owners: dict[int, str] = {}
    for choice, some in zip(choices, told, strict=True):
        if not some:
            raise ConfigError(f"{where}: the answer {choice!r} begins with no token of its own; ask for another one")
        for one in some:
            if owners.setdefault(one, choice) != choice:
                raise ConfigError(
                    f"{where}: {owners[one]!r} and {choice!r} begin with one token, {tokenizer.decode([one])!r}, and "
                    f"so cannot be told apart; ask for other answers, or for none"
                )
    return told


def _firsts(tokenizer: Any, choice: str) -> list[int]:
    every = (tokenizer(way, add_special_tokens=False).input_ids for way in ways_of_writing(choice))
    return [int(ids[0]) for ids in every if ids]
