from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_rows import rows_of

from diptych.curate.config import ParquetImages
from diptych.curate.sources import open_source
from diptych.errors import DataError


def test_parquet_with_image_bytes_is_read_as_struct_and_as_binary(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [{"bytes": b"1", "path": "a"}], "text": ["t"]}), tmp_path / "struct.parquet")
    pq.write_table(pa.table({"jpg": [b"2", None], "text": ["t", "u"]}), tmp_path / "binary.parquet")
    struct = ParquetImages(kind="parquet", path=tmp_path / "struct.parquet", caption_column="text")
    binary = ParquetImages(kind="parquet", path=tmp_path / "binary.parquet", image_column="jpg", caption_column="text")
    assert [row["__bytes"] for row in rows_of(struct)] == [b"1"]
    assert [(row["__bytes"], row["caption"]) for row in rows_of(binary)] == [(b"2", "t"), (None, "u")]
    with pytest.raises(DataError, match="holds string, not image bytes"):
        open_source(binary.model_copy(update={"image_column": "text"})).parts()


def test_a_column_that_is_not_there_or_there_twice_is_named_with_its_file(tmp_path: Path) -> None:
    twice = pa.table([[b"x"], ["c"], ["d"]], names=["image", "caption", "caption"])
    pq.write_table(twice, tmp_path / "t.parquet")
    for settings, said in (({}, "there are 2 columns 'caption'"), ({"image_column": "jpg"}, "unknown column 'jpg'")):
        with pytest.raises(DataError, match=rf"t\.parquet: {said}"):
            open_source(ParquetImages(kind="parquet", path=tmp_path, **settings)).parts()


def test_captions_of_binary_parquet_may_hold_stray_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"x"], "caption": [b"caf\xe9"]}), tmp_path / "t.parquet")
    assert rows_of(ParquetImages(kind="parquet", path=tmp_path))[0]["caption"] == "caf\ufffd"
