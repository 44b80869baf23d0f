"""Which of some choices a text names: the only one in it, or the one that is said before others are spoken of.

A choice behind a "not" is not named. Of several that are named none is meant, unless the first sentence is one of them
and nothing else ("Red. The sky is blue."), or the first clause is and all are yes and no ("Yes, there is no doubt."),
and no other sentence or clause stands for another one.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from diptych.data.checks import NO, YES
from diptych.judges.answers.first_token import ways_of_writing

TRUTHS = {"true": YES, "1": YES, "yes": YES, "false": NO, "0": NO, "no": NO}  # as programs write yes and no

PIECE = re.compile(r"\d+(?:[.,]\d+)+|\w+(?:'\w+)*|[.!?;:,()\n]|--|[\u2014\u2013]")
CLAUSE_ENDS = frozenset(",()")
SENTENCE_ENDS = frozenset({".", "!", "?", ";", ":", "\n", "--", "\u2014", "\u2013"})
NEGATIONS = frozenset(
    {"not", "no", "never", "neither", "nor", "without", "cannot", "isn't", "aren't", "wasn't", "can't", "don't"}
)
BETWEEN = frozenset({"a", "an", "the", "any", "be", "really", "quite", "see"})  # a negation and what it is about
# What says nothing of its own beside a choice.
FILLERS = frozenset({"a", "an", "the", "and", "or", "but", "wait", "maybe", "perhaps", "actually", "then", "also"})


class _NamedChoice(NamedTuple):
    """A choice in a text: its number, and which clause and sentence it stands in."""

    choice: int
    clause: int
    sentence: int


def by_text(choices: Sequence[str], text: str) -> list[float]:
    """Return 1 for the choice that a text names and 0 for the others; 0 for all where none or several are.

    >>> by_text(["yes", "no"], "Yes, there is no doubt.")
    [1.0, 0.0]
    >>> by_text(["yes", "no"], "Yes and no."), by_text(["dog", "cat"], "It is not a dog.")
    ([0.0, 0.0], [0.0, 0.0])
    >>> by_text(["yes", "no"], "true")
    [1.0, 0.0]
    """
    found = _meant(choices, text)
    return [float(number == found) for number in range(len(choices))]


def _meant(choices: Sequence[str], text: str) -> int | None:
    plain = [choice.strip().casefold() for choice in choices]
    said = text.replace("\u2019", "'").casefold()
    if sorted(plain) == sorted((YES, NO)) and (truth := TRUTHS.get(said.strip(" \n.*_`\"'"))):
        return plain.index(truth)
    pieces = PIECE.findall(said)
    named, alone = _named(choices, pieces)
    together = "".join(_words(said))
    apart = [number for number, choice in enumerate(choices) if "".join(_words(choice.casefold())) == together]
    every = {one.choice for one in named} | set(apart)
    if len(every) <= 1:
        return next(iter(every), None)
    if apart or not named:
        return None
    first = named[0]
    if any(one.choice != first.choice for one in named if one.clause in alone):
        return None
    is_clause = first.clause in alone and all(plain[one] in (YES, NO) for one in every)
    is_sentence = {one.clause for one in named if one.sentence == first.sentence} == {first.clause}
    return first.choice if is_clause or (is_sentence and first.clause in alone) else None


def _words(text: str) -> list[str]:
    r"""Return the words of a text in small letters; a number with nothing behind its point is a whole one.

    >>> _words("1.0 hot dog.")
    ['1', 'hot', 'dog']
    """
    return [re.sub(r"^(\d+)\.0+$", r"\1", piece) for piece in PIECE.findall(text) if piece[0].isalnum()]


def _named(choices: Sequence[str], pieces: Sequence[str]) -> tuple[list[_NamedChoice], set[int]]:
    """Return the choices that are named, and the clauses in which nothing stands beside them."""
    ways = [
        (number, _words(way.casefold())) for number, choice in enumerate(choices) for way in ways_of_writing(choice)
    ]
    ways.sort(key=lambda one: -len(one[1]))  # of "red" and "red car" the second, where both stand there
    named, alone = list[_NamedChoice](), set[int]()
    for clause, (sentence, words) in enumerate(_clauses(pieces)):
        place, left = 0, list[str]()
        while place < len(words):
            numbers, length = _at(ways, words[place:])
            if not numbers:
                left.append(words[place])
            elif not _is_negated(words[:place]):
                named += [_NamedChoice(number, clause, sentence) for number in numbers]
            place += length
        if set(left) <= FILLERS:
            alone.add(clause)
    return named, alone


def _at(ways: Sequence[tuple[int, list[str]]], words: Sequence[str]) -> tuple[list[int], int]:
    """Return the choices with the longest of the ways with which some words begin, and how many words that is."""
    length = next((len(way) for _, way in ways if way and list(words[: len(way)]) == way), 0)
    numbers = [number for number, way in ways if len(way) == length and list(words[:length]) == way] if length else []
    return list(dict.fromkeys(numbers)), max(1, length)


def _is_negated(before: Sequence[str]) -> bool:
    rest = list(before)
    while rest and rest[-1] in BETWEEN:
        rest.pop()
    return bool(rest) and rest[-1] in NEGATIONS


def _clauses(pieces: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the words of each clause with the number of its sentence."""
    sentence, words = 0, list[str]()
    for piece in [*pieces, "."]:
        if piece not in CLAUSE_ENDS and piece not in SENTENCE_ENDS:
            words += _words(piece)
            continue
        if words:
            yield sentence, words
            words = []
        sentence += piece in SENTENCE_ENDS
