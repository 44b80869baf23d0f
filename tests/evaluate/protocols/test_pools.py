"""Numbers over questions: n, kinds, states, the worst case, intervals by prompt, two models question by question."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pytest
import tiny_generated
from evaluate_configs import call, call_json, make_config, read, result_of, run
from tiny_generated import Made, make_generated

from diptych.data.row_states import ONE_COLOURED, REPEATED
from diptych.evaluate.protocols import find_protocol
from diptych.evaluate.protocols.agreement import agreement_note
from diptych.evaluate.protocols.contract import JudgeAgreement, Protocol, QuestionPool
from diptych.evaluate.protocols.dsg import DSG
from diptych.evaluate.statistics.intervals import clustered_mean
from diptych.evaluate.statistics.macro_shares import clustered_share
from diptych.judges.contract import Answer, Query

RIGHT = "dsg_corrected_eye.questions_right"


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer yes to all, and nothing to a question that says so."""

    def answer(self: object, image: object, question: Query) -> Answer:
        if "unparsed" in question.text:
            return Answer(question.text, question.choices, (), "well", "unparsed")
        return Answer(question.text, (), (), "yes")

    own_judges.install(monkeypatch)
    monkeypatch.setattr(own_judges.OwnAnswers, "_answer", answer)


def asked(*questions: str) -> dict[str, Any]:
    """Return questions from ``tag tag: right answer``, each about nothing else."""
    parts = [text.partition(": ") for text in questions]
    return {
        "questions": [
            {"question": f"{text} {number}?", "answer": "no" if answer == "no" else "yes", "tags": tags.split()}
            for number, (text, (tags, _, answer)) in enumerate(zip(questions, parts, strict=True))
        ]
    }


def rows(models: Sequence[str] = ("one", "two")) -> list[Made]:
    """Return three prompts with 2, 1 and 3 questions; the second model lacks the picture of the third."""
    checks = (
        asked("entity whole: yes", "attribute color: no"),
        asked("entity whole: yes"),
        asked("attribute color: yes", "attribute size: unparsed", "entity part: no"),
    )
    return [
        Made(model, prompt, checks=what, picture=None if (number, prompt) == (1, 2) else prompt, benchmark="dsg")
        for number, model in enumerate(models)
        for prompt, what in enumerate(checks)
    ]


def evaluated(folder: Path, made: Sequence[Made], **changes: Any) -> None:
    make_generated(folder / "generated", made, kinds={"dsg": "dsg"})
    protocols = [{"protocol": "dsg", "judge": "eye", "rules": ["corrected"]}]
    run(make_config(folder, judges={"eye": {"kind": "own_answers"}}, protocols=protocols, **changes))


def test_n_counts_questions_and_the_interval_is_clustered_by_prompt(tmp_path: Path) -> None:
    evaluated(tmp_path, rows())
    found = result_of(tmp_path, RIGHT, model="one")
    values, prompts = np.array([1.0, 0.0, 1.0, 1.0, 0.0]), np.array([0, 0, 1, 2, 2])
    expected = clustered_share(values, prompts, prompts)
    assert (found["value"], found["n"], found["n_unscored"]) == (0.6, 5, 1)
    assert found["se"] == pytest.approx(clustered_mean(values, prompts).se)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((expected.ci_low, expected.ci_high))
    assert found["unit"] == "share of questions"


def test_each_kind_of_question_is_a_number(tmp_path: Path) -> None:
    evaluated(tmp_path, rows())
    found = read(tmp_path, "SELECT * FROM results WHERE metric = ?", (RIGHT,))
    kinds = {
        row["groups"].get("question_kind"): (row["value"], row["n"], row["n_unscored"])
        for row in found
        if row["groups"]["model"] == "one" and "category" not in row["groups"]
    }
    assert kinds == {None: (0.6, 5, 1), "attribute": (0.5, 2, 1), "entity": (pytest.approx(2 / 3), 3, 0)}


def test_kinds_go_as_deep_as_the_rule_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = replace(DSG.rules["corrected"], pool=QuestionPool(levels=2, is_whole=False))
    of_two_levels(monkeypatch, replace(DSG, rules={"official": DSG.rules["official"], "corrected": rule}))
    evaluated(tmp_path, rows(), compare={"by": "model"})
    for table in ("results", "differences"):
        found = read(tmp_path, f"SELECT groups FROM {table} WHERE metric = ?", (RIGHT,))
        kinds = {row["groups"].get("question_kind") for row in found}
        assert kinds - {None} == {
            "attribute",
            "attribute - color",
            "attribute - size",
            "entity",
            "entity - part",
            "entity - whole",
        }
    whole = read(tmp_path, "SELECT * FROM results WHERE metric = ? AND groups->>'question_kind' IS NULL", (RIGHT,))
    assert all("category" in row["groups"] for row in whole)


