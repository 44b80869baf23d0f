"""GenAI-Bench: VQAScore by skill, over the prompts that upstream counts and over all, and beside people's ratings."""

import json
from pathlib import Path
from typing import Any

import own_judges
import pytest
from click.testing import Result
from evaluate_configs import call, call_json, make_config, result_of, run
from imported_evidence import import_file, refusal, stored
from own_judges import SAID
from tiny_generated import Made, make_generated

from diptych.judges.evidence import ANSWERS
from diptych.scores.vqa_score import QUESTION

SKILLS = (("basic", "attribute"), ("basic", "attribute", "scene"), ("advanced", "negation"), ())
SURE = (1.0, 0.5, 0.25, 0.0)  # of Yes, by prompt


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)

    def answer(self: object, image: object, question: Any) -> Any:
        if (said := SAID.get(question.text)) and said.startswith("("):
            return own_judges.Answer(question.text, (), (), "", said.strip("()"))
        sure = float(said or 0.0)
        return own_judges.Answer(question.text, question.choices, (sure, 1.0 - sure), question.choices[0])

    monkeypatch.setattr(own_judges.OwnAnswers, "_answer", answer)


def counted(folder: Path, models: tuple[str, ...] = ("one",), **changes: Any) -> None:
    """Run both rules over four prompts, the last of which has no skill, as seven of upstream's have none."""
    SAID.update({QUESTION.replace("{}", f"prompt {number}"): str(sure) for number, sure in enumerate(SURE)})
    SAID.update(changes.pop("said", {}))
    made = [
        Made(model, number, category=skills, caption=f"prompt {number}", picture=number, benchmark="genai_bench")
        for model in models
        for number, skills in enumerate(SKILLS)
    ]
    make_generated(folder / "generated", made, kinds={"genai_bench": "genai_bench"})
    protocols = [{"protocol": "genai_bench", "judge": "eye"}]
    run(make_config(folder, judges={"eye": {"kind": "own_answers"}}, protocols=protocols, **changes))


def value(folder: Path, rule: str, end: str = "", **groups: str) -> tuple[float, int]:
    row = result_of(folder, f"genai_bench_{rule}_eye.vqa_score{end}", model="one", **groups)
    return row["value"], row["n"]


def vqa_table(folder: Path, *probabilities: float | str) -> Result:
    """Import the probability of yes of each prompt as another program wrote it."""
    made = [
        Made("one", number, category=skills, caption=f"prompt {number}", benchmark="genai_bench")
        for number, skills in enumerate(SKILLS)
    ]
    make_generated(folder / "generated", made, kinds={"genai_bench": "genai_bench"})
    lines = [f"{number:05},{sure}\n" for number, sure in enumerate(probabilities)]
    table = "prompt_id,probability\n" + "".join(lines)
    return import_file(folder, "flant5.csv", table, "--json", form="vqa_score", judge="flant5")


def test_vqa_score_of_a_judge_that_nobody_can_load_comes_by_import(tmp_path: Path) -> None:
    facts = json.loads(vqa_table(tmp_path, 0.875, 0.125, 1e-20, "").stdout)
    scores = {"shown": {"score": "vqa_score", "judge": "flant5"}}
    protocols = [{"protocol": "genai_bench", "judge": "flant5"}]
    means = [{"score": "shown.vqa_score", "by": ["model"]}]
    run(make_config(tmp_path, judges=facts["judges"], scores=scores, protocols=protocols, means=means))
    official = result_of(tmp_path, "genai_bench_official_flant5.vqa_score", model="one")
    assert (official["value"], official["n"]) == (pytest.approx(1 / 3), 3)
    corrected = result_of(tmp_path, "genai_bench_corrected_flant5.vqa_score", model="one")
    assert (corrected["n"], corrected["n_unscored"]) == (3, 1)
    assert "1 failed" in corrected["caution"]
    assert result_of(tmp_path, "shown.vqa_score", model="one")["value"] == pytest.approx(1 / 3)
    (said,) = stored(tmp_path, ANSWERS).records[2]
    assert (said.text, said.choices, said.probabilities[0]) == ("No", ("Yes", "No"), 1e-20), "to the last bit"
    assert said.question == QUESTION.replace("{}", "prompt 2")


def test_table_that_is_no_vqa_score_is_one_line(tmp_path: Path) -> None:
    assert "probability: 1.5 is not from 0 to 1" in refusal(vqa_table(tmp_path, 1.5))
    said = refusal(import_file(tmp_path, "a.csv", "prompt_id,answer\n00000,Yes\n", form="vqa_score"))
    assert "a.csv:2: a VQAScore has key, file or prompt_id (and model, setting, sample), and probability" in said


def test_official_leaves_prompts_without_a_skill_out_and_corrected_counts_them(tmp_path: Path) -> None:
    counted(tmp_path)
    assert value(tmp_path, "official") == (pytest.approx(1.75 / 3), 3)
    assert value(tmp_path, "corrected") == (pytest.approx(1.75 / 4), 4)
    for rule in ("official", "corrected"):  # the prompt that official leaves out is there
        row = result_of(tmp_path, f"genai_bench_{rule}_eye.vqa_score", model="one")
        assert row["caution"].endswith("; 4 of 1,600 prompts")


@pytest.mark.parametrize("rule", ["official", "corrected"])
def test_each_prompt_counts_in_all_of_its_skills(tmp_path: Path, rule: str) -> None:
    counted(tmp_path)
    found = {skill: value(tmp_path, rule, category=skill) for skill in ("basic", "attribute", "scene", "advanced")}
    assert found == {"basic": (0.75, 2), "attribute": (0.75, 2), "scene": (0.5, 1), "advanced": (0.25, 1)}


def test_what_has_no_answer_is_told_and_is_nothing_at_worst(tmp_path: Path) -> None:
    counted(tmp_path, said={QUESTION.replace("{}", "prompt 0"): "(refused)"})
    row = result_of(tmp_path, "genai_bench_official_eye.vqa_score", model="one")
    assert (row["value"], row["n"], row["n_unscored"]) == (pytest.approx(0.75 / 2), 2, 1)
    assert row["caution"].startswith("unscored: 1 refused; ")
    worst = result_of(tmp_path, "genai_bench_official_eye.vqa_score_worst", model="one")
    assert "1 image without an answer (1 refused)" in worst["caution"]
    assert value(tmp_path, "official", "_worst") == (pytest.approx(0.75 / 3), 3)


def test_two_models_are_compared_over_what_is_counted_in_a_run_and_from_its_store(tmp_path: Path) -> None:
    counted(tmp_path, ("one", "two"), compare={"by": "model"})
    for rule, n in (("official", 3), ("corrected", 4)):
        name = f"genai_bench_{rule}_eye.vqa_score"
        told = call_json("evaluate", "compare", tmp_path / "store.duckdb", "one", "two", "--metric", name)
        (whole,) = told["differences"]
        assert (whole["value"], whole["n"]) == (0.0, n)


def test_published_numbers_are_of_two_judges() -> None:
    lines = call("evaluate", "protocols", "genai_bench").output.splitlines()
    assert "published  0.780 for DALL-E 3 by CLIP-FlanT5-XXL, official" in "\n".join(lines)
    assert "published  0.480 for SDXL by GPT-4o, official" in "\n".join(lines)
