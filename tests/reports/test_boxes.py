"""What judges saw, drawn over the pictures of a report."""

import json
import shutil
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import make_config
from evaluate_configs import run as evaluate
from own_judges import FOUND, box
from report_browser import watch
from report_gallery import Gallery
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.errors import ShardError
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

ATTACK = "<img src=x onerror=window.PWNED=1>"
ONE_FISH = {"include": [{"class": "fish", "count": 1}]}


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two generated pictures of 48 x 32 pixels, one that failed, and a run that judged them."""
    own_judges.install(monkeypatch)
    FOUND[32] = [box("fish", 0.9, corners=(12.0, 8.0, 36.0, 24.0)), box(ATTACK, 0.5), box("boat", 0.2)]
    rows = [Made("curated", 0, checks=ONE_FISH), Made("raw", 0, checks=ONE_FISH, picture=1)]
    make_generated(tmp_path / "generated", [*rows, Made("raw", 1, checks=ONE_FISH, picture=None)])
    judges = {"eye": {"kind": "own_boxes"}}
    scores = {"objects": {"score": "object_accuracy", "judge": "eye"}, "image": {"score": "image_stats"}}
    evaluate(make_config(tmp_path, judges=judges, scores=scores, means=[{"score": "object_correct"}]))
    return tmp_path


def build(folder: Path, **changes: Any) -> Path:
    config = {"job": "report", "store": str(folder / "store.duckdb"), **changes}
    build_report(ReportConfig.model_validate(config), folder / "report")
    return folder / "report"


def test_boxes_lie_where_the_judge_saw_them_and_can_be_hidden(judged: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(build(judged) / "gallery.html", "#sel=0")
        drawer = tab.page.locator("#drawer[open]")
        drawer.locator("svg.boxes rect").first.wait_for()
        frame, outline = (drawer.locator(one).first.bounding_box() for one in (".frame", "svg.boxes rect"))
        width = frame["width"]  # of a square, in which the picture is as wide and two thirds as high
        for found, share in (
            (outline["x"] - frame["x"], 12 / 48),
            (outline["y"] - frame["y"], 1 / 6 + 8 / 48),
            (outline["width"], 24 / 48),
            (outline["height"], 16 / 48),
        ):
            assert found == pytest.approx(share * width, abs=4)
        text = drawer.inner_text()
        assert "What own boxes saw" in text
        assert ATTACK in text, "a label is text"
        assert "boat" not in text, "what the rule takes for not there is not drawn"
        assert tab.count("#drawer svg.boxes rect") == 2
        drawer.locator("input[type=checkbox]").uncheck()
        assert not drawer.locator("svg.boxes").is_visible()
        tab.page.keyboard.press("ArrowRight")
        tab.until("document.querySelector('#drawer').innerText.includes('2 of 3')")
        assert not drawer.locator("svg.boxes").is_visible(), "what was hidden stays so"
        assert (tab.run("window.PWNED"), tab.said, tab.foreign) == (None, [], [])


def test_nothing_is_drawn_over_pictures_that_are_not_shown(judged: Path, browser: Any) -> None:
    folder = build(judged, flagged={"score": "brightness", "above": -1, "missing": "blur"})
    with watch(browser) as tab:
        for row in range(3):
            tab.open(folder / "gallery.html", f"#sel={row}")
            tab.page.locator("#drawer[open] h2").first.wait_for()
            assert tab.count("#drawer svg.boxes") == 0
            assert "saw" not in tab.page.locator("#drawer").inner_text()


def test_report_without_the_evidence_is_one_without_boxes(judged: Path) -> None:
    def seen() -> list[bool]:
        return ["seen" in details for details in json.loads(Gallery(build(judged))._load("details-0"))]

    assert seen() == [True, True, False]
    shutil.rmtree(judged / "generated" / "evidence")
    assert seen() == [False, False, False]


def test_damaged_evidence_is_named_and_not_drawn(judged: Path) -> None:
    (found,) = open_dataset(judged / "generated").column_sets("evidence")
    data = bytearray(found.files[0].read())
    data[len(data) // 2] ^= 1
    found.files[0].path.write_bytes(data)
    with pytest.raises(ShardError, match=r"evidence/own_boxes-[0-9a-f]{8}/00000\.parquet: .*damaged"):
        build(judged)
