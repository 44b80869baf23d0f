"""Captions of COCO: of one picture several, in one file or in several, told apart by the folders of their splits."""

import json
from pathlib import Path
from typing import Any

import pytest
from source_rows import captions_of, coco, pictures, rows_of, write_files

from diptych.curate.config import Folder
from diptych.errors import DataError


@pytest.mark.parametrize(("of_image", "of_annotation"), [("1", 1), (1, "1"), (1.0, 1), (1, 1)])
def test_coco_ids_may_be_numbers_or_texts_and_empty_captions_are_none(
    of_image: object, of_annotation: object, tmp_path: Path
) -> None:
    told = [
        {"id": number, "image_id": of_annotation, "caption": caption} for number, caption in enumerate(["", " ", "x"])
    ]
    value = {"images": [{"id": of_image, "file_name": "a.jpg"}], "annotations": told}
    files = {"annotations/captions.json": json.dumps(value).encode(), **pictures(["images/a.jpg"])}
    assert captions_of(write_files(tmp_path, files)) == {"images/a.jpg": "x"}


def test_coco_gives_the_first_caption_and_all_of_them(tmp_path: Path) -> None:
    files = {
        "annotations/captions_train2017.json": coco({1: "1.jpg", 2: "2.jpg"}),
        "annotations/captions_val2017.json": coco({1: "1.jpg"}, " of val"),
        "annotations/instances_val2017.json": json.dumps({"images": [], "annotations": [], "categories": []}).encode(),
    }
    write_files(
        tmp_path, {**files, **pictures(["train2017/1.jpg", "train2017/2.jpg", "val2017/1.jpg", "val2017/9.jpg"])}
    )
    settings = Folder(kind="folder", path=tmp_path, columns=("captions",), types={"captions": "string[]"})
    found = {row["file"]: (row["caption"], row["captions"]) for row in rows_of(settings)}
    assert found == {
        "train2017/1.jpg": ("seen 1", ["seen 1", "seen 1 again"]),
        "train2017/2.jpg": ("seen 2", ["seen 2", "seen 2 again"]),
        "val2017/1.jpg": ("seen 1", ["seen 1", "seen 1 of val"]),
        "val2017/9.jpg": (None, None),
    }


def test_coco_pictures_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    for name in ("captions_val", "coco_captions"):
        files = {f"annotations/{name}.json": coco({7: "7.jpg"}), "coco/README": b"", "captions/README": b""}
        found = captions_of(write_files(tmp_path / name, {**files, **pictures(["images/7.jpg"])}))
        assert found["images/7.jpg"] == "seen 7"


@pytest.mark.parametrize(
    ("train", "val", "named"),
    [
        ("train", "val", "{}"),
        ("train", "val", "{}_captions"),
        ("train", "val", "coco-{}-captions"),
        ("images/train2017", "images/val2017", "{}"),
        ("data/train", "data/valid", "captions_{}"),
        ("training/images", "validation/images", "{}2017"),
    ],
)
def test_a_picture_of_one_coco_split_never_gets_the_caption_of_another(
    train: str, val: str, named: str, tmp_path: Path
) -> None:
    files = {f"annotations/{named.format(split)}.json": coco({1: "a.jpg"}, split) for split in ("train", "val")}
    write_files(tmp_path, {**files, **pictures([f"{train}/a.jpg", f"{val}/a.jpg", f"{val}/b.jpg"])})
    settings = Folder(kind="folder", path=tmp_path, columns=("captions",), types={"captions": "string[]"})
    found = {row["file"]: row["captions"] for row in rows_of(settings)}
    assert found == {
        f"{train}/a.jpg": ["seen 1", "seen 1train"],
        f"{val}/a.jpg": ["seen 1", "seen 1val"],
        f"{val}/b.jpg": None,
    }


def test_a_coco_file_about_the_folder_goes_before_one_about_none_and_others_have_to_agree(tmp_path: Path) -> None:
    files = {"annotations/all.json": coco({1: "a.jpg"}, " all"), "annotations/val.json": coco({1: "a.jpg"})}
    write_files(tmp_path, {**files, **pictures(["val/a.jpg"])})
    settings = Folder(kind="folder", path=tmp_path, columns=("captions",), types={"captions": "string[]"})
    assert [row["captions"] for row in rows_of(settings)] == [["seen 1", "seen 1 again"]]
    write_files(tmp_path, {"annotations/x.json": coco({1: "a.jpg"}), **pictures(["other/a.jpg"])})
    with pytest.raises(
        DataError, match=r"all\.json: says another caption of other/a\.jpg than x\.json does; name each"
    ):
        captions_of(tmp_path)


@pytest.mark.parametrize(
    ("ids", "first"),
    [([None, 2], "1"), ([3, "b"], "0"), (["10", "9"], "1"), ([None, None], "0"), ([2, 1.0], "1"), ([[], 5], "1")],
)
def test_captions_of_coco_are_ordered_by_id_whatever_the_ids_are(ids: list[object], first: str, tmp_path: Path) -> None:
    told = [{"id": one, "image_id": 1, "caption": str(number)} for number, one in enumerate(ids)]
    value = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": told}
    files = {"annotations/captions.json": json.dumps(value).encode(), **pictures(["images/a.jpg"])}
    assert captions_of(write_files(tmp_path, files)) == {"images/a.jpg": first}


@pytest.mark.parametrize("name", ["labels.json", "annotations/captions.json"])
@pytest.mark.parametrize(
    ("image", "annotation", "key"),
    [
        ({"id": 1, "file_name": "a.jpg"}, {"caption": "x"}, "image_id"),
        ({"file_name": "a.jpg"}, {"image_id": 1, "caption": "x"}, "id"),
        ({"id": 1, "file": "a.jpg"}, {"image_id": 1, "caption": "x"}, "file_name"),
    ],
)
def test_a_record_of_coco_without_what_finds_its_picture_is_shown(
    image: dict[str, Any], annotation: dict[str, Any], key: str, name: str, tmp_path: Path
) -> None:
    content = json.dumps({"images": [image], "annotations": [annotation]}).encode()
    write_files(tmp_path, {name: content, **pictures(["images/a.jpg"])})
    with pytest.raises(DataError) as caught:
        captions_of(tmp_path)
    shown = json.dumps(annotation if key == "image_id" else image)
    said = f"captions of COCO need {key!r} to find their pictures, and one record has none: {shown}"
    assert str(caught.value) == f"{tmp_path / name}: {said}"
