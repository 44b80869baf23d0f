"""The changed rule that a slider gives as YAML: a rule of a config, which keeps as many rows as the page promises."""

import re
import time
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pytest
import yaml
from carried_pool import carried_report
from report_browser import Watched
from report_gallery import counts

from diptych.curate.config import Rule

ROWS = range(80)
COLUMNS = {
    "single": pa.array([number / 10 for number in ROWS], pa.float32()),
    "tiny": pa.array([number * 1e-7 for number in ROWS], pa.float32()),
    "whole": pa.array(list(ROWS)),
    "fine": pa.array([12345 + number / 1000 for number in ROWS]),
}
RULES = {
    "plain": "single >= 0.2",
    "tiny": "tiny > 0.0000002",
    "fine": "fine >= 12345.004",
    "no": "whole > 5",
    "off": "single < 7.8e0",
    "null": "single <= 7.6::DOUBLE",
    "written": "single < CAST(7.4 AS FLOAT)",
}
LINES = {
    "no": ["5.5", "30", "-1"],
    "off": ["5.9", "0.3", "7"],
    "null": ["5.7", "0.7"],
    "plain": ["0.7", "5.9", "1e-7", "1e300", "-1e300"],
    "tiny": ["0.0000005", "7e-7", "0.0000009", "1e-5"],
    "written": ["5.7", "5.9"],
    "fine": ["12345.006", "12345.0171"],
}


class Moved(NamedTuple):
    """A report and its pool as one table."""

    out: Path
    con: duckdb.DuckDBPyConnection

    def count(self, condition: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM pool WHERE {condition}").fetchall()[0][0])


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    return Moved(*carried_report(tmp_path_factory.mktemp("moved"), COLUMNS, RULES))


def test_rule_of_a_typed_line_is_a_rule_and_keeps_what_is_promised(moved: Moved, tab: Watched) -> None:
    seen = []
    for page in sorted(moved.out.glob("funnel*.html")):
        tab.open(page)
        for section in tab.page.locator("section.rule").all():
            where = section.locator("p > code").first.inner_text()
            name = next(name for name, text in RULES.items() if text == where)
            for line in LINES[name]:
                before = section.locator(".kept").inner_text()
                section.locator("input[type=number]").fill(line)
                until = time.monotonic() + 10
                while section.locator(".kept").inner_text() == before:  # the sentence holds the line itself
                    assert time.monotonic() < until, f"{where} at {line}: nothing changes"
                    tab.page.wait_for_timeout(10)
                section.locator("pre").wait_for()
                (written,) = yaml.safe_load(section.locator("pre").inner_text())
                rule = Rule.model_validate(written)
                assert rule.name == name
                assert rule.where != where
                said = section.locator(".kept").inner_text()
                found = re.search(r"keep (\d+) of 80 rows by itself, and with all other steps (\d+)\.", said)
                assert found is not None, said
                others = " AND ".join(f"({text})" for other, text in RULES.items() if other != name)
                assert int(found[1]) == moved.count(rule.where), (rule.where, said)
                assert int(found[2]) == moved.count(f"({rule.where}) AND {others}"), (rule.where, said)
            seen.append(name)
    assert sorted(seen) == sorted(RULES)


def test_bars_of_rules_in_both_precisions_lead_to_as_many_images(moved: Moved) -> None:
    found = [each for each in counts(moved.out) if "f=single:" in each[1]]
    assert len(found) > 40
    assert [each for each in found if each[2] != each[3]] == []


def test_line_is_said_with_all_its_digits(moved: Moved, tab: Watched) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in moved.out.glob("funnel*.html"))
    assert "Fine \N{GREATER-THAN OR EQUAL TO} 12345.004 keeps" in text
    (page,) = [page for page in moved.out.glob("funnel*.html") if 'data-column="fine"' in page.read_text("utf-8")]
    tab.open(page)
    box = tab.page.locator(".threshold[data-column='fine']")
    box.locator("input[type=number]").fill("12345.0171")
    box.get_by_role("button", name="Back to 12345.004").wait_for()
    assert "12345.0171 would keep" in box.locator(".kept").inner_text()
    assert box.locator(".pole").inner_text().endswith("12345.0171")
