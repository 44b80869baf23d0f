import json
import os
import shutil
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq
import pytest
from PIL import Image
from source_rows import contents_of, index_of, range_of, rows_of, write_files

from diptych.curate.config import CurateConfig, Folder
from diptych.curate.ingest.run import ingest
from diptych.curate.sources import bounded, open_source
from diptych.curate.sources import index as index_module
from diptych.curate.sources.digests import identify_part
from diptych.curate.sources.keys import as_hashes, picture_hashes, row_digests
from diptych.data import picture_files
from diptych.data.picture_files import NO_NAME
from diptych.errors import DataError


def test_a_folder_takes_captions_from_sidecars_or_names(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a_red-house (2).jpg", "sub/b.png", "c.webp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub/b.txt").write_text(" a boat \n")
    (tmp_path / "c.json").write_text('{"text": "a fish"}')
    (tmp_path / "stray.txt").write_text("no picture has this name")
    sidecar = {row["file"]: row["caption"] for row in rows_of(Folder(kind="folder", path=tmp_path))}
    assert sidecar == {"a_red-house (2).jpg": None, "c.webp": "a fish", "stray.txt": None, "sub/b.png": "a boat"}
    named = [row["caption"] for row in rows_of(Folder(kind="folder", path=tmp_path, captions="file_name"))]
    assert named == ["a red house", "c", "stray", "b"]


def test_a_folder_reads_names_that_are_no_utf8_and_keeps_dangling_links(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    (folder / "a.png").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    config = CurateConfig.model_validate({"job": "curate", "name": "x", "source": {"kind": "folder", "path": folder}})
    assert [row["file"] for row in rows_of(config.source)] == ["caf\ufffd.png", "gone.png"]
    dataset = ingest(config, tmp_path / "pool", progress="none").dataset
    assert pq.read_table(dataset.files[0])["status"].to_pylist() == ["ok", "unreadable"]
    named = config.source.model_copy(update={"captions": "file_name"})
    assert [row["caption"] for row in rows_of(named)] == ["caf\ufffd", "gone"]


def test_a_folder_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"x")
    (tmp_path / "in/a.txt").write_text("one")
    os.utime(tmp_path / "in/a.jpg", (1, 1))
    shutil.copytree(tmp_path / "in", tmp_path / "copy", copy_function=shutil.copy)
    settings = Folder(kind="folder", path=tmp_path / "in")
    before = contents_of(settings)
    assert contents_of(Folder(kind="folder", path=tmp_path / "copy")) == before
    (tmp_path / "in/a.txt").write_text("two")
    assert contents_of(settings) != before
    assert contents_of(settings.model_copy(update={"captions": "none"})) == contents_of(
        Folder(kind="folder", path=tmp_path / "copy", captions="none")
    ), "captions count only where they are read"
    (tmp_path / "in/a.txt").write_text("one")
    (tmp_path / "in/a.jpg").rename(tmp_path / "in/b.jpg")
    assert contents_of(settings) != before, "the name of a picture is a column"
    (tmp_path / "in/b.jpg").rename(tmp_path / "in/a.jpg")
    assert contents_of(settings) == before
    (tmp_path / "in/a.jpg").write_bytes(b"y")
    assert contents_of(settings) != before


def test_a_range_of_a_folder_is_read_whatever_has_come_into_it_since(tmp_path: Path) -> None:
    settings = Folder(kind="folder", path=write_files(tmp_path / "in", {f"{row}.jpg": b"%d" % row for row in range(6)}))
    rows = rows_of(settings)
    assert range_of(settings, 2, 5) == rows[2:5]
    part = open_source(settings).parts()[0]
    write_files(tmp_path / "in", {"00.jpg": b"new"})
    tables = open_source(settings).tables(part.range(2, 5).files)
    assert [row for table in tables for row in table.to_pylist()] == rows[2:5]


@pytest.mark.parametrize("captions", ["sidecar", "file_name", "none"])
def test_what_is_known_of_pictures_beforehand_is_what_reading_them_gives(
    captions: Literal["sidecar", "file_name", "none"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_files, "MAX_PICTURE_BYTES", 10)
    monkeypatch.setattr(index_module, "MAX_PICTURE_BYTES", 10)
    folder = write_files(tmp_path / "in", {"a.jpg": b"a", "large.jpg": b"x" * 11, "empty.jpg": b"", "z.txt": b"stray"})
    write_files(folder, {f"{name}.txt": name.encode() for name in ("a", "gone")})
    (folder / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    settings = Folder(kind="folder", path=folder, captions=captions)
    source = open_source(settings)
    tables = list(source.tables(source.parts()[0].files))
    index = index_of(settings)
    known_by = [digest for table in tables for digest in row_digests(table, picture_hashes(table))]
    assert index.hashes.tolist() == as_hashes(known_by).tolist()
    assert index.sizes.tolist() == [1, 0, 0, 0, 5]
    assert [row["__problem"] for row in tables[0].to_pylist()] == [
        None,
        None,
        "unreadable: No such file or directory",
        "too_large: 11 bytes, more than 10",
        None,
    ]


def test_tables_of_large_pictures_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "TABLE_BYTES", 1000)
    settings = Folder(kind="folder", path=write_files(tmp_path, {f"{row}.jpg": b"x" * 400 for row in range(7)}))
    source = open_source(settings)
    assert [table.num_rows for table in source.tables(source.parts()[0].files)] == [2, 2, 2, 1]


def test_an_archive_for_a_folder_is_not_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "pics.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"pics\.zip: a file, not a folder; unpack an archive, read a table"):
        rows_of(Folder(kind="folder", path=tmp_path / "pics.zip"))


def test_a_name_that_no_file_can_have_is_a_row_that_says_so(tmp_path: Path) -> None:
    lines = [{"file_name": "a.jpg", "text": "a"}, {"file_name": "b\0.jpg", "text": "b"}]
    files = {"a.jpg": b"x", "metadata.jsonl": "\n".join(map(json.dumps, lines)).encode()}
    source = Folder(kind="folder", path=write_files(tmp_path, files))
    assert [(row["caption"], row["__problem"]) for row in rows_of(source)] == [("a", None), ("b", NO_NAME)]
    assert [identify_part(part).digests[1] for part in open_source(source).parts()] == [None]
