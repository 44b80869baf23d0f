"""Questions about drawn pictures, answered from the truth: a protocol then gives exactly what was drawn."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import call_json, make_config, result_of
from evaluate_configs import run as evaluate
from PIL import Image

from diptych.data.checks import parse_checks
from diptych.data.images import decode
from diptych.demo.drawn_to_order import CAREFUL, CARELESS, PICTURES, TRUTHS, draw_to_order, drawn_by, orders
from diptych.demo.world.questions import every_question, questions_of
from diptych.demo.world.scenes import LAYOUTS, scene
from diptych.demo.world.truth import truth_of
from diptych.errors import ConfigError, DataError
from diptych.evaluate.protocols import find_protocol
from diptych.generate.prompts.drawn import drawn
from diptych.judges import make_judge
from diptych.judges.contract import Query


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures that were drawn to order, and their dataset as ``generated``."""
    folder = tmp_path_factory.mktemp("ordered")
    draw_to_order(folder)
    said = call_json("generate", "import", folder / PICTURES, "--prompts", "drawn", "--out", folder / "generated")
    assert (said["rows"], said["usable"]) == (80, 80)
    return folder


def judge(folder: Path, **errs: float) -> dict[str, Any]:
    return {"kind": "drawn_truth", "options": {"truth": str(folder / TRUTHS), **errs}}


def test_the_protocol_of_the_demo_is_about_all_that_is_ordered() -> None:
    asked = drawn().prompts
    assert [one.id for one in asked] == [order.name for order in orders()]
    assert len(asked) == find_protocol("drawn_questions").n_prompts
    assert all(one.checks is not None and one.checks.questions for one in asked)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_picture_of_a_scene_answers_its_own_questions_with_yes(layout: Any) -> None:
    known = every_question()
    for seed in range(200):
        drawn = scene(seed, layout=layout)
        asked = questions_of(drawn)
        assert asked
        assert all(known[one["question"]](truth_of(drawn)) for one in asked)
        parse_checks({"questions": asked}, "here")


def test_questions_about_what_is_not_there_are_answered_with_no() -> None:
    known, truth = every_question(), truth_of(scene(3, layout="single"))
    kind, colour = truth.things[0].kind, truth.things[0].colour
    for question, holds in known.items():
        is_so = question in {f"Is there a {kind}?", f"Is there one {kind}?", f"Is every {kind} {colour}?"}
        assert holds(truth) is is_so, question


def right_share(hand: str, order: Any) -> float:
    """Return the share of an order's questions that are right by the truth: each that hangs on a wrong one is wrong."""
    truth, asked = truth_of(drawn_by(hand, order)), questions_of(order.scene)
    right = {one["id"]: every_question()[one["question"]](truth) for one in asked}
    counted = [right[one["id"]] and all(right[parent] for parent in one["parents"]) for one in asked]
    return sum(counted) / len(counted)


def test_with_the_truth_as_judge_a_protocol_gives_exactly_what_was_drawn(ordered: Path) -> None:
    protocols = [{"protocol": "drawn_questions", "judge": "truth"}]
    evaluate(make_config(ordered, judges={"truth": judge(ordered)}, protocols=protocols))
    for hand in (CAREFUL, CARELESS):
        expected = math.fsum(right_share(hand, order) for order in orders()) / 40
        found = result_of(ordered, "drawn_questions_mean_truth.question_accuracy", model=hand)
        assert found["caution"] is None, "all of its prompts, and they are its own"
        assert (found["value"], found["n"], found["n_unscored"]) == (pytest.approx(expected, abs=1e-7), 40, 0)
        assert (expected == 1.0) is (hand == CAREFUL)
        if hand == CARELESS:
            assert found["ci_low"] < expected < found["ci_high"]


