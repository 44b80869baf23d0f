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


def test_side_that_is_kept_follows_from_the_operator() -> None:
    sides = {operator: Threshold("a", "a", operator, 1.0) for operator in (">", ">=", "<", "<=")}
    assert [each.keeps_above for each in sides.values()] == [True, True, False, False]
    assert [each.value_is_kept for each in sides.values()] == [False, True, False, True]
