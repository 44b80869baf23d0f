"""What no source looks into is said to be that, and what to do."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from ingested import make_config

from diptych.curate.sources import open_source
from diptych.curate.sources.contract import PROBLEM
from diptych.errors import DataError


@pytest.mark.parametrize("kind", ["webdataset", "parquet", "url_table"])
@pytest.mark.parametrize(
    ("name", "said"),
    [("pics.zip", "a zip archive; unpack it, and read what is in it: pictures by the source folder"),
     ("list.xlsx", "a workbook; save the sheet as CSV UTF-8 and read that")],
)  # fmt: skip
def test_a_zip_is_named_with_its_remedy_by_every_source(kind: str, name: str, said: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("1.jpg", b"1")
    source: dict[str, Any] = {"kind": kind, "path": tmp_path / name}
    with pytest.raises(DataError, match=f"{name}: {said}$"):
        open_source(make_config(source).source).parts()


@pytest.mark.parametrize(("magic", "packed"), [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "rar")])
@pytest.mark.parametrize(("kind", "name"), [("webdataset", "1.tar"), ("parquet", "1.parquet"), ("url_table", "1.txt")])
def test_an_archive_among_the_files_of_a_folder_is_named(
    kind: str, name: str, magic: bytes, packed: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(magic + b"x" * 99)
    source = open_source(make_config({"kind": kind, "path": tmp_path}).source)
    said = f"it is packed by {packed}; unpack it"
    if kind == "parquet":  # of which no file can be read
        with pytest.raises(DataError, match=said):
            source.parts()
    else:
        (row,) = [row for table in source.tables(source.parts()[0].files) for row in table.to_pylist()]
        assert row[PROBLEM].endswith(said)
