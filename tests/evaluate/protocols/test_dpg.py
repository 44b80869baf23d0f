"""DPG-Bench by both rules: what upstream's script counts and what it means to, on cases made for each of its traps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pytest
from evaluate_configs import make_config, read, result_of, run
from own_judges import SAID
from tiny_generated import Made, make_generated

from diptych.data.checks import parse_checks
from diptych.evaluate.comparisons.stores import compare_labels
from diptych.evaluate.protocols.dpg import FIRST_ITEM
from diptych.evaluate.statistics.intervals import clustered_mean
from diptych.scores.question_rule import with_reach

CHANGE = "dpg_official_eye_and_dpg_corrected_eye.rank_change"
WHOLE, KINDS = "question_accuracy", "questions_right"


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def asked(*questions: tuple[str, str, str, str]) -> dict[str, Any]:
    """Return questions from their words, their kind (``attribute - color``), parents and the judge's answer."""
    for text, _, _, answer in questions:
        SAID[text] = answer
    return {
        "questions": [
            {"question": text, "tags": kind.split(" - "), "parents": parents.split()}
            for text, kind, parents, _ in questions
        ]
    }


def counted(
    folder: Path,
    prompts: Sequence[Mapping[str, Any] | Sequence[Mapping[str, Any]]],
    states: Mapping[int, str] | None = None,
) -> None:
    """Run both rules over prompts, of which each has an image for each of its checks."""
    made = [
        Made("one", number, sample, checks=checks, picture=4 * number + sample, benchmark="dpg")
        for number, given in enumerate(prompts)
        for sample, checks in enumerate([given] if isinstance(given, Mapping) else given)
    ]
    make_generated(folder / "generated", made, kinds={"dpg": "dpg"}, states=states)
    protocols = [{"protocol": "dpg", "judge": "eye"}]
    run(make_config(folder, judges={"eye": {"kind": "own_answers"}}, protocols=protocols))


def value(folder: Path, rule: str, metric: str = WHOLE, **groups: str) -> tuple[float, int]:
    row = result_of(folder, f"dpg_{rule}_eye.{metric}", model="one", **groups)
    return row["value"], row["n"]


def test_a_question_that_was_zeroed_zeroes_those_below_it_in_official_alone(tmp_path: Path) -> None:
    chain = asked(
        ("A car?", "entity - whole", "", "no"),
        ("Red?", "attribute - color", "1", "yes"),
        ("Deep?", "other", "2", "yes"),
    )
    counted(tmp_path, [chain])
    assert value(tmp_path, "official") == (0.0, 1)
    assert value(tmp_path, "corrected")[0] == pytest.approx(1 / 3)


def test_upstream_zeroes_on_its_way_down_the_table_and_never_back() -> None:
    """The first hangs on the second, which stands below and is zeroed only later."""
    checks = parse_checks(
        {"questions": [{"question": "a", "parents": ["2"]}, {"question": "b", "parents": ["3"]}, {"question": "c"}]}, ""
    )
    assert with_reach(checks.questions, [1.0, 1.0, 0.0], "walked") == [1.0, 0.0, 0.0]
    assert with_reach(checks.questions, [1.0, 1.0, 0.0], "ancestors") == [0.0, 0.0, 0.0]
    assert with_reach(checks.questions, [1.0, 1.0, 0.0], "parents") == [1.0, 0.0, 0.0]


def test_kinds_of_official_are_of_the_last_image_and_know_no_parents(tmp_path: Path) -> None:
    first = asked(("A car?", "entity - whole", "", "yes"), ("Red?", "attribute - color", "1", "no"))
    last = asked(("A car, last?", "entity - whole", "", "no"), ("Red, last?", "attribute - color", "1", "yes"))
    counted(tmp_path, [[first, first, first, last]])
    assert value(tmp_path, "official", KINDS, question_kind="attribute") == (1.0, 1)
    assert value(tmp_path, "official", KINDS, question_kind="attribute - color") == (1.0, 1)
    assert value(tmp_path, "official", KINDS, question_kind="entity") == (0.0, 1)
    assert value(tmp_path, "corrected", KINDS, question_kind="attribute") == (0.0, 4)
    assert value(tmp_path, "corrected", KINDS, question_kind="entity") == (0.75, 4)
    assert value(tmp_path, "corrected", KINDS) == (pytest.approx(3 / 8), 8)
    assert value(tmp_path, "official") == value(tmp_path, "corrected") == (pytest.approx(3 / 8), 4)


