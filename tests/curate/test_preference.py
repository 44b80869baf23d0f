"""What may order rows of which one is kept, and how."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from diptych.curate.conditions import TrialTable, trial_table
from diptych.curate.preference import misordered_key, without_nan
from diptych.data.sql import connect

NAN = float("nan")
COLUMNS = pa.table(
    {
        "n": pa.array([9, 1000], pa.int16()),
        "f": [NAN, 9.0],
        "g": pa.array([NAN, 9.0], pa.float32()),
        "d": [Decimal("9.5"), Decimal("1.5")],
        "day": [datetime.date(2020, 1, 9), datetime.date(2024, 1, 1)],
        "moment": pa.array([0, 1], pa.timestamp("us", "UTC")),
        "t": ["nan", "9"],
        "meta": ['{"likes": 9}', '{"likes": 1000}'],
        "raw": [b"9", b"1000"],
        "texts": [["9"], ["1000"]],
        "numbers": [[9], [1000]],
        "pair": [{"a": "9"}, {"a": "1000"}],
        "map": pa.array([[("a", "9")], [("a", "1000")]], pa.map_(pa.string(), pa.string())),
        "coded": pa.array(["9", "1000"]).dictionary_encode(),
    }
)


def make_trial() -> TrialTable:
    return trial_table(connect(), {"data": COLUMNS.schema})


@pytest.mark.parametrize(
    "order",
    [
        *("n", "f DESC", "g, d", "day DESC", "moment", "n > 9 DESC", "TRY_CAST(t AS DOUBLE)", "t COLLATE C", "NULL"),
        *("n::HUGEINT", "moment - moment", "moment::TIME", "d * 2", "len(t)", "numbers[1]"),
        "CASE WHEN n > 1 THEN d END DESC NULLS FIRST",
        "TRY_CAST(json_extract(meta, 'likes') AS DOUBLE)",
    ],
)
def test_numbers_dates_truth_values_and_named_collations_order_rows(order: str) -> None:
    assert misordered_key(make_trial(), order) is None


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        ("n, t DESC", "t is text, in which 9 comes after 1000; say TRY_CAST(t AS DOUBLE) for numbers, or t COLLATE C"),
        ("meta->'likes' DESC", "is JSON, in which 9 comes after 1000; say TRY_CAST("),
        ("json_extract(meta, 'likes')", "is JSON, in which"),
        ("t::JSON", "is JSON, in which"),
        ("coded", "is text, in which"),
        ("t::ENUM('9')", "is ENUM("),
        ("raw DESC", "raw is BLOB, which is not ordered as numbers are"),
        ("t::BLOB", "is BLOB, which"),
        ("t::BIT", "is BIT, which"),
        ("texts", "is VARCHAR[], which"),
        ("[t]", "is VARCHAR[], which"),
        ("numbers", "is BIGINT[], which"),
        ("pair", "is STRUCT("),
        ("map", "is MAP("),
        ("pair.a", "is text, in which"),
    ],
)
def test_what_is_not_ordered_as_numbers_are_is_refused_with_its_type(order: str, kind: str) -> None:
    wrong = misordered_key(make_trial(), order)
    assert wrong is not None
    assert kind in wrong


@pytest.mark.parametrize("key", ["f", "g", "TRY_CAST(t AS DOUBLE)", "f - 1", "f + 0 * n"])
@pytest.mark.parametrize("way", ["", " DESC", " DESC NULLS LAST"])
def test_nan_comes_last_whichever_way_the_rows_are_ordered(key: str, way: str) -> None:
    trial = make_trial()
    trial.con.register("columns", COLUMNS)
    order = without_nan(trial, f"{key}{way}, n")
    found = trial.con.execute(f"SELECT n FROM columns ORDER BY {order}").fetchall()
    assert found == [(1000,), (9,)]


def test_keys_that_cannot_be_nan_stay_as_they_were_written() -> None:
    assert without_nan(make_trial(), "n  DESC, t COLLATE C") == "n  DESC, t COLLATE C"
