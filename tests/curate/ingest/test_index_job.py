"""The input of a pool is read by workers, a file each, and what one part has read no other part reads again."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import picture
from ingested import make_config, pool_files

from diptych.curate.config import CurateConfig
from diptych.curate.ingest import inputs
from diptych.curate.ingest.inputs import look_at_input
from diptych.curate.ingest.run import ingest
from diptych.curate.sources import index
from diptych.jobs.engine import HERE, Engine
from diptych.parts import JobPart

FILES, ROWS = 4, 3


@pytest.fixture
def config(tmp_path: Path) -> CurateConfig:
    """Four files of three pictures, of which two in different files are the same."""
    (tmp_path / "in").mkdir()
    for file in range(FILES):
        seeds = [min(file * ROWS + row, 9) for row in range(ROWS)]
        table = pa.table({"image": [picture(seed) for seed in seeds], "caption": [f"number {seed}" for seed in seeds]})
        pq.write_table(table, tmp_path / "in" / f"{file}.parquet")
    source = {"kind": "parquet", "path": tmp_path / "in", "image_column": "image", "caption_column": "caption"}
    return make_config(source, rows_per_shard=2)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "cache"))


def test_workers_read_the_input_and_the_pool_is_the_same(
    config: CurateConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(config, tmp_path / "one", progress="none")
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "another"))
    with monkeypatch.context() as here:
        here.setattr(index, "_read_rows", lambda *_: pytest.fail("workers read, each a file"))
        made = ingest(config, tmp_path / "two", engine=Engine(2), progress="none")
    assert made.rows_made == FILES * ROWS
    assert pool_files(tmp_path / "two") == pool_files(tmp_path / "one")


def test_what_is_remembered_no_worker_reads(config: CurateConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look_at_input(config).read()
    monkeypatch.setattr(inputs, "run_job", lambda _, tasks, **__: [*tasks])  # which gives back what it is given
    again = look_at_input(config).read(engine=Engine(2))
    assert [found.hashes.tolist() for found in again.indexes] == [found.hashes.tolist() for found in first.indexes]


def test_each_part_begins_with_files_of_its_own(config: CurateConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    really = index._read_rows

    def note(source: object, part: object, on_rows: object) -> pa.Table:
        read.append(Path(part.files[0]).stem)  # type: ignore[attr-defined]  # a Part
        return really(source, part, on_rows)  # type: ignore[arg-type]  # as it was given

    monkeypatch.setattr(index, "_read_rows", note)
    monkeypatch.setattr(inputs, "THREADS", 1)
    part = JobPart(2, 2)
    second = look_at_input(config, part).read(part=part)
    assert read == ["2", "3", "0", "1"]
    whole = look_at_input(config).read(engine=HERE)
    assert len(read) == FILES, "what a part has read is remembered"
    assert [found.hashes.tolist() for found in second.indexes] == [found.hashes.tolist() for found in whole.indexes]
