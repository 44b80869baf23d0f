"""Of a pool that is larger than what a report shows, every number counts all rows, as DuckDB counts them."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import duckdb
import pytest
import yaml
from large_pool import RULES, SIGNED, large_table, make_large_pool
from report_browser import Watched
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.pages.distributions import QUANTILES
from diptych.reports.read.numbers import number

LINK = re.compile(r'<a href="(gallery\.html#[^"]*)"[^>]*>([\d,]+)(?: [a-z ]+)?</a>')
SAID = re.compile(r"keep ([\d,]+) of ([\d,]+) rows by itself, and with all other steps ([\d,]+)\.")
COLUMNS = {"(least(width, height) * 2)": "least(width, height) * 2"}


class Large(NamedTuple):
    """A pool, its report, and the pool as one table."""

    out: Path
    con: duckdb.DuckDBPyConnection
    rows: int

    def count(self, condition: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM pool WHERE {condition}").fetchall()[0][0])

    def pages(self, name: str) -> Iterator[str]:
        for page in sorted(self.out.glob(f"{name}*.html")):
            yield page.read_text(encoding="utf-8")


SIZES = [pytest.param((3000, 300), id="3,000"), pytest.param((50_000, 5_000), id="50,000", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=SIZES)
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Large:
    count, shown = request.param
    folder = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        pool = make_large_pool(folder / "pool", count)
    config = {"job": "report", "pools": [str(pool)], "max_images": shown}
    built = build_report(ReportConfig.model_validate(config), folder / "out")
    assert built.images == shown
    return Large(folder / "out", large_table(pool), count)


def flat(where: str) -> str:
    """Return a rule over the one table."""
    return where.replace("n.number", "number").replace("text.", "")


def condition_of(address: str) -> str:
    """Return the filters of the gallery as SQL."""
    wanted: dict[str, list[str]] = {}
    for part in html.unescape(address).partition("#")[2].split("&"):
        if part.startswith("f="):
            column, _, value = part[2:].partition(":")
            wanted.setdefault(unquote(column), []).append(unquote(value))
    terms = [f"({' OR '.join(_term(column, value) for value in values)})" for column, values in wanted.items()]
    return " AND ".join(terms)


def _term(column: str, value: str) -> str:
    if column == "dataset":
        return "true"
    if column == "decision":
        return "keep" if value == "kept" else f"lost_to = '{value}'"
    if column == "status":
        return f"status = '{value}'"
    sql = COLUMNS.get(column) or f"CAST({flat(column)} AS DOUBLE)"
    if value == "none":
        return f"{sql} IS NULL"
    low, _, high = value.partition("..")
    ends = [f"{sql} >= {low}::DOUBLE"] if low else []
    if high:
        ends.append(f"{sql} <= {high[:-1]}::DOUBLE" if high.endswith("]") else f"{sql} < {high}::DOUBLE")
    return " AND ".join([*ends, f"{sql} IS NOT NULL"])


@pytest.mark.parametrize("page", ["funnel", "distributions", "provenance"])
def test_every_number_that_leads_to_images_counts_all_rows(large: Large, page: str) -> None:
    said = [(address, int(text.replace(",", ""))) for each in large.pages(page) for address, text in LINK.findall(each)]
    assert len(said) >= {"funnel": 60, "distributions": 60}.get(page, 1)
    wrong = [(address, n) for address, n in said if large.count(condition_of(address)) != n]
    assert wrong == []


def test_bars_beside_a_line_are_cut_at_it(large: Large) -> None:
    text = "".join(large.pages("funnel"))
    for name, line in (("n.number", "0.30000001192092896"), ("n.number", "0.699999988079071"), ("likes", "0.9")):
        assert f"f={name}:{line}.." in text, line


def test_quantiles_and_sizes_of_groups_are_those_of_all_rows(large: Large) -> None:
    text = "".join(large.pages("distributions"))
    for title, column in (("Number (n)", "number"), ("Caption words (text)", "caption_words")):
        section = next(part for part in text.split("<section")[1:] if f">{title}</h2>" in part)
        for share, row in zip(QUANTILES, re.findall(r'class="quantile">(.*?)</tr>', section), strict=True):
            cells = re.findall(r'<td class="n">([^<]*)</td>', row)
            sql = f"SELECT quantile_cont({column}::DOUBLE, {share}) FROM pool GROUP BY keep ORDER BY keep DESC"
            assert cells == [number(value) for (value,) in large.con.execute(sql).fetchall()], (title, share)
        sizes = [int(n.replace(",", "")) for n in re.findall(r'<span class="soft">n ([\d,]+)', section)]
        assert sizes == [large.count(f"{column} IS NOT NULL AND {keep}") for keep in ("keep", "NOT keep")]


def boxes(large: Large, tab: Watched) -> Iterator[tuple[Any, str]]:
    """Yield the box of each line with its rule."""
    for page in sorted(large.out.glob("funnel*.html")):
        tab.open(page)
        for section in tab.page.locator("section.rule").all():
            where = section.locator("p > code").first.inner_text()
            yield section.locator(".threshold"), next(name for name, text in RULES.items() if text == where)


def place(box: Any, to: str) -> None:
    box.locator("input[type=range]").evaluate(
        f"(one) => {{ one.value = {to}; one.dispatchEvent(new Event('input')); }}"
    )
    box.page.wait_for_timeout(80)


def check(large: Large, box: Any, name: str, *, is_moved: bool) -> float:
    """Check what is said of a line, and return the line."""
    column, sign, own = SIGNED[name]
    line = float(box.locator("input[type=number]").input_value())
    where = RULES[name]
    if is_moved:
        (rule,) = yaml.safe_load(box.locator("pre").inner_text())
        assert rule["name"] == name
        where = rule["where"]
        assert where == RULES[name].replace(f"{own:g}", f"{line:g}", 1)
    else:
        assert line == own
        assert not box.locator("pre").is_visible()
    found = SAID.search(box.locator(".kept").inner_text().replace("keeps", "keep"))
    assert found is not None, box.locator(".kept").inner_text()
    alone, total, final = (int(part.replace(",", "")) for part in found.groups())
    assert total == large.rows
    assert alone == large.count(f"({flat(where)})"), (name, line)
    assert alone == large.count(f"{column} {sign} {line!r}"), (name, line)
    others = " AND ".join(f"({flat(rule)})" for other, rule in RULES.items() if other != name)
    assert final == large.count(f"status = 'ok' AND {others} AND ({flat(where)})"), (name, line)
    return line


def test_slider_counts_all_rows_at_every_line_and_back_at_the_rules_own(large: Large, tab: Watched) -> None:
    seen = {}
    for box, name in boxes(large, tab):
        check(large, box, name, is_moved=False)
        own, most = (
            box.locator("input[type=range]").evaluate(f"(one) => Number(one.{end})") for end in ("value", "max")
        )
        for to in (0, own + 1, most, own - 1, max(1, own // 2)):
            place(box, str(to))
            check(large, box, name, is_moved=True)
        place(box, str(own))
        check(large, box, name, is_moved=False)
        seen[name] = SIGNED[name][1]
    assert set(seen) == set(RULES)
    assert set(seen.values()) == {">", ">=", "<", "<="}


def test_line_is_typed_beside_the_slider_and_taken_back(large: Large, tab: Watched) -> None:
    for box, name in boxes(large, tab):
        before = box.locator(".side").first.inner_text()
        field = box.locator("input[type=number]")
        line = {"words": "2", "area": "6", "below": "0.45"}.get(name, "0.51")
        field.fill(line)
        box.locator("pre").wait_for()
        check(large, box, name, is_moved=True)
        assert f"of the {large.count('true'):,} rows" not in box.inner_text()
        assert re.search(r"Just kept by itself of the [\d,]+ shown here", box.inner_text())
        box.get_by_role("button", name="Back to").click()
        check(large, box, name, is_moved=False)
        assert box.locator(".side").first.inner_text() == before


def test_line_between_two_that_were_counted_says_how_many_at_least_and_at_most(large: Large, tab: Watched) -> None:
    box = next(box for box, name in boxes(large, tab) if name == "below")
    facts = tab.run("(file) => Diptych.loadJson(file)", box.get_attribute("data-file"))
    assert len(facts["lines"]) < 1500
    box.locator("input[type=number]").fill("0.44444")  # values have two digits: nothing lies between
    box.locator("pre").wait_for()
    check(large, box, "below", is_moved=True)
