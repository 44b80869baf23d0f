"""However much an input weighs, ingest holds a bounded part of it, from the connection to the shard."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fault_server import FaultServer, Route
from heavy import PeakMemory, heavy_picture, measure
from ingested import write_urls
from source_rows import make_tar

MB = 10**6
IMPORTS = """
from pathlib import Path
from ingested import make_config, run
from diptych.curate.ingest.shards import IngestJob
"""
WORK = """
download = {{"allow_private_addresses": True, "threads": 32, "deadline_s": 600}}
config = make_config({{"kind": {kind!r}, "path": {path!r}}}, download=download, rows_per_shard=15)
done = run(config, Path({pool!r}))
from diptych.curate.ingest.run import reason_counts
assert reason_counts(done.dataset) == {{"ok": {rows}}}, reason_counts(done.dataset)
"""


def write_input(kind: str, folder: Path, rows: int, size: int) -> Path:
    if kind == "folder":
        for row in range(rows):
            (folder / f"{row:04d}.jpg").write_bytes(heavy_picture(row, size))
    elif kind == "webdataset":
        make_tar(folder / "0.tar", ((f"{row}.jpg", heavy_picture(row, size)) for row in range(rows)))
    else:  # one row group, as pandas writes it, however much it holds
        schema = pa.schema([("image", pa.binary()), ("caption", pa.string())])
        batches = (
            pa.record_batch([pa.array([heavy_picture(row, size)]), pa.array(["c"])], schema) for row in range(rows)
        )
        with pq.ParquetWriter(folder / "0.parquet", schema) as writer:
            writer.write_table(pa.Table.from_batches(batches), row_group_size=rows)
    return folder


def peak_of(kind: str, path: Path, pool: Path, rows: int) -> PeakMemory:
    return measure(IMPORTS, WORK.format(kind=kind, path=str(path), pool=str(pool), rows=rows))


SIZES = pytest.mark.parametrize(
    ("rows", "size", "most"),
    [(60, 8 * MB, 450), pytest.param(60, 40 * MB, 900, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])],
    ids=["60 of 8 MB", "60 of 40 MB"],
)


def check(peak: PeakMemory, rows: int, size: int, most: int) -> None:
    assert peak.grown < most, f"{rows * size / MB:.0f} MB of pictures took {peak}"


@SIZES
@pytest.mark.parametrize(
    "kind", ["webdataset", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("folder", "parquet"))]
)
def test_pictures_of_a_source_are_held_a_few_at_a_time(
    kind: str, rows: int, size: int, most: int, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    check(peak_of(kind, write_input(kind, tmp_path / "in", rows, size), tmp_path / "pool", rows), rows, size, most)


@SIZES
def test_pictures_that_come_before_their_turn_wait_on_the_disk(rows: int, size: int, most: int, tmp_path: Path) -> None:
    """They are four shards in hand at a time, of which two are written: how much at once depends on what comes when."""
    one = heavy_picture(0, size)
    routes: dict[str, Route] = {f"/{row}.jpg": one for row in range(rows)}
    with FaultServer(routes) as server:
        write_urls(tmp_path / "t.parquet", [server.url(f"/{row}.jpg") for row in range(rows)])
        check(peak_of("url_table", tmp_path / "t.parquet", tmp_path / "pool", rows), rows, size, most + 250)
