"""What a filter of the gallery means: a word of the data, no value, or a range of numbers, never one for another."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from carried_pool import make_carried_pool
from evaluate_configs import make_config, run
from report_browser import Watched
from report_gallery import Gallery, counts
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.reports.links import MISSING, PRESENT, gallery, missing_for
from diptych.reports.read.rows import group_word

LICENCES = ("none", "cc0", None, "=x", "..", "none:why")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a pool with words that read as marks, and with a number of few values that a rule compares."""
    folder = tmp_path_factory.mktemp("marks")
    rows = range(36)
    columns = {
        "licence": pa.array([LICENCES[number % 6] for number in rows]),
        "rating": pa.array([None if number % 9 == 8 else number % 5 for number in rows]),
    }
    pool = make_carried_pool(folder, columns, {"rated": "rating >= 2"})
    build_report(ReportConfig.model_validate({"job": "report", "pools": [pool]}), folder / "out")
    return folder / "out"


def shown(tab: Watched, out: Path, address: str) -> int:
    tab.open(out / "gallery.html", "#" + address.partition("#")[2])
    return int(tab.page.locator("#count").inner_text().split()[0])


def test_a_word_that_reads_as_a_mark_is_a_word_and_a_mark_is_none(out: Path, tab: Watched) -> None:
    for word in ("none", "cc0", "=x", "..", "none:why"):
        address = gallery({"licence": word})
        assert Gallery(out).count(address) == shown(tab, out, address) == 6, word
        chip = tab.page.locator("#chips").inner_text()
        assert chip.startswith(f"Licence: {word.replace('_', ' ')}"), chip
    for mark, count in ((MISSING, 6), (PRESENT, 30)):
        assert Gallery(out).count(gallery({"licence": mark})) == shown(tab, out, gallery({"licence": mark})) == count
    assert gallery({"licence": ["none", MISSING, missing_for("why")]}) == (
        "gallery.html#f=licence:%3Dnone&f=licence:none&f=licence:none%3Awhy"
    )


def test_a_picked_word_is_the_one_that_was_picked(out: Path, tab: Watched) -> None:
    for word in ("none", "=x", ".."):
        tab.open(out / "gallery.html")
        facet = tab.page.locator("fieldset.facet").filter(has=tab.page.locator("legend", has_text="Licence"))
        label = facet.locator(f"label[title='{word}']")
        label.click()
        tab.until("document.getElementById('count').textContent.startsWith('6 of ')")
        assert label.locator("input").is_checked()
        label.click()
        tab.until("document.getElementById('count').textContent === '36 images'")


def test_what_is_said_of_all_images_or_of_none_is_no_filter_that_fits_anything(out: Path, tab: Watched) -> None:
    assert Gallery(out).index["same"]["status"]["value"] == "ok"
    for address, expected in (
        ("#f=status:ok", "36 images"),
        ("#f=status:..", "36 images"),
        ("#f=status:not_found", "0 of 36 images"),
        ("#f=status:none", "0 of 36 images"),
        ("#f=model:none", "36 images"),
        ("#f=model:fine", "0 of 36 images"),
        ("#f=nothing:x", "0 of 36 images"),
    ):
        tab.open(out / "gallery.html", address)
        assert tab.page.locator("#count").inner_text() == expected, address
        assert Gallery(out).count(address) == int(expected.split()[0]), address


def test_counts_of_a_number_with_few_values_lead_to_its_ranges(out: Path, tab: Watched) -> None:
    assert "rating" in Gallery(out).facets
    assert "rating" in Gallery(out).scores
    found = [each for each in counts(out) if "f=rating:" in each[1]]
    assert len(found) > 8
    assert [each for each in found if each[2] != each[3]] == []
    for _, address, said, _ in found[:4]:
        assert shown(tab, out, address.replace("&amp;", "&")) == said
    assert shown(tab, out, gallery({"rating": "3"})) == 6


def test_a_group_called_none_is_not_the_group_without_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    hats = ("none", None, "blue")
    said = [
        f"number={number} class=cook" + (f" hat={hat}" if (hat := hats[number % 3]) else "") for number in range(30)
    ]
    made = [Made(("raw", "good")[number % 2], number, caption=text, picture=number) for number, text in enumerate(said)]
    make_generated(tmp_path / "generated", made)
    means: list[dict[str, Any]] = [{"score": "number", "by": ["hats.attribute"]}]
    scores = {"hats": {"score": "told_attribute"}, "n": {"score": "told_number"}}
    audit = {"attribute": "hats.attribute", "by": ["model"], "values": ["none", "blue"]}
    run(make_config(tmp_path, scores=scores, means=means, audit=audit))
    config = {"job": "report", "store": tmp_path / "store.duckdb"}
    build_report(ReportConfig.model_validate(config), tmp_path / "out")
    found = list(counts(tmp_path / "out"))
    assert len(found) > 6
    assert [each for each in found if each[2] != each[3]] == []
    assert (group_word(None), group_word("none"), group_word("empty"), group_word("")) == (
        *("none", '"none"', '"empty"', "empty"),
    )
