"""The job of ingest: to make one shard of the pool from the rows that it is told to read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from diptych.curate.config import Download, Source
from diptych.curate.ingest.fetching import Asking, WantedRow, arriving_tables, write_fetched
from diptych.curate.ingest.plan import PlannedShard
from diptych.curate.ingest.rows import IngestedRow, failed_row, looked_at, noted_row, to_table
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

    def open(self, report: Report) -> Callable[[PlannedShard], ShardInfo]:
        """Return the function that makes one shard."""
        reader = RangeReader(open_source(self.source))
        return lambda shard: self._make(reader, shard, report)

    def _make(self, reader: RangeReader, shard: PlannedShard, report: Report) -> ShardInfo:
        place = self.data / shard_name(shard.number)
        tables = (self._in_schema(table, shard) for table in reader.read(shard.rows))
        first = next(tables)
        if BYTES in first.column_names:
            info = write_shard(self._looked_at(chain([first], tables), shard, report), place, source=shard.keys)
        else:
            info = self._fetch(pa.concat_tables([first, *tables]), shard, report)
        if info.keys != shard.keys:
            files = shard.rows.files
            where = f"{files[0]} to {files[-1]}" if len(files) > 1 else files[0]
            raise DataError(f"{where}: has changed while it was read; run again")
        return info

    def _in_schema(self, table: pa.Table, shard: PlannedShard) -> pa.Table:
        return table if self.schema is None else in_schema(table, self.schema, shard.rows.files[0])

    def _fetch(self, given: pa.Table, shard: PlannedShard, report: Report) -> ShardInfo:
        place = self.data / shard_name(shard.number)
        keys = _keys(row_digests(given, picture_hashes(given)), shard.ordinals)

        notes = _notes(given)

        def write(rows: Iterator[IngestedRow]) -> ShardInfo:
            noted = map(noted_row, rows, notes)
            return write_shard(arriving_tables(keys, given, noted), place, source=shard.keys)

        wanted = list(map(WantedRow, given["url"].to_pylist(), given[PROBLEM].to_pylist()))
        return write_fetched(wanted, write, self.data, Asking(self.download, self.source.max_pixels), report)

    def _looked_at(self, tables: Iterable[pa.Table], shard: PlannedShard, report: Report) -> Iterator[pa.Table]:
        """Yield rows whose pictures the source holds as tables of the pool."""
        start = 0
        for table in tables:
            hashes, problems = picture_hashes(table), table[PROBLEM]
            triples = zip(problems.to_pylist(), table[BYTES], hashes, strict=True)
            rows = [_row(problem, data, sha256, self.source.max_pixels) for problem, data, sha256 in triples]
            rows = list(map(noted_row, rows, _notes(table)))
            pictures = pc.if_else(problems.is_null(), table[BYTES], None).combine_chunks()
            report(len(rows), Counter(row.status for row in rows))
            yield to_table(_keys(row_digests(table, hashes), shard.ordinals, start), table, rows, pictures)
            start += len(rows)


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
