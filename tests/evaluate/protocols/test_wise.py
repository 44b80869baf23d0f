"""WISE from a judge's words to the number: categories by ids, grades, and what cannot be read."""

import json
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import call_json, make_config, read, result_of, run
from own_judges import SAID
from tiny_generated import Made, make_generated

from diptych.errors import DataError
from diptych.evaluate.protocols.wise import PUBLISHED
from diptych.generate.prompts import Prompt
from diptych.generate.prompts.wise import wise, wise_legacy

SIZES = (400, 120, 120, 120, 120, 120)  # of the verified categories
GRADES = ("Consistency", "Realism", "Aesthetic Quality")
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


FIRST = {"culture": 10, "time": 3, "space": 3, "biology": 3, "physics": 3, "chemistry": 3}  # images of each


def graded(folder: Path, said: dict[str, list[str]], kind: str = "wise", **changes: Any) -> None:
    """Evaluate pictures of which a judge says some things, the last of them of all further ones of a category."""
    rows = []
    for category, words in said.items():
        for place in range(FIRST[category]):
            name = f"{category} {place}"
            SAID[name] = words[min(place, len(words) - 1)]
            rows.append(Made("one", len(rows), category=category, checks=asked(name), benchmark=kind))
    make_generated(folder / "generated", rows, kinds={kind: kind})
    protocols = [{"protocol": kind, "judge": "eye"}]
    run(make_config(folder, judges={"eye": {"kind": "own_answers"}}, protocols=protocols, **changes))


@pytest.fixture
def eye(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def whole(folder: Path, rule: str, kind: str = "wise", **groups: str) -> dict[str, Any]:
    return result_of(folder, f"{kind}_{rule}_eye.wise_score", model="one", **groups)


@pytest.mark.usefixtures("eye")
def test_categories_have_upstreams_weights_whatever_of_them_is_read(tmp_path: Path) -> None:
    said = {name: ["Score: 0"] for name in FIRST}
    graded(tmp_path, {**said, "culture": ["Score: 1", "I cannot say."]})
    official = whole(tmp_path, "official")
    assert official["value"] == pytest.approx(0.4)
    assert (official["n"], official["n_unscored"]) == (16, 9)
    assert "9 unparsed" in official["caution"]
    assert official["ci_low"] <= 0.4 <= official["ci_high"]
    assert official["note"].startswith("mean over 6 categories by their weights; interval")
    worst = result_of(tmp_path, "wise_official_eye.wise_score_worst", model="one")
    assert worst["value"] == pytest.approx(0.4 * 0.1)
    assert whole(tmp_path, "official", category="culture")["value"] == 1.0


@pytest.mark.usefixtures("eye")
def test_legacy_categories_have_their_own_weights(tmp_path: Path) -> None:
    none, best = ("\n".join(f"{name}: {grade}" for name in GRADES) for grade in (0, 2))
    said = {name: [none] for name in FIRST}
    graded(tmp_path, {**said, "time": [best], "physics": [best, none, "?"]}, "wise_legacy")
    assert whole(tmp_path, "official", "wise_legacy")["value"] == pytest.approx(0.167 + 0.1 / 2)


@pytest.mark.usefixtures("eye")
def test_category_without_a_grade_leaves_no_whole(tmp_path: Path) -> None:
    said = {name: ["Score: 0"] for name in FIRST if name != "physics"}
    graded(tmp_path, {**said, "time": ["Pretty."]})
    official = whole(tmp_path, "official")
    assert (official["value"], official["reason"]) == (None, "categories_missing")
    assert official["note"] == "no image scored of 2 of the 6 categories: physics, time"
    assert whole(tmp_path, "official", category="space")["value"] == 0.0


@pytest.mark.usefixtures("eye")
def test_grade_that_can_be_read_two_ways_is_none_in_corrected(tmp_path: Path) -> None:
    said = {name: ["Score: 0"] for name in FIRST}
    graded(tmp_path, {**said, "culture": ["Score: 1", "Score: 0", "Score: 0.5", "(refused)"]})
    assert whole(tmp_path, "official")["value"] == pytest.approx(0.4 / 3)
    corrected = whole(tmp_path, "corrected")
    assert (corrected["value"], corrected["n"]) == (pytest.approx(0.4 / 2), 17)
    assert "7 refused, 1 unparsed" in corrected["caution"]


@pytest.mark.usefixtures("eye")
def test_models_differ_by_the_same_weights(tmp_path: Path) -> None:
    rows = []
    for category, size in FIRST.items():
        for place in range(size):
            name = f"{category} {place}"
            SAID[name] = "Score: 1" if category == "culture" else "Score: 0"
            for model in ("one", "two"):
                question = name if model == "one" else "nothing"
                rows.append(Made(model, len(rows) // 2, category=category, checks=asked(question), benchmark="wise"))
    SAID["nothing"] = "Score: 0"
    make_generated(tmp_path / "generated", rows, kinds={"wise": "wise"})
    protocols = [{"protocol": "wise", "judge": "eye"}]
    judges = {"eye": {"kind": "own_answers"}}
    run(make_config(tmp_path, judges=judges, protocols=protocols, compare={"by": "model"}))
    found = read(tmp_path, "SELECT value, groups FROM differences WHERE metric = 'wise_official_eye.wise_score'")
    assert [row["value"] for row in found if "category" not in row["groups"]] == [pytest.approx(0.4)]


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
    found = result_of(tmp_path, "wise_official_gpt.wise_score", model="one", category="culture")
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
