"""A part of the shards of a dataset scored, while others score theirs; whoever scores all of it seals what is there."""

from diptych.addresses import Address
from diptych.data.shards import shard_number
from diptych.jobs.engine import HERE, Engine
from diptych.parts import JobPart, PartOutcome
from diptych.scores.plan import ScorePlan
from diptych.scores.work import open_work


def score_part(
    address: Address,
    plan: ScorePlan,
    part: JobPart,
    *,
    engine: Engine = HERE,
    batch_size: int = 64,
    progress: str = "auto",
) -> PartOutcome:
    """Compute what is missing of the planned scores over a part of the shards of a dataset directory.

    Args:
        address: The dataset directory.
        plan: What to compute.
        part: Which shards.
        engine: Who does it.
        batch_size: Rows per batch at most.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: As ``score_dataset``.
        DataError: As ``score_dataset``.
        ShardError: As ``score_dataset``, or if a set was begun otherwise.
    """
    work = open_work(address, plan, part, engine=engine, progress=progress)
    shards = work.dataset.shards
    own = [shard for shard in shards if part.takes(shard_number(shard.name))]
    if all(work.growing[key].is_finished for key in work.asked):
        return PartOutcome(0, len(own), len(shards), len(shards))
    wanted = work.begin()
    tasks = work.tasks(wanted)
    work.do(wanted, tasks, engine=engine, batch_size=batch_size)
    finished = min(one.count_finished() for one in wanted.values())
    return PartOutcome(len(tasks), len(own), finished, len(shards))
