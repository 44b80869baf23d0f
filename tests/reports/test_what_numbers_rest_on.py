"""Beside a number stands what it rests on: the images shown, if a sample, the models it is of, or why there is none."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import call, make_config, read, run
from report_browser import Watched
from report_gallery import Gallery
from report_world import World
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

SCORE = "match.clip_similarity"


def words(page: Path) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")).split())


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report on three models, of which one is compared without an interval and one group is asked nothing."""
    install(monkeypatch)
    return built(tmp_path, baseline="a")


def built(tmp_path: Path, **compare: Any) -> Path:
    numbers = {"a": 1, "b": 2, "c": 9}
    rows = [
        dataclasses.replace(
            row,
            category=category,
            caption=f"number={numbers[row.model] * (1 + row.prompt)} "
            + ("reason=not_asked" if category == "unasked" else f"correct={row.prompt % 2}"),
        )
        for row in made_grid(("a", "b", "c"), prompts=6, samples=1)
        for category in ["unasked" if row.prompt < 2 else "asked"]
    ]
    make_generated(tmp_path / "generated", rows)
    means: list[dict[str, Any]] = [
        {"score": "number", "by": ["model"]},
        {"score": "object_correct", "by": ["category"]},
    ]
    scores = {"n": {"score": "told_number"}, "objects": {"score": "told_accuracy"}}
    run(make_config(tmp_path, scores=scores, means=means, compare={"by": "model", **compare}))
    config = {"job": "report", "store": tmp_path / "store.duckdb"}
    build_report(ReportConfig.model_validate(config), tmp_path / "out")
    return tmp_path / "out"


def test_each_verdict_of_several_models_says_whose_it_is(out: Path) -> None:
    strip = (out / "index.html").read_text(encoding="utf-8").split('class="strip"')[1].split("</section>")[0]
    lines = [" ".join(re.sub(r"<[^>]+>", "", line).split()) for line in re.findall(r"<li>(.*?)</li>", strip, re.DOTALL)]
    assert len(lines) == 4
    assert [re.search(r"(\w against \w),", line)[1] for line in lines] == [
        "b against a",
        "c against a",
    ] * 2  # type: ignore[index]


def test_furthest_apart_are_those_of_all_models(out: Path) -> None:
    page = (out / "index.html").read_text(encoding="utf-8")
    (article,) = [part for part in page.split("<article>") if "Furthest apart" in part]
    assert re.findall(r'<figcaption dir="auto">(\w) ', article) == ["a", "c"] * 2
    assert 'href="compare.html#s=n.number&amp;o=apart"' in article


def test_a_group_of_which_nothing_was_asked_says_so(out: Path) -> None:
    (row,) = read(out.parent, "SELECT * FROM results WHERE value IS NULL")
    assert (row["groups"], row["reason"]) == ({"category": "unasked"}, "nothing_asked")
    text = "".join(words(page) for page in sorted(out.glob("scores*.html")))
    assert re.search(r"unasked \N{EN DASH} .*?nothing asked", text)
    assert "1 result could not be computed. Object accuracy (objects): nothing asked." in words(out / "index.html")


def test_a_protocol_says_beside_its_number_how_many_of_its_prompts_it_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_judges.install(monkeypatch)
    checks = {"questions": [{"question": "Is it there?", "answer": "yes", "tags": ["entity"]}]}
    made = [
        Made("one", prompt, setting=setting, checks=checks, picture=picture, benchmark="dsg")
        for prompt, picture in enumerate((0, 1, None))
        for setting in ("first", "second")
    ]
    make_generated(tmp_path / "generated", made, kinds={"dsg": "dsg"})
    protocols = [
        {"protocol": "dsg", "judge": "eye", "rules": ["corrected"], "by": by}
        for by in (["model"], ["model", "setting"])
    ]
    run(make_config(tmp_path, judges={"eye": {"kind": "own_answers"}}, protocols=protocols))
    lines = call("evaluate", "results", tmp_path / "store.duckdb").stdout.splitlines()
    (line,) = [line for line in lines if re.match(r"\S+\.question_accuracy +one  ", line)]
    assert "bytes of another; over 2 settings together: first, second; the prompts of 'dsg'" in line
    assert line.endswith("3 of 1,060 prompts")
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    for name in ("index.html", "scores.html", "grid.html"):
        assert "3 of 1,060 prompts" in words(tmp_path / "out" / name), name
    card = words(tmp_path / "out" / "index.html").split("Question accuracy (dsg_corrected_eye)")[1]
    assert re.search(r"n 4 · 2 unscored", card)


