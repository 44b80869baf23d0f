"""Compare in a browser: all settings together, every pair counted, and a state that a link keeps."""

import dataclasses
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import make_config, run
from report_browser import Watched
from report_gallery import counts
from report_world import SETTINGS, World
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.store.store import Store

SCORE = "match.clip_similarity"


@pytest.fixture(scope="module")
def pairs(world: World) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """The values of rough and fine for each prompt and setting, from the store."""
    with Store.open(world.store, read_only=True) as store:
        rows = store.query(
            "SELECT prompt_id, setting, model, value FROM images JOIN scores USING (run_id, dataset, key) "
            "WHERE score = ? ORDER BY ALL",
            [SCORE],
        )
    values = {(row["prompt_id"], row["setting"], row["model"]): row["value"] for row in rows}
    found = {
        (prompt, setting): (values[prompt, setting, "rough"], one)
        for (prompt, setting, model), one in values.items()
        if model == "fine"
    }
    assert len(found) == 80
    return found


def steps_of(pairs: Any) -> list[float]:
    return sorted(b - a for a, b in pairs.values() if a is not None and b is not None)


def small(tab: Watched) -> list[float]:
    """Return by how much fine has more than rough in the rows on the screen, as far as both are scored."""
    found = []
    for pair in tab.page.locator("#rows .pair").all():
        a, b = pair.locator("small").all_inner_texts()
        if "not scored" not in (a, b):
            found.append(float(b) - float(a))
    return found


def test_all_settings_stand_together_and_the_worst_of_all_pairs_comes_first(
    built: Path, tab: Watched, pairs: Any
) -> None:
    tab.open(built / "compare.html", f"#s={SCORE}&o=less")
    assert tab.page.locator("#fixed").input_value() == "all"
    assert tab.page.locator("#count").inner_text() == "80 rows of the same prompt, seed and setting"
    expected = steps_of(pairs)
    assert small(tab)[:4] == pytest.approx(expected[:4], abs=2e-4)
    settings = {text.split(" · ")[1] for text in tab.page.locator("#rows .pair > p").all_inner_texts()}
    assert len(settings) > 1
    tab.page.locator("#order").select_option("more")
    tab.until("location.hash.includes('o=more')")
    tab.page.wait_for_timeout(100)
    assert small(tab)[:4] == pytest.approx(expected[:-5:-1], abs=2e-4)
    tab.page.locator("#order").select_option("apart")
    tab.until("location.hash.includes('o=apart')")
    tab.page.wait_for_timeout(100)
    assert [abs(one) for one in small(tab)][:4] == pytest.approx(sorted(map(abs, expected))[:-5:-1], abs=2e-4)


def test_wins_ties_and_losses_are_those_of_the_store_over_all_and_per_prompt(
    built: Path, tab: Watched, pairs: Any
) -> None:
    by_prompt: dict[str, Counter[str]] = defaultdict(Counter)
    for (prompt, _), (a, b) in pairs.items():
        if a is not None and b is not None:
            by_prompt[prompt]["won" if b > a else "lost" if b < a else "tied"] += 1
    total = sum(by_prompt.values(), Counter())

    def said(counts: Counter[str]) -> str:
        return ", ".join(f"{counts[word]} {word}" for word in ("won", "tied", "lost"))

    tab.open(built / "compare.html", f"#s={SCORE}&o=prompts")
    assert tab.page.locator("#tally").inner_text() == (
        f"fine against rough by CLIP similarity (match), pair by pair: {said(total)}."
    )
    first = tab.page.locator("#rows .pair > p").first.inner_text().partition("this prompt: ")[2]
    worst = min(counts["won"] - counts["lost"] for counts in by_prompt.values())
    assert first in {said(counts) for counts in by_prompt.values() if counts["won"] - counts["lost"] == worst}
    tab.open(built / "compare.html", f"#s={SCORE}&a=fine")
    swapped = Counter(won=total["lost"], tied=total["tied"], lost=total["won"])
    assert tab.page.locator("#tally").inner_text().endswith(f"pair by pair: {said(swapped)}.")


def test_all_columns_are_there_however_many(built: Path, tab: Watched) -> None:
    tab.open(built / "compare.html", "#c=setting")
    names = tab.page.locator("#rows .pair").first.locator(".name").all_inner_texts()
    assert names == [f"{sampler}-{steps}-g{guidance:g}" for sampler, steps, guidance in SETTINGS]
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.page.wait_for_timeout(300)
    box = tab.page.locator("#rows .tile").first.bounding_box()
    assert box["width"] >= 100, "they scroll rather than shrink"
    assert tab.run("document.documentElement.scrollWidth") <= 390


