"""Rows that failed, asked for again: just their shards are made anew, and their other rows stay as they are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import ClassVar

import pyarrow as pa

from diptych.curate.config import Download
from diptych.curate.download.errors import FETCH_CODES, REFUSED, TRANSIENT
from diptych.curate.download.fetcher import Fetcher
from diptych.curate.ingest.fetching import (
    SHARDS_IN_HAND,
    Asking,
    WantedRow,
    arriving_tables,
    make_fetcher,
    write_fetched,
)
from diptych.curate.ingest.rows import IngestedRow
from diptych.curate.ingest.turns import WritingTurns
from diptych.data.growing import Growing, staged
from diptych.data.images import DECODE_CODES
from diptych.data.shards import ShardInfo, read_groups, read_shard, write_shard
from diptych.errors import ConfigError
from diptych.jobs.contract import Report
from diptych.lookup import describe_unknown
from diptych.storage.location import Location

ALL = tuple(code for code in (*FETCH_CODES, *DECODE_CODES) if code != REFUSED)
GROUPS = {"all": ALL, "transient": TRANSIENT}


def retried_statuses(names: Iterable[str]) -> frozenset[str]:
    """Return the statuses that are asked for: each by its name, or those of a group.

    ``all`` leaves out the refusals: who wants to ask again against a no has to say so.

    Raises:
        ConfigError: If a name is neither a status nor a group.
    """
    statuses: set[str] = set()
    for name in names:
        if name not in (*GROUPS, *FETCH_CODES, *DECODE_CODES):
            raise ConfigError(f"--retry: {describe_unknown('status', name, [*GROUPS, *FETCH_CODES, *DECODE_CODES])}")
        statuses |= set(GROUPS.get(name, (name,)))
    return frozenset(statuses)


@dataclass(frozen=True)
class RetriedShard:
    """A shard of which some rows are asked for again.

    Attributes:
        info: What it is so far.
        count: How many rows.
    """

    info: ShardInfo
    count: int


@dataclass(frozen=True)
class RetryJob:
    """Asks for the failed rows of one shard again and writes its next version beside it."""

    data: Location
    statuses: frozenset[str]
    download: Download
    max_pixels: int
    uses_gpu: ClassVar[bool] = False

    at_once = SHARDS_IN_HAND

    def open(self, report: Report) -> "RetryWork":
        """Return the function that makes a shard anew."""
        return RetryWork(self, make_fetcher(self.download), report)


@dataclass(frozen=True)
class RetryWork:
    """What a worker does for a ``RetryJob``; may have several shards in hand, each in a thread of its own."""

    job: RetryJob
    fetcher: Fetcher
    report: Report
    turns: WritingTurns = field(default_factory=WritingTurns)

    def telling(self, report: Report) -> "RetryWork":
        """Return the same work, which reports to another."""
        return replace(self, report=report)

    def close(self) -> None:
        """Break off what is under way."""
        self.fetcher.close()

    def __call__(self, shard: RetriedShard) -> ShardInfo:
        """Make a shard anew."""
        place = self.job.data / shard.info.name
        known = read_shard(place, ["url", "status"])
        is_chosen = [status in self.job.statuses for status in known["status"].to_pylist()]
        wanted = [WantedRow(url) for url, chosen in zip(known["url"].to_pylist(), is_chosen, strict=True) if chosen]

        def write(rows: Iterator[IngestedRow]) -> ShardInfo:
            return write_shard(_mixed(read_groups(place), is_chosen, rows), staged(place), source=shard.info.source)

        asking = Asking(self.fetcher, self.job.max_pixels, self.turns)
        info = write_fetched(wanted, write, self.job.data, asking, self.report)
        return replace(info, name=shard.info.name)


def shards_to_retry(growing: Growing, statuses: frozenset[str]) -> list[RetriedShard]:
    """Return the finished shards that have rows with one of the statuses."""
    found = []
    for info in growing.entries.values() if statuses else ():
        known = read_shard(growing.directory / info.name, ["status"])["status"].to_pylist()
        count = sum(status in statuses for status in known)
        found += [RetriedShard(info, count)] if count else []
    return found


def _mixed(groups: Iterable[pa.Table], is_chosen: Sequence[bool], rows: Iterator[IngestedRow]) -> Iterator[pa.Table]:
    """Yield a shard with what became of the chosen rows in their places."""
    start = 0
    for group in groups:
        at = 0
        for chosen, run in groupby(is_chosen[start : start + group.num_rows]):
            part = group.slice(at, len(list(run)))
            yield from arriving_tables(part["key"].to_pylist(), part, rows) if chosen else [part]
            at += part.num_rows
        start += group.num_rows
