"""Score a dataset directory: every score asked for in one pass, each image decoded and embedded once.

One job per shard writes one shard of each column set that is missing: embeddings by encoder, columns by score. What is
finished with the same identity is not done again, so a new score over a stored embedding decodes no picture.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.config.identity import short_id
from diptych.data.damage import ShardFile, check_content
from diptych.data.dataset import ColumnSet, Dataset, open_dataset
from diptych.data.growing import GrowingSet
from diptych.data.shards import ShardInfo, read_shard, write_shard
from diptych.encoders import Encoder, make_encoder
from diptych.errors import ConfigError
from diptych.jobs import run_job
from diptych.jobs.contract import Report
from diptych.lookup import describe_unknown
from diptych.progress import track
from diptych.provenance import collect
from diptych.scores import Column, Score, make_score
from diptych.scores.batches import Batch, Needs, iterate_batches
from diptych.storage.location import Location

ARROW_TYPES = {
    "float32": pa.float32(),
    "int32": pa.int32(),
    "uint64": pa.uint64(),
    "string": pa.string(),
    "bool": pa.bool_(),
}


@dataclass(frozen=True)
class ScorePlan:
    """Which scores to compute over which encoders; small and picklable, as a config file gives it.

    Attributes:
        encoders: Label -> (kind, options).
        scores: Label -> (name, options); an option ``encoder`` holds the label of an encoder.
        embed: Labels of encoders whose vectors are wanted though no score may look at them.
    """

    encoders: Mapping[str, tuple[str, Mapping[str, Any]]]
    scores: Mapping[str, tuple[str, Mapping[str, Any]]]
    embed: tuple[str, ...] = ()

    def build(self) -> "Scorers":
        """Build the encoders and scores; loads no model yet.

        Raises:
            ConfigError: If a name or an option is wrong.
        """
        encoders = {label: make_encoder(kind, options) for label, (kind, options) in self.encoders.items()}
        scores = {label: _build_score(label, *spec, encoders) for label, spec in self.scores.items()}
        return Scorers(encoders, scores)


@dataclass(frozen=True)
class Scorers:
    """Built encoders and scores by label."""

    encoders: Mapping[str, Encoder]
    scores: Mapping[str, Score]

    def set_names(self, plan: ScorePlan) -> dict[tuple[str, str], str]:
        """Return (folder, label) -> directory name ``<name>-<id>`` of each column set."""
        names = {}
        for label, encoder in self.encoders.items():
            names["embeddings", label] = f"{plan.encoders[label][0]}-{short_id(encoder.identity)}"
        for label, score in self.scores.items():
            names["scores", label] = f"{plan.scores[label][0]}-{short_id(score.identity)}"
        return names


@dataclass(frozen=True)
class ScoreTask:
    """One shard, what is missing for it, and the encoders whose vectors of it are stored."""

    shard: ShardInfo
    scores: tuple[str, ...]
    encoders: tuple[str, ...]
    stored_encoders: tuple[str, ...]


@dataclass(frozen=True)
class ScoreOutcome:
    """What a task wrote: (folder, label) -> shard."""

    shard: ShardInfo
    written: Mapping[tuple[str, str], ShardInfo]


@dataclass(frozen=True)
class ScoreJob:
    """Scores one shard at a time; opens its models once per worker."""

    dataset: Location
    plan: ScorePlan
    batch_size: int
    threads: int

    def open(self, report: Report) -> Callable[[ScoreTask], ScoreOutcome]:
        """Build encoders and scores and return the function that scores one shard."""
        scorers = self.plan.build()
        names = scorers.set_names(self.plan)
        return lambda task: _ShardScorer(self, scorers, names, task, report).run()


@dataclass(frozen=True)
class ScoreRun:
    """What ``score_dataset`` leaves.

    Attributes:
        sets: The column set of each score by label.
        shards_done: How many shards it had to do.
        embeddings: The column set of each encoder in the plan's ``embed``, by label.
    """

    sets: Mapping[str, ColumnSet]
    shards_done: int
    embeddings: Mapping[str, ColumnSet] = field(default_factory=dict)


def score_dataset(
    path: Path,
    plan: ScorePlan,
    *,
    workers: int = 1,
    batch_size: int = 64,
    threads: int = 4,
    progress: str = "auto",
) -> ScoreRun:
    """Compute what is missing of the planned scores over a dataset directory.

    Args:
        path: The dataset directory.
        plan: What to compute.
        workers: Processes; one runs here.
        batch_size: Rows per batch at most; results do not depend on it beyond float rounding.
        threads: Decode threads per worker.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a name or an option of the plan is wrong.
        ShardError: If the dataset is unfinished or damaged.
    """
    dataset = open_dataset(path)
    scorers = plan.build()
    growing = {
        key: GrowingSet(dataset, key[0], name, _identity(scorers, *key))
        for key, name in scorers.set_names(plan).items()
    }
    asked = [("scores", label) for label in plan.scores] + [("embeddings", label) for label in plan.embed]
    if not all(growing[key].is_finished for key in asked):
        wanted = _wanted_sets(growing, scorers, plan.embed)
        for part in wanted.values():
            if not part.is_finished:
                part.begin(progress=progress)
        tasks = _missing(dataset, wanted, scorers)
        job = ScoreJob(dataset.location, plan, batch_size, threads)
        rows = sum(task.shard.rows for task in tasks)
        with track("score", dataset.rows, mode=progress, done=dataset.rows - rows) as tracker:
            for outcome in run_job(job, tasks, workers=workers, report=tracker.advance):
                for key, info in outcome.written.items():
                    wanted[key].commit(info)
        provenance = collect()
        for folder, label in sorted(wanted):  # embeddings first: a score set that is finished has its vectors
            facts = _facts(scorers, folder, label, plan)
            wanted[folder, label].seal({**facts, "provenance": provenance})
        done = len(tasks)
    else:
        done = 0
    embeddings = {label: growing["embeddings", label].seal({}) for label in plan.embed}
    return ScoreRun({label: growing["scores", label].seal({}) for label in plan.scores}, done, embeddings)


def _build_score(label: str, name: str, options: Mapping[str, Any], encoders: Mapping[str, Encoder]) -> Score:
    options = dict(options)
    if "encoder" in options:
        wanted = options["encoder"]
        if wanted not in encoders:
            raise ConfigError(f"score {label!r}: {describe_unknown('encoder', str(wanted), encoders)}")
        options["encoder"] = encoders[wanted]
    return make_score(name, options)


def _identity(scorers: Scorers, folder: str, label: str) -> Mapping[str, Any]:
    return scorers.encoders[label].identity if folder == "embeddings" else scorers.scores[label].identity


def _facts(scorers: Scorers, folder: str, label: str, plan: ScorePlan) -> dict[str, Any]:
    if folder == "embeddings":
        return {"encoder": plan.encoders[label][0], "dim": scorers.encoders[label].dim}
    columns = [asdict(column) for column in scorers.scores[label].columns]
    return {"score": plan.scores[label][0], "columns": columns}


def _wanted_sets(
    growing: Mapping[tuple[str, str], GrowingSet], scorers: Scorers, embed: Sequence[str]
) -> dict[tuple[str, str], GrowingSet]:
    """Return all score sets, the embedding sets that an unfinished score looks at, and those asked for."""
    unfinished = [score for label, score in scorers.scores.items() if not growing["scores", label].is_finished]
    used = {id(score.encoder) for score in unfinished if score.encoder is not None and "embedding" in score.reads}
    wanted = {key: part for key, part in growing.items() if key[0] == "scores"}
    for label, encoder in scorers.encoders.items():
        if id(encoder) in used or label in embed:
            wanted["embeddings", label] = growing["embeddings", label]
    return wanted


def _missing(dataset: Dataset, wanted: Mapping[tuple[str, str], GrowingSet], scorers: Scorers) -> list[ScoreTask]:
    tasks = []
    for shard in dataset.shards:
        missing = [key for key, part in wanted.items() if not part.has(shard)]
        scores = tuple(label for folder, label in missing if folder == "scores")
        encoders = tuple(label for folder, label in missing if folder == "embeddings")
        stored = tuple(label for folder, label in wanted if folder == "embeddings" and label not in encoders)
        if missing:
            tasks.append(ScoreTask(shard, scores, encoders, stored))
    return tasks


@dataclass
class _ShardScorer:
    """Scores one shard; lives for one task."""

    job: ScoreJob
    scorers: Scorers
    names: Mapping[tuple[str, str], str]
    task: ScoreTask
    report: Report
    parts: dict[tuple[str, str], list[pa.Table]] = field(default_factory=dict)

    def run(self) -> ScoreOutcome:
        place = self.job.dataset / "data" / self.task.shard.name
        check_content([ShardFile(place, self.task.shard)])
        stored = {label: self._stored_vectors(label) for label in self.task.stored_encoders}
        needs = Needs(any("pixels" in score.reads for score in self._scores().values()), self._encoders())
        start = 0
        for batch in iterate_batches(place, batch_size=self.job.batch_size, needs=needs, threads=self.job.threads):
            for label, vectors in stored.items():
                batch.provide_embeddings(self.scorers.encoders[label], vectors[start : start + len(batch)])
            self._score(batch)
            start += len(batch)
        return ScoreOutcome(self.task.shard, {key: self._write(key) for key in self._keys()})

    def _scores(self) -> dict[str, Score]:
        return {label: self.scorers.scores[label] for label in self.task.scores}

    def _encoders(self) -> dict[str, Encoder]:
        return {label: self.scorers.encoders[label] for label in self.task.encoders}

    def _keys(self) -> list[tuple[str, str]]:
        fresh = [("embeddings", label) for label in self.task.encoders]
        return fresh + [("scores", label) for label in self.task.scores]

    def _score(self, batch: Batch) -> None:
        for label, encoder in self._encoders().items():
            self._add("embeddings", label, embedding_table(batch.keys, batch.embeddings(encoder)))
        worst: list[str | None] = [None] * len(batch)
        for label, score in self._scores().items():
            table = score_table(batch, score.columns, score.score(batch))
            self._add("scores", label, table)
            worst = [old or new for old, new in zip(worst, table["reason"].to_pylist(), strict=True)]
        self.report(len(batch), Counter(reason or "ok" for reason in worst))

    def _add(self, folder: str, label: str, table: pa.Table) -> None:
        self.parts.setdefault((folder, label), []).append(table)

    def _write(self, key: tuple[str, str]) -> ShardInfo:
        place = self.job.dataset / key[0] / self.names[key] / self.task.shard.name
        tables = self.parts.get(key) or [self._empty(key)]
        return write_shard(pa.concat_tables(tables).combine_chunks(), place, source=self.task.shard.sha256)

    def _empty(self, key: tuple[str, str]) -> pa.Table:
        if key[0] == "embeddings":
            return embedding_table([], np.empty((0, self.scorers.encoders[key[1]].dim), np.float32))
        return score_schema(self.scorers.scores[key[1]].columns).empty_table()

    def _stored_vectors(self, label: str) -> npt.NDArray[np.float32]:
        folder = self.job.dataset / "embeddings" / self.names["embeddings", label]
        return read_embeddings(folder / self.task.shard.name)


def embedding_table(keys: Sequence[str], vectors: npt.NDArray[np.float32]) -> pa.Table:
    """Return key and embedding columns, fixed_size_list<float16>[dim]; a row of NaN becomes null."""
    flat = pa.array(vectors.astype(np.float16).reshape(-1))
    mask = pa.array(np.isnan(vectors).any(axis=1)) if len(vectors) else None
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1], mask=mask)
    return pa.table({"key": pa.array(list(keys), pa.string()), "embedding": column})


def read_embeddings(place: Location) -> npt.NDArray[np.float32]:
    """Read a shard of embeddings as float32 (N, dim); NaN where null."""
    column = read_shard(place, ["embedding"])["embedding"].combine_chunks()
    dim = column.type.list_size
    values = column.values.slice(column.offset * dim, len(column) * dim)
    vectors: npt.NDArray[np.float32] = values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, dim)
    vectors[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return vectors


def score_table(batch: Batch, columns: Iterable[Column], values: Mapping[str, npt.NDArray[Any]]) -> pa.Table:
    """Return key, the score's columns and ``reason``; NaN becomes null, since SQL takes NaN for the largest number."""
    arrays = [pa.array(values[column.name], ARROW_TYPES[column.dtype], from_pandas=True) for column in columns]
    given = values.get("reason")
    reasons: list[str | None] = [None] * len(batch) if given is None else list(given)
    empty = np.any([array.is_null().to_numpy(zero_copy_only=False) for array in arrays], axis=0)
    for row in np.flatnonzero(empty):
        reasons[row] = reasons[row] or batch.reason(int(row)) or "not_scorable"
    return pa.table(
        [pa.array(batch.keys, pa.string()), *arrays, pa.array(reasons, pa.string())], schema=score_schema(columns)
    )


def score_schema(columns: Iterable[Column]) -> pa.Schema:
    """Return the schema of a score's shards: key, its columns, reason."""
    fields = [pa.field(column.name, ARROW_TYPES[column.dtype]) for column in columns]
    return pa.schema([pa.field("key", pa.string()), *fields, pa.field("reason", pa.string())])
