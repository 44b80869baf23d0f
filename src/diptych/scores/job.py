"""The job that scores one shard: everything that is missing for it, from one decode and one look at each image."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.damage import ShardFile, sound
from diptych.data.shards import ShardInfo, read_shard, write_shard
from diptych.encoders import Encoder
from diptych.encoders.stored_vectors import stored_type
from diptych.errors import DataError, OwnScoreError
from diptych.jobs.contract import Report
from diptych.pretrained.held import own_weights, weights_of
from diptych.pretrained.memory import HeldWeights, check_all_fit
from diptych.processors import own_cpus
from diptych.scores import Score, encoder_of, looks_of
from diptych.scores.batches import Batch
from diptych.scores.loading import Needs
from diptych.scores.looks import Look
from diptych.scores.plan import ScorePlan, Scorers, SetKey
from diptych.scores.shard_batches import iterate_batches
from diptych.scores.tables import embedding_table, read_embeddings, score_schema, score_table
from diptych.shortage import telling_shortage
from diptych.storage.location import Location

MOST_THREADS = 32  # that decode: beyond that they wait for each other, and for the model


@dataclass(frozen=True)
class ScoreTask:
    """One shard, what is missing for it, and what of it is stored.

    Attributes:
        shard: Of the data.
        missing: The column sets whose part is to be made.
        stored: The embedding and evidence sets whose part is there.
    """

    shard: ShardInfo
    missing: tuple[SetKey, ...]
    stored: tuple[SetKey, ...]


@dataclass(frozen=True)
class ScoreOutcome:
    """What a task wrote, by column set."""

    shard: ShardInfo
    written: Mapping[SetKey, ShardInfo]


@dataclass(frozen=True)
class ScoreJob:
    """Scores one shard at a time; opens its models once per worker.

    Attributes:
        dataset: The dataset directory.
        plan: What to compute.
        places: The directory of each column set, as who planned the tasks knows it.
        batch_size: Rows per batch at most.
        threads: Decode threads; None for one per processor that a worker has.
        loading: The sets that some shard lacks, of which each may take a model.
        uses_gpu: Whether a model of the plan may run on a GPU.
    """

    dataset: Location
    plan: ScorePlan
    places: Mapping[SetKey, Location]
    batch_size: int
    threads: int | None
    loading: tuple[SetKey, ...] = ()
    uses_gpu: bool = False

    def open(self, report: Report) -> Callable[[ScoreTask], ScoreOutcome]:
        """Build encoders, judges and scores and return the function that scores one shard.

        Raises:
            DataError: If they are other ones than those that the tasks were planned with, or one needs more memory
                than there is.
        """
        scorers = self.plan.build()
        for key, name in scorers.set_names(self.plan).items():
            if key not in self.places or self.places[key].name != name:
                raise DataError(f"{key[1]}: a file that it is made from has changed since this run began; run again")

        check_all_fit(held for key in self.loading for held in _weights(scorers, key))

        def score(task: ScoreTask) -> ScoreOutcome:
            with telling_shortage(str(self.dataset / "data" / task.shard.name)):
                return _ShardScorer(self, scorers, task, report).run()

        return score


def _weights(scorers: Scorers, key: SetKey) -> Iterator[HeldWeights]:
    """Yield the weights that are loaded to make a set; the vectors that a score looks at are a set of their own."""
    folder, name = key
    if folder == "embeddings":
        yield from weights_of(scorers.encoders[name])
    elif folder == "evidence":
        yield from weights_of(scorers.looks[name].judge)
    else:
        score = scorers.scores[name]
        reads_texts = encoder_of(score) is not None and "caption" in score.reads
        yield from weights_of(score) if reads_texts else own_weights(score)


@dataclass
class _ShardScorer:
    """Scores one shard; lives for one task."""

    job: ScoreJob
    scorers: Scorers
    task: ScoreTask
    report: Report
    parts: dict[SetKey, list[pa.Table]] = field(default_factory=dict)

    def run(self) -> ScoreOutcome:
        needs = self._needs()
        with sound(ShardFile(self._data, self.task.shard), "whole" if needs.pictures else "columns") as place:
            self._score_batches(place, needs)
        return ScoreOutcome(self.task.shard, {key: self._write(key) for key in self.task.missing})

    def _score_batches(self, place: Location, needs: Needs) -> None:
        start = 0
        vectors = {label: read_embeddings(self._place(("embeddings", label))) for label in self._stored("embeddings")}
        evidence = {name: read_shard(self._place(("evidence", name))) for name in self._stored("evidence")}
        for batch in iterate_batches(
            place,
            batch_size=self.job.batch_size,
            needs=needs,
            threads=self.job.threads or min(own_cpus(), MOST_THREADS),
        ):
            for label, stored in vectors.items():
                batch.provide_embeddings(self.scorers.encoders[label], stored[start : start + len(batch)])
            for name, seen in evidence.items():
                batch.provide_evidence(self.scorers.looks[name], seen.slice(start, len(batch)))
            self._score(batch)
            start += len(batch)

    def _needs(self) -> Needs:
        reads = {part for score in self._scores().values() for part in score.reads}
        is_looked_at = any(look.encoder is None for look in self._looks().values())
        return Needs("pixels" in reads or is_looked_at, self._encoders(), "bytes" in reads)

    def _missing(self, folder: str) -> list[str]:
        return [label for place, label in self.task.missing if place == folder]

    def _stored(self, folder: str) -> list[str]:
        return [label for place, label in self.task.stored if place == folder]

    def _encoders(self) -> dict[str, Encoder]:
        return {label: self.scorers.encoders[label] for label in self._missing("embeddings")}

    def _looks(self) -> dict[str, Look[Any]]:
        return {name: self.scorers.looks[name] for name in self._missing("evidence")}

    def _scores(self) -> dict[str, Score]:
        return {label: self.scorers.scores[label] for label in self._missing("scores")}

    def _score(self, batch: Batch) -> None:
        for label, encoder in self._encoders().items():
            self._add(
                ("embeddings", label), embedding_table(batch.keys, batch.embeddings(encoder), stored_type(encoder))
            )
        for name, look in self._looks().items():
            self._add(("evidence", name), batch.evidence_table(look))
        worst: list[str | None] = [None] * len(batch)
        for label, score in self._scores().items():
            table = score_table(batch, score.columns, self._values(score, batch), looks_of(score))
            self._add(("scores", label), table)
            worst = [old or new for old, new in zip(worst, table["reason"].to_pylist(), strict=True)]
        self.report(len(batch), Counter(reason or "ok" for reason in worst))

    def _values(self, score: Score, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        try:
            return score.score(batch)
        except OwnScoreError as error:
            raise OwnScoreError(f"{self._data}: {error}") from error

    @property
    def _data(self) -> Location:
        return self.job.dataset / "data" / self.task.shard.name

    def _add(self, key: SetKey, table: pa.Table) -> None:
        self.parts.setdefault(key, []).append(table)

    def _write(self, key: SetKey) -> ShardInfo:
        tables = self.parts.get(key) or [self._empty(key)]
        table = pa.concat_tables(tables).combine_chunks()
        return write_shard(table, self._place(key), source=self.task.shard.sha256)

    def _empty(self, key: SetKey) -> pa.Table:
        folder, label = key
        if folder == "embeddings":
            encoder = self.scorers.encoders[label]
            return embedding_table([], np.empty((0, encoder.dim), np.float32), stored_type(encoder))
        if folder == "evidence":
            return self.scorers.looks[label].kind.schema.empty_table()
        return score_schema(self.scorers.scores[label].columns).empty_table()

    def _place(self, key: SetKey) -> Location:
        return self.job.places[key] / self.task.shard.name
