import json
from pathlib import Path
from typing import Any

import pytest
from source_rows import as_csv, as_parquet, rows_of, write_files

from diptych.curate.config import Folder
from diptych.errors import DataError


def test_a_caption_with_a_comma_and_no_quotes_is_refused_and_not_cut(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"metadata.csv": b"file_name,text\na.jpg,a,\nb.jpg,a cat, asleep\n", "a.jpg": b"x"})
    with pytest.raises(
        DataError, match=r"metadata\.csv: line 3 has more fields than the header: ' asleep'; put a text"
    ):
        rows_of(Folder(kind="folder", path=folder))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", b"File_Name,Text\n1.jpg,007\n2.jpg,008\n"),
        ("metadata.jsonl", b'{"FILE_NAME": "1.jpg", "TEXT": "007"}\n{"file_name": "2.jpg", "text": "008"}\n'),
        (
            "metadata.parquet",
            as_parquet([{"FileName": 0, "File_name": f"{n}.jpg", "Text": f"00{n + 6}"} for n in (1, 2)]),
        ),
    ],
)
def test_the_name_of_a_picture_is_found_in_any_case_as_all_columns_are(
    name: str, content: bytes, tmp_path: Path
) -> None:
    folder = write_files(tmp_path, {name: content, "1.jpg": b"1", "2.jpg": b"2"})
    assert [row["caption"] for row in rows_of(Folder(kind="folder", path=folder))] == ["007", "008"]


def test_the_captions_of_one_picture_may_stand_under_keys_of_any_case(tmp_path: Path) -> None:
    told = b'{"File_Name": "1.jpg", "TEXT": "a"}\n{"file_name": "1.jpg", "text": "b"}\n'
    folder = write_files(tmp_path, {"metadata.jsonl": told, "1.jpg": b"1"})
    assert [row["caption"] for row in rows_of(Folder(kind="folder", path=folder, caption_list="joined"))] == ["a b"]


@pytest.mark.parametrize("lost", [{"file_name": None, "text": "t", "caption": "t"}, {"text": "t", "caption": "t"}])
def test_a_record_without_the_name_of_its_picture_is_shown_and_not_lost(lost: dict[str, Any], tmp_path: Path) -> None:
    rows = [{"file_name": "a.jpg", "text": "a", "caption": "a"}, lost]
    samples = [{("filepath" if key == "file_name" else key): value for key, value in row.items()} for row in rows]
    images = [{"id": number, **row} for number, row in enumerate(rows)]
    coco = {"images": images, "annotations": [{"image_id": image["id"], "caption": "c"} for image in images]}
    files = {
        "metadata.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
        "metadata.csv": as_csv([*rows[:1], {**rows[0], "file_name": "", **{k: v for k, v in lost.items() if v}}]),
        "metadata.parquet": as_parquet(rows),
        "samples.json": json.dumps({"samples": samples}).encode(),
        "annotations/c.json": json.dumps(coco).encode(),
    }
    for name, content in files.items():
        folder = write_files(tmp_path / name.partition("/")[0], {name: content, "a.jpg": b"x"})
        with pytest.raises(
            DataError, match=rf"{name}: record 2 of 2 has no text under '\w+'; say its picture there, or"
        ):
            rows_of(Folder(kind="folder", path=folder))
