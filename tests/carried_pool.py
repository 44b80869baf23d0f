"""Pools whose rules are over columns that the source brought along, so that a test knows every number."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from drawn import picture

from diptych.curate.config import CurateConfig
from diptych.curate.run import STEPS, CurateRunner
from diptych.reports.build import build_report
from diptych.reports.config import ReportConfig


def make_carried_pool(folder: Path, columns: Mapping[str, pa.Array], rules: Mapping[str, str]) -> Path:
    """Curate drawn pictures with these columns by these rules, and return the pool."""
    count = len(next(iter(columns.values())))
    images = pa.array([picture(number, kind="PNG") for number in range(count)], pa.binary())
    captions = pa.array([f"blobs number {number}" for number in range(count)])
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": images, "caption": captions, **columns}), folder / "source.parquet")
    config = {
        "job": "curate",
        "name": "carried",
        "source": {"kind": "parquet", "path": str(folder / "source.parquet"), "columns": list(columns)},
        "select": [{"name": name, "where": where} for name, where in rules.items()],
    }
    runner = CurateRunner(CurateConfig.model_validate(config), folder / "run", progress="none")
    for step in STEPS:
        runner.run(step)
    return folder / "run" / "pool"


def carried_report(
    folder: Path, columns: Mapping[str, pa.Array], rules: Mapping[str, str]
) -> tuple[Path, duckdb.DuckDBPyConnection]:
    """Make a pool as ``make_carried_pool`` does and a report of it; return where that is, and the pool as a table."""
    pool = make_carried_pool(folder, columns, rules)
    build_report(ReportConfig.model_validate({"job": "report", "pools": [pool]}), folder / "out")
    return folder / "out", carried_table(pool)


def carried_table(pool: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection with data and decisions of a pool as the view ``pool``, read without the code under test."""
    con = duckdb.connect()
    con.execute(
        f"CREATE VIEW pool AS SELECT * EXCLUDE (image) FROM read_parquet('{pool}/data/*.parquet') POSITIONAL JOIN "
        f"(SELECT keep, reason AS lost_to FROM read_parquet('{pool}/decisions/select/*.parquet'))"
    )
    return con
