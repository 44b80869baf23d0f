"""COCO captions: a draw that follows from seed and ids alone, says which it is, and is refused where it cannot be."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from diptych.errors import ConfigError, DataError
from diptych.generate.prompts import PromptSet
from diptych.generate.prompts.coco_captions import coco_captions

ANNOTATIONS = [
    {"image_id": image, "id": 10 * image + number, "caption": f" caption {number} of {image}\n"}
    for image in range(1, 21)
    for number in range(5)
]


def drawn(folder: Path, annotations: list[dict[str, Any]] = ANNOTATIONS, **options: int) -> PromptSet:
    path = folder / "captions_val2014.json"
    path.write_text(json.dumps({"images": [], "annotations": annotations}), "utf-8")
    return coco_captions(path=path, **options)


def test_each_image_has_one_of_its_own_captions(tmp_path: Path) -> None:
    found = drawn(tmp_path, count=20)
    assert sorted(int(prompt.id) for prompt in found.prompts) == list(range(1, 21))
    for prompt in found.prompts:
        number = int(str(prompt.columns["caption_id"])) - 10 * int(prompt.id)
        assert prompt.text == f"caption {number} of {prompt.id}"
    assert len({int(str(prompt.columns["caption_id"])) % 10 for prompt in found.prompts}) > 1


def test_the_draw_follows_from_the_seed_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    shuffled = random.Random(1).sample(ANNOTATIONS, len(ANNOTATIONS))
    first = drawn(tmp_path, count=8, seed=3).prompts
    assert first == drawn(tmp_path, shuffled, count=8, seed=3).prompts
    assert first == drawn(tmp_path, count=12, seed=3).prompts[:8]
    assert {prompt.id for prompt in first} != {prompt.id for prompt in drawn(tmp_path, count=8, seed=4).prompts}


def test_the_source_names_the_draw(tmp_path: Path) -> None:
    found = drawn(tmp_path, count=8, seed=3)
    assert found.source == "captions_val2014.json: 8 of 20 images, one caption each, seed 3"
    assert (found.licence, len(found.sha256)) == ("", 64)


def test_an_empty_caption_is_not_drawn(tmp_path: Path) -> None:
    some = [{"image_id": 1, "id": 1, "caption": " "}, {"image_id": 1, "id": 2, "caption": "a cat"}]
    assert [prompt.text for prompt in drawn(tmp_path, some, count=1).prompts] == ["a cat"]


def test_more_images_than_there_are_and_another_form_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="count: 30,000 images cannot be drawn from 20 that have captions"):
        drawn(tmp_path)
    with pytest.raises(DataError, match=r"captions_val2014.json:2: caption: must be a text, got None"):
        drawn(tmp_path, [ANNOTATIONS[0], {"image_id": 1, "id": 2}], count=1)
    (tmp_path / "list.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match="an object with a list of annotations"):
        coco_captions(path=tmp_path / "list.json")
