"""Means of numbers that do not vary, a share and others, and what images without a category are called."""

from dataclasses import replace
from pathlib import Path

import pytest
from evaluate_configs import call, make_config, read, result_of, run
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.intervals import wilson_ends


def test_a_mean_of_zeros_and_ones_is_a_share_and_has_a_width_where_all_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = made_grid(prompts=4, samples=2)
    make_generated(tmp_path / "generated", [replace(row, caption=f"passes={int(row.model == 'raw')}") for row in rows])
    run(make_config(tmp_path, scores={"n": {"score": "told_flag"}}, means=[{"score": "passes"}]))
    row = result_of(tmp_path, "n.passes", model="raw")
    assert (row["value"], row["ci_low"], row["ci_high"]) == (1.0, pytest.approx(wilson_ends(1.0, 4.0)[0]), 1.0)
    row = result_of(tmp_path, "n.passes", model="curated")
    assert (row["value"], row["ci_low"], row["ci_high"]) == (0.0, 0.0, pytest.approx(wilson_ends(0.0, 4.0)[1]))


def test_a_share_of_one_prompt_is_worth_its_seeds_whatever_the_number_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    settings = tuple(f"s{number}" for number in range(10))
    rows = made_grid(models=("raw",), prompts=1, samples=3, settings=settings)
    make_generated(tmp_path / "generated", [replace(row, caption="passes=1") for row in rows])
    run(make_config(tmp_path, scores={"n": {"score": "told_flag"}}, means=[{"score": "passes"}]))
    row = result_of(tmp_path, "n.passes", model="raw")
    assert (row["n"], row["ci_low"]) == (30, pytest.approx(wilson_ends(1.0, 3.0)[0]))
    assert "clustered by 1 prompt of 3 seeds, about which alone it is (Wilson, effective n)" in row["note"]
    assert row["caution"] == "about one prompt alone"


def test_a_mean_of_numbers_that_are_all_the_same_has_no_interval_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = made_grid(models=("raw",), prompts=4, samples=2)
    make_generated(tmp_path / "generated", [replace(row, caption="number=7.1") for row in rows])
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number"}]))
    row = result_of(tmp_path, "n.number", model="raw")
    assert row["value"] == pytest.approx(7.1, rel=1e-6)
    assert (row["se"], row["ci_low"], row["ci_high"], row["reason"]) == (None, None, None, None)
    assert row["note"].startswith("no interval: nothing varies among 4 prompts")


def test_no_category_has_one_name_in_results_and_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    rows = [Made(model, number, category="two" if number < 4 else "") for model in ("a", "b") for number in range(8)]
    told = [replace(row, caption=f"correct={(row.prompt + len(row.model)) % 2}") for row in rows]
    make_generated(tmp_path / "generated", told)
    means = [{"score": "object_correct"}, {"score": "object_correct", "by": ["category"]}]
    run(make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=means, compare={}))
    for table in ("results", "differences"):
        found = [row["groups"] for row in read(tmp_path, f"SELECT groups FROM {table}")]
        assert {groups["category"] for groups in found if "category" in groups} == {"two", None}
    lines = call("evaluate", "results", tmp_path / "store.duckdb").stdout.splitlines()
    assert sum("none" in line for line in lines) == 4, "by model and category, by category, and in the difference"
    assert not any('""' in line for line in lines)
