"""Prompt sets that bring questions: counts, forms and what upstream's tables have wrong."""

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from diptych.asset_table import ASSETS, joined_source
from diptych.errors import DataError
from diptych.generate.prompts.bizgeneval import bizgeneval
from diptych.generate.prompts.dpg import dpg
from diptych.generate.prompts.dsg import dsg
from diptych.generate.prompts.proposition_table import HEADER
from diptych.generate.prompts.t2i_corebench import ASSETS as CORE_ASSETS
from diptych.generate.prompts.t2i_corebench import t2i_corebench
from diptych.generate.prompts.tifa import tifa
from diptych.generate.prompts.unigenbench import unigenbench, unigenbench_long, unigenbench_zh


@pytest.fixture
def dsg_file(shared: Path) -> Path:
    return shared / "benchmarks" / "dsg1k" / "dsg-1k-anns.csv"


def test_dsg_has_1060_prompts_with_8182_questions(dsg_file: Path) -> None:
    found = dsg(path=dsg_file)
    counts = Counter(category for prompt in found.prompts for category in prompt.categories)
    assert counts == {
        "tifa": 160,
        "paragraph": 200,
        "relation": 100,
        "count": 100,
        "real_user": 200,
        "pose": 100,
        "defying": 100,
        "text": 100,
    }
    assert sum(len(prompt.checks.questions) for prompt in found.prompts) == 8182
    assert (found.licence, found.sha256) == ("Apache-2.0", ASSETS["dsg-1k"].sha256)
    assert dsg_file.stat().st_size == ASSETS["dsg-1k"].bytes


def test_dsg_keeps_questions_as_upstream_has_them(dsg_file: Path) -> None:
    prompts = {prompt.id: prompt for prompt in dsg(path=dsg_file).prompts}
    with dsg_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked = [
        (prompt.id, one.id, one.question, one.about) for prompt in prompts.values() for one in prompt.checks.questions
    ]
    order = list(prompts)
    rows.sort(key=lambda row: order.index(row["item_id"]))
    assert asked == [
        (row["item_id"], row["proposition_id"], row["question_natural_language"], row["tuple"]) for row in rows
    ]
    first, second, *_ = prompts["whoops_5"].checks.questions
    assert (first.parents, second.parents, second.tags) == ((), ("1",), ("attribute", "color"))
    assert (second.answer, second.choices) == ("yes", ("yes", "no"))


def test_dependency_of_dsg_that_is_no_other_question_is_left_out(dsg_file: Path) -> None:
    parents = {
        (prompt.id, one.id): one.parents for prompt in dsg(path=dsg_file).prompts for one in prompt.checks.questions
    }
    with dsg_file.open(encoding="utf-8", newline="") as file:
        raw = {(row["item_id"], row["proposition_id"]): row["dependency"] for row in csv.DictReader(file)}
    words = {key: parents[key] for key, text in raw.items() if text.rstrip("0123456789, ") != "" and not text.isdigit()}
    assert len(words) == 10
    assert parents["posescript_69", next(item for name, item in words if name == "posescript_69")] == ("5",)
    itself = [key for key, text in raw.items() if key[1] in [part.strip() for part in text.split(",")]]
    assert len(itself) == 44
    assert all(key[1] not in parents[key] for key in itself)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,b\n", "DSG begins with the columns item_id, text"),
        ("{header}\nwhoops_1,A cat\n", r"mine\.csv:2: the row has not the 9 fields of the header"),
        ("{header}\nmine_1,A cat,,1,0,entity,whole,cat,A cat?\n", "item_id 'mine_1' is of none of DSG's sources"),
        (
            "{header}\nvrd_1,A cat,,1,0,entity,whole,cat,A cat?\nvrd_1,A dog,,2,0,entity,whole,dog,A dog?\n",
            "'vrd_1' has another text than in line 2",
        ),
        ("{header}\nvrd_1,A cat,,1,0,entity,whole,cat,\n", "checks: questions.0.question"),
    ],
)
def test_table_of_another_form_is_refused(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(rows.format(header=",".join(HEADER)), "utf-8")
    with pytest.raises(DataError, match=message):
        dsg(path=path)


def test_dpg_takes_kinds_from_tuples_and_ids_from_the_table(tmp_path: Path) -> None:
    rows = [
        "partiprompts97,A red car at night.,,1,0,entity,whole,entity - whole (car),Is there a car?",
        'partiprompts97,A red car at night.,,2,1,attribute,color,"attribute - color (car, red)",Is the car red?',
        'partiprompts97,A red car at night.,,3,"1, 9",global,,global - (night),Is it night?',
        "7,A cat.,,1,0,entity,whole,entity - whole (cat),Is there a cat?",
    ]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([",".join(HEADER), *rows, ""]), "utf-8")
    first, second = dpg(path=path).prompts
    assert (first.id, first.text, first.categories) == ("partiprompts97", "A red car at night.", ())
    asked = [(one.id, one.question, one.tags, one.parents, one.answer) for one in first.checks.questions]
    assert asked == [
        ("1", "Is there a car?", ("entity", "whole"), (), "yes"),
        ("2", "Is the car red?", ("attribute", "color"), ("1",), "yes"),
        ("3", "Is it night?", ("global",), ("1",), "yes"),
    ]
    assert (second.id, len(second.checks.questions)) == ("7", 1)
    assert (dpg(path=path).source, dpg(path=path).licence) == ("mine.csv", "")


