"""The keyboard never falls to the page: what is drawn anew leaves it where it was, or on what stands there now."""

from pathlib import Path

import pytest
from report_browser import Watched

HERE = "document.activeElement.dataset.field ?? document.activeElement.id"


def test_next_and_previous_image_can_be_pressed_again(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html", "#f=model:fine")
    tab.page.locator("#wall .tile").first.press("Enter")
    tab.until("document.querySelector('#drawer').innerText.includes('1 of 80')")
    tab.page.get_by_role("button", name="Next image").focus()
    for place in (2, 3, 4):
        tab.page.keyboard.press("Enter")
        tab.until(f"document.querySelector('#drawer').innerText.includes('{place} of 80')")
        assert tab.run(HERE) == "next"
    tab.page.get_by_role("button", name="Previous image").focus()
    for place in (3, 2, 1):
        tab.page.keyboard.press("Enter")
        tab.until(f"document.querySelector('#drawer').innerText.includes('{place} of 80')")
    assert tab.run(HERE) == "drawer", "the button is not to be used any more"
    tab.page.locator("#drawer .shots .tile").first.press("Enter")
    tab.until("!document.querySelector('#drawer').innerText.includes('1 of 80')")
    assert tab.run(HERE) == "drawer"


@pytest.mark.parametrize("field", ["side", "slider", "difference"])
def test_ways_of_looking_at_a_pair_keep_the_keyboard(built: Path, tab: Watched, field: str) -> None:
    tab.open(built / "compare.html", "#c=setting")
    tab.page.locator("#rows .tile").first.press("Enter")
    viewer = tab.page.locator("#viewer[open]")
    viewer.locator(f"[data-field={field}]").press("Enter")
    assert tab.run(HERE) == field
    chosen = viewer.locator("[data-field=right]")
    chosen.focus()
    for _ in range(2):
        before = chosen.input_value()
        tab.page.keyboard.press("ArrowDown")
        tab.until(f"document.querySelector('[data-field=right]').value !== {before!r}")
        assert tab.run(HERE) == "right"
    viewer.locator("[data-field=flip]").press("Enter")
    assert tab.run(HERE) == "flipped", "which space turns"


def test_removed_chips_leave_the_keyboard_on_the_next_and_then_on_the_images(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html", "#f=model:fine&f=status:ok&f=setting:ddim-10-g3")
    tab.page.locator("#chips button").nth(1).focus()
    for left in (2, 1):
        tab.page.keyboard.press("Enter")
        tab.until(f"document.querySelectorAll('#chips button').length === {left}")
        tab.until("document.activeElement.closest('#chips') !== null")
    tab.page.keyboard.press("Enter")
    tab.until("document.querySelectorAll('#chips button').length === 0")
    tab.until("document.activeElement.classList.contains('tile')")
    tab.open(built / "gallery.html", "#q=nothing-has-this")
    tab.page.locator("#clear").press("Enter")
    tab.until("document.activeElement.classList.contains('tile')")


def test_another_width_leaves_the_keyboard_on_its_image(built: Path, tab: Watched) -> None:
    for page, box in (("gallery.html", "#wall"), ("compare.html", "#rows")):
        tab.page.set_viewport_size({"width": 1440, "height": 900})
        tab.open(built / page)
        tile = tab.page.locator(f"{box} .tile").nth(3)
        tile.focus()
        row = tile.get_attribute("data-row")
        tab.run("window.before = document.activeElement")
        tab.page.set_viewport_size({"width": 700, "height": 900})
        tab.until("!before.isConnected")  # all tiles are laid out anew
        assert tab.run("document.activeElement.dataset.row") == row


def test_a_value_is_found_as_it_is_written_there(built: Path, tab: Watched) -> None:
    tab.open(built / "gallery.html")
    script = """() => {
        const values = Array.from({ length: 20 }, (_, n) => `red_car_${n}`), codes = values.map((_, n) => n);
        const rows = { n: 20, facets: new Map([["c", { name: "c", label: "C", listed: true, values, codes }]]),
            scores: new Map(), asFilter: (word) => word, codesOf: (facet, row) => [facet.codes[row]] };
        const box = document.getElementById("facets");
        const all = { rows, failed: new Int32Array(20).fill(-1), filters: new Map(), columns: [], setFilter: () => {} };
        Diptych.facets.draw(box, all);
        box.querySelector("button").click();
        const seek = box.querySelector("input[type=search]");
        seek.value = "RED CAR 1";
        seek.dispatchEvent(new Event("input"));
        return box.querySelectorAll("label").length;
    }"""
    assert tab.run(script) == 11
