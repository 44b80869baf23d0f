import numpy as np
import pytest
from PIL import Image
from word_encoder import ByWord

from diptych.judges.boxes.colours import COLOURS, ColourNames, cut_out
from diptych.judges.boxes.masks import run_lengths
from diptych.judges.contract import COLOUR, Box

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (0x99, 0x99, 0x99)


def two_halves() -> Image.Image:
    picture = Image.new("RGB", (20, 10), RED)
    picture.paste(BLUE, (10, 0, 20, 10))
    return picture


def test_thing_has_the_colour_of_what_is_in_its_box() -> None:
    boxes = [Box("cup", 0.9, (0, 0, 9.6, 10)), Box("cup", 0.8, (10, 0, 20, 10))]
    encoder = ByWord()
    told = ColourNames(encoder).told_of(two_halves(), boxes)
    assert [box.likeliest(COLOUR).value for box in told] == ["red", "blue"]  # type: ignore[union-attr]
    assert sum(trait.probability for trait in told[0].traits) == pytest.approx(1.0)
    assert [(box.label, box.score, box.corners) for box in told] == [(b.label, b.score, b.corners) for b in boxes]
    assert encoder.texts_seen[:3] == ["a photo of a red cup", "a photo of a red-colored cup", "a photo of a red object"]
    assert len(encoder.texts_seen) == 3 * len(COLOURS)


def test_what_is_not_of_the_thing_is_painted_grey() -> None:
    mask = np.zeros((10, 20), bool)
    mask[:, 15:] = True
    crop = cut_out(two_halves(), Box("cup", 0.9, (5, 0, 20, 10), mask=run_lengths(mask)))
    assert crop is not None
    assert crop.size == (15, 10)
    assert [crop.getpixel((x, 5)) for x in (0, 9, 10, 14)] == [GREY, GREY, BLUE, BLUE]


def test_box_of_no_whole_pixel_has_no_colour() -> None:
    boxes = [Box("cup", 0.9, (4.1, 2, 4.3, 8))]
    assert ColourNames(ByWord()).told_of(two_halves(), boxes) == boxes


def test_colours_are_told_of_the_surest_sixteen_of_each_class() -> None:
    boxes = [Box("cup", 1 - number / 100, (0, 0, 5, 5)) for number in range(20)]
    encoder = ByWord()
    told = ColourNames(encoder).told_of(two_halves(), [*boxes, Box("dog", 0.1, (0, 0, 5, 5))])
    assert [bool(box.traits) for box in told] == [True] * 16 + [False] * 4 + [True]
    assert encoder.images_seen == 17
