"""Records about images that an import of pictures set aside: no format makes them count."""

from pathlib import Path

import pytest
from imported_evidence import import_file, imported_facts, lines_of, refusal, stored
from tiny_generated import Made, make_generated

from diptych.judges.evidence import KINDS

CHECKS = {"include": [{"class": "boat", "count": 1}], "questions": [{"id": "1", "question": "A boat?"}]}
COCO = {
    "images": [{"id": number, "file_name": f"{number}.png"} for number in range(2)],
    "categories": [{"id": 1, "name": "boat"}],
    "annotations": [{"image_id": number, "category_id": 1, "bbox": [0, 0, 9, 9], "score": 0.9} for number in range(2)],
}


@pytest.mark.parametrize(
    ("form", "text", "kind", "more"),
    [
        ("answers", "key,question_id,answer\n{0},1,yes\n{1},1,yes\n", "answers", ()),
        ("dsg", "item_id,t2i_model,question_id,answer\n00000,one,1,yes\n00001,one,1,yes\n", "answers", ()),
        ("ratings", "key,rating\n{0},4\n{1},4\n", "ratings", ("--scale", "1-5")),
        ("labels", "key,label\n{0},yes\n{1},yes\n", "ratings", ()),
        ("geneval", "", "ratings", ()),
        ("coco", "", "boxes", ()),
    ],
)
@pytest.mark.parametrize("state", ["extra", "unmatched", "misnamed", "truncated", "out_of_memory"])
def test_what_a_file_says_of_an_image_that_is_not_used_is_left_out_and_counted(
    tmp_path: Path, form: str, text: str, kind: str, more: tuple[str, ...], state: str
) -> None:
    rows = [Made("one", number, caption="a boat", checks=CHECKS, picture=number) for number in range(2)]
    make_generated(tmp_path / "generated", rows, states={1: state})
    if form == "geneval":
        said = {"prompt": "a boat", "tag": "x", "correct": True, "reason": ""}
        text = lines_of(*({"filename": f"0000{number}/samples/00000.png", **said} for number in range(2)))
    elif form == "coco":
        text = lines_of(COCO).replace("0.png", f"{rows[0].key}.png").replace("1.png", f"{rows[1].key}.png")
    else:
        text = text.format(*(row.key for row in rows))
    name = "said.json" if form in ("geneval", "coco") else "said.csv"
    facts = imported_facts(tmp_path, name, text, *more, form=form)
    assert facts["misfits"][f"not used, as the image is {state}"] == (
        {"images": 1, "boxes": 1, "first_image": 2}
        if form == "coco"
        else {"records": 1, "first_line": 2 if form == "geneval" else 3}
    )
    first, second = stored(tmp_path, KINDS[kind]).records
    assert first
    assert second is None


ASKED = {"questions": [{"id": "1", "question": "A boat?"}]}


def test_ids_that_a_spreadsheet_made_numbers_of_are_those_that_are_that_number_alone(tmp_path: Path) -> None:
    rows = [Made("one", number, sample=sample, checks=ASKED) for number in range(2) for sample in range(2)]
    make_generated(tmp_path / "generated", rows)
    text = "prompt_id,sample,question_id,answer\n0,0.0,1,yes\n1.0,1,1,yes\n7,0,1,yes\n"
    facts = imported_facts(tmp_path, "said.csv", text)
    assert [some is not None for some in stored(tmp_path, KINDS["answers"]).records] == [True, False, False, True]
    says = "prompt_id '7', where the dataset has '00000', '00001'"
    assert facts["misfits"] == {"no such image": {"records": 1, "first_line": 4, "says": says}}


def test_a_file_may_be_called_by_file_name_and_without_its_ending(tmp_path: Path) -> None:
    rows = [Made("one", number, checks=ASKED) for number in range(3)]
    make_generated(tmp_path / "generated", rows)
    text = f"file_name,question_id,answer\nout/{rows[0].key}.png,1,yes\n{rows[1].key},1,yes\n{rows[2].key}.jpg,1,yes\n"
    facts = imported_facts(tmp_path, "said.csv", text)
    assert (facts["images_told"], facts["misfits"]["no such image"]["first_line"]) == (2, 4)


@pytest.mark.parametrize(
    ("form", "text", "more"),
    [
        ("answers", "Prompt_ID,Question ID,ANSWER,Mood\n0,1,yes,x\n", ()),
        ("dsg", "Item_ID,T2I_Model,Question_Id,Answer,Mood\n00000,one,1,yes,x\n", ()),
        ("ratings", "Key,Rating,Rater,Mood\n{key},4,a,x\n", ("--scale", "1-5")),
        ("labels", "File Name,LABEL,Mood\n{key}.png,yes,x\n", ()),
    ],
)
def test_columns_are_known_in_whatever_case(form: str, text: str, more: tuple[str, ...], tmp_path: Path) -> None:
    (row,) = rows = [Made("one", 0, checks=ASKED)]
    make_generated(tmp_path / "generated", rows)
    facts = imported_facts(tmp_path, "said.csv", text.format(key=row.key), *more, form=form)
    assert (facts["images_told"], facts["misfits"]) == (1, {})
    assert facts["unused_columns"] == ({} if form == "dsg" else {"Mood": ""})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("said.csv", "key,question_id,answer,Answer\n{key},1,yes,no\n"),
        ("said.jsonl", '{{"key": "{key}", "question_id": "1", "answer": "yes", "Answer": "no"}}\n'),
    ],
)
def test_of_two_columns_that_differ_in_case_alone_none_is_chosen(name: str, text: str, tmp_path: Path) -> None:
    (row,) = rows = [Made("one", 0, checks=ASKED)]
    make_generated(tmp_path / "generated", rows)
    said = refusal(import_file(tmp_path, name, text.format(key=row.key)))
    assert f"{name}:{2 if name.endswith('csv') else 1}: the columns 'answer' and 'Answer' are called alike" in said
