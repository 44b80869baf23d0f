"""What tests compare of the answers of a judge."""

from collections.abc import Sequence

import numpy as np

from diptych.judges.contract import Answer

Said = Sequence[list[Answer] | None]  # about each of some pictures


def numbers(answers: list[Answer] | None) -> list[float]:
    """Return every probability of the answers about one picture."""
    return [likely for answer in answers or () for likely in answer.probabilities]


def check_same(said: Said, again: Said, rtol: float) -> None:
    """Check that answers are the same, their probabilities but for rounding."""
    for answers, others in zip(said, again, strict=True):
        np.testing.assert_allclose(numbers(answers), numbers(others), rtol=rtol)
        assert [answer.text for answer in answers or ()] == [answer.text for answer in others or ()]


def check_near(said: Said, again: Said, atol: float) -> None:
    """Check that probabilities differ by so much at most, whatever is said in own words."""
    for answers, others in zip(said, again, strict=True):
        np.testing.assert_allclose(numbers(answers), numbers(others), atol=atol)
