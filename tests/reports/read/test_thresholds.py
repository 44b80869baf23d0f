import duckdb
import pytest

from diptych.reports.read.thresholds import Threshold, find_thresholds


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("image.sharpness >= 40", [("image.sharpness", ">=", 40.0)]),
        ("least(data.width, data.height) >= 60", [("least(width, height)", ">=", 60.0)]),
        ("0.28 < clip_similarity", [("clip_similarity", ">", 0.28)]),
        ("punsafe <= -1.5e-1", [("punsafe", "<=", -0.15)]),
        (
            "text.words >= 2 AND NOT text.is_filename AND text.words < 40",
            [("text.words", ">=", 2.0), ("text.words", "<", 40.0)],
        ),
        ("width * height > 512 * 512", [("(width * height)", ">", 262144.0)]),
        ("a > 0.5::DOUBLE", [("a", ">", 0.5)]),
        ("CAST(likes AS INTEGER) >= 10", [("CAST(likes AS INTEGER)", ">=", 10.0)]),
        ('"odd name".score > 0.5', [("odd name.score", ">", 0.5)]),
    ],
)
def test_threshold_is_read_from_a_rule(where: str, expected: list[tuple[str, str, float]]) -> None:
    found = find_thresholds(duckdb.connect(), where)
    assert [(each.name, each.operator, each.value) for each in found] == expected


@pytest.mark.parametrize(
    "where",
    [
        "regexp_matches(caption, 'x')",
        "a > 1 OR b > 2",
        "a > b",
        "status = 'ok'",
        "a > (SELECT max(x) FROM t)",
        "1 > 2",
        "not SQL at all (",
        "a > 'text'",
        "a > 1; SELECT 2",
    ],
)
def test_rule_without_a_line_has_no_threshold(where: str) -> None:
    assert find_thresholds(duckdb.connect(), where) == []


def test_rule_around_its_number_is_as_it_was_written() -> None:
    where = "caption <> 'é' and  a.b>=-6e1 AND NOT c"
    (found,) = find_thresholds(duckdb.connect(), where)
    assert found.around == ("caption <> 'é' and  a.b>=", " AND NOT c")
    assert found.value == -60
    assert "b" not in found.others
    assert "caption" in found.others
    assert "NOT" in found.others


@pytest.mark.parametrize("where", ["a > 3 * 100", "a > 0.5::DOUBLE AND (b OR c)", "d AND 1 + 1 <= a"])
def test_rule_around_a_number_that_is_worked_out_takes_another_number(where: str) -> None:
    con = duckdb.connect()
    (found,) = find_thresholds(con, where)
    (again,) = find_thresholds(con, f"{found.around[0]}7.5{found.around[1]}")
    assert (again.expression, again.operator, again.value, again.others) == (
        *found[:1],
        found.operator,
        7.5,
        found.others,
    )


def test_side_that_is_kept_follows_from_the_operator() -> None:
    sides = {operator: Threshold("a", "a", operator, 1.0) for operator in (">", ">=", "<", "<=")}
    assert [each.keeps_above for each in sides.values()] == [True, True, False, False]
