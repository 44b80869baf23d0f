"""A part of the shards of a pool made, while others make theirs; whoever ingests all of it seals what is there.

Every part cuts the whole input in the same way, as if no shard were there, and makes those of its shards that are not.
"""

from collections.abc import Sequence

from diptych.addresses import Address
from diptych.curate.config import CurateConfig
from diptych.curate.ingest.inputs import look_at_input
from diptych.curate.ingest.plan import PlannedShard, ShardLimits
from diptych.curate.ingest.run import NOTHING_FURTHER, open_pool
from diptych.curate.ingest.shards import IngestJob
from diptych.data.growing import Growing, sealed_data
from diptych.data.shards import shard_name, shard_number
from diptych.errors import ShardError
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.parts import JobPart, PartOutcome
from diptych.progress import track


def ingest_part(
    config: CurateConfig, address: Address, part: JobPart, *, engine: Engine = HERE, progress: str = "auto"
) -> PartOutcome:
    """Make what is missing of a part of the shards of a pool.

    Args:
        config: What to read.
        address: The pool.
        part: Which shards.
        engine: Who does it.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DataError: If the source cannot be read.
        ShardError: If the pool was made from another input, or was begun by a run whose shards are cut otherwise.
    """
    found = look_at_input(config, part, progress=progress)
    growing = open_pool(address, found, NOTHING_FURTHER, part)
    finished = sealed_data(growing.directory.parent, found.fingerprint, progress=progress)
    if finished is not None:
        return PartOutcome.nothing_left(part, [shard_number(shard.name) for shard in finished.shards])
    read = found.read(engine=engine, part=part, progress=progress)
    growing.begin(progress=progress)
    plan = read.plan([])
    limits = ShardLimits(config.rows_per_shard, config.bytes_per_shard)
    count = plan.count_shards(limits)
    own = list(plan.shards(limits, [], part))
    missing = _missing(growing, own, count)
    job = IngestJob(growing.directory, read.source, read.schema, config.download)
    rows = sum(shard.count for shard in own)
    with track("ingest", rows, mode=progress, done=rows - sum(shard.count for shard in missing)) as tracker:
        for info in run_job(job, missing, engine=engine, report=tracker.advance):
            growing.commit(info)
    growing.look_again()
    return PartOutcome(len(missing), len(own), len(growing.entries), count)


def _missing(growing: Growing, own: Sequence[PlannedShard], count: int) -> list[PlannedShard]:
    """Return the shards of a part that are not there.

    Raises:
        ShardError: If one that is there holds other rows.
    """
    planned = {shard_name(shard.number): shard for shard in own}
    for name, info in growing.entries.items():
        shard = planned.get(name)
        if shard_number(name) >= count or (shard is not None and info.source != shard.keys):
            said = "holds other rows than a part makes: the pool has grown; run it without --part"
            raise ShardError(f"{growing.directory / name}: {said}")
    return [shard for name, shard in planned.items() if name not in growing.entries]
