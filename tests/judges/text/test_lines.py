from diptych.judges.contract import Corners, TextLine
from diptych.judges.text.lines import in_reading_order


def order(**places: Corners) -> str:
    lines = [TextLine(text, 1.0, corners) for text, corners in places.items()]
    forwards, backwards = ("".join(line.text for line in in_reading_order(some)) for some in (lines, lines[::-1]))
    assert forwards == backwards
    return forwards


def test_rows_are_read_from_the_top_and_each_from_the_left() -> None:
    assert order(d=(50, 30, 90, 40), b=(50, 0, 90, 10), a=(0, 3, 40, 13), c=(0, 28, 40, 38)) == "abcd"


def test_stair_of_small_steps_is_not_taken_for_one_row() -> None:
    assert order(a=(30, 0, 39, 10), b=(20, 3, 29, 13), c=(10, 6, 19, 16), d=(0, 9, 9, 19)) == "badc"


def test_small_lines_beside_a_large_one_stay_in_their_order() -> None:
    assert order(big=(0, 0, 50, 60), x=(60, 0, 90, 10), y=(60, 20, 90, 26), z=(60, 50, 90, 60)) == "xybigz"