def test_an_image_that_is_not_there_is_neither_the_last_nor_wrong(tmp_path: Path) -> None:
    """Of the first prompt the last is missing, of the second all; the third has one that nobody asked for."""
    right, wrong = asked(("A car?", "entity", "", "yes")), asked(("A bus?", "entity", "", "no"))
    states = {1: "missing", 2: "missing", 4: "extra"}
    counted(tmp_path, [[right, right], right, [wrong, wrong]], states)
    for rule in ("official", "corrected"):
        found = result_of(tmp_path, f"dpg_{rule}_eye.{KINDS}", model="one", question_kind="entity")
        assert (found["value"], found["n"], found["n_unscored"]) == (0.5, 2, {"official": 1, "corrected": 2}[rule])
        assert "unscored" in found["caution"]
        assert "extra" not in found["caution"]
        assert value(tmp_path, rule, f"{WHOLE}_worst") == (pytest.approx(1 / 6), 4)  # a half, and two with none


def test_a_prompt_counts_once_whatever_number_of_images_it_has(tmp_path: Path) -> None:
    """Three images with 1, 1 and 1/2 of the questions right, and one with none: 5/12 over prompts, 5/8 over images."""
    right = asked(("A car?", "entity", "", "yes"), ("Red?", "other", "", "yes"))
    half = asked(("A car?", "entity", "", "yes"), ("Blue?", "other", "", "no"))
    counted(tmp_path, [[right, right, half], asked(("A bus?", "entity", "", "no"))])
    for rule in ("official", "corrected"):
        found = result_of(tmp_path, f"dpg_{rule}_eye.{WHOLE}", model="one")
        expected = clustered_mean(np.array([5 / 6, 0.0]), [0, 1])
        assert (found["value"], found["se"], found["n"]) == (pytest.approx(5 / 12), pytest.approx(expected.se), 4)
        assert (found["ci_low"], found["ci_high"]) == (0.0, 1.0)  # Student's of two prompts, cut
        assert "images of a prompt" not in found["caution"]
        assert "mean over prompts, in each over its images" in found["note"]


def test_what_is_all_right_or_all_wrong_counts_prompts_too_and_so_does_the_worst_case(tmp_path: Path) -> None:
    """Of the second prompt an image is missing: it is left out of the prompt's mean, and at worst wrong in it."""
    right, wrong = asked(("A car?", "entity", "", "yes")), asked(("A bus?", "entity", "", "no"))
    counted(tmp_path, [[right] * 3, [wrong], [right, right]], {5: "missing"})
    found = result_of(tmp_path, f"dpg_official_eye.{WHOLE}", model="one")
    assert (found["value"], found["n"], found["n_unscored"]) == (pytest.approx(2 / 3), 5, 1)
    assert 0.0 < found["ci_low"] < 2 / 3 < found["ci_high"] < 1.0
    assert value(tmp_path, "official", f"{WHOLE}_worst") == (0.5, 6)


def test_models_are_compared_by_prompts_and_not_by_images_of_some(tmp_path: Path) -> None:
    """One is right on the prompt of three images, the other on that of one: over prompts they are equal."""
    answers = {name: asked((f"{name}?", "entity", "", name)) for name in ("yes", "no")}
    made = [
        Made(
            model, prompt, sample, checks=answers[said[prompt]], picture=20 * at + 4 * prompt + sample, benchmark="dpg"
        )
        for at, (model, said) in enumerate({"one": ("yes", "no", "no"), "two": ("no", "yes", "no")}.items())
        for prompt, count in enumerate((3, 1, 1))
        for sample in range(count)
    ]
    make_generated(tmp_path / "generated", made, kinds={"dpg": "dpg"})
    protocols = [{"protocol": "dpg", "judge": "eye"}]
    name = f"dpg_official_eye.{WHOLE}"
    agreements = [{"a": name, "b": f"dpg_corrected_eye.{WHOLE}", "at_least_a": 0.5, "at_least_b": 0.5}]
    judges = {"eye": {"kind": "own_answers"}}
    run(make_config(tmp_path, judges=judges, protocols=protocols, agreements=agreements, compare={"by": "model"}))
    (found,) = read(tmp_path, "SELECT * FROM differences WHERE metric = ? AND groups = '{}'", (name,))
    assert (found["value"], found["n"]) == (pytest.approx(0.0), 5)
    again = compare_labels(tmp_path / "store.duckdb", "one", "two", metric=name)
    assert again.rows[0].value == pytest.approx(0.0)
    assert "place 1.5 of 2 by a (0.3333)" in result_of(tmp_path, CHANGE, model="one")["note"]


