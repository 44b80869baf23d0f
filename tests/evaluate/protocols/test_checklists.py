"""Checklists: T2I-CoReBench by dimension, UniGenBench++ by point, BizGenEval by error; judges held against people."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import call_json, make_config, read, result_of, run
from own_judges import SAID
from tiny_generated import Made, make_generated

from diptych.asset_families import CORE_DIMENSIONS
from diptych.evaluate.protocols import find_protocol
from diptych.evaluate.protocols.agreement import agreement_note


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)
    SAID.update({"No?": "no", "Unclear?": "(unparsed)"})


def counted(
    folder: Path,
    protocol: str,
    made: Sequence[tuple[str | tuple[str, ...], list[dict[str, Any]]]],
    model: str = "one",
    **changes: Any,
) -> None:
    """Run a protocol over prompts; where another model is named, it is right about the first of them alone."""
    rows = [
        Made("one", number, category=category, checks={"questions": questions}, picture=number, benchmark=protocol)
        for number, (category, questions) in enumerate(made)
    ]
    wrong = {"questions": asked("No?")}
    rows += [replace(row, model=model, checks=wrong if row.prompt else row.checks) for row in rows if model != "one"]
    make_generated(folder / "generated", rows, kinds={protocol: protocol})
    protocols = [{"protocol": protocol, "judge": "eye"}]
    run(make_config(folder, judges={"eye": {"kind": "own_answers"}}, protocols=protocols, **changes))


def asked(*questions: str, tags: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [{"question": question, "tags": list(tags)} for question in questions]


def test_t2i_corebench_is_the_mean_of_its_twelve_dimensions(tmp_path: Path) -> None:
    rows = [(name, asked("Yes?")) for name in CORE_DIMENSIONS]
    rows += [("C-MI", asked("No?", "Unclear?")), ("C-MI", asked("Yes?", "No?", "Unclear?"))]
    counted(tmp_path, "t2i_corebench", rows)
    name = "t2i_corebench_official_eye.question_accuracy"
    assert result_of(tmp_path, name, model="one", category="C-MI")["value"] == pytest.approx(0.5)
    whole = result_of(tmp_path, name, model="one")
    assert (whole["value"], whole["n"]) == (pytest.approx(11.5 / 12), 14)
    worst = result_of(tmp_path, f"{name}_worst", model="one")["value"]
    assert worst == pytest.approx((11 + (1 + 0 + 1 / 3) / 3) / 12)
    cautions = {
        row["groups"].get("category"): row["caution"] or ""
        for row in read(tmp_path, "FROM results WHERE metric = ?", (name,))
    }
    said = "questions without an answer, left out: 2 unparsed"
    assert (f"2 of 17 {said}" in cautions.pop(None), f"2 of 6 {said}" in cautions.pop("C-MI")) == (True, True)
    assert not any("question" in caution for caution in cautions.values())


def test_two_models_are_compared_over_dimensions_in_a_run_and_from_its_store(tmp_path: Path) -> None:
    rows = [(name, asked("Yes?")) for name in CORE_DIMENSIONS] + [("C-MI", asked("Yes?"))] * 3
    counted(tmp_path, "t2i_corebench", rows, "two", compare={"by": "model"})
    name = "t2i_corebench_official_eye.question_accuracy"
    (of_run,) = [
        row for row in read(tmp_path, "SELECT * FROM differences WHERE metric = ?", (name,)) if not row["groups"]
    ]
    assert of_run["value"] == pytest.approx((11 + 0.75) / 12)
    told = call_json("evaluate", "compare", tmp_path / "store.duckdb", "one", "two", "--metric", name)
    assert [row["value"] for row in told["differences"]] == pytest.approx([of_run["value"]])


def test_t2i_corebench_without_a_dimension_is_no_number(tmp_path: Path) -> None:
    counted(tmp_path, "t2i_corebench", [("C-MI", asked("Yes?"))])
    whole = result_of(tmp_path, "t2i_corebench_official_eye.question_accuracy", model="one")
    assert (whole["value"], whole["reason"]) == (None, "categories_missing")
    assert read(tmp_path, "SELECT * FROM results WHERE metric LIKE '%_worst'") == [], "nothing is unscored"


def test_unigenbench_pools_points_by_dimension_and_has_no_number_over_all(tmp_path: Path) -> None:
    rows = [
        ("Art", [*asked("Yes?", tags=("Attribute", "Quantity")), *asked("No?", tags=("Attribute", "Color"))]),
        ("Art", [*asked("Yes?", tags=("Attribute", "Color")), *asked("Unclear?", tags=("Style",))]),
        ("Art", [*asked("No?", tags=("Style",)), *asked("Unclear?", tags=("Attribute", "Color"))]),
    ]
    counted(tmp_path, "unigenbench", rows)
    name = "unigenbench_official_eye.questions_right"
    found = {
        row["groups"].get("question_kind"): (row["value"], row["n"])
        for row in read(tmp_path, "SELECT * FROM results WHERE metric = ?", (name,))
    }
    assert found == {
        "Attribute": (pytest.approx(2 / 3), 3),
        "Attribute - Color": (0.5, 2),
        "Attribute - Quantity": (1.0, 1),
        "Style": (0.0, 1),
    }
    style = result_of(tmp_path, name, model="one", question_kind="Style")
    assert style["caution"] == "unscored: 1 unparsed; about one prompt alone"
    (worst,) = read(tmp_path, "SELECT * FROM results WHERE metric <> ?", (name,))
    assert (worst["metric"], worst["groups"]["question_kind"]) == (f"{name}_worst", "Attribute"), (
        "of Style it is the same"
    )
    assert (worst["value"], worst["n"]) == (0.5, 4)


def test_bizgeneval_takes_a_part_away_for_each_error_of_all_easy_and_hard_questions(tmp_path: Path) -> None:
    easy, hard = ["text", "easy"], ["text", "hard"]
    rows = [
        (("poster", "text"), [*asked("Yes?", "No?", tags=easy), *asked("No?", "No?", tags=hard)]),
        (("chart", "text"), [*asked("Yes?", "Unclear?", tags=easy), *asked(*["No?"] * 12, tags=hard)]),
    ]
    counted(tmp_path, "bizgeneval", rows)
    found = {
        (row["metric"].removeprefix("bizgeneval_"), row["groups"].get("category")): row["value"]
        for row in read(tmp_path, "SELECT * FROM results")
    }
    name = "eye.checklist_score"
    assert found["official_" + name, None] == pytest.approx((0.7 + 0.0) / 2)
    assert found["official_easy_" + name, None] == pytest.approx((0.8 + 0.8) / 2)
    assert found["official_hard_" + name, None] == pytest.approx((0.6 + 0.0) / 2)
    assert found["official_easy_" + name, "chart"] == pytest.approx(0.8)
    assert found["official_easy_" + name, "text"] == pytest.approx(0.8)
    assert found["corrected_easy_" + name, None] == pytest.approx(0.8)
    assert found["corrected_easy_" + name, "chart"] is None
    assert found[f"corrected_hard_{name}", None] == pytest.approx((0.6 + 0.0) / 2)
    corrected = result_of(tmp_path, f"bizgeneval_corrected_easy_{name}", model="one")
    assert (corrected["n"], corrected["n_unscored"]) == (1, 1)
    assert "unparsed" in corrected["caution"]


@pytest.mark.parametrize(
    ("track", "domains", "dimensions"),
    [
        ("Nano-Banana-Pro, hard", (77.5, 82.2, 73.0, 76.5, 74.2), (72.2, 65.6, 86.4, 82.6)),
        ("Nano-Banana-Pro, easy", (96.5, 94.8, 92.2, 94.8, 90.0), (91.2, 92.2, 95.0, 96.2)),
        ("Z-Image, hard", (6.2, 12.2, 8.8, 12.0, 1.8), (26.8, 2.6, 2.8, 0.6)),
        ("Qwen-Image-2512, hard", (7.2, 10.2, 2.2, 11.5, 0.2), (22.2, 1.2, 1.8, 0.0)),
    ],
)
def test_bizgeneval_has_published_one_mean_of_domains_and_of_dimensions(
    track: str, domains: Sequence[float], dimensions: Sequence[float]
) -> None:
    """Which the mean over 400 images is, as each of the 20 pairs has 20 prompts."""
    (whole,) = [one.value for one in find_protocol("bizgeneval").published if one.model == track]
    for parts in (domains, dimensions):
        assert sum(parts) / len(parts) == pytest.approx(100 * whole, abs=0.1)


def test_a_judge_that_was_held_against_people_says_how_often_it_agrees() -> None:
    protocol = find_protocol("t2i_corebench")
    said = agreement_note(protocol, {"weights": "Qwen/Qwen3.5-9B", "precision": "bf16"})
    assert said.startswith("this judge agrees with people in 78.4% (balanced accuracy; README of T2I-CoReBench")
    assert agreement_note(protocol, {"base_url": "https://somewhere", "model": "gpt-4o"}) != ""
