"""Results of TIFA's own program: which choice it took for each question."""

import json
from pathlib import Path
from typing import Any

import pytest
from imported_evidence import import_file, imported_facts, refusal, stored
from tiny_generated import Made, make_generated

from diptych.judges.evidence import ANSWERS

CHECKS = {
    "questions": [
        {"question": "how many cats are there?", "choices": ["1", "2", "3"], "answer": "2"},
        {"question": "are there cats?"},
    ]
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_generated(tmp_path / "generated", [Made("sd21", prompt, checks=CHECKS) for prompt in range(2)])
    return tmp_path


def results(**answers: Any) -> str:
    """Return a file as tifascore writes it; the answers are those to the first question, by caption."""
    details = {
        caption: {
            "how many cats are there?": {"free_form_vqa": "one cat", "multiple_choice_vqa": answer, "scores": 0},
            "are there cats?": {"free_form_vqa": "yes", "multiple_choice_vqa": "yes", "scores": 1},
        }
        for caption, answer in answers.items()
    }
    return json.dumps({"tifa_average": 0.5, "question_details": details, "caption_scores": {}})


def test_the_choice_that_was_taken_is_the_answer(folder: Path) -> None:
    facts = imported_facts(folder, "tifa.json", results(**{"00000": "1", "coco_7": "2"}), form="tifa", judge="mplug")
    assert (facts["answered"], facts["unanswered"]) == (2, {})
    assert facts["misfits"] == {
        "no such image": {
            "records": 2,
            "first_record": 3,
            "says": "prompt_id 'coco_7', where the dataset has '00000', '00001'",
        }
    }
    assert [one.text for one in stored(folder, ANSWERS).records[0]] == ["1", "yes"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (results(**{"00000": None}), "tifa.json: record 1 (00000): multiple_choice_vqa is what was answered"),
        ('{"question_details": {"00000": []}}', "tifa.json: record 1 (00000): multiple_choice_vqa is what was"),
        ("[]", "tifa.json: results of TIFA are an object with question_details, by caption and question"),
    ],
)
def test_file_of_another_form_is_one_line(folder: Path, text: str, said: str) -> None:
    assert said in refusal(import_file(folder, "tifa.json", text, form="tifa", judge="mplug"))
