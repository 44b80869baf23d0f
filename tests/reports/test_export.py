"""Selections leave the pages as tables: with their keys, no column twice, and nothing that a spreadsheet would run."""

import csv
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from carried_pool import make_carried_pool
from report_browser import Watched
from report_store import make_store
from report_world import Names, World, make_generated

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.store.store import Store

RUN = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1",
    "\n=1+1",
    " =1+1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
]
RUN += ["\u3000=1", "\u200b=1", "\N{FULLWIDTH PLUS SIGN}1", "\N{FULLWIDTH COMMERCIAL AT}x", "\u00a0-1"]
PLAIN = ['a cat, "quoted"', " a space before", "1+1", "a=b", "-5", "-.5e-3", "two\nlines", "#x"]


def table(tab: Watched) -> list[dict[str, str]]:
    """Return what Export CSV gives."""
    with tab.page.expect_download() as waiting:
        tab.page.locator("#export").click()
    with Path(waiting.value.path()).open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert len(set(lines[0])) == len(lines[0]), "a column stands there twice"
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_table_has_what_is_shown_with_keys_and_places(built: Path, world: World, tab: Watched) -> None:
    tab.open(built / "gallery.html", "#f=model:rough")
    found = {row["key"]: row for row in table(tab)}
    with Store.open(world.store, read_only=True) as store:
        images = store.query("SELECT * FROM v_images WHERE model = 'rough'")
    assert len(found) == len(images) == 80
    for image in images:
        row = found[image["key"]]
        for name in (
            "dataset",
            "sha256",
            "seed",
            "sample",
            "shard",
            "shard_row",
            "prompt_id",
            "caption",
            "width",
            "benchmark",
        ):
            assert row[name] == str(image[name]), name
        assert row["url"] == ""
        value = image["match__clip_similarity"]
        assert row["match.clip_similarity"] == "" if value is None else float(row["match.clip_similarity"]) == value


def test_pool_rows_have_their_decision_and_copy(built: Path, world: World, tab: Watched) -> None:
    tab.open(built / "gallery.html", "#f=dataset:pairs")
    rows = table(tab)
    assert len(rows) == 44
    assert {row["decision"] for row in rows} >= {"kept", "sharp"}
    assert all(row["duplicate_of"] for row in rows if row["decision"] == "duplicate")


def test_pairs_leave_compare_with_their_keys(built: Path, tab: Watched) -> None:
    tab.open(built / "compare.html", "#s=match.clip_similarity&o=less")
    rows = table(tab)
    assert len(rows) == 160
    assert [(row["pair"], row["column"]) for row in rows[:3]] == [("1", "rough"), ("1", "fine"), ("2", "rough")]
    steps = [
        float(b["match.clip_similarity"] or "nan") - float(a["match.clip_similarity"] or "nan")
        for a, b in zip(rows[::2], rows[1::2], strict=True)
    ]
    known = [step for step in steps if step == step]
    assert known == sorted(known)
    assert all(
        a["key"] != b["key"] and a["setting"] == b["setting"] for a, b in zip(rows[::2], rows[1::2], strict=True)
    )


def test_images_of_a_moved_line_can_be_opened_and_leave_with_their_keys(built: Path, tab: Watched) -> None:
    tab.open(built / "funnel.html")
    box = tab.page.locator(".threshold[data-column='image.sharpness']").first
    box.locator("input[type=number]").fill("700.5")
    link = box.get_by_role("link", name="Images that it rejects")
    link.wait_for()
    address = link.get_attribute("href") or ""
    assert "f=image.sharpness:..700.5" in unquote(address)
    tab.open(built / "gallery.html", f"#{address.partition('#')[2]}")
    rows = table(tab)
    assert rows
    assert all(float(row["image.sharpness"]) < 700.5 for row in rows)


def test_no_cell_begins_as_a_formula_and_other_texts_stay_as_they_are(tmp_path: Path, tab: Watched) -> None:
    names = Names(captions=(*RUN, *PLAIN))
    generated = make_generated(tmp_path / "generated", len(names.captions), size=16, names=names)
    store = make_store(tmp_path / "store.duckdb", generated, names)
    build_report(ReportConfig.model_validate({"job": "report", "store": store}), tmp_path / "out")
    tab.open(tmp_path / "out" / "gallery.html")
    captions = {row["caption"] for row in table(tab)}
    assert captions == {*(f"'{text}" for text in RUN), *PLAIN}


def test_carried_numbers_keep_all_digits_and_names_of_the_table_take_none_away(tmp_path: Path, tab: Watched) -> None:
    ratios = (0.1234567890123, 0.1234567890199, 12345678.5, 1e300)
    rows = range(24)
    columns = {
        "ratio": pa.array([ratios[number % 4] for number in rows]),
        "single": pa.array([0.1 * (number % 3) for number in rows], pa.float32()),
        "stars": pa.array([(float("inf"), 2.5, None, float("-inf"))[number % 4] for number in rows]),
        "pair": pa.array([f"p{number % 2}" for number in rows]),
    }
    pool = make_carried_pool(tmp_path, columns, {"starred": "stars > 1"})
    generated = make_generated(tmp_path / "generated", 3, size=16)
    store = make_store(tmp_path / "store.duckdb", generated, Names())
    config = {"job": "report", "store": store, "pools": [pool]}
    build_report(ReportConfig.model_validate(config), tmp_path / "out")
    tab.open(tmp_path / "out" / "gallery.html", "#f=dataset:carried")
    found = table(tab)
    assert sorted({float(row["ratio"]) for row in found}) == sorted(ratios)
    assert {row["single"] for row in found} == {"0", "0.1", "0.2"}
    assert {row["stars"] for row in found} == {"Infinity", "2.5", "", "-Infinity"}
    assert {row["pair"] for row in found} == {"p0", "p1"}
    tab.open(tmp_path / "out" / "gallery.html", "#f=ratio:0.1234567890123")
    assert tab.page.locator("#count").inner_text().startswith("6 of ")
    tab.open(tmp_path / "out" / "compare.html")
    first = table(tab)[0]
    assert (first["pair"], first["source_pair"]) == ("1", "")


def test_a_number_that_a_rule_compares_takes_no_word_from_other_images(tmp_path: Path, tab: Watched) -> None:
    pool = make_carried_pool(tmp_path, {"seed": pa.array([number % 3 for number in range(12)])}, {"seeded": "seed > 0"})
    generated = make_generated(tmp_path / "generated", 3, size=16)
    store = make_store(tmp_path / "store.duckdb", generated, Names())
    config = {"job": "report", "store": store, "pools": [pool]}
    build_report(ReportConfig.model_validate(config), tmp_path / "out")
    tab.open(tmp_path / "out" / "gallery.html")
    found = table(tab)
    assert {row["seed"] for row in found if row["dataset"] == "carried"} == {"0", "1", "2"}
    assert {row["seed"] for row in found if row["dataset"] == "generated"} == {str(2**61 + n) for n in range(3)}