def test_tifa_keeps_questions_as_upstream_has_them(shared: Path) -> None:
    path = shared / "benchmarks" / "tifa_v1" / "sample_question_answers.json"
    found = tifa(path=path)
    assert [(one.id, one.categories, len(one.checks.questions)) for one in found.prompts] == [
        ("coco_301091", ("coco",), 11),
        ("drawbench_52", ("drawbench",), 8),
    ]
    raw = json.loads(path.read_text("utf-8"))
    asked = [
        (prompt.id, prompt.text, one.question, list(one.choices), one.answer, one.tags, one.about)
        for prompt in found.prompts
        for one in prompt.checks.questions
    ]
    assert asked == [
        (
            one["id"],
            one["caption"],
            one["question"],
            one["choices"],
            one["answer"],
            (one["element_type"],),
            one["element"],
        )
        for one in raw
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, r"mine\.json: not JSON: nested too deeply"),
        (r'["\ud83d"]', r"mine\.json: \\ud83d is half of a character"),
        ("{}", "TIFA is a list of questions"),
        ('[{"id": "coco_1", "caption": "A cat"}]', r"mine\.json:1: question: must be a text"),
        (
            '[{"id": "c", "caption": "A", "question": "A?", "choices": ["a"], "answer": "b", "element_type": "x"}]',
            "the answer 'b' is none of its choices",
        ),
    ],
)
def test_questions_of_tifa_of_another_form_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        tifa(path=tmp_path / "mine.json")


def test_t2i_corebench_is_twelve_files_with_13536_questions(shared: Path) -> None:
    folder = shared / "benchmarks" / "t2i_corebench"
    found = t2i_corebench(path=folder)
    asked = Counter(
        category for prompt in found.prompts for category in prompt.categories * len(prompt.checks.questions)
    )
    assert asked == {
        "C-MI": 2601,
        "C-MA": 1862,
        "C-MR": 1545,
        "C-TR": 2354,
        "R-LR": 637,
        "R-BR": 743,
        "R-HR": 900,
        "R-PR": 674,
        "R-GR": 853,
        "R-AR": 454,
        "R-CR": 461,
        "R-RR": 452,
    }
    assert Counter(category for prompt in found.prompts for category in prompt.categories) == dict.fromkeys(asked, 90)
    assert (found.source, found.licence) == (joined_source(CORE_ASSETS), "Apache-2.0")
    assert [(folder / f"{name[-4:]}.json").stat().st_size for name in CORE_ASSETS] == [
        ASSETS[name].bytes for name in CORE_ASSETS
    ]
    first = found.prompts[0]
    assert (first.id, first.checks.questions[0].question) == ("C-MI-001", "Is there a cutting board in the image?")
    assert first.checks.questions[0].tags == ("instance_pos",)


