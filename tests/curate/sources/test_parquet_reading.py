"""Damaged Parquet: what can be read is read, every other row says why it cannot be, and no other file is stopped."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_rows import index_of, range_of, rows_of

from diptych.curate.config import ParquetImages, UrlTable
from diptych.curate.sources import open_source
from diptych.errors import DataError

ROWS = 12
CUT = b"PAR1 and nothing of a footer"


def source_of(kind: str, path: Path) -> Any:
    return ParquetImages(kind="parquet", path=path) if kind == "parquet" else UrlTable(kind="url_table", path=path)


def write(path: Path, **facts: Any) -> None:
    """Write rows in groups of four, with sums of the bytes of each page."""
    columns = {"url": [f"http://a.example/{row}" for row in range(ROWS)], "caption": [f"c{row}" for row in range(ROWS)]}
    columns["image"] = [b"picture %d" % row for row in range(ROWS)]
    table = pa.table({**columns, **facts})
    pq.write_table(table, path, row_group_size=4, compression="NONE", write_page_checksum=True, use_dictionary=False)


@pytest.mark.parametrize("kind", ["parquet", "url_table"])
def test_a_parquet_file_that_is_cut_is_a_row_among_others_and_an_error_alone(kind: str, tmp_path: Path) -> None:
    for name in ("a", "c"):
        write(tmp_path / f"{name}.parquet")
    (tmp_path / "b.parquet").write_bytes(CUT)
    rows = rows_of(source_of(kind, tmp_path))
    assert [row["caption"] for row in rows] == [*(f"c{row}" for row in range(ROWS)), None] + [
        f"c{row}" for row in range(ROWS)
    ]
    assert rows[ROWS]["__problem"].startswith("bad_row: cannot be read as parquet: ")
    assert rows[ROWS]["__name"] == "b.parquet"
    with pytest.raises(DataError, match=r"b\.parquet: cannot be read as parquet: "):
        rows_of(source_of(kind, tmp_path / "b.parquet"))


def test_a_folder_of_which_no_parquet_file_can_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "b.parquet").write_bytes(CUT)
    with pytest.raises(DataError, match=r"b\.parquet: cannot be read as parquet: "):
        open_source(source_of("parquet", tmp_path)).parts()


@pytest.mark.parametrize("kind", ["parquet", "url_table"])
def test_a_flipped_bit_costs_the_rows_of_its_row_group_and_each_says_so(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    write(file)
    data = bytearray(file.read_bytes())
    data[data.index(b"picture 5" if kind == "parquet" else b"http://a.example/5") + 3] ^= 1
    file.write_bytes(data)
    settings = source_of(kind, file)
    rows = rows_of(settings)
    told = [row["__problem"] for row in rows]
    assert (
        told[4:8]
        == [
            "bad_row: cannot be read: could not verify page integrity, CRC checksum verification failed"
            " for page_ordinal 0"
        ]
        * 4
    )
    assert told[:4] + told[8:] == [None] * 8
    assert [row["caption"] for row in rows] == [None if 4 <= row < 8 else f"c{row}" for row in range(ROWS)]
    for start in range(ROWS):
        assert range_of(settings, start, ROWS) == rows[start:], "a worker that begins anywhere finds the same rows"
    assert len(index_of(settings).hashes) == ROWS
