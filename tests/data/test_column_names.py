"""One name for a score's column, wherever it stands."""

import pytest

from diptych.data.column_names import find_name, label_problem
from diptych.errors import ConfigError

KNOWN = ["model", "l14.similarity", "b32.similarity", "my.label.entropy", "similarity.cut"]


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("model", "model"),
        ("l14.similarity", "l14.similarity"),
        ("entropy", "my.label.entropy"),
        ("my.label.entropy", "my.label.entropy"),
        ("cut", "similarity.cut"),
    ],
)
def test_a_name_is_a_full_one_or_that_of_a_column_which_one_label_has(name: str, full: str) -> None:
    assert find_name(name, KNOWN, what="column") == full


def test_a_name_that_two_labels_have_is_refused_and_both_are_named() -> None:
    with pytest.raises(ConfigError, match=r"2 labels have it; write l14\.similarity or b32\.similarity"):
        find_name("similarity", KNOWN, what="score column")


def test_two_labels_of_one_thing_are_no_two_things() -> None:
    assert find_name("similarity", KNOWN, what="column", same=lambda full: full.partition(".")[2]) == "l14.similarity"


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"unknown score column 'l14\.similarty'; did you mean 'l14\.similarity'"):
        find_name("l14.similarty", KNOWN, what="score column")


@pytest.mark.parametrize("labels", [["data"], ["Select"], [""], [" "], ["a", "A"]])
def test_labels_that_sql_could_not_tell_apart_are_refused(labels: list[str]) -> None:
    assert label_problem(labels).endswith("give the score another one")


def test_a_label_may_have_dots_and_quotes() -> None:
    assert label_problem(["ViT-B.32", 'the "best"', "dedup.1"]) == ""
