"""A value of one sort is not made into another, as the JSON Schema would not take it either."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import Field, ValidationError

from diptych.config.options import call_with_options
from diptych.config.settings import Settings
from diptych.errors import ConfigError


class Counted(Settings):
    count: int = 1
    rate: float = 1.0
    rates: tuple[float, ...] = ()
    shares: Mapping[str, float | Mapping[str, float]] = Field(default_factory=dict)
    flag: bool = True
    label: int | str = 1
    name: str = ""


def test_values_of_their_own_sort_are_taken() -> None:
    shares = {"1": 0.5, "of": {"2": 0.25}}
    values = {"count": 10, "rates": [1, 2.5], "shares": shares, "flag": False, "label": "10", "name": "no"}
    assert Counted.model_validate(values).model_dump() == {**values, "rate": 1.0, "rates": (1.0, 2.5)}


def test_a_number_that_yaml_takes_for_a_text_is_one() -> None:
    assert Counted.model_validate({"rate": "1e-3", "rates": ["1e5"]}).rates == (100_000.0,)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"count": "10"}, "a number is needed, and in quotes it is a text"),
        ({"rate": "0.5"}, "a number is needed, and in quotes it is a text"),
        ({"rate": ".5"}, "a number is needed, and in quotes it is a text"),
        ({"rates": [1, "2"]}, "a number is needed, and in quotes it is a text"),
        ({"shares": {"1": "0.5"}}, "a number is needed, and in quotes it is a text"),
        ({"shares": {"of": {"1": "0.5"}}}, "a number is needed, and in quotes it is a text"),
        ({"count": "1_000"}, "a number is needed, and in quotes it is a text"),
        ({"count": True}, "a number is needed, which true and false are not"),
        ({"rates": [True]}, "a number is needed, which true and false are not"),
        ({"flag": "no"}, "true or false is needed, without quotes"),
        ({"flag": 1}, "true or false is needed, without quotes"),
        ({"flag": 0.0}, "true or false is needed, without quotes"),
        ({"count": "many"}, "should be a valid integer"),
    ],
)
def test_a_value_of_another_sort_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Counted.model_validate(values)


def test_all_of_them_are_told_at_once() -> None:
    with pytest.raises(ValidationError, match=r"2 validation errors[\s\S]*in quotes it is a text[\s\S]*true and false"):
        Counted.model_validate({"count": "10", "rate": True})


def make(*, dim: int = 1, flag: bool = False) -> tuple[int, bool]:
    return dim, flag


@pytest.mark.parametrize("options", [{"dim": "64"}, {"dim": True}, {"flag": "no"}, {"flag": 1}])
def test_an_option_of_another_sort_is_refused(options: dict[str, Any]) -> None:
    assert call_with_options(make, {"dim": 64, "flag": True}, where="here") == (64, True)
    with pytest.raises(ConfigError, match=f"here: option '{next(iter(options))}': .* is needed"):
        call_with_options(make, options, where="here")
