"""Stores of the schema before differences knew their degrees of freedom: they open, and say what they can."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from evaluate_configs import call, call_json, make_config, read, run
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.store.migrations import NEWEST
from diptych.store.store import Store

SINCE = ("df", "wins", "ties", "losses", "effect", "detectable", "margin", "p_equivalence")
BEFORE = 9  # the last version without them, and without the table of spreads


def older(folder: Path) -> Path:
    """Return a store of two models, with the schema of before."""
    rows = made_grid(models=("a", "b"), prompts=12, samples=2)
    numbers = np.random.default_rng(0).normal(5, 1, len(rows))
    told = [dataclasses.replace(row, caption=f"number={each:.3f}") for row, each in zip(rows, numbers, strict=True)]
    make_generated(folder / "generated", told)
    make_generated(folder / "real", [Made("real", 100 + row, picture=9000 + row) for row in range(30)])
    datasets = {
        "generated": {"path": str(folder / "generated"), "role": "generated"},
        "real": {"path": str(folder / "real"), "role": "reference"},
    }
    asked = {
        "encoders": {"p": {"kind": "projection", "options": {"dim": 4}}},
        "distances": [{"metric": "kernel_distance", "encoder": "p", "reference": "real"}],
        "scores": {"n": {"score": "told_number"}},
        "means": [{"score": "number", "by": ["model"]}],
    }
    run(make_config(folder, datasets=datasets, compare={}, **asked))
    with Store.open(folder / "store.duckdb") as store:
        for name in SINCE:
            store._file.execute(f"ALTER TABLE differences DROP COLUMN {name}")
        store._file.execute("DROP TABLE spreads")
        store._file.execute(f"UPDATE schema_version SET version = {BEFORE}")
    return folder / "store.duckdb"


def test_a_store_of_before_opens_and_every_command_says_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    store = older(tmp_path)
    assert len(call_json("evaluate", "results", store)["differences"]) == 4
    assert read(tmp_path, "SELECT version FROM schema_version") == [{"version": NEWEST}]
    distance, mean = call("evaluate", "compare", store).stdout.splitlines()
    assert "won" not in distance, "what the run did not store is not known"
    assert "12 prompts" in mean
    assert " won, " in mean, "this is computed from the images"
    assert call("evaluate", "gate", store, "--max", "number=9").exit_code == 0
    assert call_json("evaluate", "plan", store, "--metric", "number", "--difference", 0.5)
    built = build_report(ReportConfig.model_validate({"job": "report", "store": store}), tmp_path / "out")
    assert built.index.is_file()
