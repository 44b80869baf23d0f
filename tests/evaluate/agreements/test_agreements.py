"""Two judges on the same images: what is held against what, image by image or question by question, and the ranks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import call, make_config, read, result_of, run
from imported_evidence import imported_facts
from judged_twice import DETR, MODELS, PEOPLE, PROMPTS, ROWS, UNIDET, config_of, judges_of, make_judged
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.errors import ConfigError
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.config import EvaluateConfig


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_judged(tmp_path_factory.mktemp("judged"))


def pairs(a: dict[str, str], b: dict[str, str], only: int | None = None) -> tuple[list[str], list[str]]:
    both = [
        (a[model][prompt], b[model][prompt])
        for model in MODELS
        for prompt in range(PROMPTS)
        if "." not in (a[model][prompt], b[model][prompt]) and only in (None, prompt % 2)
    ]
    return [one for one, _ in both], [other for _, other in both]


def test_kappa_and_agreement_are_those_of_the_images_that_both_judge_by_category_too(folder: Path) -> None:
    for groups, only in (({}, None), ({"category": "colors"}, 0), ({"category": "counting"}, 1)):
        a, b = pairs(DETR, UNIDET, only)
        kappa = result_of(folder, "detr_and_unidet.kappa", **groups)
        assert (kappa["value"], kappa["n"]) == (pytest.approx(cohen_kappa_score(a, b)), len(a))
        assert kappa["ci_low"] < kappa["value"] < kappa["ci_high"]
        share = result_of(folder, "detr_and_unidet.agreement", **groups)
        assert share["value"] == pytest.approx(np.mean(np.array(a) == np.array(b)))
    assert result_of(folder, "detr_and_unidet.kappa")["n_unscored"] == 1
    assert result_of(folder, "detr_and_unidet.kappa")["better"] is None, "no model is better by it"
    assert read(folder, "SELECT * FROM results WHERE metric = 'detr_and_unidet.balanced_accuracy'") == []


def test_where_people_are_right_a_judge_has_a_balanced_accuracy_with_an_interval(folder: Path) -> None:
    for groups, only in (({}, None), ({"category": "counting"}, 1)):
        a, stars = pairs(DETR, PEOPLE, only)
        truth = [str(int(int(one) >= 3)) for one in stars]
        found = result_of(folder, "detr_and_people.balanced_accuracy", **groups)
        assert (found["value"], found["n"]) == (pytest.approx(balanced_accuracy_score(truth, a)), len(a))
        assert 0.0 <= found["ci_low"] < found["value"] < found["ci_high"] <= 1.0
    assert "by b" in result_of(folder, "detr_and_people.balanced_accuracy")["note"]


def test_where_people_say_one_and_the_same_there_is_no_balanced_accuracy_and_no_kappa(folder: Path) -> None:
    found = result_of(folder, "unidet_and_people.balanced_accuracy")
    assert (found["value"], found["reason"], found["n"]) == (None, "no_spread", 22)


def test_models_have_a_place_by_each_judge_and_how_it_changes(folder: Path) -> None:
    rows = read(folder, "SELECT * FROM results WHERE metric = 'detr_and_unidet.rank_change'")
    found = {row["groups"]["model"]: (row["value"], row["n"]) for row in rows}
    assert found == {"flux": (1.0, 8), "sdxl": (-1.0, 8), "sd15": (0.0, 7)}
    note = next(row["note"] for row in rows if row["groups"]["model"] == "flux")
    assert note == "place 1 of 3 by a (0.75), 2 by b (0.5); no interval: too few prompts to draw from"
    correlation = result_of(folder, "detr_and_unidet.rank_correlation")
    assert correlation["value"] == pytest.approx(1 / 3)
    assert correlation["note"].endswith("of 3 models; no interval: too few prompts to draw from")


def test_kappa_of_one_prompt_has_no_interval_and_a_share_says_that_it_is_about_that_alone(
    folder: Path, tmp_path: Path
) -> None:
    asked = {"a": "detr.rating", "b": "unidet.rating", "by": ["prompt_id"]}
    run(config_of(folder, judges_of(folder), asked, store=str(tmp_path / "store.duckdb")))
    split = result_of(tmp_path, "detr_and_unidet.kappa", prompt_id="00004")
    assert (split["n"], split["ci_low"]) == (3, None)
    assert split["note"] == "no interval: all images are of one prompt"
    for groups, caution in (({"prompt_id": "00004"}, "about one prompt alone"), ({}, None)):
        assert result_of(tmp_path, "detr_and_unidet.agreement", **groups)["caution"] == caution
    agreed = result_of(tmp_path, "detr_and_unidet.kappa", prompt_id="00000")
    assert agreed["note"].startswith("no interval: they say the same of all 3, ")


def test_images_on_which_they_split_are_in_the_store_with_what_each_says(folder: Path) -> None:
    sql = (
        "SELECT model, prompt_id, any_value(value) FILTER (score LIKE '%.splits') AS splits, any_value(text) AS said, "
        "any_value(reason) AS why FROM scores JOIN images USING (run_id, dataset, key) "
        "WHERE score LIKE 'detr_and_unidet.%' GROUP BY ALL ORDER BY ALL"
    )
    rows = {(row["model"], int(row["prompt_id"])): row for row in read(folder, sql)}
    assert [(key, row["said"]) for key, row in rows.items() if row["splits"]] == [
        (("flux", 2), "yes / no"),
        (("flux", 4), "yes / no"),
        (("sdxl", 3), "no / yes"),
        (("sdxl", 4), "no / yes"),
    ]
    silent = rows["sd15", 6]
    assert (silent["splits"], silent["said"], silent["why"]) == (None, None, "not_judged_by_both")


def test_image_that_nobody_asked_for_is_none_that_a_judge_left_out(tmp_path: Path) -> None:
    rows = [*ROWS[:2], replace(ROWS[0], picture=1)]
    make_generated(tmp_path / "generated", rows, states={0: "missing", 1: "missing", 2: "extra"})
    judges = dict[str, Any]()
    for judge in ("detr", "unidet"):
        said = f"key,rating\n{rows[0].key},1\n"
        facts = imported_facts(tmp_path, f"{judge}.csv", said, "--scale", "0-1", form="ratings", judge=judge)
        judges |= facts["judges"]
    scores = {name: {"score": "rating", "judge": name} for name in judges}
    run(make_config(tmp_path, judges=judges, scores=scores, agreements=[{"a": "detr.rating", "b": "unidet.rating"}]))
    found = result_of(tmp_path, "detr_and_unidet.agreement")
    assert (found["n"], found["n_unscored"]) == (1, 1)


def answers(said: dict[str, str]) -> str:
    rows = [
        f"{row.key},{number + 1},{answer}\n"
        for row in ROWS
        for number, answer in enumerate((said[row.model][row.prompt], "0"))
        if answer != "."
    ]
    return "key,question_id,answer\n" + "".join(rows).replace(",1\n", ",yes\n").replace(",0\n", ",no\n")


def test_judges_of_questions_are_held_against_each_other_question_by_question(tmp_path: Path) -> None:
    folder = tmp_path
    make_generated(folder / "generated", ROWS)
    judges: dict[str, Any] = {}
    for judge, said in (("detr", DETR), ("unidet", UNIDET)):
        judges |= imported_facts(folder, f"{judge}.csv", answers(said), judge=judge)["judges"]
    scores = {name: {"score": "question_accuracy", "judge": name} for name in judges}
    asked = {"a": "detr.question_accuracy", "b": "unidet.question_accuracy"}
    run(make_config(folder, judges=judges, scores=scores, agreements=[asked]))
    a, b = pairs(DETR, UNIDET)
    right = ["1"] * len(ROWS)  # both say no to the second question of every image, which is right
    found = result_of(folder, "detr_and_unidet.kappa")
    assert found["value"] == pytest.approx(cohen_kappa_score(a + right, b + right))
    assert (found["n"], found["n_unscored"]) == (47, 1)
    sql = "SELECT DISTINCT text FROM scores WHERE score = 'detr_and_unidet.first_split' AND text <> '' ORDER BY 1"
    assert [row["text"] for row in read(folder, sql)] == ["A cat? no / yes", "A cat? yes / no"]
    entity = result_of(folder, "detr_and_unidet.kappa", question_kind="entity")
    assert (entity["value"], entity["n"]) == (pytest.approx(cohen_kappa_score(a, b)), 23)


def test_numbers_without_a_line_are_no_verdicts(folder: Path) -> None:
    asked = {"a": "detr.rating", "b": "people.rating"}
    with pytest.raises(ConfigError, match=r"people.rating has other numbers than 0 and 1; .* at_least_b"):
        run(config_of(folder, judges_of(folder), asked))


def test_number_that_equals_the_line_is_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0.9 is stored in single precision, which is less than 0.9."""
    install(monkeypatch)
    rows = [Made("m", n, caption=f"number={(0.9, 0.3, 0.2)[n % 3]} correct={int(n % 3 < 2)}") for n in range(12)]
    make_generated(tmp_path / "generated", rows)
    scores = {"one": {"score": "told_number"}, "other": {"score": "told_accuracy"}}
    for line, agree in ((0.9, 8), (0.3, 12), (0.2, 8)):
        asked = {"a": "one.number", "at_least_a": line, "b": "other.object_correct"}
        run(make_config(tmp_path, name=f"from_{line}", scores=scores, agreements=[asked]))
        sql = "SELECT groups, value FROM v_results WHERE run = ? AND metric = 'one_and_other.agreement'"
        (found,) = [row["value"] for row in read(tmp_path, sql, (f"from_{line}",)) if row["groups"] == {}]
        assert found == pytest.approx(agree / 12)
    stored = "SELECT count(*) AS n FROM scores WHERE score = 'one.number' AND value >= 0.9"
    assert read(tmp_path, stored)[0]["n"] == 3 * 4, "in each of the three runs"


