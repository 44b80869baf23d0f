"""Ratings and labels by people: whose, on which scale, and with how many raters a mean is told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import make_config, read, result_of, run
from imported_evidence import import_file, imported_facts, refusal, stored
from scipy import stats
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.judges.contract import Rating
from diptych.judges.evidence import RATINGS

MODELS = ("SDXL_Base", "SD_2_1")
VALUES = {"SDXL_Base": ((3, 4), (5, 5), (2, 4), (1, 2)), "SD_2_1": ((3, 2), (4, 4), (1, 1), (2, 2))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_generated(tmp_path / "generated", [Made(model, prompt) for model in MODELS for prompt in range(4)])
    return tmp_path


def csv_of(values: dict[str, Any] = VALUES) -> str:
    rows = [
        f"{prompt:05d},{model},worker {rater},{value}\n"
        for model, prompts in values.items()
        for prompt, raters in enumerate(prompts)
        for rater, value in enumerate(raters)
    ]
    return "prompt_id,model,rater,rating\n" + "".join(rows)


def import_ratings(folder: Path, text: str, *more: str) -> dict[str, Any]:
    return imported_facts(folder, "people.csv", text, *(more or ("--scale", "1-5")), form="ratings", judge="people")


def evaluate(folder: Path, facts: dict[str, Any]) -> None:
    means = [{"score": f"people.{column}", "by": ["model"]} for column in ("rating", "raters")]
    scores = {"people": {"score": "rating", "judge": "people"}}
    run(make_config(folder, judges=facts["judges"], scores=scores, means=means, compare={"by": "model"}))


def scored(folder: Path, column: str) -> list[Any]:
    sql = "SELECT value FROM scores JOIN images USING (run_id, dataset, key) WHERE score = ? ORDER BY model, prompt_id"
    return [row["value"] for row in read(folder, sql, (f"people.{column}",))]


def test_an_image_has_the_mean_of_its_raters_and_a_model_that_of_its_images_with_an_interval(folder: Path) -> None:
    facts = import_ratings(folder, csv_of())
    evaluate(folder, facts)
    images = np.array([np.mean(raters) for raters in VALUES["SDXL_Base"]])
    found = result_of(folder, "people.rating", model="SDXL_Base")
    ends = stats.t.interval(0.95, 3, images.mean(), stats.sem(images))
    assert (found["value"], found["n"]) == (pytest.approx(images.mean()), 4)
    assert (found["ci_low"], found["ci_high"]) == (pytest.approx(max(ends[0], 1.0)), pytest.approx(min(ends[1], 5.0)))
    assert result_of(folder, "people.raters", model="SDXL_Base")["value"] == 2.0
    assert (facts["ratings"], facts["ratings_of_an_image"]) == (16, {"2": 8})
    assert scored(folder, "rating_sd")[:2] == [pytest.approx(np.std([3, 2], ddof=1)), 0.0]
    (difference,) = read(folder, "SELECT * FROM differences WHERE metric = 'people.rating'")
    assert (difference["n"], difference["better"]) == (4, "higher")


def test_picture_that_nobody_rated_is_not_scored_and_one_rater_has_no_spread(folder: Path) -> None:
    facts = import_ratings(folder, csv_of({"SD_2_1": ((3, 4), (5,))}))
    evaluate(folder, facts)
    found = result_of(folder, "people.rating", model="SD_2_1")
    assert (found["value"], found["n"], found["n_unscored"]) == (4.25, 2, 2)
    assert scored(folder, "rating_sd")[1:3] == [None, None]
    assert result_of(folder, "people.rating", model="SDXL_Base")["reason"] == "nothing_scored"
    assert stored(folder, RATINGS).reasons.count("not_imported") == 6


def test_what_a_row_is_about_is_counted_once_for_each_rater(folder: Path) -> None:
    text = csv_of() + "00000,SD_2_1,worker 0,3\n00000,SD_2_1,worker 9,\n9,SD_2_1,worker 0,4\n"
    facts = import_ratings(folder, text)
    assert facts["repeated"] == 1
    assert facts["misfits"] == {
        "no rating": {"records": 1, "first_line": 19},
        "no such image": {
            "records": 1,
            "first_line": 20,
            "says": "prompt_id '9', where the dataset has '00000', '00001', '00002', ...",
        },
    }


@pytest.mark.parametrize(("form", "value"), [("ratings", "3"), ("labels", '"yes"')])
@pytest.mark.parametrize("lacking", ["null", "NaN"])
def test_row_of_json_without_a_number_is_left_out_as_one_of_csv(
    folder: Path, form: str, value: str, lacking: str
) -> None:
    name = form.removesuffix("s")
    text = "".join(
        f'{{"prompt_id": "00000", "model": "{model}", "{name}": {said}}}\n'
        for model, said in (("SD_2_1", value), ("SDXL_Base", lacking))
    )
    scale = ("--scale", "1-5") if form == "ratings" else ()
    facts = imported_facts(folder, "people.jsonl", text, *scale, form=form, judge="people")
    assert (facts["ratings"], facts["misfits"]) == (1, {f"no {name}": {"records": 1, "first_line": 2}})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "00000,SD_2_1,worker 0,4",
            "people.csv:18: rates 4 what line 10 rates 3; keep one of them; of several raters, name them",
        ),
        ("00000,SD_2_1,worker 5,6", "people.csv:18: rating: 6 is not on the scale from 1 to 5"),
        ("00000,SD_2_1,worker 5,good", "people.csv:18: rating: 'good' is no number"),
        ("00000,SD_2_1,worker 5,nan", "people.csv:18: rating: 'nan' is no number"),
        ("00000,SD_2_1,worker 5", "people.csv:18: the row has not the 4 fields"),
    ],
)
def test_row_that_is_broken_lands_nothing(folder: Path, row: str, said: str) -> None:
    text = f"{csv_of()}{row}\n"
    result = import_file(folder, "people.csv", text, "--scale", "1-5", form="ratings", judge="people")
    assert said in refusal(result)
    assert open_dataset(folder / "generated").column_sets("evidence") == []


def test_scale_has_to_be_told_and_is_part_of_what_the_judge_is(folder: Path) -> None:
    nothing = import_file(folder, "people.csv", csv_of(), form="ratings", judge="people")
    assert "--scale: say the least and the most that a rating can be" in refusal(nothing)
    for wrong in ("5-1", "five", "1"):
        result = import_file(folder, "people.csv", csv_of(), "--scale", wrong, form="ratings", judge="people")
        assert f"--scale: '{wrong}' is not the least and the most" in refusal(result)
    first = import_ratings(folder, csv_of())
    second = import_ratings(folder, csv_of(), "--scale", "0-10")
    assert first["evidence"] != second["evidence"]
    assert second["judges"]["people"]["options"]["scale"] == [0.0, 10.0]
    assert "--scale: the format labels has no ratings, or a scale of its own" in refusal(
        import_file(folder, "l.csv", "key,label\n", "--scale", "0-1", form="labels", judge="people")
    )


def test_labels_are_shares_of_images_or_of_raters(folder: Path) -> None:
    rows = [f"{prompt:05d},SD_2_1,{label}\n" for prompt, label in enumerate(("yes", "No", "1", "true"))]
    text = "prompt_id,model,label\n" + "".join(rows)
    facts = imported_facts(folder, "labels.csv", text, form="labels", judge="people")
    evaluate(folder, facts)
    found = result_of(folder, "people.rating", model="SD_2_1")
    assert (found["value"], found["n"]) == (0.75, 4)
    assert "Wilson" in found["note"]
    other = import_file(folder, "labels.csv", text + "00000,SD_2_1,maybe\n", form="labels", judge="people")
    assert "labels.csv:6: label: 'maybe' is neither yes nor no" in refusal(other)


def genai(**models: Any) -> str:
    text = "blobs number 0"
    return json.dumps({"00000": {"id": "00000", "prompt": text, "models": models}})


def test_released_ratings_of_genai_bench_have_three_raters_and_the_models_that_they_are_of(folder: Path) -> None:
    text = genai(SDXL_2_1=[3, 2, 2], SDXL_Base=[3, 3, 2], DALLE_3=[5, 5, 5])
    facts = imported_facts(folder, "genai_image.json", text, form="genai_bench", judge="people")
    assert (facts["ratings_of_an_image"], facts["other_models"]) == ({"3": 2}, {"DALLE_3": 3})
    assert stored(folder, RATINGS).records[4] == [Rating(3.0), Rating(2.0), Rating(2.0)], "SDXL_2_1 is SD 2.1"
    evaluate(folder, facts)
    assert result_of(folder, "people.rating", model="SD_2_1")["value"] == pytest.approx(7 / 3)


def test_slips_of_the_release_of_genai_bench_are_read_as_released_and_widen_the_scale(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", [Made(model, 231) for model in ("DALLE_3", "SDXL_Base")])
    models = {"DALLE_3": [5, 41, 4], "SDXL_Base": [3, 3, 3]}
    text = json.dumps({"00231": {"prompt": "blobs number 231", "models": models}})
    facts = imported_facts(tmp_path, "g.json", text, form="genai_bench", judge="people")
    assert facts["ratings"] == 6
    assert [each.value for each in stored(tmp_path, RATINGS).records[0]] == [5.0, 41.0, 4.0]
    evaluate(tmp_path, facts)
    assert result_of(tmp_path, "people.rating", model="DALLE_3")["value"] == pytest.approx(50 / 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (genai(SDXL_Base=[3, 6, 2]), "g.json: record 1 (00000, SDXL_Base): ratings are a list of numbers from 1 to 5"),
        ('{"00000": {"prompt": "blobs"}}', "g.json: 00000: has no models; files of prompts alone hold no ratings"),
        ("[]", "g.json: ratings of GenAI-Bench are an object by prompt"),
        ('{"00000": ', "g.json: not JSON: "),
    ],
)
def test_file_that_is_no_release_of_genai_bench_is_one_line(folder: Path, text: str, said: str) -> None:
    assert said in refusal(import_file(folder, "g.json", text, form="genai_bench", judge="people"))


def test_labels_that_a_table_made_fractions_of_are_the_same(folder: Path) -> None:
    text = "prompt_id,model,label\n0,SDXL_Base,1.0\n1,SDXL_Base,0.0\n2,SDXL_Base,1\n"
    facts = imported_facts(folder, "labels.csv", text, form="labels", judge="people")
    assert facts["images"] == 3
    records = [some[0].value for some in stored(folder, RATINGS).records if some is not None]
    assert sorted(records) == [0.0, 1.0, 1.0]
    wrong = import_file(folder, "labels.csv", text.replace("1.0", "1.5"), form="labels", judge="people")
    assert "labels.csv:2: label: '1.5' is neither yes nor no" in refusal(wrong)
