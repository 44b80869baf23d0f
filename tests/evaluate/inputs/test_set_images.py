"""Which images of two sets are of one prompt, where both tell its text."""

import numpy as np
import pytest

from diptych.evaluate.inputs.set_images import SetImages, told_apart_from


def images(texts: str, units: str) -> SetImages:
    """Return images of as many prompts, a letter for the name and the text of each; a space is a text not told."""
    units_of, texts_of = (np.array(list(each), np.str_) for each in (units, texts))
    return SetImages(np.zeros((len(units), 2), np.float32), units_of, units_of, units_of, np.char.strip(texts_of))


@pytest.mark.parametrize(
    ("texts", "own"), [("abc", set()), ("abx", {2}), ("xyz", {0, 1, 2}), ("a  ", set()), ("   ", set())]
)
def test_units_of_one_name_are_others_where_both_sets_tell_another_text(texts: str, own: set[int]) -> None:
    found = told_apart_from(images("abc", "123"), images(texts, "123")).units.tolist()
    assert {row for row, unit in enumerate(found) if unit not in "123"} == own
    assert len({*found}) == 3


def test_images_of_a_prompt_stay_together_and_each_text_is_a_prompt() -> None:
    found = told_apart_from(images("ab", "12"), images("xxbq", "1122")).units.tolist()
    assert (found[0] == found[1] != "1", found[2]) == (True, "2")
    assert len({*found}) == 3