@pytest.mark.parametrize(
    ("agreements", "said"),
    [
        ([{"a": "detr.rating", "b": "detr.rating"}], "a and b are both 'detr.rating'"),
        ([{"a": "detr.rating", "b": "people.ratings"}], "agreements.0.b: unknown score column 'people.ratings'"),
        ([{"a": "detr.rating", "b": "unidet.rating"}] * 2, "agreements.1: its numbers would stand under"),
        ([{"a": "detr.rating", "b": "unidet.rating", "datasets": ["x"]}], "agreements.0.datasets: unknown dataset 'x'"),
    ],
)
def test_agreement_that_cannot_be_is_one_line(folder: Path, agreements: list[dict[str, Any]], said: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=said):
        run(config_of(folder, judges_of(folder), *agreements))


def test_comparison_of_models_leaves_numbers_of_judges_alone(folder: Path) -> None:
    result = call("evaluate", "compare", folder / "store.duckdb", "flux", "sdxl")
    assert result.exit_code == 0, result.output
    assert "detr_and_unidet" not in result.output
    assert "detr.rating" in result.output


def test_config_of_agreements_round_trips(folder: Path) -> None:
    asked = {"a": "rating", "b": "people.rating", "truth": True, "at_least_b": 4, "by": ["model"]}
    config = EvaluateConfig.model_validate(config_of(folder, {"people": {"kind": "rapidocr"}}, asked))
    assert EvaluateConfig.model_validate(config.model_dump(mode="json")) == config
    assert AgreementChoice(a="detr.one", b="detr.two").label == "detr_one_and_two"
