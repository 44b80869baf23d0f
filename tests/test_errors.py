import inspect
import pickle

import pytest

from diptych import errors
from diptych.data.images import DECODE_CODES
from diptych.errors import (
    MAX_SAID,
    ConfigError,
    DataError,
    DecodeError,
    DiptychError,
    MissingExtra,
    ShardError,
    StoreError,
    one_line,
)

ALL = [error for _, error in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_a_diptych_error_and_is_drawn_in_the_tree(error: type[Exception]) -> None:
    assert issubclass(error, DiptychError)
    assert error is DiptychError or error.__name__ in (errors.__doc__ or "")


def test_damaged_shards_and_pictures_are_data_errors() -> None:
    assert issubclass(ShardError, DataError)
    assert issubclass(DecodeError, DataError)
    assert not issubclass(ConfigError, DataError)


def test_a_decode_error_keeps_code_and_detail_apart() -> None:
    error = DecodeError("truncated", "ends at byte 7")
    assert (str(error), error.code, error.detail) == ("truncated: ends at byte 7", "truncated", "ends at byte 7")
    assert str(DecodeError("empty")) == "empty"
    assert error.code in DECODE_CODES


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("a: b"),
        DataError("a"),
        DecodeError("corrupt", "x"),
        DecodeError("empty"),
        MissingExtra("curate", "lingua"),
        ShardError("a"),
        StoreError("a"),
    ],
)
def test_an_error_survives_the_way_back_from_a_worker(error: DiptychError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ValueError"),
        ("no such key.", "no such key"),
        ("and so on...", "and so on..."),
        (f"Cannot be read. Try again. {'Or not ' * 40}.", "Cannot be read. Try again"),
        (f"at v1.2 of model.Net {'word ' * 40}", f"at v1.2 of model.Net {'word ' * 35}"[:-1] + "..."),
        ("x" * 300, "x" * 197 + "..."),
    ],
)
def test_what_another_library_says_ends_with_a_sentence_or_says_that_it_goes_on(text: str, said: str) -> None:
    assert one_line(ValueError(text)) == said
    assert len(said) <= MAX_SAID
