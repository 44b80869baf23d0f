"""The noise floor: one half of a model's images against the other, beside every distance and in the way of none."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import call, call_json, make_config, read, run
from tiny_generated import Made, made_grid, make_generated

from diptych.data.dataset import open_dataset
from diptych.data.table import DatasetTable
from diptych.evaluate.comparisons.noise_floors import OTHER_SEEDS
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.metrics.contract import set_metric
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

METRICS = ("frechet_distance", "kernel_distance")


def evaluated(folder: Path, samples: int = 3, **changes: Any) -> Path:
    rows = made_grid(models=("a", "b"), prompts=20, samples=samples)
    rows = [dataclasses.replace(row, picture=None) if row.prompt == 0 and row.sample == 0 else row for row in rows]
    make_generated(folder / "generated", rows)
    make_generated(folder / "real", [Made("real", 100 + row, picture=9000 + row) for row in range(30)])
    datasets = {
        "generated": {"path": str(folder / "generated"), "role": "generated"},
        "real": {"path": str(folder / "real"), "role": "reference"},
    }
    encoders = {"p": {"kind": "projection", "options": {"dim": 4}}}
    distances = [{"metric": metric, "encoder": "p", "reference": "real"} for metric in METRICS]
    asked = {"datasets": datasets, "encoders": encoders, "distances": distances, "compare": {}, "noise_floor": True}
    run(make_config(folder, **{**asked, **changes}))
    return folder / "store.duckdb"


def floors(folder: Path) -> list[dict[str, Any]]:
    return read(
        folder, "SELECT * FROM results WHERE groups->>'noise_floor' IS NOT NULL ORDER BY metric, groups->>'model'"
    )


@pytest.mark.parametrize("name", METRICS)
def test_it_is_the_metric_of_the_two_halves(name: str, tmp_path: Path) -> None:
    evaluated(tmp_path)
    dataset = open_dataset(tmp_path / "generated")
    (place,) = (tmp_path / "generated" / "embeddings").iterdir()
    table = DatasetTable(dataset)
    rows = ScoredRows("generated", "generated", table)
    vectors = np.concatenate([read_vectors(path) for path in sorted(place.glob("*.parquet"))])
    models, prompts, samples = (rows.values(column).to_pylist() for column in ("model", "prompt_id", "sample"))
    for model in "ab":
        own = [number for number, each in enumerate(models) if each == model]
        # Of three samples the first two, one in each half; of the prompt that lacks the first the other two.
        first = [number for number in own if samples[number] == (1 if prompts[number] == "00000" else 0)]
        second = [number for number in own if samples[number] == (2 if prompts[number] == "00000" else 1)]
        metric = set_metric(name)
        sides = [metric.statistics(vectors[half], rows.units[half]) for half in (first, second)]
        expected = metric.results(*sides, {})[name].value
        sql = "SELECT * FROM results WHERE metric = ? AND groups->>'model' = ? AND groups->>'noise_floor' = ?"
        (found,) = read(tmp_path, sql, (name, model, OTHER_SEEDS))
        assert found["value"] == pytest.approx(expected, rel=1e-6, abs=1e-12)
        assert (found["n"], found["ci_low"], found["se"]) == (20, None, None)


def read_vectors(path: Path) -> np.ndarray:
    import pyarrow.parquet as pq

    column = pq.read_table(path)["embedding"].combine_chunks()
    return np.array([np.full(4, np.nan) if each is None else each for each in column.to_pylist()], np.float32)


def test_it_is_in_the_way_of_no_other_number(tmp_path: Path) -> None:
    store = evaluated(tmp_path)
    assert len(floors(tmp_path)) >= 4
    found = call_json("evaluate", "compare", store, "a", "b", "--metric", "kid")
    assert [row["metric"] for row in found["differences"]] == ["kernel_distance"]
    gate = call("evaluate", "gate", store, "--max", "kernel_distance=9", "--json")
    assert [check["of"] for check in json.loads(gate.stdout)["checks"]] == [
        "kernel_distance of a",
        "kernel_distance of b",
    ]
    assert sum(OTHER_SEEDS in line for line in call("evaluate", "results", store).stdout.splitlines()) >= 4


def test_there_is_none_where_nobody_asks_or_a_prompt_has_one_image(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    evaluated(tmp_path / "one", samples=1)
    assert floors(tmp_path / "one") == []
    (tmp_path / "two").mkdir()
    evaluated(tmp_path / "two", noise_floor=False)
    assert floors(tmp_path / "two") == []


def test_a_report_has_it_as_a_line_beside_each_distance(tmp_path: Path) -> None:
    store = evaluated(tmp_path)
    build_report(ReportConfig.model_validate({"job": "report", "store": store}), tmp_path / "out")
    page = "".join(path.read_text(encoding="utf-8") for path in sorted((tmp_path / "out").glob("scores*.html")))
    assert page.count(">Noise floor</th>") >= 2
    assert "which has other seeds" in page
    assert OTHER_SEEDS not in re.sub(r"<p.*?</p>", "", page, flags=re.DOTALL), "it is no group of its own"
