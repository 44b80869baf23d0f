"""A new axis is one line in the table of generated columns: it is grouped, compared, stored, filtered and shown."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import tiny_generated
from evaluate_configs import call, call_json, make_config, read, run
from report_gallery import Gallery
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.data import generated_columns
from diptych.data.generated_columns import GENERATED_COLUMNS, GeneratedColumn, equal_in_pairs, generated_schema
from diptych.evaluate.config import Compare
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig
from diptych.store.images import OWN

LORA = GeneratedColumn("lora", "string", "axis", "filter", "LoRA")
LORAS = {"euler-9": "none", "euler-9-ink": "ink"}  # by setting


@pytest.fixture(autouse=True)
def _with_lora(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setattr(generated_columns, "GENERATED_COLUMNS", (*GENERATED_COLUMNS, LORA))
    record = tiny_generated._record
    monkeypatch.setattr(tiny_generated, "_record", lambda row: {**record(row), "lora": LORAS[row.setting]})


@pytest.fixture
def evaluated(tmp_path: Path) -> Path:
    """A folder with images of two models, with and without a LoRA that is worth 2, and a run that compares the two."""
    rows = made_grid(prompts=8, samples=1, settings=tuple(LORAS))
    told = [
        dataclasses.replace(row, caption=f"number={row.prompt + 2 * (row.setting == 'euler-9-ink')}") for row in rows
    ]
    make_generated(tmp_path / "generated", told)
    means = [{"score": "number", "by": ["lora"]}, {"score": "number", "by": ["model", "setting"]}]
    scores: dict[str, Any] = {"n": {"score": "told_number"}}
    run(make_config(tmp_path, scores=scores, means=means, compare={"by": "lora", "baseline": "none"}))
    return tmp_path


def test_data_and_configs_know_it() -> None:
    assert "lora" in generated_schema().names
    assert Compare.model_json_schema()["properties"]["by"]["enum"][-1] == "lora"
    assert equal_in_pairs("lora")[1:5] == ("sampler", "steps", "guidance", "negative_prompt")
    assert "lora" in equal_in_pairs("steps")


def test_it_is_grouped_and_compared(evaluated: Path) -> None:
    rows = read(evaluated, "SELECT groups, value FROM results ORDER BY groups")
    by_lora = {row["groups"]["lora"]: row["value"] for row in rows if "lora" in row["groups"]}
    assert by_lora == {"ink": 5.5, "none": 3.5}
    (row,) = read(evaluated, "SELECT a, b, value, n FROM differences WHERE groups = '{}'")
    assert row == {"a": "ink", "b": "none", "value": 2.0, "n": 16}
    found = call_json("evaluate", "compare", evaluated / "store.duckdb", "ink", "none", "--by", "lora")
    assert [(each["value"], each["n"]) for each in found["differences"]] == [(2.0, 16)]


def test_the_store_has_it_though_its_tables_do_not_know_it(evaluated: Path) -> None:
    assert "lora" not in OWN
    sql = "SELECT more->>'lora' AS lora, avg(value) AS mean FROM v_scores GROUP BY 1 ORDER BY 1"
    assert read(evaluated, sql) == [{"lora": "ink", "mean": 5.5}, {"lora": "none", "mean": 3.5}]


def test_a_store_without_it_is_compared_by_something_else(evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = GeneratedColumn("control", "string", "axis", "filter")
    monkeypatch.setattr(generated_columns, "GENERATED_COLUMNS", (*GENERATED_COLUMNS, LORA, other))
    said = call("evaluate", "compare", evaluated / "store.duckdb", "ink", "none", "--by", "lora").output
    assert "ink is better than none (+2" in said


def test_a_report_lists_filters_and_shows_it(evaluated: Path) -> None:
    config = ReportConfig.model_validate({"job": "report", "store": evaluated / "store.duckdb"})
    build_report(config, evaluated / "out")
    gallery = Gallery(evaluated / "out")
    facet = gallery.facets["lora"]
    assert (facet["label"], sorted(facet["values"]), facet["listed"]) == ("LoRA", ["ink", "none"], True)
    assert gallery.count("gallery.html#f=lora:ink") == 16
    page = (evaluated / "out" / "grid.html").read_text(encoding="utf-8")
    assert "Model by lora" in page
    assert "gallery.html#f=lora:ink" in (evaluated / "out" / "scores.html").read_text(encoding="utf-8").replace(
        "f=dataset:generated&amp;", ""
    )
