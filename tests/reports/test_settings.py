"""The page Settings has the mean of each cell where the store has it by setting alone, as of one model."""

import dataclasses
from pathlib import Path

import pytest
from evaluate_configs import make_config, run
from tiny_generated import made_grid, make_generated
from told_scores import install

from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig

SETTINGS = ("s1", "s2")


@pytest.mark.parametrize(
    ("by", "models", "means"),
    [(["setting"], ("one",), 2), (["model", "setting"], ("one", "two"), 4), (["setting"], ("one", "two"), 0)],
)
def test_a_cell_has_the_mean_of_its_setting_where_that_is_of_its_model_alone(
    by: list[str], models: tuple[str, ...], means: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    grid = made_grid(models, prompts=3, settings=SETTINGS)
    rows = [dataclasses.replace(row, caption=f"number={row.prompt} of={number % 6}") for number, row in enumerate(grid)]
    make_generated(tmp_path / "generated", rows)
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number", "by": by}]))
    build_report(ReportConfig.model_validate({"job": "report", "store": tmp_path / "store.duckdb"}), tmp_path / "out")
    page = (tmp_path / "out/grid.html").read_text(encoding="utf-8")
    assert page.count('class="mean ') == means
    assert page.count('<strong class="figure">') == means
