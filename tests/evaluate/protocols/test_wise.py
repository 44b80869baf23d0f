"""WISE from a judge's words to the number: categories by ids, grades, and what cannot be read."""

import json
from pathlib import Path

import own_judges
import pytest
from evaluate_configs import call_json, make_config, result_of, run
from own_judges import SAID
from tiny_generated import Made, make_generated

from diptych.errors import DataError
from diptych.evaluate.protocols.wise import PUBLISHED
from diptych.generate.prompts import Prompt
from diptych.generate.prompts.wise import wise, wise_legacy

SIZES = (400, 120, 120, 120, 120, 120)  # of the verified categories
FILES = {"cultural_common_sense": 400, "spatio-temporal_reasoning": 568, "natural_science": 1000}


def item(number: object, prompt: str = "A round pastry") -> dict[str, object]:
    return {"Prompt": prompt, "Explanation": "a {mooncake}", "Subcategory": "Festival", "prompt_id": number}


def prompts_at(path: Path, *numbers: object) -> tuple[Prompt, ...]:
    path.write_text(json.dumps([item(number) for number in numbers]), "utf-8")
    return wise(path=path).prompts


def test_category_is_told_by_the_id_and_not_by_the_file(tmp_path: Path) -> None:
    verified = prompts_at(tmp_path / "merge.json", 400, 401, 641, 760, 761, 1000)
    assert [(one.id, *one.categories) for one in verified] == [
        ("400", "culture"),
        ("401", "time"),
        ("641", "biology"),
        ("760", "biology"),
        ("761", "physics"),
        ("1000", "chemistry"),
    ]
    (question,) = verified[0].checks.questions
    assert (question.choices, question.answer, question.about) == ((), "Score: 1", "a {mooncake}")
    assert '"A round pastry"' in question.question
    assert "a {mooncake}" in question.question
    for name, number in FILES.items():
        (tmp_path / f"{name}.json").write_text(json.dumps([item(number)]), "utf-8")
    legacy = wise_legacy(path=tmp_path).prompts
    assert [one.categories for one in legacy] == [("culture",), ("space",), ("chemistry",)]
    assert legacy[0].checks.questions[0].question.endswith("Aesthetic Quality: 0, 1 or 2")


@pytest.mark.parametrize("number", [0, 1001, "7", True, None])
def test_prompt_without_an_id_of_wise_is_refused(tmp_path: Path, number: object) -> None:
    with pytest.raises(DataError, match=r"merge\.json:1: prompt_id: must be a whole number from 1 to 1,000"):
        prompts_at(tmp_path / "merge.json", number)


def test_grades_are_averaged_and_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)
    SAID.update({"a": "Score: 1", "b": "Score: 0", "c": "Score: 0.5", "d": "Pretty.", "e": "(refused)"})
    rows = [
        Made("one", number, category="culture", checks=asked(name), picture=number, benchmark="wise")
        for number, name in enumerate("abcde")
    ]
    make_generated(tmp_path / "generated", rows, kinds={"wise": "wise"})
    judges = {"eye": {"kind": "own_answers"}}
    run(make_config(tmp_path, judges=judges, protocols=[{"protocol": "wise", "judge": "eye"}]))
    official = result_of(tmp_path, "wise_official_eye.wise_score", model="one")
    assert (official["value"], official["n"], official["n_unscored"]) == (pytest.approx(1 / 3), 3, 2)
    corrected = result_of(tmp_path, "wise_corrected_eye.wise_score", model="one")
    assert (corrected["value"], corrected["n"], corrected["n_unscored"]) == (0.5, 2, 3)
    assert "unparsed" in corrected["caution"]
    assert result_of(tmp_path, "wise_corrected_eye.wise_score_worst", model="one")["value"] == pytest.approx(1 / 5)


def test_grades_that_another_judge_wrote_come_by_import(tmp_path: Path) -> None:
    rows = [Made("one", number, category="culture", checks=asked("a"), benchmark="wise") for number in range(3)]
    make_generated(tmp_path / "generated", rows, kinds={"wise": "wise"})
    said = ["**Score**: 1", "Score: 0", "I cannot say."]
    lines = [
        json.dumps({"prompt_id": f"{number:05}", "model": "one", "question_id": "1", "answer": answer})
        for number, answer in enumerate(said)
    ]
    (tmp_path / "said.jsonl").write_text("\n".join(lines), "utf-8")
    given = (
        "import-evidence",
        tmp_path / "generated",
        tmp_path / "said.jsonl",
        "--format",
        "answers",
        "--judge",
        "gpt",
    )
    facts = call_json("evaluate", *given)
    run(make_config(tmp_path, judges=facts["judges"], protocols=[{"protocol": "wise", "judge": "gpt"}]))
    found = result_of(tmp_path, "wise_official_gpt.wise_score", model="one")
    assert (found["value"], found["n"], found["n_unscored"]) == (0.5, 2, 1)


def asked(name: str) -> dict[str, object]:
    return {"questions": [{"question": name, "choices": [], "answer": "Score: 1"}]}


@pytest.mark.parametrize("model", PUBLISHED)
def test_published_whole_is_the_mean_over_images_of_its_categories(model: str) -> None:
    """Of whole images: upstream's weights .4 and .12 are 400 and 120 of 1,000."""
    whole, *shares = PUBLISHED[model]
    right = [round(share * size) for share, size in zip(shares, SIZES, strict=True)]
    assert [round(n / size, 4) for n, size in zip(right, SIZES, strict=True)] == shares
    assert sum(right) / 1000 == pytest.approx(whole)
