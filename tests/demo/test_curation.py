"""The demo's own config against the truth that only a drawn world has: are the filters right, not only running?"""

from pathlib import Path

import pytest

from diptych.config.load import load
from diptych.curate.config import CurateConfig
from diptych.curate.run import STEPS, CurateRunner
from diptych.demo.measure.outcome import DUPLICATES, RULE_FOR, kept_by_fault, targets
from diptych.demo.world.plan import plan_rows
from diptych.demo.world.web import DemoWeb
from diptych.ready_configs import config_path

pytestmark = pytest.mark.usefixtures("one_thread")

FLOORS = {"mismatched": (0.95, 0.95), "flagged": (0.95, 0.95), DUPLICATES: (0.99, 0.95)}


def curate(folder: Path, rows: int, seed: int) -> None:
    """Serve a web and do what the shipped config says; URLs that never answer only cost time."""
    with DemoWeb([row for row in plan_rows(rows, seed=seed) if row.fault != "timeout"]) as web:
        table = web.write_tables(folder)
        settings = [f"source.path={table}", "download.allow_private_addresses=true", "download.deadline_s=60"]
        runner = CurateRunner(
            load(config_path("demo/curate.yaml"), CurateConfig, settings), folder / "run", progress="none"
        )
        runner.check()
        for step in STEPS:
            runner.run(step)


def test_rules_of_the_config_are_those_that_the_outcome_judges() -> None:
    config = load(config_path("demo/curate.yaml"), CurateConfig)
    assert set(RULE_FOR.values()) <= {rule.name for rule in config.select}
    assert config.dedup is not None


def test_small_web_loses_what_is_wrong_with_it_and_little_else(tmp_path: Path) -> None:
    curate(tmp_path, 300, seed=3)
    found = {target.name: target for target in targets(tmp_path / "truth.parquet", tmp_path / "run" / "pool")}
    for name, (precision, recall) in FLOORS.items():
        target = found[name]
        assert target.precision is not None
        assert target.recall is not None
        assert target.precision.n >= 8
        # So few rows do not tell 0.95 from 0.9, but they tell it from half.
        assert target.precision.ci_high >= precision, target
        assert target.recall.ci_high >= recall, target
        assert min(target.precision.value, target.recall.value) >= 0.8, target
    kept = {one.fault: one for one in kept_by_fault(tmp_path / "truth.parquet", tmp_path / "run" / "selected")}
    assert kept["none"].kept >= 0.95 * kept["none"].rows
    for fault in ("blurred", "flagged", "low_contrast", "noisy", "other_language", "tiny", "file_name", "no_caption"):
        assert kept[fault].kept == 0, fault


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [0, 1])
def test_whole_web_meets_the_targets(seed: int, tmp_path: Path) -> None:
    curate(tmp_path, 2000, seed)
    for target in targets(tmp_path / "truth.parquet", tmp_path / "run" / "pool"):
        precision, recall = FLOORS[target.name]
        assert target.precision is not None
        assert target.recall is not None
        assert target.precision.value >= precision, target
        assert target.recall.value >= recall, target
        assert target.precision.n >= 60, target
