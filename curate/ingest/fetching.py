"""From the URLs of rows to a shard: asked for by many threads, looked at as they come, written in their order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from diptych.curate.config import Download
from diptych.curate.download.fetch import FetchLimits
from diptych.curate.download.fetcher import Fetched, Fetcher
from diptych.curate.download.spool import Spool
from diptych.curate.ingest.awaited import AwaitedRows
from diptych.curate.ingest.rows import IngestedRow, failed_row, looked_at, to_table
from diptych.curate.ingest.turns import WritingTurns
from diptych.data.shards import ShardInfo
from diptych.jobs.contract import Report
from diptych.storage.location import Location, naming

# Of one table on its way to the writer.
TABLE_ROWS = 500
TABLE_BYTES = 16 * 2**20
# Shards that a worker has in hand at a time. The second takes the connections that the last rows of the first leave
# idle; the others are for rows that come so slowly that it is through meanwhile.
SHARDS_IN_HAND = 4

Write = Callable[[Iterator[IngestedRow]], ShardInfo]


class WantedRow(NamedTuple):
    """A row that is to be asked for: its URL, or the problem for which it is not."""

    url: str | None
    problem: str | None = None


class Asking(NamedTuple):
    """What asks for pictures, how many pixels one may have, and which shards are written meanwhile."""

    fetcher: Fetcher
    max_pixels: int
    turns: WritingTurns


def make_fetcher(download: Download) -> Fetcher:
    """Return what asks as a config says."""
    limits = FetchLimits(
        deadline_s=download.deadline_s,
        max_bytes=download.max_bytes,
        retries=download.retries,
        allow_private_addresses=download.allow_private_addresses,
        user_agent=download.user_agent or FetchLimits.user_agent,
        respect_opt_outs=download.respect_opt_outs,
    )
    return Fetcher(limits, download.threads)


def write_fetched(
    rows: Sequence[WantedRow], write: Write, place: Location, asking: Asking, report: Report
) -> ShardInfo:
    """Ask for rows, and write them, where no other shard is, while later ones are still on their way.

    Args:
        rows: What to ask for.
        write: Writes the shard, when it is its turn; is given what became of the rows, in their order, each as soon as
            it is known.
        place: A directory on the disk that is written to, where pictures wait that come before their turn.
        asking: What asks; other shards may ask by it as well meanwhile, and take turns in writing.
        report: Hears of each row as it comes.

    Raises:
        ShardError: If the disk refuses.
        FetchError: If the fetcher was closed.
    """
    awaited = AwaitedRows(len(rows), report)

    def write_in_turn() -> ShardInfo:
        with asking.turns.turn(awaited):
            return write(iter(awaited))

    with naming(place), closing(Spool(place.scratch())) as spool, ThreadPoolExecutor(1, "write") as writer:
        written = writer.submit(write_in_turn)
        try:
            _fetch(rows, awaited, spool, asking)
        except BaseException as error:  # also Ctrl-C: the writer must not wait for rows that do not come
            awaited.fail(error)
            raise
        return written.result()


def arriving_tables(keys: Sequence[str], given: pa.Table, rows: Iterator[IngestedRow]) -> Iterator[pa.Table]:
    """Yield rows as tables of the pool, as they come, bounded by rows and bytes.

    Args:
        keys: Of the rows.
        given: What the source says of them.
        rows: What becomes of them; as many as there are keys are taken.
    """
    start, size = 0, 0
    part: list[IngestedRow] = []
    for number, row in enumerate(islice(rows, len(keys))):
        coming = row.body.size if row.body is not None else 0
        if part and (len(part) == TABLE_ROWS or size + coming > TABLE_BYTES):
            yield to_table(keys[start:number], given.slice(start, len(part)), part, _take(part))
            start, size, part = number, 0, []
        size += coming
        part.append(row)
    yield to_table(keys[start:], given.slice(start), part, _take(part))


def _take(rows: Sequence[IngestedRow]) -> pa.BinaryArray:
    """Return the pictures of rows, null where there is none; each is read to where it stays."""
    has_picture = np.array([row.body is not None for row in rows], bool)
    ends = np.cumsum([0, *(row.body.size if row.body is not None else 0 for row in rows)], dtype=np.int64)
    data = pa.allocate_buffer(int(ends[-1]))
    room = memoryview(data)
    for row, start, end in zip(rows, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        if row.body is not None:
            row.body.take_into(room[start:end])
    there = None if has_picture.all() else pa.py_buffer(np.packbits(has_picture, bitorder="little"))
    taken = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(rows), [there, pa.py_buffer(ends), data])
    return taken.cast(pa.binary())  # of the pictures themselves nothing is copied


def _fetch(rows: Sequence[WantedRow], awaited: AwaitedRows, spool: Spool, asking: Asking) -> None:
    wanted = []
    for number, row in enumerate(rows):
        if row.problem is None:
            wanted.append(number)
        else:
            awaited.give([number], failed_row(row.problem))

    def take(numbers: Sequence[int], got: Fetched) -> None:
        body = got.body
        failed = IngestedRow(got.code, got.detail or None)
        row = looked_at(body.read(), body.sha256, body, max_pixels=asking.max_pixels) if body is not None else failed
        awaited.give([wanted[number] for number in numbers], row)

    asking.fetcher.fetch([rows[number].url for number in wanted], take, spool=spool)
