"""Score a dataset directory: every score asked for in one pass, each image decoded, embedded and looked at once.

One job per shard writes one shard of each column set that is missing: embeddings by encoder, evidence by judge, columns
by score. What is finished with the same identity is not done again, so a new score over stored vectors, or another rule
over stored evidence, decodes no picture and loads no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diptych.addresses import Address
from diptych.data.dataset import ColumnSet
from diptych.data.labels import give_labels
from diptych.jobs.engine import HERE, Engine
from diptych.provenance import collect
from diptych.scores.plan import ScorePlan
from diptych.scores.work import open_work


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
    address: Address,
    plan: ScorePlan,
    *,
    engine: Engine = HERE,
    batch_size: int = 64,
    threads: int | None = None,
    progress: str = "auto",
) -> ScoreRun:
    """Compute what is missing of the planned scores over a dataset directory.

    Args:
        address: The dataset directory.
        plan: What to compute.
        engine: Who does it.
        batch_size: Rows per batch at most; results do not depend on it beyond float rounding.
        threads: Decode threads per worker; None for one per processor that it has.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a name or an option of the plan is wrong, a judge cannot be asked for a label of the prompts, or
            the data has a column of a score's name.
        DataError: If evidence is wanted that has to be imported first, or a model does not fit the memory.
        ShardError: If the dataset is unfinished or damaged.
    """
    work = open_work(address, plan, engine=engine, progress=progress)
    done = 0
    if not all(work.growing[key].is_finished for key in work.asked):
        wanted = work.begin()
        tasks = work.tasks(wanted)
        done = len(tasks)
        work.do(wanted, tasks, engine=engine, batch_size=batch_size, threads=threads)
        provenance = collect()
        for key in sorted(wanted):  # scores last: a score set that is finished has its vectors and evidence
            wanted[key].seal({**work.scorers.facts(key, plan), "provenance": provenance})
    embeddings = {label: work.growing["embeddings", label].seal({}) for label in plan.embed}
    sets = give_labels(work.dataset, {label: work.growing["scores", label].seal({}) for label in plan.scores})
    return ScoreRun(sets, done, len(work.dataset.shards) if work.asked else 0, embeddings)
