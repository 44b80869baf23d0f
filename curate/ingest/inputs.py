"""The input of a pool: what identifies it, and what is known of its rows before a shard is made of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeVar

import pyarrow as pa

from diptych.config.identity import fingerprint
from diptych.curate.config import CurateConfig, Source
from diptych.curate.ingest.index_job import IndexJob, Numbered
from diptych.curate.ingest.plan import PoolPlan
from diptych.curate.sources import open_source
from diptych.curate.sources.column_types import inferred_types, settled
from diptych.curate.sources.common_schema import common_schema, without_marks
from diptych.curate.sources.contract import BYTES, Part, RowSource
from diptych.curate.sources.digests import IdentifiedPart, identify_part
from diptych.curate.sources.index import VERSION, PartIndex, index_part, remembered_index
from diptych.curate.sources.reading import first_table
from diptych.errors import DataError
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.parts import WHOLE_JOB, JobPart
from diptych.progress import track
from diptych.progress.counting import Tracker

THREADS = 2  # hashing and reading leave the interpreter's lock; each holds a table or two
ID_DIGITS = 32

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True)
class PoolInput:
    """An input that was looked at.

    Attributes:
        config: Whose input it is.
        source: The source.
        parts: Its parts, and what identifies each.
    """

    config: CurateConfig
    source: RowSource
    parts: Sequence[IdentifiedPart]

    @property
    def contents(self) -> list[dict[str, Any]]:
        """What identifies each part: name, bytes, sha256."""
        return [found.content for found in self.parts]

    @property
    def reading_id(self) -> str:
        """Hash of what decides which rows are read, what they are known by, and how they are cut into shards."""
        limits = [self.config.rows_per_shard, self.config.bytes_per_shard]
        return fingerprint([VERSION, reading_of(self.config.source), limits])[:ID_DIGITS]

    @property
    def fingerprint(self) -> str:
        """Everything that decides the rows of the pool: how they are read, a hyphen, and what from. No names."""
        known_by = [{name: fact for name, fact in content.items() if name != "name"} for content in self.contents]
        return f"{self.reading_id}-{fingerprint(known_by)[:ID_DIGITS]}"

    @property
    def is_at_urls(self) -> bool:
        """Whether the pictures have to be fetched."""
        table = first_table(self.source)
        return table is not None and BYTES not in table.column_names

    def read(self, *, engine: Engine = HERE, part: JobPart = WHOLE_JOB, progress: str = "none") -> "ReadInput":
        """Find out what is not known of the rows yet.

        Args:
            engine: Who reads.
            part: Of the shards that are made; all of them read the whole input, and begin at different files of it.
            progress: Display mode, see ``diptych.progress``.

        Raises:
            DataError: If a part cannot be read, none has rows, or they have different columns.
        """
        with track("read the input", None, mode=progress) as tracker:
            are_files = not any(found.part.one_each for found in self.parts)
            if engine.is_in_order or not are_files or len(self.parts) == 1:
                reading = reading_of(self.config.source)
                indexes = _map(lambda found: index_part(self.source, found, reading, tracker.advance), self.parts, part)
            else:
                indexes = self._read_elsewhere(engine, part, tracker)
        path = self.config.source.path
        if not any(len(index.hashes) for index in indexes):
            raise DataError(f"{path}: no rows there")
        return ReadInput(self.config.source, [found.part for found in self.parts], indexes, _joined(str(path), indexes))

    def _read_elsewhere(self, engine: Engine, part: JobPart, tracker: Tracker) -> list[PartIndex]:
        """Have workers read what nobody remembers, a file each."""
        job = IndexJob(self.config.source, reading_of(self.config.source))
        indexes: dict[int, PartIndex] = {}

        def unknown() -> Iterator[Numbered]:
            for number in part.in_turn(len(self.parts)):
                known = remembered_index(self.parts[number], job.reading)
                if known is None:
                    yield number, self.parts[number]
                else:
                    indexes[number] = known
                    tracker.advance(len(known.hashes))

        for number, index in run_job(job, unknown(), engine=engine, report=tracker.advance):
            indexes[number] = index
        return [indexes[number] for number in range(len(self.parts))]


@dataclass(frozen=True)
class ReadInput:
    """An input that was read once.

    Attributes:
        config_source: The source as the config has it.
        parts: Its parts.
        indexes: Of the parts.
        schema: Of the tables of all parts; None where a first table shows it.
    """

    config_source: Source
    parts: Sequence[Part]
    indexes: Sequence[PartIndex]
    schema: pa.Schema | None

    def plan(self, there: Iterable[pa.ChunkedArray]) -> PoolPlan:
        """Return which rows are to be made.

        Args:
            there: The keys of finished shards.
        """
        return PoolPlan(self.parts, self.indexes, there)

    @property
    def inferred(self) -> dict[str, str]:
        """The types of columns that the config does not declare, by their names in the source."""
        return inferred_types(self.schema) if self.schema is not None else {}

    @property
    def source(self) -> Source:
        """The source with the types of all its columns declared, so that all its tables have the same."""
        if not self.inferred:
            return self.config_source
        types = {**getattr(self.config_source, "types", {}), **self.inferred}
        return self.config_source.model_copy(update={"types": types})


def look_at_input(config: CurateConfig, part: JobPart = WHOLE_JOB, *, progress: str = "none") -> PoolInput:
    """Find the parts of the input of a config, and what identifies them.

    Args:
        config: Whose input it is.
        part: Of the shards that are made; all of them look at the whole input, and begin at different files of it.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DataError: If there is nothing, or a file cannot be read.
    """
    source = open_source(config.source)
    parts = source.parts()
    files = sum(len(one.files) + len(one.beside) for one in parts)
    with track("look at the input", files, mode=progress, unit="files") as tracker:
        return PoolInput(config, source, _map(lambda one: identify_part(one, tracker.advance), parts, part))


def reading_of(source: Source) -> dict[str, Any]:
    """Return the settings that decide which rows are read from given files."""
    return source.model_dump(mode="json", exclude={"path"})


def _map(work: Callable[[Given], Found], given: Sequence[Given], part: JobPart) -> list[Found]:
    """Return what work makes of each, in order; a part of a job begins where no other does."""
    order = part.in_turn(len(given))
    with ThreadPoolExecutor(THREADS, thread_name_prefix="input") as pool:
        try:
            found = dict(zip(order, pool.map(work, (given[number] for number in order)), strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[number] for number in range(len(given))]


def _joined(path: str, indexes: Iterable[PartIndex]) -> pa.Schema | None:
    """Return the schema that the tables of all parts can have.

    Raises:
        DataError: If there is none.
    """
    schemas = [index.schema for index in indexes if index.schema is not None]
    try:
        return without_marks(settled(reduce(common_schema, schemas))) if schemas else None
    except DataError as error:
        raise DataError(f"{path}: {error}; leave it out of columns, or make the files alike") from None
