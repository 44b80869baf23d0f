"""GenEval 2: probabilities of right answers, their geometric mean of a prompt and their mean by skill."""

import json
from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import make_config, result_of, run
from own_judges import SAID
from tiny_generated import Made, make_generated

from diptych.errors import DataError
from diptych.generate.prompts.geneval2 import geneval2

LINE = {
    "prompt": "two red cats",
    "atom_count": 3,
    "vqa_list": [["How many cats are there?", "two"], ["Are the cats red?", "Yes"], ["Are there any cats?", "Yes"]],
    "skills": ["count", "attribute", "object"],
}


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "mine.jsonl"
    path.write_text(json.dumps({**LINE, **changes}) + "\n", "utf-8")
    return path


def test_questions_are_asked_in_upstreams_words_and_have_their_skill(tmp_path: Path) -> None:
    (prompt,) = geneval2(path=written(tmp_path)).prompts
    assert (prompt.id, prompt.text, prompt.categories) == ("00000", "two red cats", ("3 atoms",))
    count, red, _ = prompt.checks.questions
    assert (count.question, count.answer) == ("How many cats are there? Answer in one word.", "two")
    assert (count.choices[:2], count.tags) == (("one", "two"), ("count",))
    assert (red.choices, red.answer, red.tags) == (("Yes", "No"), "Yes", ("attribute",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"skills": ["count"]}, r"mine\.jsonl:1: vqa_list and skills: must be lists of one length"),
        ({"vqa_list": ["a", "b", "c"]}, "vqa_list: must be pairs"),
        ({"vqa_list": [["How many?", "twelve"]] * 3}, "the answer 'twelve' is none of its choices"),
        ({"atom_count": None}, "atom_count: must be a text"),
    ],
)
def test_line_of_another_form_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        geneval2(path=written(tmp_path, **changes))


def test_prompt_is_the_geometric_mean_and_a_skill_the_mean_of_its_questions(tmp_path: Path) -> None:
    """The judge gives the first choice 0.75 and the second 0.25, and no probability to what it refuses."""
    SAID["Refused?"] = "(refused)"
    first, second = {"choices": ["Yes", "No"], "answer": "Yes"}, {"choices": ["Yes", "No"], "answer": "No"}
    checks = [
        [
            {"question": "A?", **first, "tags": ["object"]},
            {"question": "B?", **second, "tags": ["verb"]},
            {"question": "Refused?", **second, "tags": ["verb"]},
        ],
        [{"question": "C?", **first, "tags": ["object"]}],
    ]
    rows = [
        Made("one", number, category=f"{3 + number} atoms", checks={"questions": asked}, picture=number, benchmark="g")
        for number, asked in enumerate(checks)
    ]
    make_generated(tmp_path / "generated", rows, kinds={"g": "geneval2"})
    protocols = [{"protocol": "geneval2", "judge": "eye"}]
    run(make_config(tmp_path, judges={"eye": {"kind": "own_answers"}}, protocols=protocols))
    name = "geneval2_official_eye.soft_accuracy_of_all"
    assert result_of(tmp_path, name, model="one")["value"] == pytest.approx(((0.75 * 0.25) ** 0.5 + 0.75) / 2)
    assert result_of(tmp_path, name, model="one", category="4 atoms")["value"] == pytest.approx(0.75)
    assert result_of(tmp_path, "geneval2_atoms_eye.soft_accuracy", model="one")["value"] == pytest.approx(0.625)
    verb = result_of(tmp_path, "geneval2_official_eye.questions_right", model="one", question_kind="verb")
    assert (verb["value"], verb["n"], verb["n_unscored"]) == (0.25, 1, 1)
    objects = result_of(tmp_path, "geneval2_official_eye.questions_right", model="one", question_kind="object")
    assert (objects["value"], objects["n"]) == (0.75, 2)
