"""Where the keyboard is, what stays in its place, lists that go on, names of parts, paper, and very large numbers."""

import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from report_browser import Watched
from report_gallery import Gallery
from report_world import World

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.read.numbers import interval, number

HOSTS = [f"https://{'www.' if n % 2 else ''}host-{n % 40}.example/{n}.jpg" for n in range(160)]


def changed(world: World, folder: Path, sql: str, *parameters: Any) -> Path:
    """Return the folder of a report on the store after a change."""
    path = Path(shutil.copy(world.store, folder / "changed.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql, list(parameters))
    build_report(ReportConfig.model_validate({"job": "report", "store": path}), folder / "out")
    return folder / "out"


def test_keyboard_is_on_the_image_when_the_drawer_closes(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html", "#f=model:fine")
    tab.page.locator("#wall .tile").nth(3).click()
    tab.page.locator("#drawer[open] h2").wait_for()
    tab.page.keyboard.press("ArrowRight")
    tab.until("document.querySelector('#drawer').innerText.includes('5 of 80')")
    tab.page.keyboard.press("Escape")
    tab.until("document.activeElement.dataset.place === '4'")
    tab.page.keyboard.press("ArrowLeft")
    tab.until("document.activeElement.dataset.place === '3'")


def test_keyboard_is_on_the_pair_when_the_viewer_closes(built: Path, tab: Watched) -> None:
    tab.open(built / "compare.html")
    tile = tab.page.locator("#rows .tile").nth(5)
    row = tile.get_attribute("data-row")
    tile.click()
    tab.page.locator("#viewer[open] h2").wait_for()
    tab.page.keyboard.press("Escape")
    tab.until(f"document.activeElement.dataset.row === '{row}'")


def test_images_and_filters_stay_in_their_place_when_chips_come_and_go(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html")
    places = "[...document.querySelectorAll('#wall, #facets')].map((one) => one.getBoundingClientRect().top)"
    before = tab.run(places)
    for text in ("rough", "euler-10-g3", "ok"):
        tab.page.locator("#facets label").filter(has_text=text).first.click()
        tab.page.wait_for_timeout(100)
        assert tab.run(places) == before
    assert tab.count("#chips button") == 3
    for _ in range(3):
        tab.page.locator("#chips button").first.click()
        tab.page.wait_for_timeout(100)
    assert tab.count("#chips button") == 0
    assert tab.run(places) == before


@pytest.fixture(scope="module")
def many(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on pictures from forty hosts."""
    folder = tmp_path_factory.mktemp("many")
    path = Path(shutil.copy(world.store, folder / "many.duckdb"))
    with duckdb.connect(str(path)) as connection:
        generated = "SELECT key FROM images WHERE model IS NOT NULL ORDER BY key"
        keys = [key for (key,) in connection.execute(generated).fetchall()]
        connection.executemany("UPDATE images SET url = ? WHERE key = ?", list(zip(HOSTS, keys, strict=True)))
    build_report(ReportConfig.model_validate({"job": "report", "store": path}), folder / "out")
    return folder / "out"


def test_a_list_of_many_values_is_opened_and_searched(many: Path, tab: Watched) -> None:
    tab.open(many / "gallery.html")
    facet = tab.page.locator("fieldset.facet").filter(has=tab.page.locator("legend", has_text="Domain"))
    assert facet.locator("label").count() == 12
    facet.get_by_role("button", name="Show all 40").press("Enter")
    assert facet.locator("label").count() == 40
    facet.get_by_role("searchbox").fill("host-3")
    assert facet.locator("label").count() == 11
    assert tab.run("document.activeElement.type") == "search"
    facet.locator("label", has_text="host-37.example").click()
    tab.until("document.getElementById('count').textContent.startsWith('4 of ')")
    facet.get_by_role("button", name="Show fewer").click()
    assert facet.locator("label").count() == 12
    assert facet.locator("label").first.inner_text().startswith("host-37.example"), "what is picked comes first"


def test_the_host_of_a_source_is_a_filter(many: Path) -> None:
    gallery = Gallery(many)
    assert gallery.facets["domain"]["listed"]
    assert set(gallery.facets["domain"]["values"]) == {f"host-{n}.example" for n in range(40)}
    assert gallery.count("gallery.html#f=domain:host-7.example") == 4


def test_parts_of_a_page_are_called_by_what_is_in_them(built: Path, tab: Watched) -> None:
    tab.open(built / "distributions.html")
    links = tab.page.locator("nav.parts a")
    assert links.count() > 1
    for place in range(links.count()):
        tab.open(built / str(links.nth(place).get_attribute("href")))
        titles = tab.page.locator("main section[id] h2").all_inner_texts()
        links = tab.page.locator("nav.parts a")
        assert links.nth(place).inner_text() == (f"{titles[0]} to {titles[-1]}" if len(titles) > 1 else titles[0])
        assert links.nth(place).get_attribute("aria-current") == "page"
        tab.open(built / "distributions.html")


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


@pytest.mark.parametrize("page", ["gallery.html", "compare.html"])
def test_on_paper_are_the_images_on_the_screen_and_no_blank_pages(built: Path, tab: Watched, page: str) -> None:
    tab.open(built / page, "#v=4" if page == "gallery.html" else "")
    height = tab.run("document.querySelector('#wall, #rows').offsetHeight")
    assert height > 5000, "some pages, if all of it were printed"
    tab.page.emulate_media(media="print")
    assert tab.run("document.querySelector('#wall, #rows').offsetHeight") < 3000
    assert "Printed are the images that were on the screen." in tab.page.locator("main").inner_text()
    assert pages_of(tab.page.pdf()) <= 4


@pytest.mark.parametrize("value", [1e300, -1e300, 1e38, 3.5e38, 1e-320])
def test_a_very_large_number_overflows_nowhere(world: World, tmp_path: Path, tab: Watched, value: float) -> None:
    first = "(SELECT min(key) FROM scores WHERE value IS NOT NULL)"
    sql = f"UPDATE scores SET value = ? WHERE score = 'match.clip_similarity' AND key = {first}"
    out = changed(world, tmp_path, sql, value)
    gallery = Gallery(out)
    assert gallery.scores["match.clip_similarity"]["low" if value < 0.1 else "high"] == value
    tab.open(out / "gallery.html", f"#s={'' if value < 0.1 else '-'}match.clip_similarity")
    assert float(tab.page.locator(".badge").first.inner_text().replace(",", "")) == pytest.approx(value, rel=1e-3)
    for page in sorted(out.glob("*.html")):
        assert not re.search(r"\d{3}(,\d{3}){6}", page.read_text(encoding="utf-8")), page.name


def test_huge_numbers_are_written_short() -> None:
    assert [number(1e300), number(-1e300), number(1e300, signed=True)] == ["1e+300", "\N{MINUS SIGN}1e+300", "+1e+300"]
    assert interval(-1e300, 2e300) == "\N{MINUS SIGN}1e+300 to 2e+300"
    assert number(123456789.0) == "123,456,789"
