"""Models that were not asked for the same are compared by distances over what both have, and it is said."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from drawn import picture
from evaluate_configs import call, make_config, read, result_of, run
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, made_grid, make_generated

from diptych.evaluate.comparisons.stores import compare_labels

METRICS = ("frechet_distance", "kernel_distance", "precision_recall")
VALUES = {"frechet_distance", "kernel_distance", "precision", "recall"}


def config_of(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return a config of all distances of ``folder/generated`` to thirty drawn pictures."""
    make_dataset(folder / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(30)])
    config = make_config(folder, encoders={"p": {"kind": "projection", "options": {"dim": 6}}})
    config["datasets"]["real"] = {"path": str(folder / "real"), "role": "reference"}
    distances = [{"metric": metric, "encoder": "p", "reference": "real"} for metric in METRICS]
    return {**config, "distances": distances, "compare": {}, **changes}


def differences(folder: Path, rows: Sequence[Made], **changes: Any) -> list[dict[str, Any]]:
    """Return the differences of the store over some images."""
    make_generated(folder / "generated", rows)
    run(config_of(folder, **changes))
    return read(folder, "SELECT * FROM differences ORDER BY metric, a, b")


def two_models(prompts: int = 12) -> list[Made]:
    """Return two models at one setting, and a second one that the other does not have, of quite other pictures."""
    rows = made_grid(models=("cur", "cur2"), prompts=prompts, samples=2, settings=("plain",))
    extra = [
        Made("cur2", prompt, sample, "wild", picture=5000 + 7 * prompt + sample)
        for prompt in range(prompts)
        for sample in range(2)
    ]
    return [*rows, *extra]


def test_a_setting_that_one_model_alone_has_takes_no_part_in_differences_of_distances(tmp_path: Path) -> None:
    rows = two_models()
    (tmp_path / "common").mkdir()
    alone = differences(tmp_path / "common", [row for row in rows if row.setting == "plain"])
    found = differences(tmp_path, rows)
    assert {row["metric"] for row in found} == VALUES
    for row, expected in zip(found, alone, strict=True):
        assert (row.pop("groups"), expected.pop("groups")) == ({"left_out_b": 24}, {})
        assert (row["n"], row["n_clusters"]) == (24, 12)
        assert row == {**expected, "run_id": row["run_id"]}
    whole = {name: result_of(tmp_path, "kernel_distance", model=name) for name in ("cur", "cur2")}
    assert (whole["cur"]["n"], whole["cur2"]["n"]) == (24, 48)
    assert found[1]["value"] != pytest.approx(whole["cur"]["value"] - whole["cur2"]["value"], rel=0.01)


def test_what_was_left_out_is_said_of_the_right_model(tmp_path: Path) -> None:
    differences(tmp_path, two_models())
    store = tmp_path / "store.duckdb"
    said = ", over the images that both have, 24 of cur2 left out"
    for labels in (("cur", "cur2"), ("cur2", "cur")):
        assert call("evaluate", "compare", store, *labels, "--metric", "kernel_distance").stdout.count(said) == 1
    (row,) = compare_labels(store, "cur2", "cur", metric="kernel_distance").rows
    assert (row.a, row.groups) == ("cur2", {"left_out_a": 24})


def test_an_image_without_a_picture_takes_that_of_the_other_model_out(tmp_path: Path) -> None:
    rows = made_grid(prompts=12, samples=2)
    failed = [dataclasses.replace(row, picture=None) if number in (3, 30) else row for number, row in enumerate(rows)]
    for row in differences(tmp_path, failed):
        assert (row["n"], row["n_clusters"], row["groups"]) == (22, 12, {"left_out_a": 1, "left_out_b": 1})


def test_models_with_one_setting_each_are_compared_by_distances_and_it_is_said(tmp_path: Path) -> None:
    rows = [dataclasses.replace(row, setting=f"of {row.model}") for row in made_grid(prompts=12, samples=1)]
    for row in differences(tmp_path, rows):
        assert row["groups"] == {"setting_a": "of curated", "setting_b": "of raw"}
        assert (row["n"], row["value"] is None) == (12, False)


def test_models_that_have_no_prompt_in_common_have_no_difference(tmp_path: Path) -> None:
    rows = [
        dataclasses.replace(row, prompt=row.prompt + 50 * (row.model == "raw"))
        for row in made_grid(prompts=12, samples=1)
    ]
    found = differences(tmp_path, rows)
    assert {row["metric"] for row in found} == VALUES
    for row in found:
        assert (row["value"], row["reason"], row["n"], row["n_clusters"]) == (None, "no_common_images", 0, 0)


def test_a_value_that_the_common_images_are_too_few_for_is_a_difference_with_its_reason(tmp_path: Path) -> None:
    """Each model has a corrected distance of its 70 prompts; the two share 20, which are too few for one."""
    rows = [
        dataclasses.replace(row, prompt=row.prompt + 50 * (row.model == "raw"))
        for row in made_grid(prompts=70, samples=1)
    ]
    distances = [{"metric": "frechet_distance", "encoder": "p", "reference": "real"}]
    make_dataset(tmp_path / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(70)])
    make_generated(tmp_path / "generated", rows)
    config = make_config(tmp_path, encoders={"p": {"kind": "projection", "options": {"dim": 6}}}, distances=distances)
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    run({**config, "compare": {}})
    corrected, published = read(tmp_path, "SELECT * FROM differences ORDER BY metric")
    assert (published["metric"], published["n"], published["reason"]) == ("frechet_distance", 20, "no_interval")
    left_out = {"left_out_a": 50, "left_out_b": 50}
    assert (corrected["metric"], corrected["groups"]) == ("corrected_frechet_distance", left_out)
    assert (corrected["value"], corrected["n"], corrected["n_clusters"]) == (None, 20, 20)
    assert corrected["reason"] == "too_few_common_images"
    whole = {result_of(tmp_path, corrected["metric"], model=name)["identity_id"] for name in ("curated", "raw")}
    assert whole == {corrected["identity_id"]}
    store = tmp_path / "store.duckdb"
    assert "too_few_common_images" in call("evaluate", "results", store).stdout
    said = call("evaluate", "compare", store, "raw", "curated", "--metric", "corrected_frechet_distance").stdout
    assert said == "corrected_frechet_distance: raw and curated cannot be compared: too_few_common_images\n"


def test_settings_are_compared_over_the_models_that_have_both(tmp_path: Path) -> None:
    distances = [{"metric": "kernel_distance", "encoder": "p", "reference": "real", "by": ["setting"]}]
    (row,) = differences(tmp_path, two_models(), distances=distances, compare={"by": "setting"})
    assert (row["a"], row["b"], row["n"], row["groups"]) == ("plain", "wild", 24, {"left_out_a": 24})
