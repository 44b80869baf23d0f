"""Decisions of GenEval's own program: about which image, under whose name, and averaged as GenEval does."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import picture
from evaluate_configs import make_config, read, result_of, run
from imported_evidence import import_file, imported_facts, lines_of, refusal, stored
from made_elsewhere import imported as imported_folder
from made_elsewhere import rows_of
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.errors import ConfigError, DataError
from diptych.judges.evidence import RATINGS
from diptych.judges.imported import ImportedRatings, imported
from diptych.scores.geneval_rule import CATEGORIES
from diptych.scores.object_accuracy import object_accuracy

CHECKS = {"include": [{"class": "bench", "count": 1}]}
WRONG = "expected bench>=1, found 0\nno target for bench to be left of"


def rows(samples: int = 3, models: Sequence[str] = ("sd21",)) -> list[Made]:
    """Return two prompts of each tag, with some images each."""
    return [
        Made(model, prompt, sample, category=CATEGORIES[prompt % 6], checks=CHECKS, benchmark="geneval")
        for model in models
        for prompt in range(12)
        for sample in range(samples)
    ]


def is_right(prompt: int, sample: int) -> bool:
    return (prompt * 7 + sample * 5) % 11 < 6


def decision(number: int, sample: int, **changes: Any) -> dict[str, Any]:
    """Return a line as GenEval's evaluate_images.py writes it."""
    correct = is_right(number, sample)
    said = {
        "filename": f"/data/sd21/{number:05d}/samples/{sample:05d}.png",
        "tag": CATEGORIES[number % 6],
        "prompt": f"blobs number {number}",
        "correct": correct,
        "reason": "" if correct else WRONG,
        "metadata": json.dumps(CHECKS),
        "details": "{}",
    }
    return {**said, **changes}


