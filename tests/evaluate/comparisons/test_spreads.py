"""The spread of a score on two levels, by group and category, in the store and in the table of results."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from evaluate_configs import call, call_json, make_config, read, run
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.evaluate.statistics.variances import two_levels


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def evaluated(folder: Path, samples: int = 3) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """Return the numbers that were told, with their prompts, by model and category."""
    rows = made_grid(prompts=8, samples=samples)
    numbers = np.random.default_rng(2).normal(5, 1, len(rows)).round(3) + np.array([row.prompt for row in rows])
    said = [dataclasses.replace(row, caption=f"number={each:.3f}") for row, each in zip(rows, numbers, strict=True)]
    make_generated(folder / "generated", said)
    means = [{"score": "number", "by": ["model"]}, {"score": "number", "by": []}]
    run(make_config(folder, scores={"n": {"score": "told_number"}}, means=means))
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row, each in zip(rows, numbers, strict=True):
        found.setdefault((row.model, str(row.category)), []).append((row.prompt, each))
    return found


def test_each_group_and_category_has_its_own(tmp_path: Path) -> None:
    told = evaluated(tmp_path)
    stored = read(tmp_path, "SELECT * FROM spreads")
    assert len(stored) == 2 * 3, "two models, each whole and in two categories; never both together"
    for row in stored:
        wanted = row["groups"].get("model"), row["groups"].get("category")
        own = [
            each
            for (model, category), found in told.items()
            if wanted[0] in (None, model) and wanted[1] in (None, category)
            for each in found
        ]
        expected = two_levels(np.array([number for _, number in own]), [prompt for prompt, _ in own])
        assert row["variance_between"] == pytest.approx(expected.between, rel=1e-5)
        assert row["variance_within"] == pytest.approx(expected.within, rel=1e-5)
        assert row["icc"] == pytest.approx(expected.icc, rel=1e-5)
        assert (row["n"], row["n_clusters"]) == (expected.n, expected.n_clusters)


def test_results_print_them_where_there_are_several_images_of_a_prompt(tmp_path: Path) -> None:
    evaluated(tmp_path)
    lines = call("evaluate", "results", tmp_path / "store.duckdb").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("spread of"))
    assert lines[at].split()[:4] == ["spread", "of", "of", "between"]
    assert sum("24 of 8 prompts" in line for line in lines[at:]) == 2
    assert len(call_json("evaluate", "results", tmp_path / "store.duckdb")["spreads"]) == 6


def test_there_are_none_with_one_image_a_prompt(tmp_path: Path) -> None:
    evaluated(tmp_path, samples=1)
    assert read(tmp_path, "SELECT * FROM spreads") == [], "two models are not two images of a prompt"
    assert "spread of" not in call("evaluate", "results", tmp_path / "store.duckdb").stdout
