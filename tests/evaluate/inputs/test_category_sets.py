"""Means over categories: of all of a set of prompts, or of none."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from evaluate_configs import make_config, read, result_of, run
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.evaluate.comparisons.stores import compare_labels


@pytest.mark.parametrize(
    ("benchmark", "kind"), [("own", None), ("own", "jsonl"), ("geneval", None), ("lite", "geneval"), ("geneval", "txt")]
)
def test_a_mean_over_categories_is_over_all_of_the_set_and_not_of_those_that_a_model_answered(
    benchmark: str, kind: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One model made all, the other two of three categories; of GenEval, by whatever name, all know that it has six."""
    install(monkeypatch)
    categories = ("single_object", "counting", "position")
    rows = [
        Made(model, number, category=category, benchmark=benchmark)
        for model in ("all", "some")
        for number, category in enumerate(categories[: 3 if model == "all" else 2])
    ]
    kinds = {benchmark: kind} if kind else None
    told = [dataclasses.replace(row, caption="correct=1") for row in rows]
    make_generated(tmp_path / "generated", told, kinds=kinds)
    config = make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=[{"score": "object_correct"}])
    run({**config, "compare": {}})
    of_all, some = (result_of(tmp_path, "o.object_accuracy", model=name) for name in ("all", "some"))
    (difference,) = read(tmp_path, "SELECT * FROM differences WHERE groups = '{}'")
    assert (some["value"], some["ci_low"], some["n"], some["reason"]) == (None, None, 2, "categories_missing")
    assert (difference["value"], difference["p_value"], difference["reason"]) == (None, None, "categories_missing")
    command = compare_labels(tmp_path / "store.duckdb", "all", "some", metric="object_accuracy").rows[0]
    assert (np.isnan(command.value), command.reason) == (True, "categories_missing")
    if (kind or benchmark) != "geneval":
        assert of_all["value"] == 1.0
        assert some["note"] == "no image scored of 1 of the 3 categories: position"
    else:
        assert of_all["reason"] == "categories_missing"
        assert of_all["note"] == "no image scored of 3 of the 6 categories: color_attr, colors, two_object"
    for model, count in (("all", 3), ("some", 2)):
        for category in categories[:count]:
            assert result_of(tmp_path, "o.object_accuracy", model=model, category=category)["value"] == 1.0


def test_a_part_of_a_benchmark_by_another_name_is_not_compared_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both models answered all categories that were asked, two of six."""
    install(monkeypatch)
    rows = [
        Made(model, number, category=("counting", "single_object")[number % 2], benchmark="lite", caption="correct=1")
        for model in ("a", "b")
        for number in range(4)
    ]
    make_generated(tmp_path / "generated", rows, kinds={"lite": "geneval"})
    config = make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=[{"score": "object_correct"}])
    run({**config, "compare": {}})
    whole = result_of(tmp_path, "o.object_accuracy", model="a")
    assert (whole["value"], whole["reason"]) == (None, "categories_missing")
    assert "4 of the 6 categories" in whole["note"]
    (difference,) = read(tmp_path, "SELECT * FROM differences WHERE groups = '{}'")
    assert (difference["value"], difference["reason"]) == (None, "categories_missing")
    command = compare_labels(tmp_path / "store.duckdb", "a", "b", metric="object_accuracy").rows[0]
    assert (np.isnan(command.value), command.reason) == (True, "categories_missing")
    assert read(tmp_path, "SELECT prompt_sets FROM datasets") == [{"prompt_sets": {"lite": "geneval"}}]


def answered(models: str, benchmark: str, categories: Sequence[str], setting: str = "s1") -> list[Made]:
    """Return six images of each model; of b each third is right, of the others all are."""
    return [
        Made(
            model,
            number,
            setting=setting,
            category=categories[number % len(categories)],
            benchmark=benchmark,
            caption=f"correct={int(model != 'b' or number % 3 == 0)}",
        )
        for model in models
        for number in range(6)
    ]


def difference_of_a_and_b(folder: Path, datasets: Mapping[str, Sequence[Made]]) -> tuple[float | None, str | None, int]:
    """Return value, reason and n of the difference of object accuracy, in which the run and the command agree."""
    for label, rows in datasets.items():
        make_generated(folder / label, rows)  # captions are what scores tell, so that no set is told whose they are
    config = make_config(folder, scores={"o": {"score": "told_accuracy"}}, means=[{"score": "object_correct"}])
    for label in datasets:
        config["datasets"][label] = {"path": str(folder / label), "role": "generated"}
    run({**config, "compare": {}})
    (row,) = read(folder, "SELECT value, reason, n FROM differences WHERE groups = '{}' AND a = 'a' AND b = 'b'")
    command = compare_labels(folder / "store.duckdb", "a", "b", metric="object_accuracy").to_json()["differences"][0]
    assert row == {name: command[name] for name in row}
    return row["value"], row["reason"], row["n"]


@pytest.mark.parametrize("others", ["c", "bc"])
@pytest.mark.parametrize("label", ["generated", "further"])
def test_a_difference_wants_the_categories_of_the_sets_that_its_pairs_are_of(
    label: str, others: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another model's images of another set, or those that one of the two has alone, are of no pair."""
    install(monkeypatch)
    datasets = {"generated": answered("ab", "own", "xy")}
    datasets[label] = [*datasets.get(label, ()), *answered(others, "other", "zw")]
    value, reason, n = difference_of_a_and_b(tmp_path, datasets)
    assert (value, reason, n) == (pytest.approx(2 / 3), None, 6)


def test_a_difference_wants_the_categories_of_its_set_that_another_model_alone_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    datasets = {"generated": [*answered("ab", "own", "xy"), *answered("c", "own", "xyz")]}
    assert difference_of_a_and_b(tmp_path, datasets) == (None, "categories_missing", 6)
    assert result_of(tmp_path, "o.object_accuracy", model="a")["reason"] == "categories_missing"


def test_a_difference_at_a_setting_wants_the_categories_of_the_sets_of_that_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = [*answered("ab", "own", "xy"), *answered("ab", "other", "zw", setting="s2")]
    assert difference_of_a_and_b(tmp_path, {"generated": rows}) == (pytest.approx(2 / 3), None, 12)
    sql = "SELECT value, n FROM differences WHERE groups->>'setting' IN ('s1', 's2')"
    assert read(tmp_path, sql) == [{"value": pytest.approx(2 / 3), "n": 6}] * 2