def every_decision() -> list[dict[str, Any]]:
    return [decision(prompt, sample) for prompt in range(12) for sample in range(3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_generated(tmp_path / "generated", rows(), kinds={"geneval": "geneval"})
    return tmp_path


def evaluated(folder: Path, facts: dict[str, Any]) -> None:
    run(make_config(folder, judges=facts["judges"], protocols=[{"protocol": "geneval", "judge": "mmdet"}]))


def test_decisions_are_averaged_over_images_by_tag_and_over_tags_and_asked_of_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = imported_facts(folder, "results.jsonl", lines_of(*every_decision()), form="geneval", judge="mmdet")
    monkeypatch.setattr(ImportedRatings, "ratings", lambda self, images: pytest.fail("somebody was asked"))
    evaluated(folder, facts)
    tags = [np.mean([is_right(prompt, sample) for prompt in (tag, tag + 6) for sample in range(3)]) for tag in range(6)]
    metric = "geneval_official_mmdet.object_accuracy"
    assert result_of(folder, metric, model="sd21")["value"] == pytest.approx(np.mean(tags))
    for tag, share in zip(CATEGORIES, tags, strict=True):
        assert result_of(folder, metric, model="sd21", category=tag)["value"] == pytest.approx(share)
    words = "SELECT DISTINCT text FROM scores WHERE score = 'geneval_official_mmdet.object_problem' AND text <> ''"
    assert [row["text"] for row in read(folder, words)] == [WRONG.replace("\n", "; ")]


def test_image_without_a_decision_is_not_scored_and_counted(folder: Path) -> None:
    facts = imported_facts(folder, "results.jsonl", lines_of(*every_decision()[1:]), form="geneval", judge="mmdet")
    assert (facts["images"], facts["ratings"], facts["ratings_of_an_image"]) == (35, 35, {"1": 35})
    evaluated(folder, facts)
    found = result_of(folder, "geneval_official_mmdet.object_accuracy", model="sd21")
    assert (found["n"], found["n_unscored"]) == (35, 1)
    assert stored(folder, RATINGS).reasons[0] == "not_imported"


def test_decisions_about_rewritten_prompts_are_not_those_of_the_original_ones(folder: Path) -> None:
    told = [decision(0, 0), decision(0, 1, prompt="A photorealistic picture of blobs")]
    facts = imported_facts(folder, "results.jsonl", lines_of(*told), form="geneval", judge="mmdet")
    says = "'A photorealistic picture of blobs', where the image has 'blobs number 0'"
    assert facts["misfits"] == {"another prompt": {"records": 1, "first_line": 2, "says": says}}


def test_a_file_of_one_model_is_about_the_model_that_is_named(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(1, ("sd21", "sdxl")), kinds={"geneval": "geneval"})
    text = lines_of(*(decision(number, 0, filename=f"/data/{number:05d}/samples/0.png") for number in range(2)))
    nobody = import_file(tmp_path, "results.jsonl", text, form="geneval", judge="mmdet")
    assert "2 records: several images (line 1, 2)" in refusal(nobody)
    facts = imported_facts(tmp_path, "results.jsonl", text, "--model", "sdxl", form="geneval", judge="mmdet")
    assert (facts["images"], facts["misfits"]) == (2, {})
    assert [some is not None for some in stored(tmp_path, RATINGS).records] == [False] * 12 + [True] * 2 + [False] * 10


TWO = ("sd21", "sdxl")


def of_no_model(model: str, **changes: Any) -> str:
    """Return the decisions of each prompt's only image of a model, in a file that does not tell which."""
    told = [decision(number, model == "sdxl", filename=f"/out/{number:05d}/samples/0.png") for number in range(12)]
    return lines_of(*({**one, **changes} for one in told))


def test_results_of_two_models_are_one_judges_and_are_compared(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(1, TWO), kinds={"geneval": "geneval"})
    (tmp_path / "one.jsonl").write_text(of_no_model("sd21"))
    given = (str(tmp_path / "one.jsonl"), "--model", "sdxl", "--model", "sd21")
    facts = imported_facts(tmp_path, "two.jsonl", of_no_model("sdxl"), *given, form="geneval", judge="mmdet")
    assert (facts["images"], facts["misfits"], facts["other_models"]) == (24, {}, {})
    config = make_config(
        tmp_path,
        judges=facts["judges"],
        protocols=[{"protocol": "geneval", "judge": "mmdet"}],
        compare={"by": "model", "baseline": "sd21"},
    )
    run(config)
    right = {model: [is_right(number, model == "sdxl") for number in range(12)] for model in TWO}
    for model in TWO:
        found = result_of(tmp_path, "geneval_official_mmdet.object_accuracy", model=model)
        assert found["value"] == pytest.approx(sum(right[model]) / 12)
    of_all = "metric = 'geneval_official_mmdet.object_accuracy' AND groups = '{}'"
    (difference,) = read(tmp_path, f"SELECT a, b, value FROM differences WHERE {of_all}")
    wanted = pytest.approx((sum(right["sdxl"]) - sum(right["sd21"])) / 12)
    assert difference == {"a": "sdxl", "b": "sd21", "value": wanted}


def test_a_judge_of_two_datasets_has_one_content_whichever_file_is_named_first(tmp_path: Path) -> None:
    found = []
    for model, other in (TWO, TWO[::-1]):
        make_generated(tmp_path / model / "generated", rows(1, (model,)), kinds={"geneval": "geneval"})
        (tmp_path / model / "other.jsonl").write_text(of_no_model(other))
        given = (str(tmp_path / model / "other.jsonl"), "--model", model, "--model", other)
        folder = tmp_path / model
        found.append(imported_facts(folder, "own.jsonl", of_no_model(model), *given, form="geneval", judge="mmdet"))
        assert (found[-1]["images"], found[-1]["other_models"]) == (12, {other: 12})
    assert found[0]["judges"] == found[1]["judges"]


def test_several_files_want_a_model_each_or_none(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", rows(1, TWO), kinds={"geneval": "geneval"})
    (tmp_path / "one.jsonl").write_text(of_no_model("sd21"))
    given = (str(tmp_path / "one.jsonl"), "--model", "sdxl")
    result = import_file(tmp_path, "two.jsonl", of_no_model("sdxl"), *given, form="geneval", judge="mmdet")
    assert "--model: sdxl: say whose images each of the 2 files is about, in their order" in refusal(result)


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"filename": "/out/sdxl/00000/samples/0.png"}, ()),
        ({"model": "sdxl"}, ()),
        ({"filename": "/out/xl/00000/samples/0.png"}, ("--model", "xl=sdxl")),
        ({"filename": "/out/sd21/00000/samples/0.png"}, ("--model", "sdxl")),
    ],
)
def test_the_model_is_what_the_option_the_line_or_the_folder_says(
    changes: dict[str, Any], options: tuple[str, ...], tmp_path: Path
) -> None:
    make_generated(tmp_path / "generated", rows(1, TWO), kinds={"geneval": "geneval"})
    told = {"filename": "/out/00000/samples/0.png", **changes}
    imported_facts(tmp_path, "a.jsonl", lines_of(decision(0, 0, **told)), *options, form="geneval", judge="mmdet")
    assert [some is not None for some in stored(tmp_path, RATINGS).records] == [False] * 12 + [True] + [False] * 11