def test_a_difference_and_a_share_of_an_audit_say_what_they_rest_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_judges.install(monkeypatch)
    install(monkeypatch)
    checks = {"questions": [{"question": "Is it there?", "answer": "yes"}], "include": [{"class": "cook", "count": 1}]}
    hat = "hat=orange class=cook"
    made = [
        Made(model, prompt, sample, checks=checks, picture=prompt, benchmark="dsg", caption=hat)
        for model, prompts in (("one", (0, 1)), ("two", (0, 2)))
        for prompt in prompts
        for sample in range(2)
    ]
    make_generated(tmp_path / "generated", made, kinds={"dsg": "dsg"})
    asked = {"protocols": [{"protocol": "dsg", "judge": "eye", "rules": ["corrected"]}], "compare": {"by": "model"}}
    by = ["model", "prompt_id"]
    asked |= {"scores": {"hats": {"score": "told_attribute"}}, "audit": {"attribute": "attribute", "by": by}}
    run(make_config(tmp_path, judges={"eye": {"kind": "own_answers"}}, **asked))
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    for name in ("index.html", "scores.html", "compare.html"):
        assert "1 of 1,060 prompts" in words(tmp_path / "out" / name), name
        assert "2 of 1,060 prompts" in words(tmp_path / "out" / name) or name == "compare.html"
    assert "about one prompt alone" in words(tmp_path / "out" / "audit.html")


def test_numbers_of_a_sample_say_that_they_are_of_the_images_shown(
    world: World, built: Path, tmp_path: Path, tab: Watched
) -> None:
    build_report(world.config(max_images=60), tmp_path / "out")
    note = f"of the {Gallery(tmp_path / 'out').index['n']} images shown"
    for folder, is_sample in ((tmp_path / "out", True), (built, False)):
        tab.open(folder / "compare.html", f"#s={SCORE}")
        assert (f"pair by pair {note}: " in tab.page.locator("#tally").inner_text()) == is_sample
        first = tab.page.locator("#rows .pair > p").first.inner_text()
        assert ("this prompt, as far as shown: " in first) == is_sample
        tab.open(folder / "gallery.html", "#f=model:fine&sel=1")
        tab.page.locator("#drawer meter").first.wait_for()
        assert (f" % {note}" in tab.page.locator("#drawer dl").first.inner_text()) == is_sample
        label = tab.page.locator("#drawer meter").first.get_attribute("aria-label") or ""
        assert label.endswith(note if is_sample else " % of all")
        titles = re.findall(r"(?:Lowest|Furthest apart)[^<]*", (folder / "index.html").read_text(encoding="utf-8"))
        assert titles
        assert all(("shown" in title) == is_sample for title in titles)


def test_the_order_of_three_models_says_who_cannot_be_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    said = words(built(tmp_path, margins={"number": 100.0}) / "scores.html")
    assert "Order ModelRankRank at 95 %GroupPrompts won, tied, lost c11a12, 0, 0b22b6, 0, 6a33c0, 0, 12 Those" in said
    assert "a11 to 3a0, 8, 0b21 to 3a0, 8, 0c31 to 3a0, 8, 0 Those" in said
    assert "Those with a letter in common cannot be told apart by these images." in said
    assert re.search(r"0 won, 0 tied, 6 lost; effect -\d", said)
    assert re.search(r"not resolved [^;]*won[^;]*; effect [^;]*; 80 % power from a difference of \d", said)
    assert "equivalent within 100, p" in said


def test_no_order_where_all_were_compared_with_one(out: Path) -> None:
    assert "Rank at 95 %" not in words(out / "scores.html")


def test_how_much_is_between_prompts_stands_where_there_are_several_images(out: Path, tmp_path: Path) -> None:
    assert "Between prompts and within" not in words(out / "scores.html"), "one image a prompt and model"
    rows = made_grid(("a", "b"), prompts=5, samples=2)
    said = [f"number={row.prompt * 4 + row.sample}" for row in rows]
    make_generated(
        tmp_path / "two", [dataclasses.replace(row, caption=text) for row, text in zip(rows, said, strict=True)]
    )
    datasets = {"two": {"path": str(tmp_path / "two"), "role": "generated"}}
    means = [{"score": "number", "by": ["model"]}]
    run(make_config(tmp_path, name="two", datasets=datasets, scores={"n": {"score": "told_number"}}, means=means))
    config = {"job": "report", "store": tmp_path / "store.duckdb", "run": "two"}
    build_report(ReportConfig.model_validate(config), tmp_path / "out-two")
    text = words(tmp_path / "out-two" / "scores.html")
    assert "OfVariance between promptsWithin a promptICCnPrompts" in text
    for model in "ab":  # 5 prompts that are 4 apart, and two images that are 1 apart: 40 - 0.25 between, 0.5 within
        assert f"{model}39.750.50000.988105" in text
