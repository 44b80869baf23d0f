"""What no source looks into is said to be that, and what to do."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from ingested import make_config

from diptych.curate.sources import open_source
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
