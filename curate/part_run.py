"""A part of what a curation makes shard by shard: of the pool, and once that is whole, of its scores."""

from diptych.curate.ingest.part import ingest_part
from diptych.curate.run import CurateRunner
from diptych.data.manifests import DATASET
from diptych.parts import JobPart, PartOutcome
from diptych.scores.part import score_part
from diptych.storage.location import Location

INGEST, SCORE = "ingest", "score"


def next_step_of(runner: CurateRunner) -> str:
    """Return which step a part is of: ingest until the pool is whole, then score."""
    return SCORE if (Location.at(runner.pool) / DATASET).is_file() else INGEST


def run_part(runner: CurateRunner, step: str, part: JobPart) -> PartOutcome:
    """Do a part of a step.

    Raises:
        DiptychError: As the step says; what is finished is kept.
    """
    with runner.alone(part):
        if step == INGEST:
            return ingest_part(runner.config, runner.pool, part, engine=runner.engine, progress=runner.progress)
        return score_part(
            runner.pool,
            runner.plan(),
            part,
            engine=runner.engine,
            batch_size=runner.config.batch_size,
            progress=runner.progress,
        )
