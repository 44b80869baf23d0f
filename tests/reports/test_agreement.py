"""The page of judges: who agrees how far, what the models lose by it, and the pictures on which they split."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from judged_twice import make_judged
from report_browser import watch

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.pages.agreement import _group

SPLIT = "detr_and_unidet.first_split"


def build(folder: Path) -> Path:
    config = ReportConfig.model_validate({"job": "report", "store": str(folder / "store.duckdb")})
    build_report(config, folder / "report")
    return folder / "report"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(make_judged(tmp_path_factory.mktemp("judged")))


def sections(report: Path) -> list[str]:
    """Return the text of each pair of judges, tags left out."""
    page = (report / "agreement.html").read_text(encoding="utf-8")
    found = re.findall(r'<section aria-labelledby="pair-.*?</section>', page, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in found]


def test_pair_has_its_numbers_by_category_and_the_places_of_the_models(judged: Path) -> None:
    first, second, third = sections(judged)
    assert first.startswith("Rating (detr) and Rating (unidet)")
    assert re.search(r"all 0\.65\d \(0\.\d+ to \d\.\d+\) 0\.826 \(0\.\d+ to 0\.\d+\) 23 \+1 not judged by both", first)
    assert re.search(r"counting 0\.8", first)
    assert "flux 1 lower (no interval) place 1 of 3 by a (0.75), 2 by b (0.5)" in first
    assert "sd15 none (no interval) place 3 of 3 by a" in first
    assert "0.333 (no interval): Kendall's tau-b of the two orders of 3 models" in first
    assert "Balanced accuracy" not in first
    assert "the second is taken for right" in second
    assert "no spread" in third
    assert "00000 about one prompt alone" in third
    assert "alone" not in first


def test_pictures_on_which_they_split_stand_there_by_who_says_what(judged: Path, browser: Any) -> None:
    page = (judged / "agreement.html").read_text(encoding="utf-8")
    assert "The first says yes , the second no 2 images" in sections(judged)[0]
    assert page.count('<figure class="shot') >= 4
    with watch(browser) as tab:
        tab.open(judged / "agreement.html")
        tab.page.get_by_role("link", name="2 images").first.click()
        tab.page.get_by_text("2 of 24 images").wait_for()


def test_overview_counts_no_number_of_judges_among_those_of_models(judged: Path) -> None:
    page = (judged / "index.html").read_text(encoding="utf-8")
    assert "detr_and_unidet" not in page
    assert "Rating (detr)" in page


def test_run_without_judges_has_no_such_page(built: Path) -> None:
    assert (built / "scores.html").exists()
    assert not (built / "agreement.html").exists()


def test_two_groups_that_are_called_the_same_are_told_apart_by_their_columns() -> None:
    def kappa(**groups: str) -> dict[str, Any]:
        return {"dataset": "images", "groups": groups}

    rows = [kappa(), kappa(category="relation"), kappa(question_kind="relation"), kappa(category="pose")]
    assert [_group(row, rows) for row in rows] == ["all", "relation (Category)", "relation (Question kind)", "pose"]