def test_evidence_that_a_dataset_lacks_is_named_with_the_dataset(folder: Path) -> None:
    judge = {"kind": "imported", "options": {"name": "mmdet", "content": "0" * 16, "gives": "ratings"}}
    config = make_config(folder, judges={"mmdet": judge}, protocols=[{"protocol": "geneval", "judge": "mmdet"}])
    said = f"content {'0' * 16} was imported into {folder / 'generated'} as it is; run diptych evaluate import-evidence"
    with pytest.raises(DataError, match=re.escape(said)):
        run(config)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (decision(0, 0, correct=not is_right(0, 0)), "results.jsonl:2: rates 0 what line 1 rates 1; keep one of them"),
        (decision(0, 1, filename=f"0/samples/{'9' * 5000}.png"), "results.jsonl:2: filename: '0/samples/9999"),
        (decision(0, 1, filename="sd21/0.png"), "results.jsonl:2: filename: 'sd21/0.png' does not end as"),
        (decision(0, 1, correct="yes"), "results.jsonl:2: correct: a result of GenEval has filename, prompt, correct"),
        ({"filename": "00000/samples/0000.png"}, "results.jsonl:2: prompt: a result of GenEval has"),
    ],
)
def test_a_line_that_contradicts_or_is_none_lands_nothing(folder: Path, line: dict[str, Any], said: str) -> None:
    result = import_file(folder, "results.jsonl", lines_of(decision(0, 0), line), form="geneval", judge="mmdet")
    assert said in refusal(result)
    assert open_dataset(folder / "generated").column_sets("evidence") == []


def test_a_line_that_stands_there_twice_counts_once(folder: Path) -> None:
    text = lines_of(decision(0, 0), decision(0, 0), decision(0, 1))
    facts = imported_facts(folder, "results.jsonl", text, form="geneval", judge="mmdet")
    assert (facts["repeated"], facts["ratings_of_an_image"]) == (1, {"1": 2})


def test_decisions_about_several_files_of_one_model_contradict_each_other_whatever_their_lines(folder: Path) -> None:
    told = [decision(prompt, 0) for prompt in range(4)]
    wrong = [{**one, "correct": not one["correct"]} for one in told]
    (folder / "a.jsonl").write_text(lines_of(*told))
    for number, other in enumerate((wrong, wrong[1:] + wrong[:1])):
        result = import_file(folder, f"{number}.jsonl", lines_of(*other), str(folder / "a.jsonl"), form="geneval")
        said = refusal(result)
        assert re.search(r"a\.jsonl:\d: rates [01] what .*[01]\.jsonl:\d rates [01]; keep one of them", said), said
        assert "of several models, say whose images each file is about with --model" in said
    assert open_dataset(folder / "generated").column_sets("evidence") == []


@pytest.mark.parametrize("name", ["results.jsonl", "copy.jsonl"])
def test_a_file_that_is_given_twice_counts_once(folder: Path, name: str) -> None:
    text = lines_of(decision(0, 0), decision(0, 1))
    (folder / name).write_text(text)
    facts = imported_facts(folder, "results.jsonl", text, str(folder / name), form="geneval", judge="mmdet")
    assert (facts["repeated"], facts["ratings_of_an_image"]) == (2, {"1": 2})


def draw_folder(folder: Path, first: int, gap: int | None = None) -> None:
    """Draw two prompts with three pictures each, counted from a number, the second without one of them."""
    for prompt in range(2):
        samples = folder / f"{prompt:05d}" / "samples"
        samples.mkdir(parents=True)
        (samples.parent / "metadata.jsonl").write_text(json.dumps({"prompt": f"blobs number {prompt}", **CHECKS}))
        for sample in range(first, first + 3):
            if (prompt, sample) != (1, gap):
                (samples / f"{sample:05d}.png").write_bytes(picture(10 * prompt + sample, kind="PNG"))


def about_pictures(folder: Path) -> dict[str, bool]:
    """Return the pictures of a folder, and whether they are the first of their prompt."""
    files = sorted(file.relative_to(folder) for file in folder.rglob("*.png"))
    return {str(file): file == next(one for one in files if one.parent == file.parent) for file in files}


