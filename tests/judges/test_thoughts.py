"""What of a generated text is an answer: neither its thought nor what was cut."""

import pytest

from diptych.judges.contract import Answer
from diptych.judges.thoughts import whole_answer


@pytest.mark.parametrize(
    ("text", "is_cut", "read", "state"),
    [
        ("Score: 1", False, "Score: 1", ""),
        ("<think>Score: 0, or not?</think>\nScore: 1", False, "Score: 1", ""),
        ("Rubric: Score: 0 if it is missing.\n</think>\n1", False, "1", ""),
        ("<think>Score: 0 if it is missing. Here", False, "<think>Score: 0 if it is missing. Here", "answer_cut"),
        ("Rubric: Score: 0 if it is missing. Here", True, "Rubric: Score: 0 if it is missing. Here", "answer_cut"),
        ("<think>It is there.</think>\nScore: 0 if", True, "<think>It is there.</think>\nScore: 0 if", "answer_cut"),
    ],
)
def test_answer_is_what_stands_behind_the_thought_and_was_not_cut(
    text: str, is_cut: bool, read: str, state: str
) -> None:
    assert whole_answer(Answer("?", (), (), text, is_cut=is_cut)) == Answer("?", (), (), read, state, is_cut)


def test_choice_and_question_without_answer_stay_as_they_are() -> None:
    for answer in (Answer("?", ("a", "b"), (0.6, 0.1), "a", is_cut=True), Answer("?", (), (), "</think>", "refused")):
        assert whole_answer(answer) is answer
