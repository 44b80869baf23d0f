"""Paired differences: which images make a pair, and the numbers against ones computed here by hand."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import make_config, read, run
from scipy import stats
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.errors import ConfigError
from diptych.evaluate.comparisons.means import ends_of
from diptych.evaluate.comparisons.stores import compare_labels
from diptych.evaluate.score_names import OBJECT_ACCURACY
from diptych.evaluate.statistics.paired import paired_difference


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def say(rows: Sequence[Made], values: Sequence[Any], word: str = "number") -> list[Made]:
    return [
        dataclasses.replace(row, caption=f"{word}={value}" if value is not None else "nothing")
        for row, value in zip(rows, values, strict=True)
    ]


def compared(folder: Path, rows: Sequence[Made], score: str = "number", **compare: Any) -> list[dict[str, Any]]:
    """Make the dataset, run the comparison and return the differences in the store."""
    make_generated(folder / "generated", rows)
    names = {"number": "told_number", "object_correct": "told_accuracy"}
    config = make_config(folder, scores={"s": {"score": names[score]}}, means=[{"score": score}])
    run({**config, "compare": compare})
    return read(folder, "SELECT * FROM differences ORDER BY a, b, groups")


def of_all(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    (row,) = [row for row in rows if row["groups"] == {}]
    return row


def test_the_difference_is_that_of_equal_prompts_samples_and_settings(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    rows = made_grid(prompts=6, samples=2, settings=("s1", "s2"))
    values = [round(float(value), 3) for value in generator.normal(5, 1, len(rows))]
    row = of_all(compared(tmp_path, say(rows, values), baseline="raw"))
    by_unit = {
        (each.model, each.prompt, each.sample, each.setting): value for each, value in zip(rows, values, strict=True)
    }
    units = [unit[1:] for unit in by_unit if unit[0] == "raw"]
    gaps = [by_unit["curated", *unit] - by_unit["raw", *unit] for unit in units]
    per_prompt = [
        np.mean([gap for gap, unit in zip(gaps, units, strict=True) if unit[0] == prompt]) for prompt in range(6)
    ]
    expected = stats.ttest_1samp(
        per_prompt, 0.0
    )  # with equally many images a prompt, the clustered interval is this one
    interval = expected.confidence_interval(0.95)
    assert (row["a"], row["b"], row["n"], row["n_clusters"]) == ("curated", "raw", 24, 6)
    assert (row["value"], row["ci_low"], row["ci_high"]) == pytest.approx(
        (np.mean(gaps), interval.low, interval.high), rel=1e-6
    )
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-6)
    assert (row["metric"], row["better"], row["dataset"]) == ("s.number", "higher", "generated")


def test_models_of_equal_means_do_not_differ(tmp_path: Path) -> None:
    rows = made_grid(models=("curated", "raw"), prompts=12, samples=1)
    values = [(1 / 3, 2 / 3)[row.prompt % 2] if row.model == "curated" else 0.5 for row in rows]
    row = of_all(compared(tmp_path, say(rows, values), baseline="raw"))
    assert (row["value"], row["p_value"]) == (0.0, 1.0)


def test_pairing_takes_away_what_prompts_have_in_common(tmp_path: Path) -> None:
    rows = made_grid(prompts=12, samples=1)
    values = [
        prompt * 10 + (0.5 + 0.01 * prompt if model == "curated" else 0)
        for model in ("curated", "raw")
        for prompt in range(12)
    ]
    found = compared(tmp_path, say(rows, values), baseline="raw")
    row = of_all(found)
    (curated, raw) = read(tmp_path, "SELECT * FROM results ORDER BY groups")
    assert row["ci_low"] > 0.5 > row["se"] * 10
    assert curated["ci_low"] < raw["value"] < curated["ci_high"]  # unpaired, nothing could be told


def test_images_that_one_side_lacks_or_that_have_no_number_are_left_out(tmp_path: Path) -> None:
    rows = [Made("a", prompt) for prompt in range(5)] + [Made("b", prompt) for prompt in range(1, 7)]
    values = [1, 2, None, 4, 5, 1, 1, 1, None, 7, 8]
    row = of_all(compared(tmp_path, say(rows, values)))
    assert (row["a"], row["b"]) == ("a", "b")
    assert (row["n"], row["value"]) == (2, pytest.approx(((2 - 1) + (4 - 1)) / 2))
    assert row["caution"] == "2 pairs left out, as a side of it is unscored"


def test_pairs_that_are_all_scored_are_no_caution(tmp_path: Path) -> None:
    rows = [Made(model, prompt) for model in "ab" for prompt in range(3)]
    assert of_all(compared(tmp_path, say(rows, [1, 2, 4, 3, 5, 9])))["caution"] is None


def test_every_couple_is_compared_and_adjusted_after_holm(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    rows = made_grid(models=("a", "b", "c"), prompts=15, samples=1)
    values = [
        round(float(value), 3) + (0.8 if row.model == "c" else 0)
        for row, value in zip(rows, generator.normal(0, 1, 45), strict=True)
    ]
    found = [row for row in compared(tmp_path, say(rows, values)) if row["groups"] == {}]
    assert [(row["a"], row["b"]) for row in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    order = sorted(found, key=lambda row: row["p_value"])
    steps = [min(1.0, (3 - rank) * row["p_value"]) for rank, row in enumerate(order)]
    for rank, row in enumerate(order):
        assert row["p_adjusted"] == pytest.approx(max(steps[: rank + 1]))


def test_with_a_baseline_only_that_is_compared_with(tmp_path: Path) -> None:
    rows = made_grid(models=("a", "b", "c"), prompts=4, samples=1)
    found = compared(tmp_path, say(rows, range(12)), baseline="b")
    assert {(row["a"], row["b"]) for row in found} == {("a", "b"), ("c", "b")}


def test_object_accuracy_weighs_categories_alike(tmp_path: Path) -> None:
    rows = [
        Made(model, prompt, category="counting" if prompt < 6 else "position") for model in "ab" for prompt in range(8)
    ]
    right = [*[1, 1, 1, 1, 0, 1, 0, 1], *[0, 1, 1, 0, 0, 1, 0, 0]]
    found = compared(tmp_path, say(rows, right, "correct"), "object_correct")
    assert of_all(found)["value"] == pytest.approx((2 / 6 + 1 / 2) / 2)
    by_category = {row["groups"]["category"]: row["value"] for row in found if "category" in row["groups"]}
    assert by_category == {"counting": pytest.approx(2 / 6), "position": pytest.approx(1 / 2)}
    accuracy = {
        row["groups"]["model"]: row["value"]
        for row in read(tmp_path, "SELECT groups, value FROM results WHERE NOT json_exists(groups, '$.category')")
    }
    assert of_all(found)["value"] == pytest.approx(accuracy["a"] - accuracy["b"])


def test_a_pair_of_two_categories_counts_in_each_and_once_in_all(tmp_path: Path) -> None:
    kinds = [("x",), ("x", "y"), ("y",), ("y",)]
    rows = [Made(model, prompt, category=kinds[prompt]) for model in "ab" for prompt in range(4)]
    found = compared(tmp_path, say(rows, [1, 1, 0, 1, 0, 0, 0, 1], "correct"), "object_correct")
    by_category = {row["groups"]["category"]: row for row in found if "category" in row["groups"]}
    assert {name: (row["value"], row["n"]) for name, row in by_category.items()} == {
        "x": (1.0, 2),
        "y": (pytest.approx(1 / 3), 3),
    }
    whole = of_all(found)
    assert (whole["value"], whole["n"], whole["n_clusters"]) == (pytest.approx((1 + 1 / 3) / 2), 4, 4)
    command = compare_labels(tmp_path / "store.duckdb", "a", "b", metric="object_accuracy").rows[0]
    assert (command.value, command.se, command.n) == (whole["value"], whole["se"], 4)


def test_settings_are_compared_within_a_model(tmp_path: Path) -> None:
    rows = made_grid(prompts=4, samples=1, settings=("ddim-9", "euler-9"))
    values = [100 * (row.model == "raw") + (row.setting == "ddim-9") + 0.1 * row.prompt for row in rows]
    found = compared(tmp_path, say(rows, values), by="setting")
    assert (of_all(found)["a"], of_all(found)["b"]) == ("ddim-9", "euler-9")
    assert of_all(found)["value"] == pytest.approx(1.0, rel=1e-6)
    assert {row["groups"]["model"] for row in found if "model" in row["groups"]} == {"curated", "raw"}
    by_sampler = compared(tmp_path, say(rows, values), by="sampler")
    assert of_all(by_sampler)["value"] == pytest.approx(1.0, rel=1e-6)


def test_numbers_as_settings_are_written_as_in_a_config(tmp_path: Path) -> None:
    rows = [Made("a", prompt, guidance=guidance) for guidance in (3.0, 7.5) for prompt in range(3)]
    found = compared(tmp_path, say(rows, [1, 2, 3, 2, 3, 4]), by="guidance", baseline="7.5")
    assert (of_all(found)["a"], of_all(found)["b"], of_all(found)["value"]) == ("3", "7.5", pytest.approx(-1.0))


def test_models_with_one_setting_each_are_paired_and_it_is_said(tmp_path: Path) -> None:
    rows = [Made("flux", prompt, setting="flow-28-g3.5") for prompt in range(3)]
    rows += [Made("sdxl", prompt, setting="euler-50-g5") for prompt in range(3)]
    (row,) = compared(tmp_path, say(rows, [3, 4, 5, 1, 1, 1]))
    assert row["groups"] == {"setting_a": "flow-28-g3.5", "setting_b": "euler-50-g5"}
    assert (row["n"], row["value"]) == (3, pytest.approx(3.0))


def test_what_else_differs_is_not_compared_as_a_sampler(tmp_path: Path) -> None:
    rows = [Made("a", prompt, setting="ddim-9", guidance=3.0) for prompt in range(3)]
    rows += [Made("a", prompt, setting="euler-9", guidance=7.0) for prompt in range(3)]
    row = of_all(compared(tmp_path, say(rows, range(6)), by="sampler"))
    assert (row["value"], row["n"], row["reason"], row["groups"]) == (None, 0, "no_common_images", {})


def share_of(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    found = paired_difference(np.array(a, float), np.array(b, float), np.arange(len(a)))
    return tuple(ends_of(found, OBJECT_ACCURACY))


def test_the_interval_of_a_difference_of_shares_is_within_the_range() -> None:
    assert share_of([1, 0, 1, 1], [1, 0, 1, 0])[1] == 1.0
    assert share_of([0, 0, 0, 1], [1, 0, 0, 1])[0] == -1.0


@pytest.mark.parametrize("prompts", [2, 5, 6, 20])
@pytest.mark.parametrize("by_how_much", [1.0, -0.25])
def test_prompts_that_agree_have_an_interval_that_agrees_with_the_sign_test(prompts: int, by_how_much: float) -> None:
    found = paired_difference(np.full(prompts, by_how_much), np.zeros(prompts), np.arange(prompts))
    low, high = ends_of(found, OBJECT_ACCURACY)
    assert low < by_how_much <= high or low <= by_how_much < high
    assert (low > 0.0 or high < 0.0) == (found.p_value < 0.05) == (prompts >= 6)


def test_shares_that_are_equal_in_every_prompt_have_an_interval_and_other_numbers_none(tmp_path: Path) -> None:
    low, high = share_of([1] * 100, [1] * 100)
    assert 0.03 < high == -low < 0.04
    row = of_all(compared(tmp_path, say(made_grid(prompts=3, samples=1), [1, 2, 3, 1, 2, 3])))
    assert (row["value"], row["se"], row["ci_low"], row["p_value"]) == (0.0, None, None, 1.0)
    assert row["reason"] == "no_spread"


def test_models_that_share_no_prompt_are_not_compared(tmp_path: Path) -> None:
    row = of_all(compared(tmp_path, say([Made("a", 0), Made("a", 1), Made("b", 2), Made("b", 3)], [1, 2, 3, 4])))
    assert (row["value"], row["n"], row["reason"]) == (None, 0, "no_common_images")


def test_one_prompt_gives_a_difference_without_an_interval(tmp_path: Path) -> None:
    rows = made_grid(prompts=1, samples=3)
    row = of_all(compared(tmp_path, say(rows, [1, 2, 3, 1, 1, 1])))
    assert (row["value"], row["ci_low"], row["p_value"]) == (pytest.approx(1.0), None, None)
    assert row["reason"] == "too_few_prompts"


def two_datasets_of_the_same_models(folder: Path) -> dict[str, Any]:
    """Return a config: before, b is better by 3 on each prompt, afterwards a by 1; all prompts have the same names."""
    for name, own, shift in (("before", range(6), 3), ("after", range(6, 12), -1)):
        rows = [
            made
            for prompt, value in enumerate(own)
            for made in say([Made("a", prompt), Made("b", prompt)], [value / 7, value / 7 + shift + prompt % 2 / 10])
        ]
        make_generated(folder / name, rows)
    config = make_config(folder, scores={"s": {"score": "told_number"}}, means=[{"score": "number"}], compare={})
    return {**config, "datasets": {name: {"path": str(folder / name)} for name in ("before", "after")}}


def test_two_datasets_of_the_same_models_are_not_pooled(tmp_path: Path) -> None:
    run(two_datasets_of_the_same_models(tmp_path))
    rows = read(tmp_path, "SELECT * FROM differences ORDER BY dataset")
    assert [(row["dataset"], round(row["value"], 6), row["n"]) for row in rows] == [
        ("after", 0.95, 6),
        ("before", -3.05, 6),
    ]
    assert [row["p_adjusted"] / row["p_value"] for row in sorted(rows, key=lambda row: row["p_value"])] == [2.0, 1.0], (
        "both are looked at"
    )
    told = compare_labels(tmp_path / "store.duckdb", "a", "b")
    same = ("dataset", "value", "ci_low", "ci_high", "p_value", "p_adjusted", "n")
    for row, stored in zip(told.rows, rows, strict=True):
        assert [getattr(row, name) for name in same] == pytest.approx([stored[name] for name in same]), row.dataset
    assert [line.partition(":")[0] for line in told.lines()] == ["s.number of after", "s.number of before"]


def test_a_model_of_two_datasets_is_held_against_one_of_a_third_apart(tmp_path: Path) -> None:
    config = two_datasets_of_the_same_models(tmp_path)
    make_generated(tmp_path / "third", say([Made("c", prompt) for prompt in range(6)], [9] * 6))
    config["datasets"]["third"] = {"path": str(tmp_path / "third")}
    run({**config, "compare": {"baseline": "c"}})
    rows = read(tmp_path, "SELECT a, b, dataset, n FROM differences ORDER BY a, dataset")
    assert [(row["a"], row["b"], row["dataset"], row["n"]) for row in rows] == [
        (label, "c", dataset, 6) for label in "ab" for dataset in ("after+third", "before+third")
    ]


def test_models_in_two_datasets_are_paired(tmp_path: Path) -> None:
    make_generated(tmp_path / "one", say([Made("a", prompt) for prompt in range(4)], [2, 3, 4, 6]))
    make_generated(tmp_path / "two", say([Made("b", prompt) for prompt in range(4)], [1, 2, 3, 4]))
    config = make_config(tmp_path, scores={"s": {"score": "told_number"}}, means=[{"score": "number"}])
    config["datasets"] = {name: {"path": str(tmp_path / name)} for name in ("one", "two")}
    run({**config, "compare": {}})
    (row,) = read(tmp_path, "SELECT * FROM differences")
    assert (row["dataset"], row["value"], row["n"]) == ("one+two", pytest.approx(1.25), 4)


def test_what_has_no_prompts_cannot_be_compared(tmp_path: Path) -> None:
    from tiny_dataset import good_rows, make_dataset

    make_dataset(tmp_path / "generated", good_rows(3))
    config = make_config(tmp_path, scores={"s": {"score": "told_number"}}, means=[{"score": "number", "by": []}])
    with pytest.raises(ConfigError, match=r"compare: the dataset 'generated' of means\.0 has no column 'model'"):
        run({**config, "compare": {}})
