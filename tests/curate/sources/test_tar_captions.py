"""Tars of folders in which a file says something of many pictures: read as the folder is that they were made of."""

import io
import json
import tarfile
from pathlib import Path
from typing import Literal

import pytest
from source_rows import as_csv, as_parquet, make_tar, rows_of, write_files

from diptych.curate.config import Folder, WebDataset
from diptych.errors import DataError

TOLD = [{"file_name": "a/0.jpg", "text": "a cat"}, {"file_name": "a/1.jpg", "text": "a dog"}]
PICTURES = {"a/0.jpg": b"zero", "a/1.jpg": b"one"}
JSONL = "".join(json.dumps(row) + "\n" for row in TOLD).encode()
COCO = {
    "images": [{"id": 0, "file_name": "0.jpg"}, {"id": 1, "file_name": "1.jpg"}],
    "annotations": [{"id": 5, "image_id": 0, "caption": "a cat"}, {"id": 6, "image_id": 1, "caption": "a dog"}],
}
SAMPLES = {"samples": [{"filepath": row["file_name"], "caption": row["text"]} for row in TOLD]}
ABOUT_MANY = {
    "metadata.jsonl": {"metadata.jsonl": JSONL},
    "metadata.csv": {"metadata.csv": as_csv(TOLD)},
    "metadata.parquet": {"metadata.parquet": as_parquet(TOLD)},
    "metadata.tsv": {"metadata.tsv": b"file_name\ttext\na/0.jpg\ta cat\na/1.jpg\ta dog\n"},
    "a column file": {"metadata.csv": b"file,text\na/0.jpg,a cat\na/1.jpg,a dog\n"},
    "names without a suffix": {"metadata.csv": b"file_name,text\na/0,a cat\na/1,a dog\n"},
    "COCO of FiftyOne": {"labels.json": json.dumps(COCO).encode()},
    "COCO": {"annotations/captions.json": json.dumps(COCO).encode()},
    "FiftyOne": {"samples.json": json.dumps(SAMPLES).encode(), "metadata.json": b"{}"},
}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("form", ABOUT_MANY)
def test_a_tar_of_a_folder_has_the_captions_of_the_folder(
    form: str, is_first: bool, mode: Literal["w", "w:gz"], tmp_path: Path
) -> None:
    parts = (ABOUT_MANY[form], PICTURES) if is_first else (PICTURES, ABOUT_MANY[form])
    files = {name: data for part in parts for name, data in part.items()}
    make_tar(tmp_path / "t.tar", [(f"./{name}", data) for name, data in files.items()], mode)
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path / "t.tar"))
    found = [(row["member"], row["__bytes"], row["caption"], row["__problem"]) for row in rows]
    assert found == [("a/0", b"zero", "a cat", None), ("a/1", b"one", "a dog", None)]
    told = rows_of(Folder(kind="folder", path=write_files(tmp_path / "folder", files)))
    assert [row["caption"] for row in told] == [row["caption"] for row in rows]


def test_the_layout_of_geneval_in_a_tar_gives_prompts_and_leaves_grids_out(tmp_path: Path) -> None:
    members = []
    for number, prompt in enumerate(["a bench", "a clock"]):
        told = json.dumps({"prompt": prompt, "tag": "single_object"}).encode()
        members += [
            (f"./{number:05}/grid.png", b"grid"),
            (f"./{number:05}/samples/0000.png", b"%d" % number),
            (f"./{number:05}/metadata.jsonl", told),
        ]
    make_tar(tmp_path / "t.tar", [*members, ("./other/grid.png", b"a picture of a grid")])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path, columns=("tag",)))
    found = [(row["member"], row["caption"], row["tag"]) for row in rows]
    assert found == [
        ("00000/samples/0000", "a bench", "single_object"),
        ("00001/samples/0000", "a clock", "single_object"),
        ("other/grid", None, None),
    ]


def test_what_a_row_of_a_tar_says_itself_goes_before_a_file_about_many(tmp_path: Path) -> None:
    members = [
        ("metadata.jsonl", JSONL),
        *PICTURES.items(),
        ("a/0.txt", b"a tiger"),
        ("a/1.json", b'{"text": "a wolf"}'),
    ]
    make_tar(tmp_path / "t.tar", members)
    assert [row["caption"] for row in rows_of(WebDataset(kind="webdataset", path=tmp_path))] == ["a tiger", "a wolf"]


