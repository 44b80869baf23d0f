"""Answers in somebody's own words, as they are meant and as each published scorer reads them."""

import pytest

from diptych.data.checks import Question
from diptych.evaluate.imports.answered import answers_of
from diptych.evaluate.imports.contract import SaidAnswer
from diptych.evaluate.protocols import find_protocol
from diptych.judges.contract import FAILED, Answer
from diptych.scores.answer_reading import Reading, is_right, state_of

READINGS: tuple[Reading, ...] = ("meant", "exact", "capital", "first_word", "yes_anywhere", "truth")
ASKED = Question(id="1", question="A cat?")


def imported(*words: str) -> Answer:
    """Return the answer that an import makes of what one or several say."""
    said = [SaidAnswer("1", None, one, rater=str(number)) for number, one in enumerate(words)]
    (answer,) = answers_of({0: said}, [ASKED])
    return answer


@pytest.mark.parametrize(
    ("words", "right"),
    [  # in the order of READINGS; None where there is no answer
        ("yes", (True, True, False, True, True, True)),
        ("Yes", (True, False, True, True, True, True)),
        ("Yes.", (True, False, False, True, True, None)),
        ("yes, there is", (True, False, False, True, True, None)),
        ("**yes**", (True, False, False, None, True, None)),
        ("No: a yes would need two", (False, False, False, False, True, None)),
        ("either yes or no", (None, None, None, None, True, None)),
        ("I see no cat", (False, False, False, None, False, None)),
        ("yesterday", (None, None, None, None, None, None)),
        ("true", (True, False, False, None, None, True)),
        ("0", (False, False, False, None, None, False)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words_are_read_as_each_upstream_reads_them(words: str, right: tuple[bool | None, ...]) -> None:
    answer = imported(words)
    assert tuple(is_right(answer, "yes", reading) for reading in READINGS) == right
    assert [not state_of(answer, reading) for reading in READINGS] == [one is not None for one in right]


@pytest.mark.parametrize("reading", READINGS)
def test_what_was_chosen_or_outvoted_needs_no_reading(reading: Reading) -> None:
    assert is_right(Answer("A cat?", ("yes", "no"), (0.8, 0.2), "yes"), "yes", reading)
    assert is_right(imported("yes", "Yes.", "no"), "yes", reading)
    assert is_right(imported("yes", "no"), "yes", reading) is None, "of as many who say yes and no nobody is right"
    assert state_of(imported(""), reading) == FAILED


@pytest.mark.parametrize(
    ("protocol", "reading"),
    [
        ("dsg", "exact"),
        ("dpg", "exact"),
        ("oneig_alignment", "capital"),
        ("tiif_short", "first_word"),
        ("t2i_corebench", "yes_anywhere"),
        ("bizgeneval", "truth"),
    ],
)
def test_official_rule_reads_as_upstream_and_corrected_what_is_meant(protocol: str, reading: Reading) -> None:
    rules = find_protocol(protocol).rules
    assert rules["official"].options["reading"] == reading
    assert rules["corrected"].options.get("reading", "meant") == "meant"
