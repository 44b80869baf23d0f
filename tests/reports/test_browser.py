"""Every page in a real browser, opened from the disk."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from report_browser import LAPTOP, PHONE, Watched, watch

MAX_NODES = 1500
GO = """async (state) => {
    if (location.hash === state) return document.getElementById("count").textContent;
    delete document.documentElement.dataset.ready;
    location.hash = state;
    while (!document.documentElement.dataset.ready) await new Promise((done) => setTimeout(done, 5));
    return document.getElementById("count").textContent;
}"""


def pages_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))


def shown(text: str) -> int:
    """Return the number at the beginning of "1,204 of 10,432 images"."""
    return int(re.match(r"[\d,]+", text)[0].replace(",", ""))  # type: ignore[index]


@pytest.mark.parametrize(("viewport", "scheme"), [(LAPTOP, "light"), (PHONE, "dark")], ids=["laptop", "phone"])
def test_every_page_opens_without_a_word_on_the_console(
    built: Path, browser: Any, viewport: dict[str, int], scheme: str
) -> None:
    with watch(browser, viewport, color_scheme=scheme) as tab:
        for page in pages_of(built):
            tab.open(page)
            assert tab.said == [], page.name
            assert tab.foreign == [], page.name
            assert tab.run("document.documentElement.scrollWidth") <= viewport["width"], page.name
            assert tab.count("h1") == 1, page.name
            assert tab.count("*") <= MAX_NODES, page.name
            broken = "[...document.images].filter((one) => one.complete && !one.naturalWidth).map((one) => one.src)"
            assert tab.run(broken) == [], page.name


def test_every_page_is_readable_without_scripts(built: Path, browser: Any) -> None:
    with watch(browser, java_script_enabled=False) as tab:
        for page in pages_of(built):
            tab.page.goto(page.as_uri())
            assert tab.page.locator("main").inner_text().strip(), page.name
        tab.page.goto((built / "gallery.html").as_uri())
        assert tab.count("noscript img, main .shot img") > 10


def test_every_link_within_the_report_leads_somewhere(built: Path, tab: Watched) -> None:
    files = {page.name for page in pages_of(built)}
    for page in pages_of(built):
        tab.open(page)
        for address in tab.run("[...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'))"):
            file, _, anchor = address.partition("#")
            assert file in files | {""}, f"{page.name}: {address}"
            if anchor and not file:
                assert tab.count(f"[id='{anchor}']"), f"{page.name}: {address}"


def test_every_counted_number_links_to_exactly_its_images(built: Path, tab: Watched) -> None:
    tab.page.set_viewport_size({"width": 500, "height": 260})  # few tiles to draw
    found: dict[str, int] = {}
    for page in pages_of(built):
        tab.open(page)
        script = """[...document.querySelectorAll('a[href^="gallery.html#"]')]
            .map((one) => [one.getAttribute('href'), one.textContent.trim()])"""
        for address, text in tab.run(script):
            match = re.fullmatch(r"([\d,]+)( (images|kept|rows|lost here|without))?|\+([\d,]+) unscored", text)
            if match:
                found[address] = int((match[1] or match[4]).replace(",", ""))
    assert len(found) > 150
    tab.open(built / "gallery.html")
    counted = {address: shown(tab.run(GO, "#" + address.partition("#")[2])) for address in found}
    assert {
        address: (number, counted[address]) for address, number in found.items() if counted[address] != number
    } == {}


def test_bar_of_a_chart_leads_to_as_many_images_as_its_table_says(built: Path, tab: Watched) -> None:
    tab.open(built / "distributions.html")
    section = tab.page.locator("section").filter(has=tab.page.get_by_role("heading", name="CLIP similarity"))
    bars = section.locator("svg.bars a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    cells = section.locator("td a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert len(bars) > 10
    assert sorted(bars) == sorted(cells)


def test_gallery_leaves_alone_what_is_being_typed(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html")
    tab.until("document.documentElement.dataset.ready")
    tab.page.locator("#search").fill("black ")
    tab.run("window.dispatchEvent(new Event('hashchange'))")  # a drawing, before what is typed is taken up
    tab.until("location.hash.includes('q=black')")
    tab.page.wait_for_timeout(200)
    assert tab.page.locator("#search").input_value() == "black "


def test_gallery_filters_sorts_and_searches(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html")
    assert shown(tab.page.locator("#count").inner_text()) == 204
    tab.page.locator("#facets label").filter(has_text="rough").click()
    tab.until("document.getElementById('count').textContent.startsWith('80 ')")
    assert "f=model:rough" in tab.page.url
    assert tab.run("document.activeElement.dataset.field") == "model:rough"
    tab.page.locator("#sort").select_option("-match.clip_similarity")
    tab.page.wait_for_selector(".badge")
    values = [float(text) for text in tab.page.locator(".badge").all_inner_texts()[:20]]
    assert values == sorted(values, reverse=True)
    tab.page.locator("#search").fill("black")
    tab.until("location.hash.includes('q=black')")
    tab.until("!document.getElementById('count').textContent.startsWith('80 ')")
    assert 0 < shown(tab.page.locator("#count").inner_text()) < 80
    tab.page.locator("#chips button").first.click()
    tab.until("!location.hash.includes('model')")
    tab.page.go_back()
    tab.until("location.hash.includes('f=model:rough')")


def test_image_opens_with_everything_known_of_it(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html", f"#f=model:fine&s={quote('-match.clip_similarity')}")
    tab.page.locator("#wall .tile").first.click()
    drawer = tab.page.locator("#drawer[open]")
    drawer.locator("h2").wait_for()
    text = drawer.inner_text()
    for part in ("1 of 80", "Seed", str(2**61)[:8], "euler", "CLIP similarity", "Same prompt, same seed", "SHA-256"):
        assert part in text, part
    state = tab.page.url.partition("#")[2]
    assert "sel=" in state
    tab.page.keyboard.press("ArrowRight")
    tab.until("document.querySelector('#drawer').innerText.includes('2 of 80')")
    tab.page.keyboard.press("Escape")
    tab.until("!location.hash.includes('sel=')")
    tab.open(built / "gallery.html", f"#{state}")
    tab.page.locator("#drawer[open] h2").wait_for()
    assert "1 of 80" in tab.page.locator("#drawer").inner_text()


def test_wall_is_walked_with_the_keyboard(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html")
    tab.page.locator("#wall .tile").first.focus()
    for _ in range(12):
        tab.page.keyboard.press("ArrowDown")
    place = int(tab.run("document.activeElement.dataset.place"))
    assert place > 40
    box = tab.page.locator(f"#wall .tile[data-place='{place}']").bounding_box()
    assert 0 <= box["y"] <= 900
    tab.page.keyboard.press("Enter")
    tab.page.locator("#drawer[open]").wait_for()


def test_broken_state_in_the_address_breaks_nothing(built: Path, tab: Watched) -> None:
    for state in (
        "#f=%E0%A4%A",
        "#f=nothing:x",
        "#sel=99999",
        "#f=match.clip_similarity:abc",
        "#v=9&x",
        "#f=model",
        "#&&=",
    ):
        tab.open(built / "gallery.html", state)
    assert tab.count("#gallery:not([hidden])") == 1


def test_table_for_a_spreadsheet_has_what_is_shown(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html", "#f=model:rough")
    with tab.page.expect_download() as waiting:
        tab.page.locator("#export").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 81
    assert '"match.clip_similarity"' in lines[0]


def test_compare_shows_both_models_of_each_prompt(built: Path, tab: Watched) -> None:
    tab.open(built / "compare.html", "#w=euler-10-g3")
    assert tab.page.locator("#rows .name").all_inner_texts()[:2] == ["rough", "fine"]
    assert shown(tab.page.locator("#count").inner_text()) == 10
    first = tab.page.locator("#rows .pair").first
    assert first.locator("img").count() == 2
    tab.page.locator("#score").select_option("objects.object_correct")
    tab.until("location.hash.includes('s=objects.object_correct')")
    tab.page.locator("#order").select_option("differ")
    tab.until("document.getElementById('count').textContent.includes(' of ')")
    pairs = tab.page.locator("#rows .pair")
    for number in range(pairs.count()):
        values = pairs.nth(number).locator("small").all_inner_texts()
        assert sorted(values) == ["0", "1"]
    tab.page.locator("#rows .tile").first.click()
    viewer = tab.page.locator("#viewer[open]")
    for mode in ("Slider", "Flip", "Difference", "Side by side"):
        viewer.get_by_role("button", name=mode, exact=True).click()
        assert viewer.locator(".stage img").count() == 2
    tab.page.locator("#viewer").get_by_role("button", name="Flip", exact=True).click()
    before = viewer.inner_text()
    tab.page.keyboard.press("Space")
    assert viewer.inner_text() != before


def test_grid_changes_number_and_prompt(built: Path, tab: Watched) -> None:
    tab.open(built / "grid.html")
    tab.until("document.documentElement.dataset.ready")
    assert tab.count(".cell") == 16
    before = tab.page.locator(".cell img").first.get_attribute("src")
    assert tab.page.locator(".mean:visible").count() == 16
    tab.page.get_by_label("CLIP score").check()
    assert tab.page.locator(".mean:visible").count() == 16
    tab.page.locator("#prompt").select_option(index=1)
    tab.until(f"document.querySelector('.cell img').getAttribute('src') !== {before!r}")


def test_moved_line_shows_other_neighbours_and_goes_back(built: Path, tab: Watched) -> None:
    tab.open(built / "funnel.html")
    box = tab.page.locator(".threshold[data-column='image.sharpness']").first
    before = box.locator(".side").first.inner_text()
    slider = box.locator("input[type=range]")
    slider.evaluate("(one) => { one.value = 300; one.dispatchEvent(new Event('input')); }")
    box.locator("pre").wait_for()
    assert box.locator(".side").first.inner_text() != before
    line = float(box.locator("input[type=number]").input_value())
    rejected, kept = (
        [float(text) for text in side.locator("figcaption").all_inner_texts()] for side in box.locator(".side").all()
    )
    assert max(rejected) < line <= min(kept)
    box.get_by_role("button", name="Back to").click()
    assert box.locator(".side").first.inner_text() == before


def test_theme_is_kept_from_page_to_page(built: Path, tab: Watched) -> None:
    tab.open(built / "index.html")
    tab.page.locator("#theme").click()
    tab.page.locator("#theme").click()
    tab.open(built / "scores.html")
    assert tab.run("document.documentElement.dataset.theme") == "dark"


def test_page_without_its_folder_says_so(built: Path, browser: Any, tmp_path: Path) -> None:
    for name in ("gallery.html", "assets"):
        (tmp_path / name).symlink_to(built / name)
    with watch(browser) as tab:
        tab.page.goto((tmp_path / "gallery.html").as_uri())
        tab.page.locator("[role=alert]").wait_for()
        assert "Keep the whole folder" in tab.page.locator("[role=alert]").inner_text()


def test_pages_print(built: Path, tab: Watched) -> None:
    tab.open(built / "scores.html")
    tab.page.emulate_media(media="print")
    assert not tab.page.locator(".rail").is_visible()
    assert len(tab.page.pdf()) > 10_000
