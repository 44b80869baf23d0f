"""An export by several workers is the one that a single worker makes, byte for byte, whatever ends its shards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import draw_dataset

from diptych.curate.config import Export
from diptych.curate.delivery import shard_job, shard_plan
from diptych.curate.delivery.parquet import Exported, Selection, export, exported_columns
from diptych.curate.delivery.shard_plan import KeptRows
from diptych.data.shards import read_shard, row_sizes
from diptych.data.table import DatasetTable
from diptych.jobs.engine import HERE, Engine
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

KEEP = np.random.default_rng(1).random(31) < 0.7
BY_ROWS = Export(rows_per_shard=4, min_shards=1)
Apart = Callable[[], Engine]


@pytest.fixture(scope="module")
def selection(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    pool = tmp_path_factory.mktemp("pool") / "pool"
    dataset = draw_dataset(pool, rows=31, rows_per_shard=5)
    run = score_dataset(pool, ScorePlan({}, {"words": ("caption_stats", {})}), progress="none")
    table = DatasetTable(dataset, run.sets)
    return Selection(table, KEEP, exported_columns(table, None), {"rules": ["by hand"]})


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return an engine that works here, of which no order is known."""
    monkeypatch.setattr(Engine, "is_in_order", False)
    return HERE


def bounded_by(selection: Selection, share: float) -> Export:
    """Return settings by which some shards are ended by bytes: those of so many average rows."""
    sizes = np.concatenate([row_sizes(read_shard(file)) for file in selection.table.dataset.files])
    return Export(rows_per_shard=4, min_shards=1, bytes_per_shard=int(share * sizes.mean()))


def files_of(out: Path) -> dict[str, bytes]:
    found = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items()}


def exported(selection: Selection, out: Path, settings: Export, engine: Engine = HERE) -> Exported:
    return export(selection, out, settings, engine=engine, progress="none")


@pytest.mark.parametrize("share", [1e6, 6.0, 3.2, 0.1])
def test_shards_that_begin_before_the_one_before_them_ends_are_the_same(
    selection: Selection, share: float, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = bounded_by(selection, share)
    exported(selection, tmp_path / "one", settings)
    made = exported(selection, tmp_path / "apart", settings, request.getfixturevalue("apart"))
    assert made.written == len(made.dataset.shards) > 4
    assert files_of(tmp_path / "apart") == files_of(tmp_path / "one")


def test_two_workers_write_the_same(selection: Selection, tmp_path: Path) -> None:
    exported(selection, tmp_path / "one", BY_ROWS)
    made = exported(selection, tmp_path / "two", BY_ROWS, Engine(2))
    assert made.written == len(made.dataset.shards)
    assert files_of(tmp_path / "two") == files_of(tmp_path / "one")


def test_rows_are_measured_only_where_bytes_may_end_a_shard(
    selection: Selection, tmp_path: Path, apart: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[bool] = []
    really = KeptRows.measured
    monkeypatch.setattr(KeptRows, "measured", lambda *given: (measured.append(True), really(*given))[1])
    exported(selection, tmp_path / "far", BY_ROWS, apart)
    assert not measured
    exported(selection, tmp_path / "near", bounded_by(selection, 6.0), apart)
    assert measured == [True]


def test_where_bytes_end_a_shard_against_expectation_what_was_begun_wrongly_is_written_again(
    selection: Selection, tmp_path: Path, apart: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = bounded_by(selection, 3.2)
    monkeypatch.setattr(Engine, "is_in_order", True)
    exported(selection, tmp_path / "one", settings)
    monkeypatch.setattr(Engine, "is_in_order", False)
    monkeypatch.setattr(shard_plan, "FAR", np.inf)
    exported(selection, tmp_path / "apart", settings, apart)
    assert files_of(tmp_path / "apart") == files_of(tmp_path / "one")


def test_a_shard_of_the_pool_is_opened_once_for_each_shard_that_it_goes_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = np.ones(60, bool)
    keep[20:40] = False  # five shards of which nothing is kept
    dataset = draw_dataset(tmp_path / "pool", rows=60, rows_per_shard=4)
    opened, really = list[str](), shard_job.sound
    monkeypatch.setattr(shard_job, "sound", lambda shard: (opened.append(shard.info.name), really(shard))[1])
    made = exported(
        Selection(DatasetTable(dataset), keep, {}, {}), tmp_path / "out", Export(rows_per_shard=8, min_shards=1)
    )
    assert len(made.dataset.shards) == 5
    assert opened == [f"{number:05d}.parquet" for number in (0, 1, 2, 3, 4, 10, 11, 12, 13, 14)]


@pytest.mark.parametrize("is_in_order", [True, False])
def test_an_export_that_was_killed_while_wrong_shards_were_there_goes_on_rightly(
    selection: Selection, tmp_path: Path, apart: Engine, monkeypatch: pytest.MonkeyPatch, is_in_order: bool
) -> None:
    settings = bounded_by(selection, 3.2)
    with monkeypatch.context() as killed:
        killed.setattr(shard_plan, "FAR", np.inf)
        killed.setattr("diptych.curate.delivery.parquet.run_job", last_first)
        killed.setattr(KeptRows, "measured", fail)
        with pytest.raises(KeyboardInterrupt):
            exported(selection, tmp_path / "killed", settings, apart)
    left = [path.name for path in (tmp_path / ".killed.growing/data").glob("*.parquet")]
    assert "00000.parquet" not in left
    assert left, "shards that begin where rows alone would have ended the ones before them"
    monkeypatch.setattr(Engine, "is_in_order", is_in_order)
    exported(selection, tmp_path / "killed", settings)
    exported(selection, tmp_path / "one", settings)
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "one")


def last_first(job: Any, tasks: Any, *, engine: Engine, report: Any) -> Iterator[Any]:
    work = job.open(report)
    for task in [*tasks][:2:-1]:
        yield work(task)
    raise KeyboardInterrupt


def fail(*_: Any) -> list[int]:
    raise KeyboardInterrupt