def of_two_levels(monkeypatch: pytest.MonkeyPatch, protocol: Protocol) -> None:
    for room in ("means", "choices"):
        monkeypatch.setattr(f"diptych.evaluate.protocols.{room}.find_protocol", lambda name: protocol)


def test_what_has_no_answer_is_told_with_its_state_and_wrong_at_worst(tmp_path: Path) -> None:
    evaluated(tmp_path, rows())
    one = result_of(tmp_path, RIGHT, model="one")
    assert "unscored: 1 unparsed" in one["caution"]
    assert result_of(tmp_path, f"{RIGHT}_worst", model="one")["value"] == pytest.approx(3 / 6)
    two = result_of(tmp_path, RIGHT, model="two")
    assert (two["n"], two["n_unscored"]) == (3, 3)
    assert "unscored: 3 out_of_memory" in two["caution"]
    assert result_of(tmp_path, f"{RIGHT}_worst", model="two")["value"] == pytest.approx(2 / 6)


def test_mean_over_images_tells_what_it_is_at_worst_where_something_lacks_an_answer(tmp_path: Path) -> None:
    evaluated(tmp_path, rows())
    name = "dsg_corrected_eye.question_accuracy"
    assert result_of(tmp_path, name, model="two")["value"] == pytest.approx((0.5 + 1.0) / 2)
    assert "unscored: 1 out_of_memory" in result_of(tmp_path, name, model="two")["caution"]
    worst = result_of(tmp_path, f"{name}_worst", model="two")
    assert (worst["value"], worst["n"], worst["n_unscored"]) == (pytest.approx(0.5), 3, 0)


def test_neither_a_kind_nor_a_category_has_a_number_at_worst_and_each_category_tells_its_own_gaps(
    tmp_path: Path,
) -> None:
    made = [replace(row, category="few" if row.prompt == 2 else "most") for row in rows()]
    evaluated(tmp_path, made)
    worst = read(tmp_path, "SELECT * FROM results WHERE metric LIKE '%_worst'")
    assert {tuple(row["groups"]) for row in worst} == {("model",)}
    name = "dsg_corrected_eye.question_accuracy"
    few = result_of(tmp_path, name, model="one", category="few")
    assert few["caution"].startswith("1 of 3 questions without an answer, left out: 1 unparsed")
    assert result_of(tmp_path, name, model="two", category="few")["caution"] == "unscored: 1 out_of_memory"
    assert result_of(tmp_path, name, model="two", category="most")["caution"] is None


