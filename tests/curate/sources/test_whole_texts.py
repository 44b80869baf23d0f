from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_rows import rows_of

from diptych.curate.config import ParquetImages
from diptych.curate.sources.whole_texts import whole_texts

WHOLE = ["caf\N{REPLACEMENT CHARACTER}", None, "ok"]


def torn() -> pa.Array:
    """Return texts as a writer leaves them that checks nothing: Latin-1, null, and one that is right."""
    offsets = pa.py_buffer(np.array([0, 4, 4, 6], np.int32))
    return pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(bytes([0b101])), offsets, pa.py_buffer(b"caf\xe9ok")])


NESTED: dict[str, tuple[pa.Array, list[Any]]] = {
    "text": (torn(), WHOLE),
    "list": (pa.ListArray.from_arrays([0, 2, 3], torn()), [WHOLE[:2], WHOLE[2:]]),
    "struct": (
        pa.StructArray.from_arrays([torn(), pa.array([b"\xff", None, b""])], ["path", "bytes"]),
        [{"path": text, "bytes": data} for text, data in zip(WHOLE, (b"\xff", None, b""), strict=True)],
    ),
    "map": (
        pa.MapArray.from_arrays(pa.array([0, 2, 3], pa.int32()), pa.array(["a", "b", "c"]), torn()),
        [[("a", WHOLE[0]), ("b", None)], [("c", "ok")]],
    ),
    "dictionary": (pa.DictionaryArray.from_arrays(pa.array([2, 0, 0], pa.int8()), torn()), ["ok", WHOLE[0], WHOLE[0]]),
}


@pytest.mark.parametrize("kind", NESTED)
def test_bytes_that_are_no_utf8_are_replaced_and_the_type_stays(kind: str) -> None:
    array, expected = NESTED[kind]
    table = whole_texts(pa.table({"n": range(len(array)), "x": array}))
    assert table["x"].to_pylist() == expected
    assert table.schema == pa.schema([("n", pa.int64()), ("x", array.type)])


def test_texts_that_are_utf8_stay_the_arrays_that_they_are() -> None:
    table = pa.table({"x": ["caf\N{LATIN SMALL LETTER E WITH ACUTE}", None]})
    assert whole_texts(table) is table


def test_a_text_that_is_no_utf8_stops_no_file(tmp_path: Path) -> None:
    columns = {name: torn() for name in ("caption", "url", "key", "note")}
    pq.write_table(pa.table({"image": [b"1", b"2", b"3"], **columns}), tmp_path / "a.parquet")
    rows = rows_of(ParquetImages(kind="parquet", path=tmp_path / "a.parquet", columns=("note",)))
    for name in ("caption", "url", "source_key", "note"):
        assert [row[name] for row in rows] == WHOLE
