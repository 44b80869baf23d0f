"""Score a dataset directory: every score asked for in one pass, each image decoded, embedded and looked at once.

One job per shard writes one shard of each column set that is missing: embeddings by encoder, evidence by judge, columns
by score. What is finished with the same identity is not done again, so a new score over stored vectors, or another rule
over stored evidence, decodes no picture and loads no model.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diptych.data.column_names import clash_problem, label_problem
from diptych.data.dataset import ColumnSet, Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.labels import give_labels, stored_labels
from diptych.data.shards import reading
from diptych.errors import ConfigError
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.judges.imported import check_was_imported
from diptych.progress import track
from diptych.provenance import collect
from diptych.scores.job import ScoreJob, ScoreTask
from diptych.scores.looks_ahead import check_asked
from diptych.scores.plan import ScorePlan, Scorers, SetKey


@dataclass(frozen=True)
class ScoreRun:
    """What ``score_dataset`` leaves.

    Attributes:
        sets: The column set of each score by label.
        shards_done: How many shards it had to do.
        shards: How many it had to look after: all of the dataset, or none where nothing was asked for.
        embeddings: The column set of each encoder in the plan's ``embed``, by label.
    """

    sets: Mapping[str, ColumnSet]
    shards_done: int
    shards: int
    embeddings: Mapping[str, ColumnSet] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """The same as JSON-able values: where each score lies, and its columns."""
        scores = {
            label: {"columns": [column["name"] for column in found.manifest["columns"]], "path": str(found.location)}
            for label, found in self.sets.items()
        }
        return {"shards_done": self.shards_done, "shards": self.shards, "scores": scores}


def score_dataset(
    path: Path,
    plan: ScorePlan,
    *,
    engine: Engine = HERE,
    batch_size: int = 64,
    threads: int | None = None,
    progress: str = "auto",
) -> ScoreRun:
    """Compute what is missing of the planned scores over a dataset directory.

    Args:
        path: The dataset directory.
        plan: What to compute.
        engine: Who does it.
        batch_size: Rows per batch at most; results do not depend on it beyond float rounding.
        threads: Decode threads per worker; None for one per processor that it has.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a name or an option of the plan is wrong, a judge cannot be asked for a label of the prompts, or
            the data has a column of a score's name.
        DataError: If evidence is wanted that has to be imported first.
        ShardError: If the dataset is unfinished or damaged.
    """
    dataset = open_dataset(path)
    scorers = plan.build()
    _check_names(dataset, scorers)
    names = scorers.set_names(plan)
    growing = {
        key: GrowingSet(dataset, key[0], name, scorers.identity(key), progress=progress) for key, name in names.items()
    }
    begun = [key for key, part in growing.items() if not part.is_finished and part.location.is_directory()]
    asked = {*begun, *(("scores", label) for label in plan.scores), *(("embeddings", label) for label in plan.embed)}
    done = 0
    if not all(growing[key].is_finished for key in asked):
        wanted = {key: growing[key] for key in _wanted(growing, scorers, asked)}
        for key, part in wanted.items():
            if not part.is_finished:
                part.begin(progress=progress)
            elif key[0] != "scores":
                part.seal({}).check(progress=progress)
        tasks = _tasks(dataset, wanted, scorers)
        done, rows = len(tasks), sum(task.shard.rows for task in tasks)
        places = {key: part.location for key, part in growing.items()}
        job = ScoreJob(dataset.location, plan, places, batch_size, threads, _loading(tasks), _uses_gpu(tasks, scorers))
        with track("score", dataset.rows, mode=progress, done=dataset.rows - rows) as tracker:
            for outcome in run_job(job, tasks, engine=engine, report=tracker.advance):
                for key, info in outcome.written.items():
                    wanted[key].commit(info)
        provenance = collect()
        for key in sorted(wanted):  # scores last: a score set that is finished has its vectors and evidence
            wanted[key].seal({**scorers.facts(key, plan), "provenance": provenance})
    embeddings = {label: growing["embeddings", label].seal({}) for label in plan.embed}
    sets = give_labels(dataset, {label: growing["scores", label].seal({}) for label in plan.scores})
    return ScoreRun(sets, done, len(dataset.shards) if asked else 0, embeddings)


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


def _uses_gpu(tasks: Sequence[ScoreTask], scorers: Scorers) -> bool:
    return any(scorers.may_use_gpu(key) for task in tasks for key in task.missing)


def _tasks(dataset: Dataset, wanted: Mapping[SetKey, GrowingSet], scorers: Scorers) -> list[ScoreTask]:
    """Return what is to be done for each shard that lacks something.

    Raises:
        ConfigError: If a judge would be asked for a label that it cannot be asked for.
        DataError: If evidence is wanted that has to be imported first.
    """
    tasks = []
    for shard in dataset.shards:
        missing = tuple(key for key, part in wanted.items() if not part.has(shard))
        if missing:
            needed = {found for key in missing for found in scorers.needs_of(key)}
            tasks.append(ScoreTask(shard, missing, tuple(sorted(needed.difference(missing)))))
    for folder, name in _loading(tasks):
        if folder == "evidence":
            check_was_imported(scorers.looks[name].judge, str(dataset.location))
            lacking = {task.shard.name for task in tasks if (folder, name) in task.missing}
            check_asked(scorers.looks[name], (file for file in dataset.files if file.name in lacking))
    return tasks