def test_official_has_no_number_over_all_questions(tmp_path: Path) -> None:
    counted(tmp_path, [asked(("A car?", "entity", "", "yes"))])
    found = read(tmp_path, "SELECT groups FROM results WHERE metric = ?", (f"dpg_official_eye.{KINDS}",))
    assert {row["groups"].get("question_kind") for row in found if "category" not in row["groups"]} == {"entity"}


@pytest.mark.parametrize(
    ("parents", "official", "n"), [("", 1.0, 2), ("1", 1.0, 1)], ids=["counted without it", "prompt dropped"]
)
def test_first_question_of_the_table_is_lost_in_official(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parents: str, official: float, n: int
) -> None:
    monkeypatch.setattr("tiny_generated.prompt_name", {0: FIRST_ITEM}.get)
    first = asked(("A car?", "entity", "", "no"), ("Red?", "attribute", parents, "yes"))
    counted(tmp_path, [first, asked(("A cat?", "entity", "", "yes"))])
    assert value(tmp_path, "official") == (official, n)
    assert value(tmp_path, "corrected")[1] == 2
    assert value(tmp_path, "official", KINDS, question_kind="entity") == (1.0, 1)
    assert value(tmp_path, "corrected", KINDS, question_kind="entity") == (0.5, 2)


def test_what_has_no_answer_is_wrong_in_official_and_left_out_in_corrected(tmp_path: Path) -> None:
    counted(tmp_path, [asked(("A car?", "entity", "", "(refused)"), ("A cat?", "entity", "", "yes"))])
    assert value(tmp_path, "official")[0] == 0.5
    assert value(tmp_path, "corrected")[0] == 1.0
    assert value(tmp_path, "corrected", f"{WHOLE}_worst")[0] == 0.5
    assert value(tmp_path, "official", KINDS, question_kind="entity") == (0.5, 2)
    assert value(tmp_path, "corrected", KINDS, question_kind="entity") == (1.0, 1)


def test_two_sets_of_prompts_are_two_numbers_and_settings_taken_together_are_told(tmp_path: Path) -> None:
    made = [
        Made(
            "one",
            number,
            setting=setting,
            caption=f"{label} {number}",
            checks=asked((f"{label} {number}?", "entity - whole", "", said)),
            picture=8 * number + 4 * (label != "dpg") + at,
            benchmark=label,
        )
        for number in range(3)
        for label, said in (("dpg", "no"), ("dpg_rewritten", "yes"))
        for at, setting in enumerate(("g2", "g12"))
    ]
    make_generated(tmp_path / "generated", made, kinds={"dpg": "dpg", "dpg_rewritten": "dpg"})
    run(make_config(tmp_path, judges={"eye": {"kind": "own_answers"}}, protocols=[{"protocol": "dpg", "judge": "eye"}]))
    rows = [
        result_of(tmp_path, f"dpg_official_eye.{WHOLE}", model="one", benchmark=label)
        for label in ("dpg", "dpg_rewritten")
    ]
    assert [(row["value"], row["n"]) for row in rows] == [(0.0, 6), (1.0, 6)]
    for row in rows:
        assert "over 2 settings together: g12, g2" in row["caution"]
        assert "3 of 1,065 prompts" in row["caution"]
    assert (
        result_of(tmp_path, f"dpg_official_eye.{KINDS}", model="one", benchmark="dpg", question_kind="entity")["value"]
        == 0
    )
