import inspect
from typing import Annotated

import pytest
import yaml

from diptych.config.options import OptionError, checked_options
from diptych.config.such_as import SuchAs, check_given, example_of, missing_options
from diptych.encoders import ENCODERS
from diptych.errors import ConfigError
from diptych.judges import JUDGES
from diptych.lookup import resolve
from diptych.scores import SCORES

PARTS = {"encoder", "judge"}  # given by their labels
TABLES = {"encoder": ENCODERS, "judge": JUDGES, "score": SCORES}
# What another command writes and prints: nobody makes it up.
NOT_MADE_UP = {"imported", "drawn_truth"}
KINDS = [(kind, name) for kind, table in TABLES.items() for name in table if name not in NOT_MADE_UP]


def made(*, size: Annotated[int, SuchAs("3")], shape: Annotated[str, SuchAs("round")] = "", colour: str = "") -> int:
    return size


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_every_option_that_is_needed_has_an_example_that_fits(kind: str, name: str) -> None:
    factory = resolve(TABLES[kind], kind, name)
    parts = {part: object() for part in PARTS & set(inspect.signature(factory).parameters)}
    if missing_options(factory, parts):
        example = example_of(factory, parts)
        assert example, "an option without which it cannot be made has no SuchAs"
        given = {option: yaml.safe_load(value) for option, value in example.items()}
        checked_options(factory, {**given, **parts}, where="here")


def test_who_leaves_an_option_out_is_told_what_it_may_be_with_what_goes_with_it() -> None:
    with pytest.raises(OptionError, match=r"^here: the option 'size' is missing; for example size: 3, shape: round$"):
        checked_options(made, {}, where="here")
    with pytest.raises(OptionError, match=r"is missing; for example size: 3$"):
        checked_options(made, {"shape": "square"}, where="here")


def test_a_command_line_is_told_how_the_option_is_given() -> None:
    with pytest.raises(ConfigError, match=r"^here: the option 'size' is missing; for example --set a.size=3 --set"):
        check_given(made, {}, where="here", label="a")
    check_given(made, {"size": 3}, where="here")


def test_no_example_is_given_that_would_not_do() -> None:
    def needy(*, size: Annotated[int, SuchAs("3")], what: str) -> None: ...

    with pytest.raises(OptionError, match=r"the option 'what' is missing$"):
        checked_options(needy, {"size": 3}, where="here")
