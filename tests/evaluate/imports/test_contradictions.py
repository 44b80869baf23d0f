"""Records whose own words are not those of the image or the question that they name: no format makes them count."""

import json
from pathlib import Path
from typing import Any

import pytest
from imported_evidence import import_file, imported_facts, lines_of, refusal
from tiny_generated import Made, make_generated

TEXTS = ("A red fish", "Two café cats", "a bird")
ASKED = ({"id": "1", "question": "Is there a thing?"}, {"id": "2", "question": "A red one?"})
ROWS = [Made("one", number, caption=text, checks={"questions": ASKED}) for number, text in enumerate(TEXTS)]
SAME = ("a  red fish ", "two cafe\u0301 cats")  # in whitespace, case and composition alone they are others
SCALE = ("--scale", "1-5")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_generated(tmp_path / "generated", ROWS)
    return tmp_path


def dsg(number: int, text: str, question: str = ASKED[0]["question"]) -> dict[str, Any]:
    image = {"item_id": f"{number:05d}", "t2i_model": "one", "text": text}
    return {**image, "question_id": "1", "question": question, "answer": "yes"}


def row(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {"prompt_id": f"{number:05d}", "prompt": text, **more}


def rated(number: int, text: str) -> dict[str, Any]:
    return {"item_id": f"{number:05d}", "t2i_model": "one", "caption": text, "worker_id": "w", "answer": "3"}


FORMS = {
    "answers": (lambda number, text: row(number, text, question_id="1", answer="yes"), ()),
    "vqa_score": (lambda number, text: row(number, text, probability=0.5), ()),
    "ratings": (lambda number, text: row(number, text, rating=3), SCALE),
    "labels": (lambda number, text: row(number, text, label="yes"), ()),
    "dsg": (dsg, ()),
    "dsg_likert": (rated, ()),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_record_of_another_prompt_is_left_out_of_any_format_and_the_first_is_named(folder: Path, form: str) -> None:
    record, more = FORMS[form]
    text = lines_of(*(record(number, words) for number, words in enumerate((*SAME, "Two café cats"))))
    facts = imported_facts(folder, "said.jsonl", text, *more, form=form)
    says = "'Two café cats', where the image has 'a bird'"
    assert facts["misfits"] == {"another prompt": {"records": 1, "first_line": 3, "says": says}}
    assert (facts["images_told"], facts["records"]) == (2, {"read": 3, "used": 2})


@pytest.mark.parametrize("form", ["answers", "dsg"])
def test_an_answer_to_another_question_of_that_id_is_left_out(folder: Path, form: str) -> None:
    told = [dsg(0, TEXTS[0], "is there  a thing?"), dsg(1, TEXTS[1], "Is there a dog?")]
    named = [{**one, "prompt_id": one["item_id"]} for one in told]
    facts = imported_facts(folder, "said.jsonl", lines_of(*named), form=form)
    says = "'Is there a dog?', where it is 'Is there a thing?'"
    assert facts["misfits"] == {"another question": {"records": 1, "first_line": 2, "says": says}}
    assert facts["answered"] == 1


def test_a_file_of_other_questions_alone_is_refused(folder: Path) -> None:
    text = lines_of(*(dsg(number, TEXTS[number], "Is there a dog?") for number in range(3)))
    said = refusal(import_file(folder, "said.jsonl", text, form="dsg"))
    assert "says nothing of any image of" in said
    assert "3 records: another question (line 1, 2, 3): 'Is there a dog?', where it is 'Is there a thing?'" in said


def test_columns_that_nothing_reads_are_told_with_what_may_be_meant(folder: Path) -> None:
    text = "prompt_id,modell,annotator,rating\n00000,one,a,3\n"
    facts = imported_facts(folder, "people.csv", text, *SCALE, form="ratings")
    assert facts["unused_columns"] == {"modell": "model", "annotator": ""}
    lines = import_file(folder, "people.csv", text, *SCALE, form="ratings").output
    assert "not used   the column 'modell': if it is model, call it so\nnot used   the column 'annotator'\n" in lines
    assert "images     1 in the file, 1 with evidence; 2 of the 3 pictures without any\n" in lines
    assert json.loads(json.dumps(facts))["images_untold"] == 2
