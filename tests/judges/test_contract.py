import math

import pytest

from diptych.judges.contract import Answer, Box, TextLine, Trait

PLACE = (0.0, 0.0, 4.0, 2.0)


@pytest.mark.parametrize("value", [-0.01, 1.01, 87.0, math.nan])
def test_numbers_from_0_to_1_are_held_to_it(value: float) -> None:
    with pytest.raises(ValueError, match="score: a judge says numbers from 0 to 1, not"):
        Box("car", value, PLACE)
    with pytest.raises(ValueError, match="confidence: a judge says numbers from 0 to 1"):
        TextLine("OPEN", value, PLACE)
    with pytest.raises(ValueError, match="probability: a judge says numbers from 0 to 1"):
        Trait("colour", "red", value)
    with pytest.raises(ValueError, match="probability: a judge says numbers from 0 to 1"):
        Answer("a car?", ("yes", "no"), (value, 0.5), "yes")


@pytest.mark.parametrize("corners", [(4.0, 0.0, 0.0, 2.0), (0.0, 2.0, 4.0, 0.0), (math.nan, 0.0, 4.0, 2.0)])
def test_corners_are_left_top_right_bottom(corners: tuple[float, float, float, float]) -> None:
    for make in (lambda: Box("car", 0.5, corners), lambda: TextLine("OPEN", 0.5, corners)):
        with pytest.raises(ValueError, match="corners are left, top, right and bottom, not"):
            make()


def test_every_choice_has_a_probability() -> None:
    with pytest.raises(ValueError, match="2 choices have 1 probabilities"):
        Answer("a car?", ("yes", "no"), (1.0,), "yes")


def test_question_without_an_answer_has_a_state_and_no_probabilities() -> None:
    assert Answer("who?", ("Ann", "Ben"), (), "I cannot say.", "refused").state == "refused"
    with pytest.raises(ValueError, match="2 choices have 2 probabilities"):
        Answer("who?", ("Ann", "Ben"), (0.5, 0.5), "Ann", "refused")
    with pytest.raises(
        ValueError, match="a question is answered or failed, refused, too_long, unparsed, answer_cut, not 'shy'"
    ):
        Answer("who?", ("Ann", "Ben"), (), "", "shy")


def test_likeliest_value_is_of_the_trait_that_is_asked_for() -> None:
    traits = (Trait("hat", "blue", 0.9), Trait("colour", "red", 0.4), Trait("colour", "blue", 0.4))
    box = Box("cook", 0.5, PLACE, traits)
    assert box.likeliest("colour") == traits[1], "of equal ones the first"
    assert box.likeliest("hat") == traits[0]
    assert box.likeliest("beard") is None