def test_pictures_of_one_colour_and_equal_ones_are_told_beside_every_number_that_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five pictures two are black, which are not counted as equal too, two are equal, and one repeats a tile."""
    record, black, tile = tiny_generated._record, 9, 2
    said = {black: f"{ONE_COLOURED}: each pixel is (0, 0, 0)", tile: f"{REPEATED}: the same picture as tile 0"}
    monkeypatch.setattr(tiny_generated, "_record", lambda row: record(row) | {"error": said.get(row.picture)})
    pictures = {0: ("a", 1), 1: ("b", 1), 2: ("a", black), 3: ("b", black), 4: ("b", tile)}
    made = [
        Made("one", prompt, category=category, checks=asked("entity: yes"), picture=picture, benchmark="dsg")
        for prompt, (category, picture) in pictures.items()
    ]
    evaluated(tmp_path, made)
    for name in (RIGHT, "dsg_corrected_eye.question_accuracy"):
        whole, a, b = (
            result_of(tmp_path, name, model="one", **by) for by in ({}, {"category": "a"}, {"category": "b"})
        )
        repeated = "1 image the same as another of the grid"
        said_of_all = f"2 images of one colour; 1 image with the bytes of another; {repeated}; the prompts"
        assert whole["caution"].startswith(said_of_all)
        assert (a["caution"], b["caution"]) == ("1 image of one colour", f"1 image of one colour; {repeated}")
    kind = result_of(tmp_path, RIGHT, model="one", question_kind="entity")
    assert kind["caution"] is None, "the whole says it"


def test_nothing_is_said_of_the_worst_where_all_is_answered(tmp_path: Path) -> None:
    evaluated(tmp_path, [row for row in rows() if row.prompt < 2])
    names = {row["metric"] for row in read(tmp_path, "SELECT DISTINCT metric FROM results")}
    assert names == {RIGHT, "dsg_corrected_eye.question_accuracy"}


def test_two_models_are_compared_question_by_question(tmp_path: Path) -> None:
    made = [row for row in rows() if row.prompt < 2]
    made[1] = replace(made[1], checks=asked("entity whole: no"))
    evaluated(tmp_path, made, compare={"by": "model"})
    found = {
        row["groups"].get("question_kind"): (row["value"], row["n"])
        for row in read(tmp_path, "SELECT * FROM differences WHERE metric = ?", (RIGHT,))
    }
    assert found == {None: (pytest.approx(-1 / 3), 3), "attribute": (0.0, 1), "entity": (-0.5, 2)}
    told = call_json("evaluate", "compare", tmp_path / "store.duckdb", "one", "two", "--metric", RIGHT)
    (told,) = told["differences"]
    assert (told["value"], told["n"], told["n_clusters"]) == (pytest.approx(-1 / 3), 3, 2)


def test_a_difference_says_of_how_many_prompts_and_pairs_it_is(tmp_path: Path) -> None:
    evaluated(tmp_path, rows(), compare={"by": "model"})
    few = "the prompts of 'dsg' are not upstream's; 2 of 1,060 prompts"
    left = {RIGHT: "3 pairs", "dsg_corrected_eye.question_accuracy": "1 pair"}
    for metric, count in left.items():
        found = read(tmp_path, "SELECT * FROM differences WHERE metric = ?", (metric,))
        cautions = {row["groups"].get("question_kind"): row["caution"] for row in found}
        assert cautions[None] == f"{count} left out, as a side of it is unscored; {few}"
    of_kinds = read(
        tmp_path, "SELECT * FROM differences WHERE metric = ? AND groups->>'question_kind' = ?", (RIGHT, "entity")
    )
    assert [row["caution"] for row in of_kinds] == ["1 pair left out, as a side of it is unscored"]
    shown = call("evaluate", "compare", tmp_path / "store.duckdb", "one", "two", "--metric", RIGHT).stdout
    assert few in shown
    table = call("evaluate", "results", tmp_path / "store.duckdb").stdout
    assert any("one - two" in line and line.endswith(few) for line in table.splitlines())


def test_mean_of_a_protocols_column_is_the_protocols_number_for_other_groups(tmp_path: Path) -> None:
    name = "dsg_corrected_eye.question_accuracy"
    means = [{"score": name, "by": ["setting"]}, {"score": "question_accuracy_worst", "by": ["setting"]}]
    evaluated(tmp_path, rows(), means=means, compare={"by": "model"})
    for metric in (name, f"{name}_worst"):
        found = read(tmp_path, "SELECT DISTINCT identity_id FROM results WHERE metric = ?", (metric,))
        assert len(found) == 1
        assert result_of(tmp_path, metric, setting="euler-25-g5")["n"] in (5, 6)
    assert "4 of 1,060 prompts" not in result_of(tmp_path, name, setting="euler-25-g5")["caution"]
    assert "3 of 1,060 prompts" in result_of(tmp_path, name, setting="euler-25-g5")["caution"]
    differences = read(tmp_path, "SELECT DISTINCT identity_id FROM differences WHERE metric = ?", (name,))
    assert len(differences) == 1


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({"weights": "Qwen/Qwen3-VL-8B-Instruct@main"}, True),
        ({"weights": "/models/qwen3-vl-8b-instruct", "precision": "bf16"}, True),
        ({"model": "Qwen3-VL-8B-Instruct", "limits": {"max_pixels": 9}}, True),
        ({"weights": "Qwen/Qwen3-VL-32B-Instruct"}, False),
    ],
)
def test_agreement_of_a_judge_with_people_is_told_by_its_name(options: dict[str, Any], known: bool) -> None:
    agreement = JudgeAgreement("Qwen3-VL-8B-Instruct", 0.625, "balanced accuracy", "a paper")
    said = agreement_note(replace(find_protocol("dsg"), agreements=(agreement,)), options)
    assert said == ("this judge agrees with people in 62.5% (balanced accuracy; a paper)" if known else "")
