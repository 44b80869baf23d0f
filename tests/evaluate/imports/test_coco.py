"""Detections in COCO's form: GenEval's rule, and others, count them under the detector's name without a model."""

import json
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import make_config, read, run
from imported_evidence import import_file, imported_facts, refusal, stored
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.errors import ConfigError
from diptych.judges.evidence import BOXES
from diptych.judges.imported import ImportedBoxes, ImportOrigin

CAT, TWO = {"class": "cat", "count": 1}, {"class": "dog", "count": 2}
ASKED = ({"include": [CAT]}, {"include": [TWO], "exclude": [{"class": "dog", "count": 3}]}, {"include": [TWO]})
UNKNOWN = {"include": [{"class": "zebra", "count": 1}]}
RED = {"include": [{**CAT, "color": "red"}]}
ROWS = [
    Made("unidet", prompt, checks=checks, benchmark="geneval") for prompt, checks in enumerate((*ASKED, UNKNOWN, RED))
]
CATEGORIES = [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}]


def names(rows: list[Made] = ROWS) -> dict[str, Any]:
    return {
        "images": [{"id": number, "file_name": f"out/{row.key}.png"} for number, row in enumerate(rows)],
        "categories": CATEGORIES,
    }


def detection(image: int, label: int, score: float = 0.95, left: float = 0.0) -> dict[str, Any]:
    return {"image_id": image, "category_id": label, "bbox": [left, 1.0, 10.0, 20.0], "score": score}


