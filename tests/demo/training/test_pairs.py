from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_dataset import Row, make_dataset, mixed_rows

from diptych.demo.training.pairs import fitted, read_pairs
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.scenes import scene
from diptych.errors import DataError


def test_pairs_have_a_picture_and_a_caption(tmp_path: Path) -> None:
    read = read_pairs(make_dataset(tmp_path / "mixed", mixed_rows()).path, 32)
    assert read.captions == ["the first", ("a drawing " * 60), "the fifth", "the seventh ü 汉"]
    assert read.pixels.shape == (4, 32, 32, 3)
    with pytest.raises(DataError, match="nothing can be learned"):
        read_pairs(make_dataset(tmp_path / "empty", mixed_rows()[1:2]).path, 32)


def test_sides_are_named_by_their_words(tmp_path: Path) -> None:
    data = encoded(draw(scene(0)), "png", 0)
    captions = ["a fish left of a car", "a bright fish", "A boat on the right and a fish on the left"]
    read = read_pairs(make_dataset(tmp_path / "sides", [Row(data, caption) for caption in captions]).path, 64)
    assert read.has_sides.tolist() == [True, False, True]


def test_pictures_are_cut_to_their_middle() -> None:
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, 32:64] = 255
    assert fitted(Image.fromarray(wide), 16)[2:-2, 2:-2].min() > 250
    assert fitted(Image.fromarray(wide).rotate(90, expand=True), 16).shape == (16, 16, 3)
