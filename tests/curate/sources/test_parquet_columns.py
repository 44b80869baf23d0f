"""Carried columns of Parquet, in types that rules can be written over."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Features
from source_rows import rows_of

from diptych.curate.config import ParquetImages, UrlTable
from diptych.curate.sources.parquet_columns import sql_column
from diptych.errors import DataError

NAN = float("nan")


def kept(values: Any, kind: pa.DataType) -> pa.ChunkedArray:
    return sql_column(pa.chunked_array([pa.array(values, kind)]), "v", "a.parquet")


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.float16()])
def test_nan_is_null_and_half_floats_are_floats_also_in_lists(kind: pa.DataType) -> None:
    values = [np.float16(0.5), np.float16(NAN), None]
    assert kept(values, kind).to_pylist() == [0.5, None, None]
    wanted = pa.float64() if kind == pa.float64() else pa.float32()
    assert kept(values, kind).type == wanted
    lists = [[*values], None, [], [np.float16(2)]]
    for listed, more in ((pa.list_(kind), lists), (pa.large_list(kind), lists), (pa.list_(kind, 3), [values, None])):
        expected = [None if one is None else [None if x is None or x != x else float(x) for x in one] for one in more]
        found = kept(more, listed)
        assert found.to_pylist() == expected
        assert found.type.value_type == wanted
        sliced = sql_column(pa.chunked_array([pa.array([[np.float16(7)] * 3, *more], listed)]).slice(1), "v", "f")
        assert sliced.to_pylist() == expected
    nested = kept([[[np.float16(NAN), np.float16(1)]], None], pa.list_(pa.list_(kind)))
    assert nested.to_pylist() == [[[None, 1.0]], None]


def test_views_of_lists_are_lists_with_all_their_values() -> None:
    values = [["a"], None, ["b"], ["c", "d"]]
    assert kept(values, pa.list_view(pa.string())).to_pylist() == values
    assert kept(values, pa.large_list_view(pa.string())).type == pa.list_(pa.string())


def test_what_datasets_cannot_open_is_told_in_types_that_it_has() -> None:
    pairs = {"a": 1, "b": None}
    found = kept([pairs, None, {}], pa.map_(pa.string(), pa.float16()))
    assert found.to_pylist() == [[{"key": "a", "value": 1.0}, {"key": "b", "value": None}], None, []]
    assert found.type == pa.list_(pa.struct([("key", pa.string()), ("value", pa.float32())]))
    nested = kept([{"m": [pairs]}], pa.struct([("m", pa.list_(pa.map_(pa.string(), pa.int64())))]))
    assert nested.to_pylist() == [{"m": [[{"key": "a", "value": 1}, {"key": "b", "value": None}]]}]
    assert kept([UUID(int=7), None], pa.uuid()).to_pylist() == ["00000000-0000-0000-0000-000000000007", None]
    assert kept(['{"a": 1}'], pa.json_()).type == pa.string()
    assert kept([Decimal("1.50")], pa.decimal32(5, 2)).type == pa.decimal128(5, 2)
    for kind in (found.type, nested.type):
        assert Features.from_arrow_schema(pa.schema([("v", kind)])).arrow_schema.field("v").type == kind


@pytest.mark.parametrize("kind", [pa.string(), pa.int8(), pa.decimal128(10, 2), pa.timestamp("ms"), pa.bool_()])
def test_other_columns_stay_as_they_are(kind: pa.DataType) -> None:
    assert kept([None], kind).type == kind


def test_a_type_that_sql_has_not_is_one_line_with_column_and_file(tmp_path: Path) -> None:
    table = pa.table({"image": [b"x"], "url": ["u"], "caption": ["a"], "v": pa.array([1], pa.decimal256(60, 2))})
    pq.write_table(table, tmp_path / "wide.parquet")
    path = tmp_path / "wide.parquet"
    images = ParquetImages(kind="parquet", path=path, columns=("v",))
    for settings in (images, UrlTable(kind="url_table", path=path, url_column="url", columns=("v",))):
        with pytest.raises(DataError, match=r"wide\.parquet: the column 'v' holds decimal256.*, which SQL cannot take"):
            rows_of(settings)
    declared = UrlTable(kind="url_table", path=path, url_column="url", columns=("v",), types={"v": "float64"})
    assert [row["v"] for row in rows_of(declared)] == [1.0]


def test_both_sources_of_parquet_carry_nan_as_null(tmp_path: Path) -> None:
    table = pa.table({"image": [b"x"] * 2, "url": ["u"] * 2, "caption": ["a"] * 2, "v": np.array([NAN, 9], "f2")})
    pq.write_table(table, tmp_path / "a.parquet")
    images = ParquetImages(kind="parquet", path=tmp_path, columns=("v",))
    for settings in (images, UrlTable(kind="url_table", path=tmp_path, url_column="url", columns=("v",))):
        assert [row["v"] for row in rows_of(settings)] == [None, 9.0]
