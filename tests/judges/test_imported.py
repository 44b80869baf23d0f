"""A judge that looked elsewhere: what it is told by, and that it never looks."""

from typing import Any

import pytest

from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge

CONTENT = "0123456789abcdef"


@pytest.mark.parametrize(
    ("gives", "asked"), [("answers", ([None], [[]])), ("boxes", ([None],)), ("ratings", ([None],))]
)
def test_judge_gives_what_was_imported_and_never_looks(gives: str, asked: tuple[Any, ...]) -> None:
    judge = make_judge("imported", {"name": "pali", "content": CONTENT, "gives": gives})
    assert [name for name in ("answers", "boxes", "ratings", "text") if hasattr(judge, name)] == [gives]
    with pytest.raises(DataError, match="run diptych evaluate import-evidence"):
        getattr(judge, gives)(*asked)


def test_identity_is_that_of_the_import() -> None:
    judge = make_judge("imported", {"name": "pali", "content": CONTENT, "gives": "ratings", "scale": [1, 5]})
    assert judge.identity == {"judge": "pali", "imported": CONTENT, "version": 1, "scale": [1.0, 5.0]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"content": "12"}, "content: '12' is not 16 hex digits"),
        ({"gives": "text"}, "option 'gives'"),
        ({"gives": "boxes", "least_score": 1.0}, "least_score: is at least 0 and below 1, not 1.0"),
        ({"gives": "ratings", "scale": [5, 1]}, r"scale: is the least and the most that a rating can be"),
        ({"gives": "ratings", "scale": [1, 2, 3]}, r"scale: is the least and the most that a rating can be"),
    ],
)
def test_wrong_options_say_what_is_wrong(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_judge("imported", {"name": "pali", "content": CONTENT, **options})
