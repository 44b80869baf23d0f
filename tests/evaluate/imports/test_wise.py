"""Grades of WISE's own programs: the words of a judge, or the grades that were read from them."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from drawn import picture
from imported_evidence import import_file, imported_facts, lines_of, refusal, stored
from made_elsewhere import imported

from diptych.judges.evidence import ANSWERS

PROMPTS = {1: "A round pastry", 401: "Noon", 641: "A plant by a window"}
BEFORE = {"consistency": 2.0, "realism": 1.0, "aesthetic_quality": 0.5}


def folder_of(path: Path, kind: str) -> Path:
    """Return a folder with ``generated``, an image of each prompt, called by its id as upstream's are."""
    items = [
        {"Prompt": prompt, "Explanation": "why", "Subcategory": "Festival", "prompt_id": number}
        for number, prompt in PROMPTS.items()
    ]
    names = ["merge"] if kind == "wise" else ["cultural_common_sense", "natural_science", "spatio-temporal_reasoning"]
    (path / "images").mkdir()
    for number, name in enumerate(names):
        (path / f"{name}.json").write_text(json.dumps(items if kind == "wise" else items[number : number + 1]))
    for number in PROMPTS:
        (path / "images" / f"{number}.png").write_bytes(picture(number, kind="PNG"))
    where = f"prompts.path={path / 'merge.json' if kind == 'wise' else path}"
    imported(path / "images", "--prompts", kind, "--set", where, "--out", path / "generated")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path, "wise")


def full(number: int, evaluation: str, prompt: str | None = None) -> dict[str, Any]:
    told = {"prompt": prompt or PROMPTS[number], "key": "why", "image_path": f"images/{number}.png"}
    return {"prompt_id": number, **told, "evaluation": evaluation}


def texts(folder: Path) -> dict[int, str | None]:
    said = stored(folder, ANSWERS).records
    return {number: some[0].text if some else None for number, some in zip(PROMPTS, said, strict=True)}


def test_the_words_of_the_judge_are_kept_and_rewritten_prompts_are_others(folder: Path) -> None:
    found = [full(1, "**Score:** 1"), full(401, "Score: 0"), full(641, "Score: 1", "A rewritten plant")]
    facts = imported_facts(folder, "full_results.json", json.dumps(found, indent=2), form="wise", judge="qwen")
    assert texts(folder) == {1: "**Score:** 1", 401: "Score: 0", 641: None}
    says = f"'A rewritten plant', where the image has {PROMPTS[641]!r}"
    assert (facts["answered"], facts["misfits"]) == (
        2,
        {"another prompt": {"records": 1, "first_record": 3, "says": says}},
    )


def test_grades_alone_are_said_as_the_judge_is_asked_to(folder: Path) -> None:
    lines = lines_of(*({"prompt_id": number, "Subcategory": "x", "score": number % 2} for number in (1, 641, 7)))
    facts = imported_facts(folder, "scores.jsonl", lines, form="wise", judge="qwen")
    assert texts(folder) == {1: "Score: 1", 401: None, 641: "Score: 1"}
    assert facts["misfits"] == {
        "no such image": {
            "records": 1,
            "first_line": 3,
            "says": "prompt_id '7', where the dataset has '1', '401', '641'",
        }
    }


def test_grades_before_2026_are_three(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "wise_legacy")
    imported_facts(folder, "scores.jsonl", lines_of({"prompt_id": 1, **BEFORE}), form="wise", judge="gpt")
    assert json.loads(texts(folder)[1] or "") == BEFORE, "as no judge says it"


@pytest.mark.parametrize("lacking", [{"score": None}, {"score": math.nan}, {"evaluation": None}])
def test_a_record_without_a_grade_is_one_without_an_answer(folder: Path, lacking: dict[str, Any]) -> None:
    lines = lines_of({"prompt_id": 1, "score": 1}, {"prompt_id": 401, **lacking})
    facts = imported_facts(folder, "scores.jsonl", lines, form="wise", judge="qwen")
    assert (facts["answered"], facts["unanswered"]) == (1, {"failed": 1})


BROKEN = {
    lines_of({"prompt_id": 1, "realism": 2}): "scores.jsonl:1: a grade of WISE has evaluation, or as numbers score",
    lines_of({"prompt_id": 1, "score": "1"}): "scores.jsonl:1: a grade of WISE has evaluation, or as numbers score",
    lines_of({"score": 1}): "scores.jsonl:1: a grade of WISE is an object with prompt_id; here it is None",
    "[7]": "scores.jsonl: record 1: a grade of WISE is an object with prompt_id; here it is None",
}


def test_file_of_another_form_is_one_line(folder: Path) -> None:
    for text, said in BROKEN.items():
        assert said in refusal(import_file(folder, "scores.jsonl", text, form="wise", judge="qwen"))
