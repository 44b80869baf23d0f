"""What pictures are held against: the form of each kind of check, what real benchmarks ask, and what is refused."""

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.data.checks import NOTHING, Checks, asked_class, parse_checks, read_checks
from diptych.errors import DataError

Json = dict[str, Any]


def test_metadata_of_geneval_are_checks_as_they_stand(shared: Path) -> None:
    path = shared / "benchmarks" / "geneval" / "evaluation_metadata.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    asked = [{part: line[part] for part in ("include", "exclude") if part in line} for line in lines]
    found = [parse_checks(each, "here") for each in asked]
    assert [checks.to_object() for checks in found] == asked
    assert [checks.is_counting for checks in found] == [line["tag"] == "counting" for line in lines]


def test_objects_have_classes_counts_colours_and_places() -> None:
    near = {"class": "wine glass", "count": 2, "color": "red", "position": ["above", 0]}
    checks = parse_checks({"include": [{"class": "kite", "count": 1}, near]}, "here")
    assert checks.include[1].position == ("above", 0)
    assert (checks.labels, checks.colours) == ({"kite", "wine glass"}, {"red"})
    assert checks.has_objects
    assert not checks.is_counting
    assert asked_class(checks.to_json()) == "kite"


def dsg_questions(path: Path) -> dict[str, list[Json]]:
    """Return the questions of DSG-1k by item, with the parents that are questions of the item."""
    found: dict[str, list[Json]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["item_id"]].append(
                {
                    "id": row["proposition_id"],
                    "question": row["question_natural_language"],
                    "parents": re.findall(r"\d+", row["dependency"]),
                    "tags": [row["category_broad"], row["category_detailed"]],
                    "about": row["tuple"],
                }
            )
    for questions in found.values():
        ids = {one["id"] for one in questions}
        for one in questions:
            one["parents"] = [parent for parent in one["parents"] if parent in ids - {one["id"]}]
    return found


def test_all_questions_of_dsg_fit_with_ids_types_and_dependencies(shared: Path) -> None:
    items = dsg_questions(shared / "benchmarks" / "dsg1k" / "dsg-1k-anns.csv")
    found = {name: parse_checks({"questions": asked}, name) for name, asked in items.items()}
    assert (len(found), sum(len(checks.questions) for checks in found.values())) == (1060, 8182)
    first = found["whoops_5"].questions
    assert [(one.id, one.parents, one.tags) for one in first] == [
        ("1", (), ("entity", "whole")),
        ("2", ("1",), ("attribute", "color")),
        ("3", ("1",), ("attribute", "shape")),
    ]
    assert (first[1].choices, first[1].answer, first[1].weight) == (("yes", "no"), "yes", 1.0)
    assert all(read_checks(checks.to_json()) == checks for checks in found.values())


def test_questions_of_tifa_bring_choices_answers_and_elements(shared: Path) -> None:
    lines = json.loads((shared / "benchmarks" / "tifa_v1" / "sample_question_answers.json").read_text(encoding="utf-8"))
    asked = [
        {**{key: line[key] for key in ("question", "choices", "answer")}, "tags": [line["element_type"]]}
        for line in lines
    ]
    found = parse_checks({"questions": asked}, "here").questions
    assert [one.id for one in found] == [str(number) for number in range(1, len(lines) + 1)]
    assert [(list(one.choices), one.answer) for one in found] == [(line["choices"], line["answer"]) for line in lines]


def test_texts_of_longtext_bench_are_what_has_to_be_read(shared: Path) -> None:
    for name in ("text_prompts.jsonl", "text_prompts_zh.jsonl"):
        lines = (shared / "benchmarks" / "longtext_bench" / name).read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines]
        assert len(texts) == 160
        assert [list(parse_checks({"texts": one}, "here").texts) for one in texts] == texts


