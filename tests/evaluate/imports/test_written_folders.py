"""Files of one name in the folders of two models: what is said of one model's image is never said of the other's."""

import json
from pathlib import Path
from typing import Any

import pytest
from drawn import picture
from imported_evidence import import_file, imported_facts, lines_of, refusal, stored
from made_elsewhere import import_

from diptych.judges.evidence import BOXES, RATINGS

FOLDERS = ("sdxl", "flux dev")
NAMES = [f"{folder}/0000{number}/samples/00000.png" for folder in FOLDERS for number in range(3)]
PROMPT = {"tag": "single_object", "include": [{"class": "boat", "count": 1}], "prompt": "a photo of a boat"}


def dataset(folder: Path, source: str = "sdxl", model: str = "sdxl") -> Path:
    """Import the images of one folder, which is called as the dataset's source is."""
    for number in range(3):
        own = folder / source / f"0000{number}"
        (own / "samples").mkdir(parents=True)
        (own / "samples" / "00000.png").write_bytes(picture(number, kind="PNG"))
        (own / "metadata.jsonl").write_text(json.dumps(PROMPT))
    assert import_(folder / source, "--model", model, "--out", folder / "generated").exit_code == 0
    return folder


def coco(names: list[str] = NAMES, listed: list[str] = NAMES) -> str:
    """Return a box of each of some images, further left in each of the next."""
    boxes = [
        {"image_id": listed.index(name), "category_id": 1, "bbox": [number, 0, 9, 9], "score": 0.9}
        for number, name in enumerate(names)
    ]
    images = [{"id": number, "file_name": name} for number, name in enumerate(listed)]
    return json.dumps({"images": images, "categories": [{"id": 1, "name": "boat"}], "annotations": boxes})


def lefts(folder: Path) -> list[list[float]]:
    return [[box.corners[0] for box in boxes or []] for boxes in stored(folder, BOXES).records]


@pytest.mark.parametrize(
    ("source", "model", "names"),
    [
        ("sdxl", "mine", NAMES),  # the folder that was imported
        ("images", "sdxl", NAMES),  # the model, wherever its folder was
        ("images", "sdxl", [f"/home/joe/{name}" for name in NAMES]),
        ("sdxl", "mine", [name.replace("/", "\\") for name in NAMES]),
    ],
)
def test_boxes_of_two_models_in_one_file_are_each_of_its_own(
    source: str, model: str, names: list[str], tmp_path: Path
) -> None:
    folder = dataset(tmp_path, source, model)
    facts = imported_facts(folder, "found.json", coco(names, names), form="coco")
    assert (facts["images"], facts["boxes"], lefts(folder)) == (3, 3, [[0.0], [1.0], [2.0]])
    misfit = facts["misfits"]["of another folder"]
    assert (misfit["images"], misfit["boxes"]) == (3, 3)


def test_an_image_that_the_file_lists_of_the_other_model_alone_has_none(tmp_path: Path) -> None:
    folder = dataset(tmp_path)
    listed = [NAMES[0], *NAMES[3:]]
    facts = imported_facts(folder, "found.json", coco(listed, listed), form="coco")
    assert (facts["images"], lefts(folder)) == (1, [[0.0], [], []])


def test_two_folders_of_which_neither_is_the_datasets_are_refused_with_both_names(tmp_path: Path) -> None:
    folder = dataset(tmp_path, "images", "mine")
    said = refusal(import_file(folder, "found.json", coco(), form="coco"))
    assert all(name in said for name in (NAMES[0], NAMES[3]))
    assert "say whose images each file is about with --model" in said
    assert not (folder / "generated/evidence").exists()


@pytest.mark.parametrize("form", ["ratings", "geneval"])
def test_what_others_said_of_two_models_stays_apart_too(form: str, tmp_path: Path) -> None:
    folder, more = dataset(tmp_path), ("--scale", "0-1") if form == "ratings" else ()
    said = [int(name.startswith("sdxl")) for name in NAMES]
    rows: list[dict[str, Any]] = [
        {"file": name, "rating": value, "rater": f"rater {number}"}
        for number, (name, value) in enumerate(zip(NAMES, said, strict=True))
    ]
    if form == "geneval":
        told = {"prompt": PROMPT["prompt"], "tag": PROMPT["tag"], "reason": ""}
        rows = [{**told, "filename": f"/out/{row['file']}", "correct": bool(row["rating"])} for row in rows]
    facts = imported_facts(folder, "said.jsonl", lines_of(*rows), *more, form=form)
    assert facts["misfits"]["of another folder"]["records"] == 3
    assert [[one.value for one in some or []] for some in stored(folder, RATINGS).records] == [[1.0]] * 3


def test_one_folder_may_be_written_from_anywhere_within_it(tmp_path: Path) -> None:
    folder = dataset(tmp_path, "images", "mine")
    names = [NAMES[0], f"/home/joe/{NAMES[1]}", NAMES[2].removeprefix("sdxl/")]
    assert imported_facts(folder, "found.json", coco(names, names), form="coco")["images"] == 3
