"""Numbers that are none, infinite, huge, or closer together than doubles: counted as DuckDB counts them, everywhere."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pytest
from carried_pool import carried_report
from report_browser import Watched
from report_gallery import Gallery, counts

ROWS = range(60)
BIG = 2**60
COLUMNS = {
    "a": pa.array([float(number % 5) for number in ROWS]),
    "b": pa.array([float(number % 4) for number in ROWS]),
    "ends": pa.array([(float("inf"), float("-inf"), 1.0, 2.0, 2.5, None)[number % 6] for number in ROWS]),
    "huge": pa.array([(1.7e308, -1.7e308, 0.0, 1.0)[number % 4] for number in ROWS]),
    "near": pa.array([1.0 + number * 2.0**-52 for number in ROWS]),
    "big": pa.array([BIG + number for number in ROWS]),
}
RULES = {
    "quotient": "a / b >= 1",
    "below": "ends <= 2",
    "huge": "huge > 0",
    "near": "near < 1.000000000000011",
    "big": f"big > {BIG + 3}",
}
SIGNS = {"quotient": ("a / b", ">="), "below": ("ends", "<="), "huge": ("huge", ">"), "near": ("near", "<")}


class Odd(NamedTuple):
    """A report on a pool of such numbers, and the pool as one table."""

    out: Path
    con: duckdb.DuckDBPyConnection

    def count(self, condition: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM pool WHERE {condition}").fetchall()[0][0])

    @property
    def page(self) -> str:
        return "".join(page.read_text(encoding="utf-8") for page in sorted(self.out.glob("funnel*.html")))

    def lines(self) -> dict[str, dict[str, Any]]:
        """What each slider counts with, by the rule."""
        found = [Gallery(self.out).data(file) for file in re.findall(r'data-file="([^"]*)"', self.page)]
        return {one["rule"]["name"]: one for one in found}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Odd:
    return Odd(*carried_report(tmp_path_factory.mktemp("odd"), COLUMNS, RULES))


@pytest.mark.parametrize("rule", SIGNS)
def test_every_line_keeps_as_many_rows_as_duckdb_says(odd: Odd, rule: str) -> None:
    facts, (column, sign) = odd.lines()[rule], SIGNS[rule]
    assert facts["operator"] == sign
    others = " AND ".join(f"({where})" for name, where in RULES.items() if name != rule)
    for counted, rest in ((facts["alone"], "true"), (facts["final"], others)):
        for place in {0, facts["own"], len(facts["lines"]) // 2, len(facts["lines"]) - 1}:
            below, upto, rows = counted["below"][place], counted["upto"][place], counted["rows"]
            kept = {">": rows - upto, ">=": rows - below, "<": below, "<=": upto}[sign]
            line = f"{facts['lines'][place]!r}::DOUBLE"
            assert kept == odd.count(f"{column} {sign} {line} AND {rest}"), (rule, place)
    assert odd.count("isnan(a / b)") == 3
    assert len(facts["places"]) <= 4000


def test_counts_lead_to_as_many_images_and_infinite_values_are_values(odd: Odd) -> None:
    found = list(counts(odd.out))
    assert len(found) > 50
    assert [each for each in found if each[2] != each[3]] == []
    gallery = Gallery(odd.out)
    assert gallery.count("gallery.html#f=ends:none") == odd.count("ends IS NULL") == 10
    assert gallery.count("gallery.html#f=ends:2.5..") == odd.count("ends >= 2.5") == 20


def test_whole_numbers_that_doubles_cannot_tell_apart_have_no_line_to_move(odd: Odd) -> None:
    assert "big" not in odd.lines()
    assert f"<code>big &gt; {BIG + 3}</code>" in odd.page


def test_pages_of_odd_numbers_open_and_their_lines_move(odd: Odd, tab: Watched) -> None:
    for page in sorted(odd.out.glob("*.html")):
        tab.open(page)
        for box in tab.page.locator(".threshold").all():
            before = box.locator(".kept").inner_text()
            box.locator("input[type=range]").evaluate(
                "(one) => { one.value = one.value > 0 ? 0 : one.max; one.dispatchEvent(new Event('input')); }"
            )
            box.locator("pre").wait_for()
            assert box.locator(".kept").inner_text() != before
        assert "NaN" not in tab.page.content().replace("isnan", "")
    tab.open(odd.out / "gallery.html", "#f=ends:2.5..&s=-ends")
    assert tab.page.locator(".badge").first.inner_text() == "\N{INFINITY}"
    assert tab.page.evaluate("[-0, 0, -0.5, NaN].map(Diptych.number)") == ["0", "0", "-0.5", "\N{EN DASH}"]
