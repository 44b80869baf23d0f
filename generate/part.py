"""A part of the shards of a plan made, while others make theirs; whoever runs all of it seals what is there.

Every part lays the plan out as if no shard were there, and makes those of its shards that are not. What could not be
made is made again by whoever finishes the dataset.
"""

from collections.abc import Sequence

from diptych.addresses import Address
from diptych.data.growing import Growing, grow_data, sealed_data
from diptych.data.shards import keys_sha256, shard_number
from diptych.data.timings import append_timing
from diptych.errors import ShardError
from diptych.generate.growth import AS_IT_IS, STEP, growth_of, open_others
from diptych.generate.kept import remove_kept
from diptych.generate.layout import Layout, ShardTask, lay_out
from diptych.generate.plan import GenerationPlan
from diptych.generate.rows import planned_row
from diptych.generate.shard_job import GenerateJob
from diptych.generate.stored import FoundShards
from diptych.generate.trial import failing_groups
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.parts import JobPart, PartOutcome
from diptych.progress import track
from diptych.storage.location import Location


def generate_part(
    plan: GenerationPlan, address: Address, part: JobPart, *, engine: Engine = HERE, progress: str = "auto"
) -> PartOutcome:
    """Make what is missing of a part of the shards of a plan that was made with weights.

    Args:
        plan: What to make.
        address: The dataset directory.
        part: Which shards.
        engine: Who does it.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If the directory is another step's, or was begun by a plan whose shards are others.
    """
    out = Location.at(address)
    growing = grow_data(out, STEP, plan.fingerprint, part)
    finished = sealed_data(out, plan.fingerprint, progress=progress)
    if finished is not None:
        return PartOutcome.nothing_left(part, [shard_number(shard.name) for shard in finished.shards])
    growing.begin(progress=progress)
    others = open_others(AS_IT_IS, out, progress=progress)
    layout = lay_out(plan, FoundShards((), ()), growth_of(AS_IT_IS, others))
    own = [task for task in layout.added if part.takes(shard_number(task.name))]
    missing = _missing(growing, plan, own)
    given_up = failing_groups(plan, Layout(added=missing), engine=engine, progress=progress)
    job = GenerateJob(plan, growing.directory, given_up)
    rows = sum(len(task.rows) for task in own)
    done = rows - sum(len(task.rows) for task in missing)
    by_name = {task.name: task for task in missing}
    with track("generate", rows, mode=progress, unit="images", done=done) as tracker:
        for made in run_job(job, missing, engine=engine, report=tracker.advance):
            append_timing(out, made.timing, others.environments_of(by_name[made.info.name]), part)
            growing.commit(made.info)
            remove_kept(out, made.kept)
    growing.look_again()
    return PartOutcome(len(missing), len(own), len(growing.entries), len(layout.added))


def _missing(growing: Growing, plan: GenerationPlan, own: Sequence[ShardTask]) -> list[ShardTask]:
    """Return the shards of a part that are not there.

    Raises:
        ShardError: If one that is there holds other images.
    """
    missing = []
    for task in own:
        info = growing.entries.get(task.name)
        if info is None:
            missing.append(task)
        elif (info.source, info.keys) != (
            task.source,
            keys_sha256(plan.key(*planned_row(plan, row)) for row in task.rows),
        ):
            said = "holds other images than a part makes: the dataset has grown; run it without --part"
            raise ShardError(f"{growing.directory / task.name}: {said}")
    return missing
