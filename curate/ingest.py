"""Ingest: from a source to the shards of a pool, every input row a row with a status.

A shard is a fixed run of input rows, so the same input gives the same shards whatever was killed or retried.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

import diptych
from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.curate.config import CurateConfig, Download
from diptych.curate.sources import BYTES, PATH, PROBLEM, RowSource, cut, open_source
from diptych.data import images
from diptych.data.dataset import Dataset
from diptych.data.growing import Growing, grow_data, seal_data, sealed_data
from diptych.data.schema import IMAGE, data_schema
from diptych.data.shards import ShardInfo, read_shard, shard_name, write_shard
from diptych.errors import DataError, DecodeError, ShardError
from diptych.jobs import run_job
from diptych.jobs.contract import Report
from diptych.progress import track
from diptych.provenance import collect
from diptych.storage.location import Location

HELPER_COLUMNS = ("caption", "url", PROBLEM, BYTES, PATH)
STEP = "ingest"
MAX_ERROR = 200
ROWS_PER_TABLE = 500
# A round guess of what a picture weighs before it was seen, for the estimate of --dry-run alone, which says so.
ASSUMED_IMAGE_BYTES = 150_000


class IngestedRow(NamedTuple):
    """What became of one input row."""

    data: bytes | None
    status: str
    error: str | None
    info: images.ImageInfo | None = None
    sha256: str | None = None


_GIVEN: Future[IngestedRow] = Future()
_GIVEN.set_result(IngestedRow(None, "given", None))


@dataclass(frozen=True)
class IngestTask:
    """One shard's run of input rows."""

    index: int
    first_row: int
    rows: pa.Table


@dataclass(frozen=True)
class IngestJob:
    """Fetches or reads the rows of one shard and writes it."""

    data: Location
    download: Download

    def open(self, report: Report) -> Callable[[IngestTask], ShardInfo]:
        """Return the function that makes one shard."""
        return lambda task: self._make(task, report)

    def _make(self, task: IngestTask, report: Report) -> ShardInfo:
        rows: list[Future[IngestedRow]] = [_watched(report) for _ in range(task.rows.num_rows)]
        # The shard is written while its later rows are still on their way, and no picture is held longer than needed.
        with ThreadPoolExecutor(1, thread_name_prefix="write") as writer:
            written = writer.submit(write_shard, _to_tables(task, rows), self.data / shard_name(task.index))
            try:
                _load(task.rows, self.download, rows)
            except BaseException as error:  # also Ctrl-C: the writer must not wait for rows that do not come
                for row in rows:
                    if not row.done():
                        row.set_exception(error)
                raise
            return written.result()