FOUND = [
    detection(0, 17, 0.34),
    detection(0, 18, 0.129),
    detection(1, 18, 0.91),
    detection(1, 18, 0.92, 20.0),
    detection(2, 18, 0.91),
    detection(2, 17, 0.99),
    detection(4, 17),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_generated(tmp_path / "generated", ROWS, kinds={"geneval": "geneval"}, rows_per_shard=2)
    (tmp_path / "names.json").write_text(json.dumps(names()))
    return tmp_path


def import_boxes(folder: Path, found: Any = FOUND) -> dict[str, Any]:
    given = ["--names", str(folder / "names.json")]
    return imported_facts(folder, "found.json", json.dumps(found), *given, form="coco", judge="unidet")


def test_how_near_things_are_stands_beside_their_scores(folder: Path) -> None:
    """A cat before a dog, by boxes that do not touch and by what their file says of nearness."""
    rows = [
        Made(
            "unidet",
            0,
            checks={"relations": [{"first": "cat", "place": "in front of", "second": "dog"}]},
            benchmark="g",
        )
    ]
    make_generated(folder / "near" / "generated", rows, kinds={"g": "t2i_compbench_3d_spatial"})
    (folder / "near" / "names.json").write_text(json.dumps(names(rows)))
    cat, dog = detection(0, 17, 0.9), detection(0, 18, 0.7, 20.0)
    found = [{**cat, "nearness": 0.8, "nearness_swapped": 0.1}, {**dog, "nearness": 0.3, "nearness_swapped": 0.2}]
    facts = import_boxes(folder / "near", found)
    judges = facts["judges"]
    judges["unidet"]["options"]["least_score"] = 0.5
    run(
        make_config(
            folder / "near", judges=judges, protocols=[{"protocol": "t2i_compbench_3d_spatial", "judge": "unidet"}]
        )
    )
    values = read(folder / "near", "SELECT value FROM scores WHERE score LIKE '%.place_accuracy' ORDER BY score")
    assert [row["value"] for row in values] == pytest.approx([0.9, 0.4]), "corrected, and official"


@pytest.mark.parametrize("value", [1.5, "far", True])
def test_nearness_that_is_no_share_is_refused(folder: Path, value: Any) -> None:
    text = json.dumps([{**detection(0, 17), "nearness": value}])
    given = ["--names", str(folder / "names.json")]
    said = refusal(import_file(folder, "found.json", text, *given, form="coco", judge="unidet"))
    assert "nearness is a number from 0, the farthest, to 1, the nearest; not" in said


def scored(folder: Path, facts: dict[str, Any], **options: float) -> list[tuple[Any, Any, Any]]:
    scores = {"objects": {"score": "object_accuracy", "judge": "unidet", "options": options}}
    run(make_config(folder, judges=facts["judges"], scores=scores, means=[{"score": "objects.object_correct"}]))
    sql = (
        "SELECT prompt_id, any_value(reason) AS why, any_value(value) FILTER (score = 'objects.object_correct') AS "
        "right, any_value(text) FILTER (score = 'objects.object_reason') AS wrong FROM scores JOIN images "
        "USING (run_id, dataset, key) GROUP BY prompt_id ORDER BY prompt_id"
    )
    return [(row["right"], row["wrong"], row["why"]) for row in read(folder, sql)]


def test_rule_counts_boxes_that_were_found_elsewhere(folder: Path) -> None:
    facts = import_boxes(folder)
    assert scored(folder, facts) == [
        (1.0, "", None),
        (1.0, "", None),
        (0.0, "wrong_count", None),
        (None, None, "unknown_class"),
        (None, None, "unknown_colour"),
    ]
    assert (facts["boxes"], facts["least_score"], facts["unknown_class"], facts["images"]) == (7, 0.12, 1, 4)


def test_another_threshold_asks_nobody_and_opens_no_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = import_boxes(folder)
    looked: list[Any] = []
    monkeypatch.setattr(ImportedBoxes, "boxes", lambda self, *given: looked.append(given))
    monkeypatch.setattr("diptych.data.images.decode", lambda *given, **options: looked.append(given))
    facts["judges"]["unidet"]["options"]["least_score"] = 0.0
    assert scored(folder, facts, threshold=0.5)[0] == (0.0, "missing", None)
    assert scored(folder, facts, counting_threshold=0.915)[1] == (0.0, "wrong_count", None)
    assert looked == []


def test_rule_cannot_ask_for_less_than_the_file_tells(folder: Path) -> None:
    facts = import_boxes(folder, [one for one in FOUND if one["score"] > 0.5])
    with pytest.raises(ConfigError, match=r"threshold: 0.3 is too low: what is less sure than 0.91 this judge does"):
        scored(folder, facts)


def test_image_that_is_listed_and_has_no_box_was_looked_at_and_one_that_is_not_was_not(folder: Path) -> None:
    (folder / "names.json").write_text(json.dumps(names(ROWS[:2])))
    facts = import_boxes(folder, FOUND[:1])
    assert facts["images_without"] == 1
    found = stored(folder, BOXES)
    assert found.records[1:3] == [[], None]
    assert found.reasons == [None, None, *["not_imported"] * 3]


def test_boxes_have_corners_names_and_the_surest_goes_first(folder: Path) -> None:
    import_boxes(folder)
    first, second = stored(folder, BOXES).records[1]
    assert (first.score, first.label, first.corners) == (0.92, "dog", (20.0, 1.0, 30.0, 21.0))
    assert second.score == 0.91


def test_what_fits_nothing_or_stands_there_twice_is_counted(folder: Path) -> None:
    listed = names()
    listed["images"].append({"id": "x", "file_name": "elsewhere.png"})
    (folder / "names.json").write_text(json.dumps(listed))
    files = [f"{row.key}.png" for row in ROWS[:3]]
    ours = ", ".join(map(repr, files)) + ", ..."
    theirs = "0, 1, 2, ..., " + ", ".join(repr(f"out/{file}") for file in files) + ", ..."
    facts = import_boxes(folder, [*FOUND, FOUND[0], detection(99, 17), detection(0, 3), detection(["x"], 17)])
    assert facts["misfits"] == {
        "no such image": {"images": 1, "first_image": 6, "says": f"file 'elsewhere.png', where the dataset has {ours}"},
        "no image of that id": {
            "records": 2,
            "first_record": 9,
            "says": f"image_id 99, \"['x']\", where the list has {theirs}",
        },
        "no category of that id": {
            "records": 1,
            "first_record": 10,
            "says": "category_id 3, where the names have 17, 18",
        },
    }
    assert (facts["repeated"], facts["boxes"]) == (1, 7)


def test_a_box_without_an_area_or_beside_its_picture_is_left_out_and_told(folder: Path) -> None:
    flat, beside, over = (detection(0, 17, left=left) for left in (1.0, 48.0, 44.0))
    flat["bbox"][2] = 0.0
    facts = import_boxes(folder, [*FOUND, flat, beside, over])
    assert facts["misfits"] == {
        "a box without an area": {"boxes": 1, "first_record": 8},
        "a box beside its picture": {"boxes": 1, "first_record": 9},
    }
    assert (facts["boxes"], facts["over_an_edge"]) == (8, 1), "one that reaches over an edge is a guess, and told"


def reached(folder: Path, found: Any, said: str) -> None:
    given = ["--names", str(folder / "names.json")]
    result = import_file(folder, "found.json", json.dumps(found), *given, form="coco", judge="unidet")
    assert said in refusal(result)
    assert open_dataset(folder / "generated").column_sets("evidence") == []


def test_boxes_as_corners_or_as_shares_are_refused(folder: Path) -> None:
    corners = [{**one, "bbox": [20.0, 12.0, 44.0, 30.0]} for one in FOUND]
    reached(
        folder, corners, "found.json: record 1: reaches from 20, 12, 64, 42 in a picture of 48x32, and 7 of 7 boxes"
    )
    shares = [{**one, "bbox": [0.1, 0.2, 0.5, 0.6]} for one in FOUND]
    reached(
        folder, shares, "found.json: no box is larger than a pixel; a bbox is left, top, width and height in pixels"
    )


def test_boxes_of_pictures_of_another_size_are_told(folder: Path) -> None:
    listed = names()
    listed["images"][0] |= {"width": 640, "height": 480}
    listed["images"][1] |= {"width": 48, "height": 32}
    (folder / "names.json").write_text(json.dumps(listed))
    facts = import_boxes(folder)
    assert facts["misfits"] == {
        "a picture of another size": {
            "images": 1,
            "boxes": 2,
            "first_image": 1,
            "says": "640x480, where the picture has 48x32",
        }
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": 1}, "image_id: 5 stands for nothing in the file of names, and all of them would for something if"),
        ({"image": -1}, "image_id: -1 stands for nothing in the file of names, and all of them would"),
        ({"label": 1}, "category_id: 19 stands for nothing in the file of names, and all of them would for something"),
        ({"label": -17}, "something if they are places in its list, from 0; write the ids of that file"),
        ({"label": -16}, "something if they are places in its list, from 1; write the ids of that file"),
        ({"file_name": "out/other.png"}, "record 1: image_id 0 is 'out/"),
        ({"category_name": "zebra"}, "record 1: category_id 17 is 'cat' in the file of names, and category_name says"),
    ],
)
def test_ids_that_are_not_those_of_the_names_are_refused(folder: Path, change: dict[str, Any], said: str) -> None:
    shift = {"image": change.pop("image", 0), "label": change.pop("label", 0)}
    found = [
        {
            **one,
            "image_id": one["image_id"] + shift["image"],
            "category_id": one["category_id"] + shift["label"],
            **change,
        }
        for one in FOUND
    ]
    reached(folder, found, said)


