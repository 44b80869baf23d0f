"""A set of which most images are not there: what is there comes first, and how many are not is said."""

import re
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import make_config, run
from report_browser import watch
from report_gallery import Gallery
from tiny_generated import Made, make_generated

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

PROMPTS, THERE = 12, (5, 9, 11)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of twelve images of which three are there."""
    folder = tmp_path_factory.mktemp("partial")
    rows = [Made("raw", prompt, picture=prompt if prompt in THERE else None) for prompt in range(PROMPTS)]
    make_generated(folder / "generated", rows)
    run(make_config(folder, scores={"image": {"score": "image_stats"}}, means=[{"score": "brightness"}]))
    config = {"job": "report", "store": str(folder / "store.duckdb")}
    build_report(ReportConfig.model_validate(config), folder / "report")
    return folder / "report"


def test_overview_counts_the_images_that_are_there(partial: Path) -> None:
    page = (partial / "index.html").read_text(encoding="utf-8")
    found = re.search(r'<a href="(gallery[^"]*)"><strong>3 of 12</strong> generated images</a>', page)
    assert found, "of those that were to be"
    assert Gallery(partial).count(found[1]) == 3


def test_gallery_begins_with_pictures_and_counts_the_others(partial: Path, browser: Any) -> None:
    assert "12 images, 9 without a picture" in (partial / "gallery.html").read_text(encoding="utf-8")
    with watch(browser) as tab:
        tab.open(partial / "gallery.html")
        tiles = tab.page.locator("#wall .tile")
        tiles.first.wait_for()
        assert tab.page.locator("#count").inner_text() == "12 images, 9 without a picture"
        order = [int(tile.get_attribute("data-row")) for tile in tiles.all()]
        assert order == [*THERE, *(row for row in range(PROMPTS) if row not in THERE)]
        assert tab.page.locator("#sort option").first.inner_text() == "pictures first, as they come"
