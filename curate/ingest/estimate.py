"""What ingest would do, found out without writing or asking for anything."""

from typing import Any

from diptych.addresses import Address
from diptych.curate.config import CurateConfig
from diptych.curate.ingest.inputs import look_at_input
from diptych.curate.ingest.plan import ShardLimits
from diptych.curate.ingest.retry import shards_to_retry
from diptych.curate.ingest.run import IngestOptions, noted_keys, open_pool
from diptych.data.shards import shard_number

# A round guess of what a picture weighs before it was seen; whoever shows a size that was made with it says so.
ASSUMED_IMAGE_BYTES = 150_000


def estimate_ingest(config: CurateConfig, address: Address, options: IngestOptions, *, progress: str) -> dict[str, Any]:
    """Return rows of the input, rows and shards to make, their bytes, rows that are gone, and rows to ask for again.

    Raises:
        ConfigError: If rows are to be asked for again that have no URL.
        DataError: If the source cannot be read.
        ShardError: If the pool was made from another input, and is not to be extended.
    """
    found = look_at_input(config, progress=progress)
    growing = open_pool(address, found, options)
    read = found.read(progress=progress)
    plan = read.plan(noted_keys(growing))
    again = shards_to_retry(growing, options.retry)
    limits = ShardLimits(config.rows_per_shard, config.bytes_per_shard)
    is_at_urls = found.is_at_urls
    return {
        "rows": plan.total,
        "inferred_types": read.inferred,
        "new_rows": plan.missing,
        "rows_gone": plan.gone,
        "shards": sum(1 for _ in plan.shards(limits, [shard_number(name) for name in growing.entries])),
        "bytes": plan.missing * ASSUMED_IMAGE_BYTES if is_at_urls else plan.missing_bytes,
        "bytes_are_known": not is_at_urls,
        "retried_rows": sum(shard.count for shard in again),
        "retried_shards": len(again),
    }
