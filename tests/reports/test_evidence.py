"""What judges saw, in the drawer of a report: drawn over its picture, and told with what the rules say of it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import make_config
from evaluate_configs import run as evaluate
from own_judges import FOUND, WRITTEN, box
from report_browser import Watched, watch
from report_gallery import Gallery
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.errors import ShardError
from diptych.judges.contract import TextLine
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.read.evidence import MAX_MASKS, MAX_RECORDS

ATTACK = "<img src=x onerror=window.PWNED=1>"
QUESTIONS = [
    {"id": "a", "question": "Is there a fish?"},
    {"id": "b", "question": "Is it night?", "answer": "no", "parents": ["a"]},
]
TWO_FISH = {"include": [{"class": "fish", "count": 2}], "questions": QUESTIONS}
MASK = (12 * 32, *(16, 16) * 24, 12 * 32)  # of the lower half, in the columns that are the fish's
WRONG = "Is it night? expected no, said yes"
LEAVES = 300  # too many to name
FISH_AREA = (12.0, 8.0, 36.0, 24.0)


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two generated pictures of 48 x 32 pixels, one that failed, and a run that judged them."""
    own_judges.install(monkeypatch)
    leaves = [replace(box("leaf", 0.31 + number / 10_000), mask=MASK) for number in range(LEAVES)]
    FOUND[32] = [box("fish", 0.9, corners=FISH_AREA, colour="red"), box(ATTACK, 0.5), box("boat", 0.2), *leaves]
    WRITTEN[32] = [TextLine("OPEN", 0.8, (0.0, 0.0, 24.0, 8.0)), TextLine(ATTACK, 0.7, (0.0, 8.0, 24.0, 16.0))]
    rows = [Made("curated", 0, checks=TWO_FISH), Made("raw", 0, checks=TWO_FISH, picture=1)]
    make_generated(tmp_path / "generated", [*rows, Made("raw", 1, checks=TWO_FISH, picture=None)])
    judges = {
        "eye": {"kind": "own_boxes"},
        "mind": {"kind": "own_answers"},
        "reader": {"kind": "own_text"},
        "people": {"kind": "own_ratings"},
    }
    scores = {
        "objects": {"score": "object_accuracy", "judge": "eye"},
        "official": {"score": "question_accuracy", "judge": "mind", "options": {"unanswered": "wrong"}},
        "corrected": {"score": "question_accuracy", "judge": "mind"},
        "written": {"score": "written_text", "judge": "reader"},
        "rated": {"score": "rating", "judge": "people"},
        "image": {"score": "image_stats"},
    }
    evaluate(make_config(tmp_path, judges=judges, scores=scores, means=[{"score": "object_correct"}]))
    return tmp_path


def build(folder: Path, **changes: Any) -> Path:
    config = {"job": "report", "store": str(folder / "store.duckdb"), **changes}
    build_report(ReportConfig.model_validate(config), folder / "report")
    return folder / "report"


def test_drawer_shows_where_a_judge_saw_what_and_what_the_rules_say_of_it(judged: Path, browser: Any) -> None:
    with watch(browser) as tab:
        tab.open(build(judged) / "gallery.html", "#sel=0")
        drawer = tab.page.locator("#drawer[open]")
        drawer.locator("svg.boxes rect").first.wait_for()
        _boxes_lie_in_the_picture(drawer)
        _words_that_were_read_do_not_hide_them(drawer)
        text = drawer.inner_text()
        assert "What own boxes saw" in text
        assert "fish: expected 2, found 1 at threshold 0.3" in text, "the rule that fails, in words"
        assert text.count("expected 2, found 1") == 1, "once"
        assert "boat" not in text, "what the rule takes for not there is not shown"
        table = drawer.locator("table", has_text="Is it night?").all_inner_texts()[-1]
        assert [line.split("\t") for line in table.splitlines()] == [
            ["Question", "Answer", "Probability"],
            ["Is there a fish?", "yes", "0.75"],
            ["Is it night?", "yes, expected no", "0.75"],
        ]
        rules = drawer.locator("table", has_text="First wrong question").inner_text().splitlines()
        assert rules[:2] == ["Rule\tcorrected\tofficial", "First wrong question\t" + "\t".join(2 * [WRONG])]
        ratings = drawer.locator("table", has_text="no red").inner_text().splitlines()
        assert ratings == ["Rater\tRating\tNote", "ann\t4\tno red", "ben\t5\t"]
        _one_of_a_crowd_can_be_chosen(tab, drawer)
        drawer.get_by_label("outlined in the picture").first.uncheck()
        assert [one.is_visible() for one in drawer.locator("svg.boxes").all()] == [False, True]
        tab.page.keyboard.press("ArrowRight")
        tab.until("document.querySelector('#drawer').innerText.includes('2 of 3')")
        assert not drawer.locator("svg.boxes").first.is_visible(), "what was hidden stays so"
        assert (tab.run("window.PWNED"), tab.said, tab.foreign) == (None, [], [])
        previews = [address for address in tab.requests if address.endswith(".webp")]
        assert sorted(previews) == sorted(set(previews)), "no picture is loaded twice"