def test_a_picture_that_metadata_names_and_that_is_not_in_the_tar_is_a_row(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar", [("metadata.jsonl", JSONL), ("a/0.jpg", b"zero")])
    found = [(row["member"], row["__problem"]) for row in rows_of(WebDataset(kind="webdataset", path=tmp_path))]
    said = "unreadable: a file about many pictures names it, and it is not in the tar"
    assert found == [("a/0", None), ("a/1.jpg", said)]


@pytest.mark.parametrize("other", ["a/0.png", "a/0.JPG"])
def test_a_name_without_a_suffix_that_two_pictures_have_is_that_of_none(other: str, tmp_path: Path) -> None:
    files = {"metadata.csv": b"file_name,text\na/0,a cat\na/1,a dog\n", **PICTURES, other: b"more"}
    rows = rows_of(Folder(kind="folder", path=write_files(tmp_path / "folder", files)))
    assert {row["file"]: row["caption"] for row in rows} == {
        "a/0": "a cat",
        "a/0.jpg": None,
        other: None,
        "a/1.jpg": "a dog",
    }
    make_tar(tmp_path / "t.tar", [("metadata.csv", files["metadata.csv"]), *PICTURES.items()])
    assert [row["caption"] for row in rows_of(WebDataset(kind="webdataset", path=tmp_path))] == ["a cat", "a dog"]


def test_the_json_behind_the_whole_name_of_a_picture_is_its_own(tmp_path: Path) -> None:
    told = [("0.info.json", b'{"a": 1}'), ("0.jpg.json", b'{"text": "a cat"}')]
    make_tar(tmp_path / "t.tar", [("0.jpg", b"zero"), *told])
    assert [row["caption"] for row in rows_of(WebDataset(kind="webdataset", path=tmp_path))] == ["a cat"]


def test_names_that_are_no_utf8_are_read_as_latin_1_and_stay_apart(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar", "w", encoding="latin-1", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("\xf6.jpg", "\xf6.txt", "\xe4.jpg", "\xe4.txt"):
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(name[0].encode("latin-1") if name.endswith("jpg") else name[-1:].encode()))
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [(row["member"], row["__bytes"], row["caption"]) for row in rows] == [
        ("\xf6", b"\xf6", "t"),
        ("\xe4", b"\xe4", "t"),
    ]


def test_metadata_of_a_tar_that_says_nothing_of_its_pictures_is_named_in_their_rows(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar", [("metadata.csv", b"picture,text\n0.jpg,a cat\n"), ("0.jpg", b"zero")])
    (row,) = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert row["__note"] == "metadata.csv names no picture: it has no 'file_name', but 'picture', 'text'"


@pytest.mark.parametrize("broken", ["b/metadata.jsonl", "annotations/c.json", "b/samples.json"])
def test_damaged_metadata_in_a_tar_is_named_in_its_rows_and_stops_no_other_tar(broken: str, tmp_path: Path) -> None:
    members = [(broken, b'{"file_name"\n'), ("b/0.jpg", b"zero"), ("b/1.jpg", b"one"), ("b/1.txt", b"own")]
    make_tar(tmp_path / "0.tar", members)
    make_tar(tmp_path / "1.tar", [("metadata.jsonl", JSONL), *PICTURES.items()])
    settings = WebDataset(kind="webdataset", path=tmp_path)
    rows = rows_of(settings)
    assert [row["caption"] for row in rows] == [None, "own", "a cat", "a dog"]
    assert rows[0]["__note"].startswith(f"{tmp_path}/0.tar/{broken}: ")
    assert [row["__note"] for row in rows[1:]] == [None] * 3
    alone = rows_of(settings.model_copy(update={"caption_key": None}))
    assert [(row["__problem"], row["__note"]) for row in alone] == [(None, None)] * 4, "nobody wants what it says"


def test_coco_files_that_differ_in_one_tar_stop_no_other_tar(tmp_path: Path) -> None:
    other = {**COCO, "annotations": [{"id": 5, "image_id": 0, "caption": "a car"}]}
    told = [(f"annotations/{name}.json", json.dumps(file).encode()) for name, file in (("x", COCO), ("y", other))]
    make_tar(tmp_path / "0.tar", [*told, *PICTURES.items()])
    rows = rows_of(WebDataset(kind="webdataset", path=tmp_path))
    assert [row["caption"] for row in rows] == [None, "a dog"]
    assert "says another caption of" in rows[0]["__note"]


def test_a_path_of_the_machine_in_the_metadata_of_a_tar_is_what_was_put_there_or_a_row(tmp_path: Path) -> None:
    told = b"file_name,text\n/data/in/0.jpg,a cat\n/data/1.jpg,a dog\n../2.jpg,a pig\n"
    make_tar(tmp_path / "0.tar", [("data/in/metadata.csv", told), ("data/in/0.jpg", b"zero")])
    make_tar(tmp_path / "1.tar", [("0.jpg", b"one"), ("0.txt", b"own")])
    found = [
        (row["member"], row["caption"], row["__problem"])
        for row in rows_of(WebDataset(kind="webdataset", path=tmp_path))
    ]
    said = "unreadable: a file about many pictures names it, and it is not in the tar"
    assert found == [
        ("data/in/0", "a cat", None),
        ("/data/1.jpg", None, said),
        ("data/in/../2.jpg", None, said),
        ("0", "own", None),
    ]


def test_a_json_beside_a_picture_is_about_that_alone_whatever_its_folder_is_called(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar", [("annotations/0.jpg", b"zero"), ("annotations/0.json", b'{"caption": "a cat"}')])
    found = [(row["member"], row["caption"]) for row in rows_of(WebDataset(kind="webdataset", path=tmp_path))]
    assert found == [("annotations/0", "a cat")]


def test_what_macos_puts_into_archives_is_in_no_row_of_a_tar_or_a_folder(tmp_path: Path) -> None:
    files = {"0.jpg": b"zero", "__MACOSX/0.txt": b"not a caption", "__MACOSX/a/1.jpg": b"not a picture"}
    make_tar(tmp_path / "t.tar", files.items())
    folder = write_files(tmp_path / "folder", files)
    for settings in (WebDataset(kind="webdataset", path=tmp_path / "t.tar"), Folder(kind="folder", path=folder)):
        assert [(row["__bytes"], row["caption"]) for row in rows_of(settings)] == [(b"zero", None)]


@pytest.mark.parametrize("text", ["img_1.txt", "IMG_1.text", "img_1.TEXT"])
def test_a_text_is_found_whatever_the_case_of_its_name_in_a_tar_as_in_a_folder(text: str, tmp_path: Path) -> None:
    files = {"IMG_1.jpg": b"one", "img_2.jpg": b"two", "IMG_2.jpg": b"three", text: b"a cat", "img_2.txt": b"a dog"}
    make_tar(tmp_path / "t.tar", files.items())
    tar, folder = tmp_path / "t.tar", write_files(tmp_path / "folder", files)
    for settings in (WebDataset(kind="webdataset", path=tar), Folder(kind="folder", path=folder)):
        found = {row["__bytes"]: row["caption"] for row in rows_of(settings)}
        assert found == {b"one": "a cat", b"two": "a dog", b"three": None}


def test_members_that_begin_with_a_slash_are_those_of_the_same_name_without(tmp_path: Path) -> None:
    make_tar(tmp_path / "t.tar", [("/a/0.jpg", b"zero"), ("a/0.txt", b"a cat")])
    found = [(row["member"], row["caption"]) for row in rows_of(WebDataset(kind="webdataset", path=tmp_path))]
    assert found == [("a/0", "a cat")]


@pytest.mark.parametrize("kind", ["folder", "webdataset"])
def test_a_source_that_is_not_there_names_the_key_that_says_it(
    kind: Literal["folder", "webdataset"], tmp_path: Path
) -> None:
    settings = {"folder": Folder, "webdataset": WebDataset}[kind](kind=kind, path=tmp_path / "nope")
    with pytest.raises(DataError, match=r"^source\.path: .*nope: no "):
        rows_of(settings)
