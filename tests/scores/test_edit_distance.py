from hypothesis import given
from hypothesis import strategies as st

from diptych.scores.edit_distance import _by_cells, _by_rows, edit_distance

TEXTS = st.text("ab ", max_size=12)


@given(TEXTS, TEXTS)
def test_a_row_at_once_is_the_same_as_cell_by_cell(one: str, other: str) -> None:
    assert _by_rows(one, other) == _by_cells(one, other) == _by_rows(other, one)


def test_long_texts_are_compared_like_short_ones() -> None:
    assert edit_distance("ab" * 500, "ab" * 499) == 2
    assert edit_distance("x" * 300, "") == 300