def decisions_of(folder: Path, said: Mapping[str, bool]) -> str:
    told = [(file, int(file.partition("/")[0]), right) for file, right in said.items()]
    return lines_of(*(decision(number, 0, filename=f"{folder}/{file}", correct=right) for file, number, right in told))


@pytest.mark.parametrize(("first", "gap"), [(0, None), (1, None), (1, 2), (0, 1)])
def test_decisions_are_about_the_files_that_they_name_whatever_these_count_from(
    tmp_path: Path, first: int, gap: int | None
) -> None:
    draw_folder(tmp_path / "pictures", first, gap)
    imported_folder(tmp_path / "pictures", "--model", "sd21", "--out", tmp_path / "generated")
    said = about_pictures(tmp_path / "pictures")
    text = decisions_of(tmp_path / "pictures", said)
    facts = imported_facts(tmp_path, "results.jsonl", text, form="geneval", judge="mmdet")
    assert (facts["images"], facts["images_untold"], facts["misfits"]) == (len(said), 0, {})
    files = [row["file"] for row in rows_of(tmp_path / "generated")]
    found = zip(files, stored(tmp_path, RATINGS).records, strict=True)
    assert {file: some[0].value == 1.0 for file, some in found if some is not None} == said


def test_a_decision_about_a_file_that_is_not_there_is_about_none(tmp_path: Path) -> None:
    draw_folder(tmp_path / "pictures", 1)
    imported_folder(tmp_path / "pictures", "--model", "sd21", "--out", tmp_path / "generated")
    text = decisions_of(tmp_path, {f"{prompt:05d}/samples/0000{end}.png": True for prompt in (0, 1) for end in (0, 1)})
    facts = imported_facts(tmp_path, "results.jsonl", text, form="geneval", judge="mmdet")
    says = "file '00000/samples/00000', '00001/samples/00000', where the dataset has '00000/samples/00001.png'"
    assert facts["misfits"]["no such image"]["says"].startswith(says)
    assert (facts["images"], facts["records"]) == (2, {"read": 4, "used": 2})


def test_a_decision_about_a_picture_that_is_lost_since_counts(tmp_path: Path) -> None:
    draw_folder(tmp_path / "pictures", 1)
    said = about_pictures(tmp_path / "pictures")
    (tmp_path / "pictures" / "00001/samples/00003.png").unlink()
    imported_folder(tmp_path / "pictures", "--model", "sd21", "--out", tmp_path / "generated")
    text = decisions_of(tmp_path / "pictures", said)
    facts = imported_facts(tmp_path, "results.jsonl", text, form="geneval", judge="mmdet")
    assert (facts["images"], facts["records"], facts["misfits"]) == (6, {"read": 6, "used": 6}, {})


def test_decisions_about_files_of_two_models_are_told_apart_by_model_and_folder(tmp_path: Path) -> None:
    for number, model in enumerate(TWO):
        draw_folder(tmp_path / "pictures" / model, number)
    imported_folder(tmp_path / "pictures", "--out", tmp_path / "generated")
    rows = [(row["model"], row["file"]) for row in rows_of(tmp_path / "generated")]
    wanted = {(model, f"{model}/00000/samples/00001.png"): model == TWO[0] for model in TWO}
    assert wanted.keys() <= set(rows)
    told = [decision(0, 0, filename=f"/out/{model}/00000/samples/1.png", correct=model == TWO[0]) for model in TWO]
    imported_facts(tmp_path, "results.jsonl", lines_of(*told), form="geneval", judge="mmdet")
    found = zip(rows, stored(tmp_path, RATINGS).records, strict=True)
    assert {row: some[0].value == 1.0 for row, some in found if some is not None} == wanted


def test_decisions_have_no_threshold_and_ratings_on_another_scale_are_none() -> None:
    decided = imported(name="mmdet", content="0" * 16, gives="ratings")
    with pytest.raises(ConfigError, match="what was decided elsewhere has no threshold"):
        object_accuracy(judge=decided, threshold=0.5)
    rated = imported(name="people", content="0" * 16, gives="ratings", scale=[1, 5])
    with pytest.raises(ConfigError, match="judge 'people' rates from 1 to 5, and a decision is from 0 to 1"):
        object_accuracy(judge=rated)
