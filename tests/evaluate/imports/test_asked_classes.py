"""What a detector calls its classes, and prompts theirs: another case is no other class, another word is one."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from imported_evidence import import_file, imported_facts, refusal, stored
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.judges.evidence import BOXES

NAMES = ("cat", "dog", "zebra")
ROWS = [
    Made("unidet", number, checks={"include": [{"class": name, "count": 1}]}, benchmark="geneval")
    for number, name in enumerate(NAMES)
]


def detection(image: int, label: int) -> dict[str, Any]:
    return {"image_id": image, "category_id": label, "bbox": [0.0, 1.0, 10.0, 20.0], "score": 0.95}


FOUND = [detection(0, 17), detection(1, 18), detection(2, 18)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_generated(tmp_path / "generated", ROWS, kinds={"geneval": "geneval"})
    renamed(tmp_path, "cat", "dog")
    return tmp_path


def import_boxes(folder: Path, found: Any = FOUND) -> dict[str, Any]:
    given = ["--names", str(folder / "names.json")]
    return imported_facts(folder, "found.json", json.dumps(found), *given, form="coco", judge="unidet")


def renamed(folder: Path, *words: str) -> None:
    images = [{"id": number, "file_name": f"out/{row.key}.png"} for number, row in enumerate(ROWS)]
    categories = [{"id": 17 + number, "name": word} for number, word in enumerate(words)]
    (folder / "names.json").write_text(json.dumps({"images": images, "categories": categories}))


def test_a_class_of_the_prompts_in_another_case_is_that_class(folder: Path) -> None:
    plain = import_boxes(folder)
    first = stored(folder, BOXES)
    (evidence,) = open_dataset(folder / "generated").column_sets("evidence")
    shutil.rmtree(evidence.path)
    renamed(folder, "Cat", "DOG")
    facts = import_boxes(folder)
    assert {name: facts[name] for name in ("boxes", "images", "unknown_class")} == {
        name: plain[name] for name in ("boxes", "images", "unknown_class")
    }
    assert stored(folder, BOXES) == first


def test_a_class_in_two_cases_is_the_one_to_the_letter(folder: Path) -> None:
    renamed(folder, "cat", "CAT", "dog")
    found = [detection(0, 17), detection(0, 18), detection(1, 19)]
    import_boxes(folder, found)
    labels = [[box.label for box in some or ()] for some in stored(folder, BOXES).records]
    assert labels[:2] == [["cat", "CAT"], ["dog"]]


def test_classes_of_which_no_prompt_asks_for_any_are_refused(folder: Path) -> None:
    renamed(folder, "gato", "perro")
    given = ("--names", str(folder / "names.json"))
    result = import_file(folder, "found.json", json.dumps(FOUND), *given, form="coco", judge="unidet")
    assert (
        "found.json: no image can be judged by its boxes: the prompts ask for 'cat', 'dog', 'zebra', which are none of "
        "its classes 'gato', 'perro'; name its classes as the prompts do"
    ) in refusal(result)
    assert open_dataset(folder / "generated").column_sets("evidence") == []