NAMED = {"text": str, "a float": float, "a file name": lambda image: f"{ROWS[image].key}.png"}
NAMED |= {"a stem": lambda image: ROWS[image].key, "zeros": lambda image: f"{image:06d}"}


@pytest.mark.parametrize("how", NAMED)
def test_an_image_may_be_named_by_text_a_float_its_file_or_a_stem(folder: Path, how: str) -> None:
    facts = import_boxes(folder, [{**one, "image_id": NAMED[how](one["image_id"])} for one in FOUND])
    assert (facts["boxes"], facts["images"], facts["misfits"]) == (7, 4, {})
    assert [len(some or ()) for some in stored(folder, BOXES).records] == [2, 2, 2, 0, 1]


def test_a_file_name_beside_tells_the_image_where_the_id_does_not(folder: Path) -> None:
    found = [{**one, "image_id": "00000", "file_name": f"{ROWS[one['image_id']].key}.png"} for one in FOUND]
    assert import_boxes(folder, found)["boxes"] == 7


def test_an_id_and_a_file_name_of_two_images_are_of_none(folder: Path) -> None:
    listed = {"images": [{"id": number, "file_name": f"{number}/{ROWS[0].key}.png"} for number in range(2)]}
    (folder / "names.json").write_text(json.dumps({**names(), **listed}))
    text = json.dumps([{**FOUND[0], "file_name": listed["images"][1]["file_name"]}])
    given = ["--names", str(folder / "names.json")]
    said = refusal(import_file(folder, "found.json", text, *given, form="coco", judge="unidet"))
    assert "none of 1 detections is of an image of the list: an id and a file name of two images: image_id 0 is" in said


def test_detections_of_which_none_fits_are_refused_and_some_are_told(folder: Path) -> None:
    strays = [{**one, "image_id": f"cat{number}"} for number, one in enumerate(FOUND)]
    said = "none of 7 detections is of an image of the list: no image of that id: image_id 'cat0', 'cat1', 'cat2', ..."
    reached(folder, strays, said)
    reached(
        folder, [{**one, "category_id": "other"} for one in FOUND], "7 records: no category of that id (record 1, 2"
    )
    facts = import_boxes(folder, [FOUND[0], *strays[1:]])
    assert facts["records"] == {"read": 7, "used": 1}


def test_detections_without_a_list_of_images_say_nothing_of_those_that_they_do_not_name(folder: Path) -> None:
    (folder / "names.json").write_text(json.dumps({"categories": CATEGORIES}))
    reached(folder, FOUND, "7 records: no image of that id (record 1, 2, 3, ...): 0, and no list of images")
    facts = import_boxes(folder, [{**one, "image_id": ROWS[one["image_id"]].key} for one in FOUND[:4]])
    assert (facts["images"], facts["images_without"], facts["images_untold"]) == (2, 0, 3)
    assert stored(folder, BOXES).records[2:] == [None] * 3


