"""Captions, prompts, model names and addresses come from strangers: none of them may run, load or break anything."""

from pathlib import Path
from typing import Any

import pytest
from report_browser import PHONE, watch
from report_store import make_store
from report_world import Names, make_generated

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

RUN = "window.PWNED = 1"
ATTACKS = (
    f"</script><script>{RUN}</script>",
    f"</script><img src=x onerror='{RUN}'>",
    f'"><svg/onload="{RUN}">',
    f"'><img src=x onerror={RUN.replace(' ', '')}>",
    f"javascript:{RUN}",
    "<!-- <script> --!> <!--",
    f"<style>@import 'http://127.0.0.1:9/x.css'</style><iframe srcdoc=\"<script>parent.{RUN}</script>\">",
    f"</title></textarea></noscript><script>{RUN}</script>",
    '<img src="http://127.0.0.1:9/pixel.png"><link rel=stylesheet href="http://127.0.0.1:9/a.css">',
    "\u202eevil\u202c \u2028 \u2029 \u0000 \ufeff",
    "{{7*7}} {% for x in y %} ${7*7} #{7*7}",
    "=cmd|' /C calc'!A0",
    "__proto__",
    "a" * 1_000_000,
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") + " \u0301" * 200,
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report in which every text that a stranger can choose is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    names = Names(
        models=(ATTACKS[1], ATTACKS[2] + " model"),
        run=ATTACKS[0],
        dataset=ATTACKS[3],
        captions=ATTACKS,
        url=f"javascript:{RUN}",
        category=ATTACKS[7],
        attribute=ATTACKS[8],
        description=ATTACKS[6],
        score=f'clip"><img src=x onerror={RUN.replace(" ", "")}>',
        metric=f'score"><img src=x onerror={RUN.replace(" ", "")}>',
    )
    generated = make_generated(folder / "generated", len(ATTACKS), size=24, names=names)
    store = make_store(folder / "store.duckdb", generated, names)
    config = ReportConfig(job="report", title=ATTACKS[0] + ATTACKS[2] + ATTACKS[10], store=store)
    build_report(config, folder / "out")
    return folder / "out"


def test_nothing_of_a_stranger_runs_or_loads_on_any_page(hostile: Path, browser: Any) -> None:
    for viewport in (None, PHONE):
        with watch(browser, viewport) as tab:
            for page in sorted(hostile.glob("*.html")):
                tab.open(page)
                tab.page.wait_for_timeout(150)
                assert tab.run("window.PWNED") is None, page.name
                assert tab.said == [], page.name
                assert tab.foreign == [], page.name
                assert tab.count("iframe, object, embed, base, script:not([src])") == 0, page.name
                allowed = "(one) => /^(assets|data)\\/[a-z0-9-]+\\.js$/.test(one.getAttribute('src'))"
                assert tab.run(f"[...document.scripts].every({allowed})"), page.name
                links = "[...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'))"
                local = "(one) => new URL(one, document.baseURI).protocol === 'file:'"
                assert tab.run(f"{links}.every({local})"), page.name
                assert tab.run("document.documentElement.scrollWidth <= innerWidth"), page.name


def test_drawer_of_every_attack_is_text(hostile: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(hostile / "gallery.html")
        for number in range(len(ATTACKS)):
            tab.open(hostile / "gallery.html", f"#c=1&sel={16 * number}")
            tab.page.locator("#drawer[open] h2").wait_for()
            text = tab.page.locator("#drawer h2").text_content()
            expected = ATTACKS[number]
            assert text == (expected if len(expected) <= 4000 else expected[:3999] + "…")
            assert tab.count("#drawer a[href]") == 0  # javascript: is no address
            assert "javascript:" in tab.page.locator("#drawer").text_content()
        assert tab.run("window.PWNED") is None
        assert (tab.said, tab.foreign) == ([], [])


def test_hostile_names_can_be_filtered_compared_and_exported(hostile: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(hostile / "gallery.html")
        tab.page.locator("#facets label").nth(1).click()
        tab.page.wait_for_selector("#chips button")
        for option in tab.page.locator("#sort option").all()[:4]:
            tab.page.locator("#sort").select_option(option.get_attribute("value"))
        tab.page.locator("#search").fill("=cmd")
        tab.until("location.hash.includes('q=')")
        tab.page.wait_for_timeout(300)
        with tab.page.expect_download() as waiting:
            tab.page.locator("#export").click()
        table = Path(waiting.value.path()).read_text(encoding="utf-8")
        assert "\"'=cmd" in table
        assert '"=cmd' not in table
        tab.open(hostile / "compare.html")
        tab.page.locator("#rows .tile").first.click()
        tab.page.locator("#viewer[open]").wait_for()
        tab.open(hostile / "grid.html")
        tab.page.locator("#prompt").select_option(index=1)
        tab.page.wait_for_timeout(200)
        assert tab.run("window.PWNED") is None
        assert (tab.said, tab.foreign) == ([], [])


def test_attacks_are_really_in_the_pages(hostile: Path) -> None:
    everything = "".join(page.read_text(encoding="utf-8") for page in hostile.glob("*.html"))
    assert "&lt;/script&gt;&lt;script&gt;window.PWNED = 1&lt;/script&gt;" in everything
    assert "javascript:window.PWNED" in everything
    assert "<script>window" not in everything
    assert "{{7*7}}" in everything
    assert max(page.stat().st_size for page in hostile.glob("*.html")) < 400_000  # a caption of 1 MB is cut