def ingest(config: CurateConfig, address: Address, *, workers: int = 1, progress: str = "auto") -> tuple[Dataset, int]:
    """Make the pool, or go on with it; return it and how many shards had to be made.

    Raises:
        DataError: If the source cannot be read.
        ShardError: If the pool was made from another input.
    """
    source = open_source(config.source)
    with track("read the input", None, mode=progress):
        inputs, total = source.inputs(), source.count()
    if total == 0:
        raise DataError(f"{config.source.path}: no rows there")
    made_from = fingerprint(input_identity(config, inputs))
    pool = Location.at(address)
    growing = grow_data(pool, STEP, made_from)
    finished = sealed_data(pool, made_from)
    if finished is not None:
        return finished, 0
    if growing.made_from not in (None, made_from):
        raise ShardError(f"{pool}: made from another input; give another --out, or delete it to begin again")
    growing.begin(progress=progress)
    names = [shard_name(index) for index in range(-(-total // config.rows_per_shard))]
    there = sum(info.rows for name in names if (info := growing.finished(name)) is not None)
    done = 0
    job = IngestJob(growing.directory, config.download)
    with track("ingest", total, mode=progress, done=there) as tracker:
        tasks = _tasks(source, config.rows_per_shard, growing)
        for info in run_job(job, tasks, workers=workers, report=tracker.advance):
            growing.commit(info)
            done += 1
    facts = {
        "kind": "pairs",
        "name": config.name,
        "licence": config.export.licence,
        "made_by": {
            "source": config.source.model_dump(mode="json", exclude={"path"}),
            "inputs": inputs,
            "provenance": collect(),
        },
    }
    return seal_data(growing, facts, names), done


def input_identity(config: CurateConfig, inputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what decides the rows of the pool: the files, how they are read, and how they are cut into shards."""
    source = config.source.model_dump(mode="json", exclude={"path"})
    return {"inputs": list(inputs), "source": source, "rows_per_shard": config.rows_per_shard}


def reason_counts(dataset: Dataset) -> dict[str, int]:
    """Return how many rows of a dataset have each status, most frequent first."""
    counts: Counter[str] = Counter()
    for file in dataset.files:
        counts.update(read_shard(file, ["status"])["status"].to_pylist())
    return dict(counts.most_common())


def _tasks(source: RowSource, rows: int, growing: Growing) -> Iterator[IngestTask]:
    """Yield what is not finished."""
    for index, table in enumerate(cut(source.tables(), rows)):
        if growing.finished(shard_name(index)) is None:
            yield IngestTask(index, index * rows, table)


def _watched(report: Report) -> Future[IngestedRow]:
    """Return what will be a row, whose arrival is reported."""
    row: Future[IngestedRow] = Future()
    row.add_done_callback(lambda done: None if done.exception() else report(1, {done.result().status: 1}))
    return row


def _load(table: pa.Table, download: Download, rows: list[Future[IngestedRow]]) -> None:
    """Find out what becomes of each row: its bytes, checked to be a picture, or the reason."""
    wanted = []
    for number, problem in enumerate(table[PROBLEM].to_pylist()):
        if problem is None:
            wanted.append(number)
        else:
            rows[number].set_result(_problem(problem))
    if BYTES in table.column_names:
        for number in wanted:
            data = table[BYTES][number].as_py()
            rows[number].set_result(_check(IngestedRow(data, "ok" if data is not None else "no_image", None)))
    elif PATH in table.column_names:
        for number in wanted:
            rows[number].set_result(_check(_read(Path(os.fsdecode(table[PATH][number].as_py())))))
    else:
        _fetch([table["url"][number].as_py() for number in wanted], [rows[number] for number in wanted], download)


def _fetch(urls: list[str | None], rows: list[Future[IngestedRow]], download: Download) -> None:
    from diptych.curate.download.fetch import FetchLimits
    from diptych.curate.download.opener import OPT_OUT_DIRECTIVES, Fetched, fetch_rows

    limits = FetchLimits(
        deadline_s=download.deadline_s,
        max_bytes=download.max_bytes,
        retries=download.retries,
        allow_private_addresses=download.allow_private_addresses,
        user_agent=download.user_agent or f"diptych/{diptych.__version__}",
    )
    directives = OPT_OUT_DIRECTIVES if download.respect_robots_tags else frozenset()

    def check(numbers: Sequence[int], part: Fetched) -> None:
        row = _check(IngestedRow(part.data, part.code, part.detail or None))
        for number in numbers:
            rows[number].set_result(row)
            rows[number] = _GIVEN  # the picture belongs to the writer now

    fetch_rows(urls, check, threads=download.threads, limits=limits, directives=directives)


def _read(path: Path) -> IngestedRow:
    try:
        return IngestedRow(path.read_bytes(), "ok", None)
    except OSError as error:
        return IngestedRow(None, "unreadable", str(error.strerror or error)[:MAX_ERROR])


def _problem(problem: str) -> IngestedRow:
    code, _, detail = problem.partition(": ")
    return IngestedRow(None, code, detail[:MAX_ERROR] or None)


def _check(row: IngestedRow) -> IngestedRow:
    data = row.data
    if row.status != "ok" or data is None:
        return row
    row = row._replace(sha256=hashlib.sha256(data).hexdigest())
    try:
        return row._replace(info=images.glance(data))
    except DecodeError as error:
        # The bytes are kept: a later diptych may read what this one cannot.
        return row._replace(status=error.code, error=error.detail[:MAX_ERROR] or None)


def _to_tables(task: IngestTask, rows: list[Future[IngestedRow]]) -> Iterator[pa.Table]:
    """Yield the rows in order as data tables, waiting for them."""
    for start in range(0, len(rows), ROWS_PER_TABLE):
        part = [row.result() for row in rows[start : start + ROWS_PER_TABLE]]
        rows[start : start + ROWS_PER_TABLE] = [_GIVEN] * len(part)
        yield _to_table(task.first_row + start, task.rows.slice(start, len(part)), part)


def _to_table(first_row: int, table: pa.Table, rows: list[IngestedRow]) -> pa.Table:
    keys = [f"{first_row + offset:09d}" for offset in range(len(rows))]
    infos = [row.info for row in rows]
    carried = [name for name in table.column_names if name not in HELPER_COLUMNS]
    schema = data_schema([table.schema.field(name) for name in carried])
    columns = {
        "key": keys,
        "image": _to_images(keys, rows),
        "caption": table["caption"].combine_chunks(),
        "url": table["url"].combine_chunks(),
        "width": [info.width if info else None for info in infos],
        "height": [info.height if info else None for info in infos],
        "format": [info.format if info else None for info in infos],
        "sha256": [row.sha256 for row in rows],
        "status": [row.status for row in rows],
        "error": [row.error for row in rows],
    }
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else table[field.name] for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _to_images(keys: list[str], rows: list[IngestedRow]) -> pa.Array:
    """Return the image column: the bytes and a name that datasets show; null where there are no bytes."""
    data = pa.array([row.data for row in rows], pa.binary())
    names = [f"{key}.{row.info.format}" if row.info else key for key, row in zip(keys, rows, strict=True)]
    return pa.StructArray.from_arrays([data, pa.array(names, pa.string())], fields=list(IMAGE), mask=data.is_null())