def _boxes_lie_in_the_picture(drawer: Any) -> None:
    """The fish and the second line that was read, in a square frame: the picture is as wide and two thirds as high."""
    frame = drawer.locator(".frame").first.bounding_box()
    fish = drawer.locator("svg.boxes g", has_text="fish 0.9, red 0.9").locator("rect").bounding_box()
    line = drawer.locator("svg.boxes").nth(1).locator("g", has_text=ATTACK).locator("rect").bounding_box()
    for found, corners in ((fish, FISH_AREA), (line, (0.0, 8.0, 24.0, 16.0))):
        left, top, right, bottom = (side / 48 * frame["width"] for side in corners)
        assert found["x"] - frame["x"] == pytest.approx(left, abs=4)
        assert found["y"] - frame["y"] == pytest.approx(frame["width"] / 6 + top, abs=4)
        assert (found["width"], found["height"]) == (
            pytest.approx(right - left, abs=6),
            pytest.approx(bottom - top, abs=6),
        )


def _words_that_were_read_do_not_hide_them(drawer: Any) -> None:
    """They stand outside of the outline, and only once it is pointed at; those of boxes are there at once."""
    line = drawer.locator("svg.boxes").nth(1).locator("g", has_text="OPEN")
    assert not line.locator("text").is_visible()
    line.locator("rect").hover(force=True)
    words, outline = line.locator("text").bounding_box(), line.locator("rect").bounding_box()
    assert words["y"] > outline["y"] + outline["height"] - 4, "the outline begins at the upper end of the picture"
    assert drawer.locator("svg.boxes").first.locator("text").last.is_visible()


def _one_of_a_crowd_can_be_chosen(tab: Watched, drawer: Any) -> None:
    """300 of 302 boxes are one stop of the keyboard; a dozen have their names in the picture, and the chosen one."""
    assert tab.count("#drawer svg.boxes:first-of-type g") == MAX_RECORDS
    assert "and 2 more" in drawer.inner_text()
    assert tab.count("#drawer path") == MAX_MASKS - 2, "a mask is an outline, of the surest"
    named = "[...document.querySelectorAll('#drawer svg.boxes')][0].querySelectorAll('text')"
    shown = f"[...{named}].filter((one) => getComputedStyle(one).display !== 'none').length"
    seen = drawer.get_by_role("listbox").first
    assert (tab.run(shown), seen.locator("option").count()) == (12, MAX_RECORDS)
    assert seen.locator("option").nth(1).inner_text() == f"{ATTACK} 0.5", "a label is text"
    seen.focus()
    tab.page.keyboard.press("End")
    assert tab.run(shown) == 13
    assert drawer.locator(".is-chosen title").text_content() == seen.locator("option").last.text_content()
    assert "1 of 3" in drawer.inner_text(), "the keys of the list do not turn to another image"
    seen.blur()


def kinds(folder: Path) -> list[list[str]]:
    """Return what kinds of evidence the report has of each image."""
    gallery = Gallery(folder)
    told = gallery.index["evidence"]
    files = [gallery.data(f"evidence-{number}") for number in told["files"]]
    return [[told["looks"][seen["look"]]["kind"] for seen in row] for file in files for row in file]


def test_of_pictures_that_are_not_shown_nothing_is_told_that_lies_in_them(judged: Path) -> None:
    assert kinds(build(judged)) == [*2 * [["boxes", "answers", "text", "ratings"]], []]
    flagged = {"score": "brightness", "above": -1, "missing": "blur"}
    assert kinds(build(judged, flagged=flagged)) == [*2 * [["answers", "ratings"]], []]


def test_report_without_the_evidence_is_one_without_it(judged: Path) -> None:
    shutil.rmtree(judged / "generated" / "evidence")
    assert kinds(build(judged)) == []


def test_damaged_evidence_is_named_and_not_drawn(judged: Path) -> None:
    found = next(one for one in open_dataset(judged / "generated").column_sets("evidence") if "own_boxes" in one.name)
    data = bytearray(found.files[0].read())
    data[len(data) // 2] ^= 1
    found.files[0].path.write_bytes(data)
    with pytest.raises(ShardError, match=r"evidence/own_boxes-[0-9a-f]{8}/00000\.parquet: .*damaged"):
        build(judged)
