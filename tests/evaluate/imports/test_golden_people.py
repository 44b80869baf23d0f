"""PaLI against people on the 800 images of DSG's tifa160 of which both are released: five models, five raters each."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_generated
from evaluate_configs import call_json, make_config, read, result_of, run
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.generate.prompts.dsg import dsg

LIKERT = "tifa160-likert-anns.csv"
MODELS = ("mini-dalle", "sd1dot1", "sd1dot5", "sd2dot1", "vq-diffusion")


@pytest.fixture(scope="module")
def released(shared: Path) -> Path:
    return shared / "benchmarks" / "dsg1k"


@pytest.fixture(scope="module")
def judged(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PaLI held against people; an image is right to PaLI with all its questions, to people from 4 of 5 on."""
    folder = tmp_path_factory.mktemp("people")
    prompts = [one for one in dsg(path=released / "dsg-1k-anns.csv").prompts if one.id.startswith("tifa160")]
    rows = [
        Made(model, number, checks=one.checks.to_object(), caption=one.text, category="tifa", picture=picture)
        for model in MODELS
        for number, one in enumerate(prompts)
        for picture in [
            0 if one.id == "tifa160_134" else None
        ]  # PaLI's file lacks it, which makes it wrong if it is there
    ]
    states = {number: "missing" for number, row in enumerate(rows) if row.picture is None}
    names = {number: one.id for number, one in enumerate(prompts)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_generated, "prompt_name", names.get)
        make_generated(folder / "generated", rows, rows_per_shard=len(rows), states=states)
    judges: dict[str, Any] = {}
    for judge, file, form in (
        ("people", LIKERT, "dsg_likert"),
        ("pali", "vqa_answers_release/pali17b_dsg.csv", "dsg"),
    ):
        given = (folder / "generated", released / file, "--format", form, "--judge", judge)
        judges |= call_json("evaluate", "import-evidence", *given)["judges"]
    scores = {
        "people": {"score": "rating", "judge": "people"},
        "pali": {"score": "question_accuracy", "judge": "pali", "options": {"unanswered": "wrong"}},
    }
    asked = {"a": "pali.question_accuracy", "b": "people.rating", "at_least_a": 1, "at_least_b": 4, "truth": True}
    means = [{"score": "people.rating"}, {"score": "pali.question_accuracy"}]
    run(make_config(folder, judges=judges, scores=scores, means=means, agreements=[asked]))
    return folder


def human_means(released: Path) -> dict[tuple[str, str], float]:
    """Return the mean rating of each image, by model and prompt."""
    given = defaultdict[tuple[str, str], list[int]](list)
    with (released / LIKERT).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            given[row["t2i_model"], row["item_id"]].append(int(row["answer"]))
    return {image: float(np.mean(values)) for image, values in given.items()}


def scores(folder: Path, score: str) -> dict[tuple[str, str], float]:
    sql = "SELECT model, prompt_id, value FROM scores JOIN images USING (run_id, dataset, key) WHERE score = ?"
    return {(row["model"], row["prompt_id"]): row["value"] for row in read(folder, sql, (score,))}


def test_the_page_has_the_contents_that_these_imports_print(judged: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "evaluate.md").read_text(encoding="utf-8")
    for evidence in open_dataset(judged / "generated").column_sets("evidence"):
        told = evidence.manifest["identity"]["judge"]
        assert f"name: {told['judge']}, content: '{told['imported']}'" in page


def test_people_have_the_means_of_their_released_ratings(released: Path, judged: Path) -> None:
    means = human_means(released)
    assert scores(judged, "people.rating") == pytest.approx(means)
    for model in MODELS:
        found = result_of(judged, "people.rating", model=model)
        own = [value for (other, _), value in means.items() if other == model]
        assert (found["value"], found["n"]) == (pytest.approx(np.mean(own), abs=1e-6), 160)
        assert found["ci_low"] < found["value"] < found["ci_high"]


def test_pali_agrees_with_people_as_independent_code_has_it(judged: Path) -> None:
    people, pali = scores(judged, "people.rating"), scores(judged, "pali.question_accuracy")
    both = [image for image in people if pali.get(image) is not None]
    a, b = [pali[image] >= 1 for image in both], [people[image] >= 4 for image in both]
    for metric, value in (
        ("kappa", cohen_kappa_score(a, b)),
        ("balanced_accuracy", balanced_accuracy_score(b, a)),
        ("agreement", np.mean(np.array(a) == np.array(b))),
    ):
        found = result_of(judged, f"pali_and_people.{metric}")
        assert (found["value"], found["n"]) == (pytest.approx(value), len(both))
        assert found["ci_low"] < value < found["ci_high"]
    assert spearmanr([pali[image] for image in both], [people[image] for image in both]).statistic > 0.5
