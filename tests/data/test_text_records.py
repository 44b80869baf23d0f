"""Rows under a header and objects in lines: what is broken is said with its line, and only where it is read."""

from pathlib import Path

import pytest

from diptych.data.text_records import HeadedRows, json_lines
from diptych.errors import DataError

FILE = Path("f")


def test_rows_have_the_number_of_their_last_line() -> None:
    rows = HeadedRows('a\tb\n1\t"x\ny"\n\n2\t\n', FILE.with_suffix(".tsv"))
    assert rows.header == ("a", "b")
    assert list(rows) == [(3, {"a": "1", "b": "x\ny"}), (5, {"a": "2", "b": ""})]


def test_columns_without_a_name_may_stand_there_twice() -> None:
    assert [line for line, _ in HeadedRows("a,,\n1,2,3\n", FILE)] == [2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,a\n1,2,3\n", r"f:1: a column stands there twice \(a\); rename one"),
        ("a,b\n1,2\n1\n", "f:3: the row has not the 2 fields of the header"),
        ("a,b\n1,2,3\n", "f:2: the row has not the 2 fields of the header"),
        ('a\n"1\n', "f: after line 1: unexpected end of data"),
        ("a;b\n1;2\n", "f: its columns are separated by ';', not by ','; save it with commas as .csv, or with tabs"),
        ("a\tb\n1\t2\n", r"f: its columns are separated by '\\t', not by ','; save it with commas as .csv"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(HeadedRows(text, FILE))


def test_lines_are_read_as_they_are_asked_for() -> None:
    lines = json_lines('\n{"a": 1}\n[2]\n', FILE)
    assert next(lines) == (2, {"a": 1})
    with pytest.raises(DataError, match=r"f:3: must be a JSON object, got '\[2\]'"):
        next(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "f:1: not JSON: Expecting property name"),
        ("[" * 100_000, "f:1: not JSON: nested too deeply"),
        ('{"a": "\\ud83d"}', r"f:1: \\ud83d is half of a character"),
    ],
)
def test_a_line_that_is_no_object_is_refused(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(json_lines(text, FILE))
