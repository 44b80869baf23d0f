"""What there is to compute over a dataset: which column sets, of which shards, from which models.

Whoever does all of it seals the sets afterwards (``run``); whoever does a part leaves that to the others (``part``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from diptych.addresses import Address
from diptych.data.column_names import clash_problem, label_problem
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.labels import stored_labels
from diptych.data.shards import reading, shard_number
from diptych.errors import ConfigError
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.judges.imported import check_was_imported
from diptych.parts import WHOLE_JOB, JobPart
from diptych.progress import track
from diptych.scores.job import ScoreJob, ScoreTask
from diptych.scores.looks_ahead import check_asked
from diptych.scores.memory_ahead import check_memory_ahead
from diptych.scores.plan import ScorePlan, Scorers, SetKey


@dataclass(frozen=True)
class ScoreWork:
    """Scores over a dataset, and what of them is there.

    Attributes:
        dataset: The dataset.
        plan: What is asked for.
        scorers: The same, built.
        growing: Every column set of the plan.
        part: Of the shards that is done here.
        progress: Display mode, see ``diptych.progress``.
    """

    dataset: Dataset
    plan: ScorePlan
    scorers: Scorers
    growing: Mapping[SetKey, GrowingSet]
    part: JobPart
    progress: str

    @property
    def asked(self) -> set[SetKey]:
        """The sets that are asked for, or were begun."""
        begun = [key for key, one in self.growing.items() if not one.is_finished and one.location.is_directory()]
        plan = self.plan
        return {*begun, *(("scores", label) for label in plan.scores), *(("embeddings", label) for label in plan.embed)}

    def begin(self) -> dict[SetKey, GrowingSet]:
        """Make ready for writing and return the sets to look after.

        Raises:
            ShardError: If the disk refuses, or a finished set is damaged.
        """
        wanted = {key: self.growing[key] for key in _wanted(self.growing, self.scorers, self.asked)}
        for key, one in wanted.items():
            if not one.is_finished:
                one.begin(progress=self.progress)
            elif key[0] != "scores":
                one.seal({}).check(progress=self.progress)
        return wanted

    def tasks(self, wanted: Mapping[SetKey, GrowingSet]) -> list[ScoreTask]:
        """Return what is to be done for each shard that lacks something.

        Raises:
            ConfigError: If a judge would be asked for a label that it cannot be asked for.
            DataError: If evidence is wanted that has to be imported first.
        """
        tasks = []
        for shard in self.dataset.shards:
            missing = tuple(key for key, one in wanted.items() if not one.has(shard))
            if missing and self.part.takes(shard_number(shard.name)):
                needed = {found for key in missing for found in self.scorers.needs_of(key)}
                tasks.append(ScoreTask(shard, missing, tuple(sorted(needed.difference(missing)))))
        for folder, name in _loading(tasks):
            if folder == "evidence":
                check_was_imported(self.scorers.looks[name].judge, str(self.dataset.location))
                lacking = {task.shard.name for task in tasks if (folder, name) in task.missing}
                check_asked(self.scorers.looks[name], (file for file in self.dataset.files if file.name in lacking))
        return tasks

    def do(
        self,
        wanted: Mapping[SetKey, GrowingSet],
        tasks: Sequence[ScoreTask],
        *,
        engine: Engine,
        batch_size: int,
        threads: int | None = None,
    ) -> None:
        """Do tasks, and note each shard as it is finished.

        Raises:
            DiptychError: As the first task says that fails; what is finished is noted.
        """
        places = {key: one.location for key, one in self.growing.items()}
        uses_gpu = any(self.scorers.may_use_gpu(key) for task in tasks for key in task.missing)
        job = ScoreJob(self.dataset.location, self.plan, places, batch_size, threads, _loading(tasks), uses_gpu)
        rows = sum(task.shard.rows for task in tasks)
        with track("score", self.dataset.rows, mode=self.progress, done=self.dataset.rows - rows) as tracker:
            for outcome in run_job(job, tasks, engine=engine, report=tracker.advance):
                for key, info in outcome.written.items():
                    wanted[key].commit(info)


def open_work(
    address: Address, plan: ScorePlan, part: JobPart = WHOLE_JOB, *, engine: Engine = HERE, progress: str = "auto"
) -> ScoreWork:
    """Find out what is there of a plan over a dataset directory; changes nothing.

    Args:
        address: The dataset directory.
        plan: What is asked for.
        part: Of the shards that is to be done.
        engine: Who will do it.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a name or an option of the plan is wrong, or the data has a column of a score's name.
        DataError: If what is not there for certain takes models that do not fit the memory.
        ShardError: If the dataset is unfinished or damaged.
    """
    dataset = open_dataset(address)
    if any(part.takes(shard_number(shard.name)) for shard in dataset.shards):
        check_memory_ahead(plan, dataset.places, engine)
    scorers = plan.build()
    _check_names(dataset, scorers)
    growing = {
        key: GrowingSet(dataset, key[0], name, scorers.identity(key), part=part, progress=progress)
        for key, name in scorers.set_names(plan).items()
    }
    return ScoreWork(dataset, plan, scorers, growing, part, progress)


def _check_names(dataset: Dataset, scorers: Scorers) -> None:
    """Refuse labels by which columns of the data, or of other scores, could not be told from those of scores.

    Raises:
        ConfigError: If there are some.
    """
    if problem := label_problem(dict.fromkeys([*stored_labels(dataset), *scorers.scores])):
        raise ConfigError(f"{dataset.location}: {problem}")
    for file in dataset.files[:1]:
        with reading(file) as parquet:
            problem = clash_problem(scorers.columns, parquet.schema_arrow.names)
        if problem:
            raise ConfigError(f"{dataset.location}: {problem}")


def _wanted(growing: Mapping[SetKey, GrowingSet], scorers: Scorers, asked: Collection[SetKey]) -> list[SetKey]:
    """Return the sets to look after: those asked for, and what unfinished ones are computed from."""
    wanted = set(asked)
    unfinished = [key for key in asked if not growing[key].is_finished]
    while unfinished:
        found = scorers.needs_of(unfinished.pop()) - wanted
        wanted |= found
        unfinished += [key for key in found if not growing[key].is_finished]
    return [key for key in growing if key in wanted]


def _loading(tasks: Sequence[ScoreTask]) -> tuple[SetKey, ...]:
    """Return the sets that some task makes, for which a model may be loaded."""
    return tuple(sorted({key for task in tasks for key in task.missing}))