def test_a_question_may_take_any_answer_and_weigh_more() -> None:
    asked = {"question": "How many?", "choices": [], "answer": "two", "weight": 5}
    (one,) = parse_checks({"questions": [asked]}, "here").questions
    assert (one.choices, one.answer, one.weight) == ((), "two", 5.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"include": [{"class": "cat"}]}, "the key 'include.0.count' is missing"),
        ({"include": [{"class": "cat", "count": 0}]}, "include.0.count: has to be at least 1, got 0"),
        ({"include": [{"class": "cat", "count": True}]}, "include.0.count: a number is needed, .* got True"),
        ({"include": [{"class": "cat", "count": "2"}]}, "include.0.count: .* in quotes it is a text, got '2'"),
        ({"include": [{"count": 1}]}, "the key 'include.0.class' is missing"),
        ({"include": [{"class": "", "count": 1}]}, "include.0.class: has to be a text of 1 or more characters, got ''"),
        ({"include": [{"class": "a", "count": 1, "colour": "red"}]}, "unknown key 'include.0.colour'; .* 'color'"),
        ({"include": [{"class": "a", "count": 1, "color": 3}]}, "include.0.color: has to be a text, got 3"),
        ({"include": [{"class": "a", "count": 1, "position": ["near", 0]}]}, "include.0.position.0: .* got 'near'"),
        ({"include": [{"class": "a", "count": 1, "position": ["above", 0]}]}, "include.0 lies relative to include.0"),
        ({"include": [{"class": "a", "count": 1, "position": ["above", 1]}]}, "include.0 lies relative to include.1"),
        ({"include": [{"class": "a", "count": 1, "position": ["above", -1]}]}, "include.0 lies relative to include.-1"),
        ({"exclude": [{"class": "a", "count": 1, "color": "red"}]}, "unknown key 'exclude.0.color'"),
        ({"questions": ["Is it red?"]}, "questions.0: .* got 'Is it red\\?'"),
        (
            {"questions": [{"question": "a?", "answer": "maybe"}]},
            "questions.0: the answer 'maybe' is none of its choices",
        ),
        ({"questions": [{"question": "a?", "weight": 0}]}, "questions.0.weight: has to be more than 0, got 0"),
        ({"questions": [{"question": "a?", "id": 2}, {"question": "b?"}]}, "two questions have the id '2'"),
        ({"questions": [{"question": "a?", "parents": [2]}]}, "question '1' depends on '2'; name another question"),
        ({"questions": [{"question": "a?", "parents": [1]}]}, "question '1' depends on '1'; name another question"),
        ({"questions": [{"question": "a?", "parents": 1}]}, "questions.0.parents: must be a list, got 1"),
        ({"texts": "OPEN"}, "texts: must be a list, got 'OPEN'"),
        ({"texts": [""]}, "texts.0: has to be a text of 1 or more characters, got ''"),
        ({"text": ["OPEN"]}, "unknown key 'text'; did you mean 'texts'"),
        ([1], r"must be an object with include, exclude, relations, questions, texts, got \[1\]"),
        ("null", "must be an object with include, exclude, relations, questions, texts, got None"),
        ("{", "not JSON: Expecting property name"),
        ("[" * 100_000, "not JSON: maximum recursion depth"),
        ('{"include": [{"class": "fish", "count": NaN}]}', "include.0.count: .* got nan"),
    ],
)
def test_checks_of_another_form_are_one_line_with_place_key_and_value(value: Any, message: str) -> None:
    with pytest.raises(DataError, match=rf"p\.jsonl:3: checks: {message}") as caught:
        parse_checks(value, "p.jsonl:3")
    assert "\n" not in str(caught.value)
    text = value if isinstance(value, str) else json.dumps(value)
    assert read_checks(text) is None
    assert asked_class(text) is None


def test_nothing_asked_is_an_empty_text() -> None:
    assert not NOTHING
    assert NOTHING.to_json() == ""
    assert read_checks("") == read_checks(None) == read_checks("{}") == NOTHING


WORDS = st.text(min_size=1, max_size=8)
CLAUSES = st.lists(
    st.fixed_dictionaries({"class": WORDS, "count": st.integers(1, 9)}, optional={"color": WORDS}), max_size=3
)
QUESTIONS = st.lists(
    st.fixed_dictionaries({"question": WORDS}, optional={"tags": st.lists(WORDS, max_size=2), "about": WORDS}),
    max_size=3,
)


@settings(max_examples=50, deadline=None)
@given(CLAUSES, QUESTIONS, st.lists(WORDS, max_size=3))
def test_what_is_written_is_read_again(clauses: list[Json], questions: list[Json], texts: list[str]) -> None:
    checks = Checks.model_validate({"include": clauses, "questions": questions, "texts": texts})
    assert read_checks(checks.to_json()) == checks
    assert parse_checks(checks.to_object(), "here").to_json() == checks.to_json()