def test_a_category_is_the_same_in_another_case(folder: Path) -> None:
    words = {17: "Cat", 18: " DOG"}
    facts = import_boxes(folder, [{**one, "category_name": words[one["category_id"]]} for one in FOUND])
    assert facts["boxes"] == 7


@pytest.mark.parametrize("key", ["category_id", "category_name"])
@pytest.mark.parametrize("categories", [CATEGORIES, ["dog", "cat"]])
def test_a_category_may_be_given_by_its_name(folder: Path, categories: list[Any], key: str) -> None:
    words = {17: "Cat", 18: "dog"}
    (folder / "names.json").write_text(json.dumps({**names(), "categories": categories}))
    given = [{name: value for name, value in one.items() if name != "category_id"} for one in FOUND]
    found = [{**one, key: words[old["category_id"]]} for one, old in zip(given, FOUND, strict=True)]
    facts = import_boxes(folder, [*found, {**found[0], key: "zebra"}])
    said = "category_id 'zebra', where the names have " if key == "category_id" else "category_id None, where"
    assert facts["misfits"]["no category of that id"]["says"].startswith(said)
    assert facts["boxes"] == 7
    assert [box.label for box in (stored(folder, BOXES).records[2] or ())] == ["cat", "dog"]


def test_an_id_goes_before_a_name_and_a_name_in_two_cases_is_the_one_to_the_letter(folder: Path) -> None:
    listed = [{"id": "dog", "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2, "name": "Dog"}]
    (folder / "names.json").write_text(json.dumps({**names(), "categories": listed}))
    found = [{**FOUND[0], "category_id": word, "bbox": [at, 1, 5, 5]} for at, word in enumerate(("dog", "Dog", "DOG"))]
    facts = import_boxes(folder, found)
    assert {box.label for box in (stored(folder, BOXES).records[0] or ())} == {"cat", "Dog"}
    assert (
        facts["misfits"]["no category of that id"]["says"]
        == "category_id 'DOG', where the names have 'cat', 'dog', 'Dog'"
    )


def test_file_may_hold_its_own_names(folder: Path) -> None:
    whole = json.dumps({**names(), "annotations": FOUND})
    assert imported_facts(folder, "whole.json", whole, form="coco", judge="unidet")["boxes"] == 7


def test_the_least_score_is_none_of_the_evidence(folder: Path) -> None:
    facts = import_boxes(folder)
    assert facts["evidence"].startswith(f"{folder}/generated/evidence/unidet-")
    assert not import_boxes(folder)["is_new"]
    origin = ImportOrigin("unidet", facts["judges"]["unidet"]["options"]["content"])
    assert ImportedBoxes(origin, 0.1).identity == ImportedBoxes(origin, 0.5).identity


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"image_id": 0}, "found.json: detections are a list, or an object with the list annotations"),
        ([7], "found.json: record 1: a detection is an object, not 7"),
        ([detection(0, 17, 1.5)], "found.json: record 1: bbox is left, top, width and height, and score from 0 to 1"),
        (
            [FOUND[0], {**FOUND[1], "score": None}],
            "found.json: record 2: a detection has bbox, four numbers, and score",
        ),
        ([{**FOUND[0], "bbox": [1, 2, 3]}], "found.json: record 1: a detection has bbox, four numbers, and score"),
        ([{**FOUND[0], "bbox": [1, 2, -3, 4]}], "found.json: record 1: bbox is left, top, width and height"),
    ],
)
def test_a_file_that_is_broken_lands_nothing(folder: Path, found: Any, said: str) -> None:
    given = ["--names", str(folder / "names.json")]
    result = import_file(folder, "found.json", json.dumps(found), *given, form="coco", judge="unidet")
    assert said in refusal(result)
    assert open_dataset(folder / "generated").column_sets("evidence") == []


def test_a_file_without_names_or_with_broken_ones_is_one_line(folder: Path) -> None:
    text = json.dumps(FOUND)
    assert "--names: name the file of images and categories" in refusal(
        import_file(folder, "found.json", text, form="coco", judge="unidet")
    )
    for listed, said in (
        ("{", "names.json: not JSON: "),
        ("[]", "names.json: categories: must be a list of objects with id and name"),
        (
            json.dumps({**names(), "images": [{"id": 0}]}),
            "names.json: images: must be a list of objects with id and file_",
        ),
        (json.dumps({**names(), "categories": CATEGORIES[:1] * 2}), "names.json: categories: two have one id"),
    ):
        (folder / "names.json").write_text(listed)
        given = ["--names", str(folder / "names.json")]
        assert said in refusal(import_file(folder, "found.json", text, *given, form="coco", judge="unidet"))
    assert "--names: the format answers has no ids" in refusal(
        import_file(folder, "a.csv", "", "--names", str(folder / "names.json"))
    )