def test_share_that_a_judge_of_known_errors_gives_is_told_without_them(ordered: Path, tmp_path: Path) -> None:
    """Of each prompt only whether the thing is there: what the careless hand gets wrong in some, and the judge too."""
    asked = [
        {"id": one.name, "prompt": one.prompt, "checks": {"questions": questions_of(one.scene)[:1]}} for one in orders()
    ]
    (tmp_path / "prompts.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in asked), encoding="utf-8")
    pictures = ordered / PICTURES / CARELESS
    call_json("generate", "import", pictures, "--prompts", tmp_path / "prompts.jsonl", "--out", tmp_path / "generated")
    judges = {"truth": judge(ordered), "errs": judge(ordered, sensitivity=0.9, specificity=0.8)}
    scores = {label: {"score": "question_accuracy", "judge": label} for label in judges}
    check = {"right": [900, 1000], "wrong": [800, 1000]}
    means = [
        {"score": "errs.question_accuracy", "by": [], "judge_check": check},
        {"score": "truth.question_accuracy", "by": []},
    ]
    evaluate(make_config(tmp_path, judges=judges, scores=scores, means=means))
    truth = (
        sum(
            every_question()[questions_of(one.scene)[0]["question"]](truth_of(drawn_by(CARELESS, one)))
            for one in orders()
        )
        / 40
    )
    assert result_of(tmp_path, "truth.question_accuracy")["value"] == pytest.approx(truth)
    said = result_of(tmp_path, "errs.question_accuracy")["value"]
    found = result_of(tmp_path, "errs.question_accuracy_judge_corrected")
    assert said != pytest.approx(truth)
    assert found["value"] == pytest.approx((said + 0.8 - 1.0) / 0.7)
    assert found["ci_low"] < truth < found["ci_high"]
    assert found["note"].startswith("share of images by what the judge said of 1,000 right and 1,000 wrong images")


def _texts(judge: Any, pictures: list[Any], asked: list[list[Query]]) -> list[str]:
    return [answer.text for some in judge.answers(pictures, asked) for answer in some]


def test_a_judge_errs_as_often_as_is_said_and_always_alike(ordered: Path) -> None:
    pictures = [decode(file.read_bytes()) for file in sorted((ordered / PICTURES / CAREFUL).glob("*.png"))]
    questions = [question for question in every_question() if question.startswith("Is there")]
    asked = [[Query(question, ("yes", "no")) for question in questions]] * len(pictures)
    truth, errs = (
        _texts(make_judge("drawn_truth", judge(ordered, **given)["options"]), pictures, asked)
        for given in ({}, {"sensitivity": 0.9, "specificity": 0.8})
    )
    for said, rate in (("yes", 0.9), ("no", 0.8)):
        kept = [one == other for one, other in zip(truth, errs, strict=True) if one == said]
        assert sum(kept) / len(kept) == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / len(kept)))
    again = make_judge("drawn_truth", judge(ordered, sensitivity=0.9, specificity=0.8)["options"])
    alone = [text for picture in pictures for text in _texts(again, [picture], asked[:1])]
    assert alone == errs


def test_what_the_truth_does_not_know_has_no_answer(ordered: Path) -> None:
    known = make_judge("drawn_truth", judge(ordered)["options"])
    picture = next((ordered / PICTURES / CAREFUL).glob("*.png"))
    asked = [[Query("Is there a dragon?", ("yes", "no")), Query("Is there a fish?", ("red", "blue"))]]
    with Image.open(picture) as shown:
        (answers,) = known.answers([shown.convert("RGB")], asked)
    assert [answer.state for answer in answers] == ["refused", "refused"]
    assert known.answers([Image.new("RGB", (64, 64))], asked) == [None]


def test_wrong_options_are_one_line(ordered: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sensitivity: a share is from 0 to 1, not 1.5"):
        make_judge("drawn_truth", judge(ordered, sensitivity=1.5)["options"])
    with pytest.raises(ConfigError, match=r"nothing.jsonl: there is no such file; diptych demo writes one"):
        make_judge("drawn_truth", {"truth": str(tmp_path / "nothing.jsonl")})
    (tmp_path / "torn.jsonl").write_text(json.dumps({"pixels_sha256": "0"}) + "\n", encoding="utf-8")
    torn = make_judge("drawn_truth", {"truth": str(tmp_path / "torn.jsonl")})
    with pytest.raises(DataError, match=r"torn.jsonl:1: no truth of a drawn picture"):
        torn.answers([Image.new("RGB", (8, 8))], [[]])
