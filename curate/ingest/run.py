"""The step ingest: makes the pool of a config, goes on with it, adds what is new, asks again for what failed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from diptych.addresses import Address
from diptych.curate.config import CurateConfig
from diptych.curate.ingest.inputs import PoolInput, ReadInput, look_at_input, reading_of
from diptych.curate.ingest.plan import PoolPlan, ShardLimits
from diptych.curate.ingest.recaptioned import Recaptioned, recaptioned
from diptych.curate.ingest.retry import RetriedShard, RetryJob, shards_to_retry
from diptych.curate.ingest.rows import pool_schema
from diptych.curate.ingest.shards import IngestJob
from diptych.curate.sources.column_types import shown_type
from diptych.data.damage import ShardFile, affordable, content_problem
from diptych.data.dataset import Dataset
from diptych.data.growing import Growing, grow_data, seal_data, sealed_data, set_aside
from diptych.data.shards import ShardInfo, read_shard, reading, shard_number
from diptych.errors import ConfigError, ShardError
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.parts import WHOLE_JOB, JobPart
from diptych.progress import track
from diptych.progress.wording import quantity
from diptych.provenance import collect
from diptych.storage.location import Location

STEP = "ingest"
ROWS_GONE = "rows_gone"  # in the manifest of a pool


@dataclass(frozen=True)
class IngestOptions:
    """What ingest is to do beside going on.

    Attributes:
        extend: Whether rows that are new in the input are added; else another input is refused.
        retry: Statuses of rows to ask for again.
    """

    extend: bool = False
    retry: frozenset[str] = frozenset()


@dataclass(frozen=True)
class IngestRun:
    """What ``ingest`` leaves.

    Attributes:
        dataset: The pool.
        rows_made: How many rows were made.
        rows_retried: How many failed rows were asked for again.
        rows_gone: How many rows of the pool are not in the input any more.
        rows_lost: How many rows at least lay in damaged shards and are not in the input any more.
        inferred: Types of columns that the config does not declare, where the input was read.
    """

    dataset: Dataset
    rows_made: int = 0
    rows_retried: int = 0
    rows_gone: int = 0
    rows_lost: int = 0
    inferred: Mapping[str, str] = field(default_factory=dict)


NOTHING_FURTHER = IngestOptions()


def ingest(
    config: CurateConfig,
    address: Address,
    options: IngestOptions = NOTHING_FURTHER,
    *,
    engine: Engine = HERE,
    progress: str = "auto",
) -> IngestRun:
    """Make the pool, or do what is left to do.

    Raises:
        ConfigError: If rows are to be asked for again that have no URL.
        DataError: If the source cannot be read.
        ShardError: If the pool was made from another input, and is not to be extended.
    """
    found = look_at_input(config, progress=progress)
    growing = open_pool(address, found, options)
    finished = sealed_data(growing.directory.parent, found.fingerprint, progress=progress)
    if finished is not None and not shards_to_retry(growing, options.retry):
        return IngestRun(finished, rows_gone=finished.manifest["made_by"][ROWS_GONE])
    read = found.read(engine=engine, progress=progress)
    _check_types(growing, read)
    noted = dict(growing.entries)
    growing.begin(progress=progress)
    again = shards_to_retry(growing, options.retry)
    plan = read.plan(noted_keys(growing))
    lost = _set_lost_aside(growing, noted, plan)
    job = IngestJob(growing.directory, read.source, read.schema, config.download)
    limits = ShardLimits(config.rows_per_shard, config.bytes_per_shard)
    _make_missing(job, plan, limits, growing, engine=engine, progress=progress)
    _ask_again(config, again, options.retry, growing, engine, progress)
    facts = {
        "kind": "pairs",
        "name": config.name,
        "licence": config.export.licence,
        "made_by": {
            "source": reading_of(job.source),
            "inputs": found.contents,
            ROWS_GONE: plan.gone,
            "provenance": collect(),
        },
    }
    dataset = seal_data(growing, facts, sorted(growing.entries, key=shard_number))
    return IngestRun(dataset, plan.missing, sum(shard.count for shard in again), plan.gone, lost, read.inferred)


def open_pool(address: Address, found: PoolInput, options: IngestOptions, part: JobPart = WHOLE_JOB) -> Growing:
    """Return a pool that may grow by an input; changes nothing.

    Raises:
        ConfigError: If rows are to be asked for again that have no URL.
        ShardError: If it was made from another input, and is not to be extended.
    """
    pool = Location.at(address)
    growing = grow_data(pool, STEP, found.fingerprint, part)
    made_from = growing.made_from or found.fingerprint
    if not made_from.startswith(found.reading_id):
        ways = "source, rows_per_shard, bytes_per_shard or the version of diptych differ"
        what = f"made from another input, or read in another way ({ways})"
        raise ShardError(f"{pool}: {what}; give another --out, or delete it to begin again")
    if made_from != found.fingerprint and not options.extend:
        raise ShardError(f"{pool}: made from another input: {_other_input(growing, found)}")
    if options.retry and pool.is_store:
        raise ConfigError(f"--retry: {pool}: nothing is replaced at once in a store; retry in a local pool")
    if options.retry and not found.is_at_urls:
        raise ConfigError("--retry: asks for URLs again, and the source of this config holds its pictures itself")
    return growing


def _other_input(growing: Growing, found: PoolInput) -> str:
    """Return by how much an input differs from what a pool was made from, and what can be done."""
    try:
        plan = found.read().plan(noted_keys(growing))
    except ShardError:  # of a damaged shard no keys are known
        return "add what is new with --extend, or give another --out"
    gone = f"{quantity(plan.gone, 'row')} gone"
    if plan.missing:
        if plan.gone and (again := recaptioned(found.source, plan, growing)).known:
            return f"{quantity(plan.missing, 'row')} new, {gone}; {_with_new_captions(again, plan)}"
        stays = f", {gone} (which stay in it)" if plan.gone else ""
        return f"{quantity(plan.missing, 'row')} new{stays}; add what is new with --extend, or give another --out"
    if plan.gone:
        return f"{gone}, 0 new; with --extend what is gone stays in the pool, another --out makes one without it"
    return "the same rows in other files; go on with --extend, or give another --out"


def _with_new_captions(again: Recaptioned, plan: PoolPlan) -> str:
    of = f" of the first {again.looked_at:,}" if again.looked_at < plan.missing else ""
    kept = "with --extend it keeps both, and of equal copies prefers the first, whose caption is the old one"
    return f"pictures that it holds with another caption: {again.known:,}{of}; give another --out ({kept})"


def _check_types(growing: Growing, read: ReadInput) -> None:
    """Refuse an input whose columns have got other types by what is new in it.

    Raises:
        ShardError: If they have.
    """
    noted = (ShardFile(growing.directory / name, info) for name, info in growing.entries.items())
    extent = affordable("columns", growing.directory)
    first = next((shard.info.name for shard in noted if not content_problem(shard, extent)), None)
    if first is None or read.schema is None:
        return
    with reading(growing.directory / first) as parquet:
        there = parquet.schema_arrow
    for column in pool_schema(read.schema):
        known = there.field(column.name).type if column.name in there.names else pa.null()
        if known != column.type:
            was = f"{shown_type(known)} in the pool, and {shown_type(column.type)} with what is new"
            raise ShardError(f"{growing.directory}: the column {column.name!r} is {was}; give another --out")


def _set_lost_aside(growing: Growing, noted: Mapping[str, ShardInfo], plan: PoolPlan) -> int:
    """Return how many rows at least are lost: damaged, and not in the input any more. Their shards are kept aside."""
    damaged = [info for name, info in noted.items() if name not in growing.entries]
    lost = max(0, sum(info.rows for info in damaged) - plan.missing)
    for info in damaged if lost else ():
        set_aside(growing.directory / info.name)
    return lost


def noted_keys(growing: Growing) -> Iterator[pa.ChunkedArray]:
    """Yield the keys of the finished shards."""
    return (read_shard(growing.directory / name, ["key"])["key"] for name in growing.entries)


def reason_counts(dataset: Dataset) -> dict[str, int]:
    """Return how many rows of a dataset have each status, most frequent first."""
    counts: Counter[str] = Counter()
    for file in dataset.files:
        found = pc.value_counts(read_shard(file, ["status"])["status"])
        counts.update(dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)))
    return dict(counts.most_common())


def first_error(dataset: Dataset, status: str) -> str:
    """Return what the first row of a status says of itself; empty where none says anything."""
    for file in dataset.files:
        table = read_shard(file, ["status", "error"])
        errors = table["error"].filter(pc.equal(table["status"], status)).drop_null()
        if len(errors):
            return str(errors[0].as_py())
    return ""


def _make_missing(
    job: IngestJob, plan: PoolPlan, limits: ShardLimits, growing: Growing, *, engine: Engine, progress: str
) -> None:
    shards = plan.shards(limits, [shard_number(name) for name in growing.entries])
    with track("ingest", plan.total, mode=progress, done=plan.total - plan.missing) as tracker:
        for info in run_job(job, shards, engine=engine, report=tracker.advance):
            growing.commit(info)


def _ask_again(
    config: CurateConfig,
    shards: Sequence[RetriedShard],
    statuses: frozenset[str],
    growing: Growing,
    engine: Engine,
    progress: str,
) -> None:
    job = RetryJob(growing.directory, statuses, config.download, config.source.max_pixels)
    with track("retry", sum(shard.count for shard in shards), mode=progress) as tracker:
        for info in run_job(job, shards, engine=engine, report=tracker.advance):
            growing.replace(info)