def test_a_changed_file_of_several_is_not_upstreams(shared: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(shared / "benchmarks" / "t2i_corebench", tmp_path / "own")
    text = (folder / "R-RR.json").read_text("utf-8")
    (folder / "R-RR.json").write_text(text + "\n", "utf-8")
    found = t2i_corebench(path=folder)
    assert (found.source.split(", ")[-1], found.licence) == ("R-RR.json", "")
    assert found.sha256 != t2i_corebench(path=shared / "benchmarks" / "t2i_corebench").sha256
    (folder / "R-RR.json").write_text('{"a": {"Prompt": "b"}}', "utf-8")
    with pytest.raises(DataError, match=r"R-RR\.json:1: 'a': Checklist: must be a list of questions"):
        t2i_corebench(path=folder)


def test_unigenbench_asks_a_question_for_each_of_1813_points(shared: Path) -> None:
    folder = shared / "benchmarks" / "unigenbench"
    found = unigenbench(path=folder / "test_prompts_en.csv")
    points = Counter(question.tags[0] for prompt in found.prompts for question in prompt.checks.questions)
    assert (len(found.prompts), points.total(), len(points)) == (600, 1813, 10)
    assert (points["Action"], points["Text Generation"]) == (263, 87)
    assert (found.source, found.licence) == (ASSETS["unigenbench-en"].url, "CC BY 4.0")
    third = found.prompts[0].checks.questions[2]
    assert (third.tags, third.about) == (("Attribute", "Quantity"), "two pandas")
    assert third.question == 'Does the image show "two pandas", as it is asked for in respect of Attribute - Quantity?'
    chinese = unigenbench_zh(path=folder / "test_prompts_zh.csv")
    points = Counter(question.tags[0] for prompt in chinese.prompts for question in prompt.checks.questions)
    assert (len(chinese.prompts), points.total(), points["动作"]) == (600, 1813, 263)
    assert chinese.source == ASSETS["unigenbench-zh"].url


def test_a_comma_that_lacks_between_two_points_is_read(tmp_path: Path) -> None:
    """As in one row of the long English table, of which upstream's scorer makes nothing at all."""
    said = '{""Testpoints"": [""Grammar - Negation"" ""Style""], ""Testpoint Description"": [""no cat"", ""ink""]}'
    path = tmp_path / "mine.csv"
    path.write_text(f'index,prompt_en,sub_dims_en\n509,A wall.,"{said}"\n', "utf-8")
    (prompt,) = unigenbench_long(path=path).prompts
    assert [question.tags for question in prompt.checks.questions] == [("Grammar", "Negation"), ("Style",)]
    for wrong, message in (
        (said[:-1], "mine.csv:2: sub_dims_en: not JSON"),
        ("[" * 100_000, "mine.csv:2: sub_dims_en: not JSON: nested too deeply"),
        ('{""Testpoints"": []}', "of one length"),
    ):
        path.write_text(f'index,prompt_en,sub_dims_en\n509,A wall.,"{wrong}"\n', "utf-8")
        with pytest.raises(DataError, match=message):
            unigenbench_long(path=path)


def test_bizgeneval_has_20_prompts_of_each_domain_and_dimension(shared: Path) -> None:
    found = bizgeneval(path=shared / "benchmarks" / "bizgeneval" / "bizgeneval.jsonl")
    assert set(Counter(prompt.categories for prompt in found.prompts).values()) == {20}
    assert len(found.prompts) == 400
    tags = Counter(question.tags[1] for prompt in found.prompts for question in prompt.checks.questions)
    assert tags == {"easy": 4000, "hard": 4000}
    assert (found.source, found.licence) == (ASSETS["bizgeneval"].url, "MIT")
    first = found.prompts[0]
    assert (first.id, first.categories) == ("webpage_layout_0", ("webpage", "layout"))
    assert first.columns == {"aspect_ratio": "4:3", "reference_image_wh": "2400x1800"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"questions": "A?"}, "questions: must be a list of texts, got 'A[?]'"),
        ({"easy_qidxs": [2]}, r"easy_qidxs: must be numbers of its questions from 1, got \[2\]"),
        ({"hard_qidxs": None}, "hard_qidxs: must be numbers of its questions from 1, got None"),
        ({"prompt": None}, "prompt: must be a text, got None"),
        ({"prompt": "A \ud83d."}, r"\\ud83d is half of a character"),
    ],
)
def test_prompt_of_bizgeneval_of_another_form_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    item = {"id": 0, "domain": "chart", "dimension": "text", "prompt": "A pie.", "questions": ["A?"]}
    whole = {**item, "easy_qidxs": [1], "hard_qidxs": []}
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (whole, {**whole, **changes})), "utf-8")
    with pytest.raises(DataError, match=f"mine.jsonl:2: {message}"):
        bizgeneval(path=path)