def test_whole_state_is_in_the_address(built: Path, tab: Watched) -> None:
    tab.open(built / "compare.html")
    tab.page.locator("#across").select_option("setting")
    tab.until("location.hash.includes('c=setting')")
    tab.page.locator("#fixed").select_option("fine")
    tab.until("location.hash.includes('w=fine')")
    tab.page.locator("#score").select_option(SCORE)
    tab.until(f"location.hash.includes('s={SCORE}')")
    tab.page.locator("#b").select_option("ddim-25-g3")
    tab.until("location.hash.includes('b=ddim-25-g3')")
    tab.page.locator("#order").select_option("less")
    tab.until("location.hash.includes('o=less')")
    tab.page.locator("#rows .tile").nth(2).click()
    tab.page.locator("#viewer[open]").get_by_role("button", name="Difference", exact=True).click()
    tab.until("location.hash.includes('v=difference')")
    state = tab.page.url.partition("#")[2]
    looks = "['#tally', '#rows', '#viewer'].map((part) => document.querySelector(part).innerText)"
    before = tab.run(looks)
    tab.open(built / "compare.html", f"#{state}")
    tab.page.locator("#viewer[open] h2").wait_for()
    assert tab.run(looks) == before
    assert "is-difference" in (tab.page.locator(".stage").get_attribute("class") or "")
    tab.page.keyboard.press("Escape")
    tab.until("!location.hash.includes('sel=')")
    tab.page.locator("#order").select_option("more")
    tab.until("location.hash.includes('o=more')")
    tab.page.go_back()
    tab.until("document.getElementById('order').value === 'less'")


def test_going_back_takes_the_search_back_from_its_field_too(built: Path, tab: Watched) -> None:
    tab.open(built / "compare.html")
    tab.page.locator("#score").select_option(SCORE)
    tab.until("location.hash.includes('s=')")
    tab.page.locator("#order").select_option("less")
    tab.until("location.hash.includes('o=less')")
    tab.page.locator("#search").fill("black")
    tab.until("location.hash.includes('q=black')")
    tab.page.go_back()
    tab.until("document.getElementById('count').textContent.startsWith('80 ')")
    assert tab.page.locator("#search").input_value() == ""


def test_broken_state_in_the_address_breaks_nothing(built: Path, tab: Watched) -> None:
    for state in ("#c=x&w=y&s=z&o=q", "#a=rough&b=rough", "#sel=99999&with=nobody", "#q=%E0%A4%A", "#o=less", "#&&="):
        tab.open(built / "compare.html", state)
        assert tab.count("#rows .pair") > 0, state


def test_pictures_of_two_datasets_stand_in_rows_of_their_own(
    tmp_path: Path, tab: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    for label, first in (("before", 0), ("after", 100)):
        rows = [
            dataclasses.replace(row, picture=first + number, caption=f"number={first + number}")
            for number, row in enumerate(made_grid(prompts=3, samples=1))
        ]
        make_generated(tmp_path / label, rows)
    config = make_config(tmp_path, scores={"n": {"score": "told_number"}})
    config["datasets"] = {label: {"path": str(tmp_path / label)} for label in ("before", "after")}
    run(config)
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    assert "6 prompts and seeds" in (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    tab.open(tmp_path / "out" / "compare.html", "#s=n.number")
    assert tab.page.locator("#count").inner_text().startswith("6 ")
    rows_shown = tab.page.locator("#rows .pair").all()
    found = {row.locator("p").inner_text(): row.locator("small").all_inner_texts() for row in rows_shown}
    assert len(rows_shown) == 6
    for text, (a, b) in found.items():
        assert (int(a) >= 100) == (int(b) >= 100) == ("in after" in text), "pairs of one dataset"
    assert "6 won" in tab.page.locator("#tally").inner_text()


def test_what_is_not_finite_is_no_score_as_for_the_evaluation(
    tmp_path: Path, tab: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    values = {"a": ("inf", "inf", "1", "-inf", "5"), "b": ("inf", "2", "9", "3", "4")}
    rows = [
        dataclasses.replace(row, caption=f"number={values[row.model][row.prompt]}")
        for row in made_grid(("a", "b"), prompts=5, samples=1)
    ]
    make_generated(tmp_path / "generated", rows)
    means = [{"score": "number", "by": ["model"]}]
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=means))
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    found = list(counts(tmp_path / "out"))
    assert {(said, shown) for page, _, said, shown in found if page == "scores.html"} == {
        (2, 2),
        (3, 3),
        (4, 4),
        (1, 1),
    }
    assert [each for each in found if each[2] != each[3]] == []
    tab.open(tmp_path / "out" / "compare.html", "#s=n.number&o=apart")
    pairs = [pair.locator("small").all_inner_texts() for pair in tab.page.locator("#rows .pair").all()]
    assert pairs[:2] == [["1", "9"], ["5", "4"]]
    assert all("not scored" in pair for pair in pairs[2:])
    assert tab.page.locator("#tally").inner_text().endswith("1 won, 0 tied, 1 lost.")
    tab.open(tmp_path / "out" / "gallery.html", "#f=n.number:none%3Anot_finite")
    assert tab.page.locator("#count").inner_text() == "4 of 10 images"


@pytest.mark.parametrize(("samples", "said"), [(2, True), (1, False)])
def test_rows_of_one_prompt_say_which_of_its_pictures_they_show(
    samples: int, said: bool, tmp_path: Path, tab: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    grid = made_grid(("a", "b"), prompts=2, samples=samples)
    make_generated(tmp_path / "generated", [dataclasses.replace(row, caption=f"number={row.prompt}") for row in grid])
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}))
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    tab.open(tmp_path / "out" / "compare.html")
    told = [row.locator("p").inner_text() for row in tab.page.locator("#rows .pair").all()]
    assert len(told) == 2 * samples
    assert all(bool(re.search(r"(seed|sample) \d+$", one)) == said for one in told)
    assert len(set(told)) == len(told)
