"""The job of ingest: to make one shard of the pool from the rows that it is told to read."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.config import Download, Source, UrlTable
from diptych.curate.download.fetcher import Fetcher
from diptych.curate.ingest.fetching import (
    SHARDS_IN_HAND,
    Asking,
    WantedRow,
    arriving_tables,
    make_fetcher,
    write_fetched,
)
from diptych.curate.ingest.plan import PlannedShard
from diptych.curate.ingest.rows import IngestedRow, failed_row, looked_at, noted_row, to_table
from diptych.curate.ingest.turns import WritingTurns
from diptych.curate.sources import open_source
from diptych.curate.sources.common_schema import in_schema
from diptych.curate.sources.contract import BYTES, NOTE, PROBLEM
from diptych.curate.sources.keys import key_text, picture_hashes, row_digests
from diptych.curate.sources.reading import RangeReader
from diptych.data.shards import ShardInfo, shard_name, write_shard
from diptych.errors import DataError
from diptych.jobs.contract import Report
from diptych.storage.location import Location


@dataclass(frozen=True)
class IngestJob:
    """Reads or fetches the rows of one shard and writes it.

    Attributes:
        data: Directory of the shards.
        source: Where the rows come from.
        schema: Of the tables of all its files; None where each is as the first.
        download: How to ask for those that are at a URL.
    """

    data: Location
    source: Source
    schema: pa.Schema | None
    download: Download
    uses_gpu: ClassVar[bool] = False

    @property
    def at_once(self) -> int:
        """How many shards a worker has in hand: several of what is at URLs, since one may end in a few slow rows."""
        return SHARDS_IN_HAND if isinstance(self.source, UrlTable) else 1

    def open(self, report: Report) -> "IngestWork":
        """Return the function that makes one shard."""
        return IngestWork(self, RangeReader(open_source(self.source)), make_fetcher(self.download), report)


@dataclass(frozen=True)
class IngestWork:
    """What a worker does for an ``IngestJob``; of rows at URLs it may have several shards in hand.

    Attributes:
        job: Whose work it is.
        reader: Of the rows, which are read shard by shard.
        fetcher: Asks for pictures, for all shards in hand.
        report: Hears of each row.
        reading: Held by the shard whose rows are being read.
        turns: Of the shards in hand that are written.
    """

    job: IngestJob
    reader: RangeReader
    fetcher: Fetcher
    report: Report
    reading: threading.Lock = field(default_factory=threading.Lock)
    turns: WritingTurns = field(default_factory=WritingTurns)

    def telling(self, report: Report) -> "IngestWork":
        """Return the same work, which reports to another."""
        return replace(self, report=report)

    def close(self) -> None:
        """Break off what is under way."""
        self.fetcher.close()

    def __call__(self, shard: PlannedShard) -> ShardInfo:
        """Make one shard."""
        place = self.job.data / shard_name(shard.number)
        with self.reading:
            tables = (self._in_schema(table, shard) for table in self.reader.read(shard.rows))
            first = next(tables)
            if BYTES in first.column_names:
                info = write_shard(self._looked_at(chain([first], tables), shard), place, source=shard.keys)
            else:
                given = pa.concat_tables([first, *tables])
        if BYTES not in first.column_names:
            info = self._fetch(given, shard)
        if info.keys != shard.keys:
            files = shard.rows.files
            where = f"{files[0]} to {files[-1]}" if len(files) > 1 else files[0]
            raise DataError(f"{where}: has changed while it was read; run again")
        return info

    def _in_schema(self, table: pa.Table, shard: PlannedShard) -> pa.Table:
        schema = self.job.schema
        return table if schema is None else in_schema(table, schema, shard.rows.files[0])

    def _fetch(self, given: pa.Table, shard: PlannedShard) -> ShardInfo:
        place = self.job.data / shard_name(shard.number)
        keys, notes = _keys(row_digests(given, picture_hashes(given)), shard.ordinals), _notes(given)

        def write(rows: Iterator[IngestedRow]) -> ShardInfo:
            noted = map(noted_row, rows, notes)
            return write_shard(arriving_tables(keys, given, noted), place, source=shard.keys)

        wanted = list(map(WantedRow, given["url"].to_pylist(), given[PROBLEM].to_pylist()))
        asking = Asking(self.fetcher, self._max_pixels, self.turns)
        return write_fetched(wanted, write, self.job.data, asking, self.report)

    def _looked_at(self, tables: Iterable[pa.Table], shard: PlannedShard) -> Iterator[pa.Table]:
        """Yield rows whose pictures the source holds as tables of the pool."""
        start = 0
        for table in tables:
            hashes, problems = picture_hashes(table), table[PROBLEM]
            triples = zip(problems.to_pylist(), table[BYTES], hashes, strict=True)
            rows = [_row(problem, data, sha256, self._max_pixels) for problem, data, sha256 in triples]
            rows = list(map(noted_row, rows, _notes(table)))
            pictures = pc.if_else(problems.is_null(), table[BYTES], None).combine_chunks()
            self.report(len(rows), Counter(row.status for row in rows))
            yield to_table(_keys(row_digests(table, hashes), shard.ordinals, start), table, rows, pictures)
            start += len(rows)

    @property
    def _max_pixels(self) -> int:
        return self.job.source.max_pixels


def _notes(table: pa.Table) -> list[str | None]:
    return table[NOTE].to_pylist() if NOTE in table.column_names else [None] * table.num_rows


def _row(problem: str | None, data: pa.BinaryScalar, sha256: str | None, max_pixels: int) -> IngestedRow:
    if problem is not None:
        return failed_row(problem)
    if sha256 is None:
        return failed_row("no_image: the source has no picture for it")
    return looked_at(data.as_py(), sha256, max_pixels=max_pixels)


def _keys(digests: Sequence[bytes], ordinals: Mapping[int, int], start: int = 0) -> list[str]:
    return [key_text(digest, ordinals.get(number, 0)) for number, digest in enumerate(digests, start)]
