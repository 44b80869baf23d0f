"""Types that have all values of two others, and none where values would become something else."""

import pyarrow as pa
import pytest

from diptych.curate.sources.common_schema import common_schema, in_schema
from diptych.errors import DataError


def joined(first: pa.DataType, other: pa.DataType) -> pa.DataType:
    pairs = [pa.schema([("v", first)]), pa.schema([("v", other)])]
    found = common_schema(*pairs).field("v").type
    assert common_schema(*reversed(pairs)).field("v").type == found
    return found


def test_widths_and_nulls_are_joined_also_in_lists() -> None:
    assert joined(pa.int32(), pa.int64()) == pa.int64()
    assert joined(pa.uint32(), pa.int32()) == pa.int64()
    assert joined(pa.int64(), pa.float32()) == pa.float64()
    assert joined(pa.decimal128(10, 2), pa.float32()) == pa.float64()
    assert joined(pa.decimal128(10, 2), pa.int64()) == pa.float64()
    assert joined(pa.decimal128(10, 2), pa.decimal128(12, 3)) == pa.decimal128(12, 3)
    assert joined(pa.null(), pa.timestamp("s")) == pa.timestamp("s")
    assert joined(pa.list_(pa.float32()), pa.list_(pa.float64())) == pa.list_(pa.float64())


@pytest.mark.parametrize(
    ("first", "other"),
    [(pa.string(), pa.int64()), (pa.binary(), pa.string()), (pa.uint64(), pa.int64()), (pa.bool_(), pa.int8())],
)
def test_types_between_which_values_would_change_are_refused(first: pa.DataType, other: pa.DataType) -> None:
    with pytest.raises(DataError, match=f"the column 'v' holds {first} in one file and {other} in another"):
        joined(first, other)


def test_a_column_that_a_file_lacks_is_null_in_its_rows() -> None:
    schema = common_schema(pa.schema([("a", pa.int8())]), pa.schema([("b", pa.string())]))
    assert in_schema(pa.table({"b": ["x"]}), schema, "f").to_pydict() == {"a": [None], "b": ["x"]}
