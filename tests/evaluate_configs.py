"""Configs of evaluations for tests, as dictionaries and as files, and the command that runs them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from diptych.cli import main
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.run import EvaluateRunner
from diptych.store.store import Store


def make_config(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return a config over ``folder/generated`` and the store ``folder/store.duckdb``."""
    config = {
        "job": "evaluate",
        "name": "tiny",
        "store": str(folder / "store.duckdb"),
        "datasets": {"generated": {"path": str(folder / "generated"), "role": "generated"}},
    }
    return {**config, **changes}


def run(config: Mapping[str, Any], **options: Any) -> Any:
    """Run a config in this process."""
    return EvaluateRunner(EvaluateConfig.model_validate(config), progress="none", **options).run()


def write_config(folder: Path, config: Mapping[str, Any]) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def read(folder: Path, sql: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    """Return the rows of a query over ``folder/store.duckdb``."""
    with Store.open(folder / "store.duckdb", read_only=True) as store:
        return store.query(sql, parameters)


def result_of(folder: Path, metric: str, **groups: Any) -> dict[str, Any]:
    """Return the one result of a metric for a group."""
    rows = read(folder, "SELECT * FROM results WHERE metric = ?", (metric,))
    (row,) = [row for row in rows if row["groups"] == groups]
    return row


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)], catch_exceptions=False)


def call_json(*arguments: object) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
