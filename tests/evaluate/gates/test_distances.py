"""A gate on distances: over what the run knows of both, or with the widest error that two runs allow."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from evaluate_configs import call, make_config, read, run
from tiny_generated import Made, made_grid, make_generated

from diptych.store.store import Store

METRICS = ("frechet_distance", "kernel_distance")


def evaluated(folder: Path, name: str, first: int) -> Path:
    """Put a run of two models into the store, whose pictures begin with a number."""
    rows = [
        dataclasses.replace(row, picture=(row.picture or 0) + first)
        for row in made_grid(models=("a", "b"), prompts=40, samples=1)
    ]
    make_generated(folder / name, rows)
    if not (folder / "real").exists():
        make_generated(folder / "real", [Made("real", 100 + row, picture=9000 + row) for row in range(60)])
    datasets = {
        "generated": {"path": str(folder / name), "role": "generated"},
        "real": {"path": str(folder / "real"), "role": "reference"},
    }
    encoders = {"p": {"kind": "projection", "options": {"dim": 4}}}
    distances = [{"metric": metric, "encoder": "p", "reference": "real"} for metric in METRICS]
    run(make_config(folder, name=name, datasets=datasets, encoders=encoders, distances=distances, compare={}))
    return folder / "store.duckdb"


def checks(*arguments: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call("evaluate", "gate", *arguments, "--json").stdout)["checks"]
    return found


def test_the_difference_of_two_runs_has_the_sum_of_their_errors(tmp_path: Path) -> None:
    evaluated(tmp_path, "old", 0)
    store = evaluated(tmp_path, "new", 4000)
    asked = (store, "--run", "new", "--against", "old", "--max-regress", "kid=1")
    for check, model in zip(checks(*asked), "ab", strict=True):
        sql = "SELECT * FROM results JOIN runs USING (run_id) WHERE metric = 'kernel_distance' AND groups->>'model' = ?"
        old, new = sorted(read(tmp_path, sql, (model,)), key=lambda row: row["name"] == "new")
        assert check["value"] == pytest.approx(new["value"] - old["value"])
        assert check["ci_high"] - check["value"] == pytest.approx(1.959964 * (old["se"] + new["se"]), rel=1e-5)
        assert check["verdict"] == "passed"


def test_within_a_run_it_is_the_difference_that_the_run_computed(tmp_path: Path) -> None:
    store = evaluated(tmp_path, "old", 0)
    (check,) = checks(store, "--run", "a", "--against", "b", "--max-regress", "kernel_distance=1")
    (stored,) = read(tmp_path, "SELECT * FROM differences WHERE metric = 'kernel_distance'")
    assert (check["value"], check["ci_low"], check["ci_high"]) == pytest.approx(
        (stored["value"], stored["ci_low"], stored["ci_high"])
    )


def test_a_published_distance_has_no_interval_and_so_is_not_resolved(tmp_path: Path) -> None:
    evaluated(tmp_path, "old", 0)
    store = evaluated(tmp_path, "new", 4000)
    asked = (store, "--run", "new", "--against", "old", "--max-regress", "frechet_distance=400%")
    found = checks(*asked)
    assert {check["verdict"] for check in found} == {"not resolved"}
    assert all("it has no interval: only --allow-unresolved lets it pass" in check["reason"] for check in found)
    assert call("evaluate", "gate", *asked).exit_code == 100
    assert call("evaluate", "gate", *asked, "--allow-unresolved").exit_code == 0
    with Store.open(store) as opened:
        opened._file.execute(
            "INSERT INTO results BY NAME SELECT * REPLACE ('corrected_frechet_distance' AS metric, 0.1 AS ci_low, "
            "0.2 AS ci_high) FROM results WHERE metric = 'frechet_distance'"
        )
    said = "it has no interval: bound corrected_frechet_distance, which has one"
    assert all(check["reason"].endswith(said) for check in checks(*asked))


def test_the_same_images_are_worse_by_nothing(tmp_path: Path) -> None:
    evaluated(tmp_path, "old", 0)
    store = evaluated(tmp_path, "new", 0)
    found = checks(store, "--run", "new", "--against", "old", "--max-regress", "frechet_distance=0")
    assert [(check["verdict"], check["value"]) for check in found] == [("passed", 0.0)] * 2
