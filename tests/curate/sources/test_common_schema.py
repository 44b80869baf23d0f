"""Types that have all values of two others, and none where values would become something else."""

import itertools
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diptych.curate.config import CurateConfig
from diptych.curate.ingest.inputs import look_at_input
from diptych.curate.sources.common_schema import common_schema, in_schema, seen_schema, without_marks
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


def seen(*values: int | None, kind: pa.DataType) -> pa.Schema:
    return seen_schema(pa.table({"v": pa.array(values, kind)}))


@pytest.mark.parametrize("narrow", [pa.int8(), pa.int64()])
def test_uint64_beside_numbers_with_a_sign_is_int64_where_all_its_values_are(narrow: pa.DataType) -> None:
    small, none = seen(5, None, 2**63 - 1, kind=pa.uint64()), seen(None, kind=pa.uint64())
    short, signed, null = seen(7, kind=pa.uint32()), seen(-1, kind=narrow), seen(None, kind=pa.null())
    for schemas in itertools.permutations([small, none, short, signed, null]):
        found = without_marks(reduce(common_schema, schemas))
        assert found.field("v").type == pa.int64()
        assert not found.field("v").metadata
    with pytest.raises(DataError, match=r"'v' holds u?int\d+ in one file and u?int\d+ in another, and a number above"):
        reduce(common_schema, [small, seen(2**63, kind=pa.uint64()), signed])


@pytest.mark.parametrize(
    ("kind", "other"),
    [(pa.date32(), pa.timestamp("us")), (pa.timestamp("ms"), pa.timestamp("us", "UTC")), (pa.uint64(), pa.int8())],
)
def test_columns_that_cannot_be_joined_are_one_line_that_says_what_to_do(
    kind: pa.DataType, other: pa.DataType, tmp_path: Path
) -> None:
    for number, values in enumerate(
        [pa.array([2**63 + 1], pa.uint64()) if kind == pa.uint64() else pa.nulls(1, kind), pa.nulls(1, other)]
    ):
        pq.write_table(pa.table({"image": [b"%d" % number], "x": values}), tmp_path / f"{number}.parquet")
    settings = {"kind": "parquet", "path": tmp_path, "caption_column": None, "columns": ["x"]}
    with pytest.raises(DataError) as caught:
        look_at_input(CurateConfig.model_validate({"job": "curate", "source": settings})).read()
    assert f"the column 'x' holds {kind} in one file and {other} in another" in str(caught.value)
    assert "; leave it out of columns, or make the files alike" in str(caught.value)
    assert "\n" not in str(caught.value)
