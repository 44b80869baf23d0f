"""Columns are known by what tables call them, in whatever case; of two that are called alike none is chosen."""

import pytest

from diptych.data.told_columns import IMAGE_NAMES, ColumnNames, likely_keys
from diptych.errors import DataError

NAMES = ColumnNames({**IMAGE_NAMES, "answer": ("answer",)})


@pytest.mark.parametrize("column", ["answer", "Answer", "ANSWER", " answer "])
def test_a_column_is_known_in_whatever_case(column: str) -> None:
    assert NAMES.found_in([column, "Prompt ID"], "a.csv:2") == {"answer": column, "prompt_id": "Prompt ID"}


def test_the_first_of_several_names_of_a_key_counts() -> None:
    assert NAMES.found_in(["Path", "File_Name"], "a.csv:2") == {"file": "File_Name"}


@pytest.mark.parametrize("columns", [("Answer", "answer"), ("answer", "ANSWER"), ("Answer ", "answer", "file")])
def test_of_two_columns_that_differ_in_case_alone_none_is_chosen(columns: tuple[str, ...]) -> None:
    with pytest.raises(
        DataError, match=r"^a\.csv:2: the columns '\w+ ?' and '\w+' are called alike, and one is the ans"
    ):
        NAMES.found_in(columns, "a.csv:2")


def test_columns_that_nothing_reads_may_be_called_alike() -> None:
    assert NAMES.found_in(["Mood", "mood", "answer"], "a.csv:2") == {"answer": "answer"}


def test_a_misspelt_column_is_meant_in_any_case() -> None:
    assert likely_keys(["Modell"], IMAGE_NAMES, {"file"}) == {"Modell": "model"}
