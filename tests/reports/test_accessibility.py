"""axe-core over every page and every state worth a look."""

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from report_browser import LAPTOP, PHONE, Watched, watch

RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.length} times, first ${one.nodes[0].html.slice(0, 200)}`))"""


def serious(tab: Watched) -> list[str]:
    """Return what axe-core finds that is serious or worse."""
    if not tab.run("typeof axe !== 'undefined'"):
        script = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
        tab.run(f"() => {{ {script} }}")  # by the protocol: the pages' own policy lets no foreign script in
    found: list[str] = tab.run(RUN)
    return found


@pytest.mark.parametrize(("viewport", "scheme"), [(LAPTOP, "light"), (PHONE, "dark")], ids=["laptop", "phone"])
def test_no_page_has_a_serious_finding(built: Path, browser: Any, viewport: dict[str, int], scheme: str) -> None:
    with watch(browser, viewport, color_scheme=scheme) as tab:
        for page in sorted(built.glob("*.html")):
            tab.open(page)
            tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert serious(tab) == [], page.name


def test_open_drawer_and_viewer_have_none_either(built: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(built / "gallery.html", "#sel=3&c=1")
        tab.page.locator("#drawer[open] h2").wait_for()
        assert serious(tab) == []
        tab.open(built / "compare.html")
        tab.page.locator("#rows .tile").first.click()
        for mode in ("Slider", "Flip", "Difference"):
            tab.page.locator("#viewer").get_by_role("button", name=mode, exact=True).click()
            assert serious(tab) == [], mode


def test_finding_would_be_found(browser: Any) -> None:
    with watch(browser) as tab:
        tab.page.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src=x><button></button></main>")
        found = " ".join(serious(tab))
        assert "image-alt" in found
        assert "button-name" in found
