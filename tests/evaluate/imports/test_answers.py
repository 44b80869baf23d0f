"""Plain answers: images by their files, how probable an answer was, and several who answered."""

from pathlib import Path

import pytest
from imported_evidence import import_file, imported_facts, lines_of, refusal, stored
from tiny_dataset import good_rows, make_dataset
from tiny_generated import Made, make_generated

from diptych.data.checks import Question
from diptych.evaluate.imports.answered import answers_of
from diptych.evaluate.imports.contract import SaidAnswer
from diptych.judges.evidence import ANSWERS
from diptych.scores.phrase_product import yes_against_no

CHECKS = {"questions": [{"id": "1", "question": "A cat?"}, {"id": "2", "question": "Which?", "choices": []}]}
ROWS = [Made(model, 0, checks={**CHECKS, "questions": CHECKS["questions"][:1]}) for model in ("one", "two")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_generated(tmp_path / "generated", ROWS)
    return tmp_path


def test_image_is_found_by_its_file_wherever_that_lies(folder: Path) -> None:
    name = f"{ROWS[1].key}.png"
    text = f"file,question_id,answer\nout/sd/{name},1,yes\nC:\\out\\{name},1,yes\nother.png,1,yes\n"
    facts = imported_facts(folder, "a.csv", text)
    assert (facts["images_told"], facts["repeated"]) == (1, 1)
    (misfit,) = facts["misfits"].items()
    says = f"file 'other.png', where the dataset has '{ROWS[0].key}.png', '{ROWS[1].key}.png'"
    assert misfit == ("no such image", {"records": 1, "first_line": 4, "says": says})
    assert stored(folder, ANSWERS).records[0] is None


def test_answer_may_tell_how_probable_it_is(folder: Path) -> None:
    record = {"key": ROWS[0].key, "question": "A cat?", "answer": "no", "probability": 0.75}
    imported_facts(folder, "a.jsonl", lines_of(record))
    (answer,) = stored(folder, ANSWERS).records[0]
    assert (answer.text, answer.choices, answer.probabilities) == ("no", ("yes", "no"), (0.25, 0.75))
    for wrong, said in (
        (1.5, "a.jsonl:1: probability: 1.5 is not from 0 to 1"),
        ("x", "probability: 'x' is no number"),
    ):
        assert said in refusal(import_file(folder, "a.jsonl", lines_of({**record, "probability": wrong})))


@pytest.mark.parametrize(("told", "kept"), [(1.0000001, 1.0), (-1e-9, 0.0)])
def test_probability_beyond_its_end_by_rounding_is_that_end(folder: Path, told: float, kept: float) -> None:
    record = {"key": ROWS[0].key, "question": "A cat?", "probability": told}
    imported_facts(folder, "a.jsonl", lines_of(record))
    assert (stored(folder, ANSWERS).records[0] or [])[0].probabilities == (kept, 1.0 - kept)
    refused = refusal(import_file(folder, "a.jsonl", lines_of({**record, "probability": 1.001})))
    assert "probability: 1.001 is not from 0 to 1" in refused


@pytest.mark.parametrize("lacking", ["null", "NaN", '""'])
def test_row_without_an_answer_is_one_whose_question_has_none(folder: Path, lacking: str) -> None:
    lines = "".join(
        f'{{"key": "{ROWS[number].key}", "question": "A cat?", "answer": {answer}}}\n'
        for number, answer in ((0, '"yes"'), (1, lacking))
    )
    facts = imported_facts(folder, "a.jsonl", lines)
    assert facts["answered"] == 1
    assert facts["unanswered"]["failed"] >= 1
    assert [(one[0].text, one[0].state) for one in stored(folder, ANSWERS).records[:2] if one] == [
        ("yes", ""),
        ("", "failed"),
    ]


def test_judge_that_told_one_of_two_probabilities_serves_a_rule_over_both() -> None:
    asked = [
        Question(id="1", question="a red car?"),
        Question(id="2", question="Which?", choices=("a", "b", "c"), answer="a"),
    ]
    yes, one_of_three = answers_of(
        {0: [SaidAnswer("1", None, "Yes", 0.8)], 1: [SaidAnswer("2", None, "a", 0.8)]},
        asked,
    )
    assert yes_against_no(yes) == 0.8
    assert (one_of_three.choices, one_of_three.probabilities) == (("a",), (0.8,))


def test_probability_alone_is_that_of_the_first_of_two_choices(folder: Path) -> None:
    record = {"key": ROWS[0].key, "question": "A cat?", "probability": 0.1}
    imported_facts(folder, "a.jsonl", lines_of(record))
    (answer,) = stored(folder, ANSWERS).records[0]
    assert (answer.text, answer.choices, answer.probabilities) == ("no", ("yes", "no"), (0.1, 0.9))


def raters(*answers: str) -> str:
    rows = [f"{ROWS[0].key},1,worker {number},{answer}\n" for number, answer in enumerate(answers)]
    return "key,question_id,rater,answer\n" + "".join(rows)


@pytest.mark.parametrize(
    ("answers", "text", "state", "shares"),
    [
        (("yes", "no", "yes"), "yes", "", (2 / 3, 1 / 3)),
        (("no", "no", "yes"), "no", "", (1 / 3, 2 / 3)),
        (("no", "no", "no"), "no", "", (0.0, 1.0)),
        (("yes", "Yes", "YES", "no", "no"), "yes", "", (0.6, 0.4)),
        (("Yes.", "yes"), "yes", "", (1.0, 0.0)),
        (("no", "No", "yes", "yes"), "2 no, 2 yes", "unparsed", ()),
        (("yes", "no"), "1 yes, 1 no", "unparsed", ()),
        (("yes", "perhaps", ""), "yes", "", (1.0, 0.0)),
        (("perhaps", "hm"), "perhaps; hm", "unparsed", ()),
        (("", ""), "", "failed", ()),
    ],
)
def test_most_of_several_who_answer_are_right(
    folder: Path, answers: tuple[str, ...], text: str, state: str, shares: tuple[float, ...]
) -> None:
    imported_facts(folder, "a.csv", raters(*answers))
    (answer,) = stored(folder, ANSWERS).records[0]
    assert (answer.text, answer.state, answer.probabilities) == (text, state, pytest.approx(shares))


def test_votes_in_own_words_are_counted_whatever_their_case() -> None:
    asked = [Question(id="1", question="Which?", choices=(), answer="cat")]
    said = [SaidAnswer("1", None, word) for word in ("dog", "Cat.", "cat", "CAT")]
    (answer,) = answers_of({0: said}, asked)
    assert (answer.text, answer.choices, answer.probabilities) == ("Cat.", ("Cat.", "dog"), (0.75, 0.25))


def test_one_who_says_the_same_in_another_case_is_counted_once(folder: Path) -> None:
    facts = imported_facts(folder, "a.csv", raters("yes") + f"{ROWS[0].key},1,worker 0,Yes.\n")
    assert (facts["answered"], facts["repeated"]) == (1, 1)


def test_one_who_is_as_sure_in_two_ways_is_refused(folder: Path) -> None:
    said = [{"key": ROWS[0].key, "question_id": "1", "answer": "yes", "probability": sure} for sure in (0.8, 0.3)]
    refused = refusal(import_file(folder, "a.jsonl", lines_of(*said)))
    assert "a.jsonl:2: answers 'yes' (0.3) to what line 1 answers 'yes' (0.8)" in refused


def test_one_who_answers_twice_in_different_ways_is_refused(folder: Path) -> None:
    text = raters("yes") + f"{ROWS[0].key},1,worker 0,no\n"
    assert "a.csv:3: answers 'no' to what line 2 answers 'yes'" in refusal(import_file(folder, "a.csv", text))


def test_models_are_named_once_each_or_one_for_the_whole_file(folder: Path) -> None:
    text = f"key,question_id,answer\n{ROWS[0].key},1,yes\n"
    for given in (["one", "two"], ["=one"], ["a=one", "a=two"]):
        options = [part for model in given for part in ("--model", model)]
        assert "--model: " in refusal(import_file(folder, "a.csv", text, *options))


def test_column_that_the_dataset_lacks_is_one_line(tmp_path: Path) -> None:
    make_dataset(tmp_path / "generated", good_rows(2))
    said = refusal(import_file(tmp_path, "a.csv", "prompt_id,question_id,answer\n0,1,yes\n"))
    assert f"{tmp_path}/generated: has no column 'prompt_id', by which the file names images" in said


@pytest.mark.parametrize("written", ["1.0", "1", "01"])
def test_an_id_of_a_question_that_a_table_made_a_number_of_is_that_id(folder: Path, written: str) -> None:
    text = f"key,question_id,answer\n{ROWS[0].key},{written},yes\n{ROWS[1].key},2.0,yes\n"
    facts = imported_facts(folder, "a.csv", text)
    assert (facts["answered"], facts["records"]) == (1, {"read": 2, "used": 1})
    assert facts["misfits"]["no such question"]["says"] == "question_id '2.0', where the image has '1'"
