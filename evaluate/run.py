"""The run: score what is to be judged, embed what is to be compared, compute the numbers, put them into the store.

Scores and vectors are stored beside the datasets, shard by shard, so a run that was stopped goes on where it was. The
numbers follow from them in seconds to minutes and enter the store in one transaction at the end.
"""

import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from diptych.addresses import Address
from diptych.config.identity import asked, fingerprint
from diptych.data.claims import check_apart, check_writable
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.manifests import DATASET
from diptych.data.table import DatasetTable
from diptych.errors import ConfigError, ShardError, StoreInUse
from diptych.evaluate.audits.attribute import unjudged
from diptych.evaluate.checks import check_names, check_references
from diptych.evaluate.collected import Findings
from diptych.evaluate.comparisons.compared_images import can_be_paired
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.inputs.prompt_texts import told_apart
from diptych.evaluate.inputs.saved_references import SavedReferences, read_references
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.names import in_full
from diptych.evaluate.protocols.parts import with_means_of_parts
from diptych.evaluate.score_columns import ScoreColumns, score_columns
from diptych.evaluate.steps import (
    add_agreements,
    add_audit,
    add_differences,
    add_distances,
    add_means,
    add_pair_distances,
    add_protocols,
    add_spreads,
)
from diptych.evaluate.storing import dataset_row, images_of_rows, score_tables, stored_columns
from diptych.jobs.engine import HERE, Engine
from diptych.progress import track
from diptych.provenance import collect
from diptych.scores.giving import possible_columns
from diptych.scores.memory_ahead import check_memory_ahead
from diptych.scores.plan import ScorePlan, Scorers
from diptych.scores.run import score_dataset
from diptych.storage.location import Location
from diptych.storage.locks import only_one
from diptych.store.store import Run, Store

STORE_WAIT_S = 600  # longer than somebody reads a store for a report
# What says where things lie or how fast they go, and decides no number.
NO_PART_OF_IDENTITY = {"store", "batch_size", "decode_threads", "datasets", "references"}


@dataclass(frozen=True)
class Outcome:
    """What a run left: its id, how many rows of each kind, how many shards of how many were scored, what went ill."""

    run_id: str
    results: int
    differences: int
    audits: int
    shards_done: int
    shards: int
    warning: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return asdict(self)


@dataclass(frozen=True)
class EvaluateRunner:
    """One evaluation.

    Attributes:
        config: What to do.
        engine: Who scores.
        progress: Display mode, see ``diptych.progress``.
    """

    config: EvaluateConfig
    engine: Engine = HERE
    progress: str = "auto"

    @cached_property
    def datasets(self) -> Mapping[str, Dataset]:
        """The datasets by label."""
        return {label: _opened(label, choice.path) for label, choice in self.config.datasets.items()}

    @cached_property
    def tables(self) -> Mapping[str, DatasetTable]:
        """The data of each dataset."""
        return {label: DatasetTable(dataset) for label, dataset in self.datasets.items()}

    @cached_property
    def named(self) -> EvaluateConfig:
        """The config with the full name of each column, see ``names``."""
        encoders = {label: encoder.identity for label, encoder in self._scorers.encoders.items()}
        return in_full(self.config, self.tables, ScoreColumns(score_columns(self._scorers.scores)), encoders)

    def plan(self, labels: Collection[str]) -> ScorePlan:
        """Return what is to be computed over some of the datasets."""
        is_judged = any(label in self.config.scored() for label in labels)
        scores = {name: choice.spec for name, choice in self.config.every_score.items()} if is_judged else {}
        wanted = {
            distance.encoder
            for distance in self.config.distances
            if not {*distance.references, *self.config.judged(distance.datasets)}.isdisjoint(labels)
        }
        if self.config.compare is not None and not self._paired.isdisjoint(labels):
            wanted |= {*self.config.compare.encoders}
        encoders = {name: choice.spec for name, choice in self.config.encoders.items()}
        judges = {name: choice.spec for name, choice in self.config.judges.items()}
        return ScorePlan(encoders, scores, tuple(name for name in encoders if name in wanted), judges).needed()

    def check(self) -> None:
        """Open the datasets and the store, build every score and look up every name, before any work is done.

        Raises:
            DiptychError: One line that says what is wrong.
        """
        self._check_memory()  # before weights are read to know their sha256
        check_names(self.named, self.tables, score_columns(self._scorers.scores))
        check_references(self.config, self._saved, self._scorers.encoders)
        check_writable(Location.at(self.config.store))
        check_apart(Location.at(self.config.store))
        Store.open(self.config.store).close()

    def run(self) -> Outcome:
        """Do everything that is not done yet and write the run into the store.

        Raises:
            DiptychError: As the step says that fails; what was scored is kept.
        """
        self.check()
        rows, shards_done, shards = {}, 0, 0
        for label, dataset in self.datasets.items():
            plan = self.plan([label])
            with only_one(dataset.written):
                done = score_dataset(
                    dataset.location,
                    plan,
                    engine=self.engine,
                    batch_size=self.config.batch_size,
                    threads=self.config.decode_threads,
                    progress=self.progress,
                )
            shards_done += done.shards_done
            shards += done.shards
            role = self.config.datasets[label].role
            rows[label] = ScoredRows(label, role, DatasetTable(dataset, done.sets), done.embeddings)
        rows = {label: with_means_of_parts(each, self.config.protocols) for label, each in told_apart(rows).items()}
        found = self._measure(rows)
        self._write(rows, found)
        counts = len(found.results), len(found.differences), len(found.audits)
        return Outcome(found.run_id, *counts, shards_done, shards, unjudged(found.audits))

    def estimate(self) -> dict[str, Any]:
        """Return what a run would look at, after a look at every name that is known without models.

        Opens the datasets; loads no model and opens no store.

        Raises:
            ConfigError: If a name is not there, or does not fit.
            DataError: If a model that is here does not fit the memory.
        """
        self._check_memory(is_trial=True)
        plan = self.plan(list(self.datasets))
        built = plan.built_without_models()
        others = {
            label: possible_columns(name, options)
            for label, (name, options) in plan.scores.items()
            if label not in built
        }
        columns = ScoreColumns(score_columns(built), others)
        check_names(in_full(self.config, self.tables, columns, {}), self.tables, columns.known)
        return {
            "datasets": {
                label: {"rows": dataset.rows, "role": self.config.datasets[label].role, "path": str(dataset.location)}
                for label, dataset in self.datasets.items()
            },
            "scores": sorted(self.config.scores),
            "distances": list(dict.fromkeys(map(str, self.config.distances))),
            "means": [mean.score for mean in self.config.means],
            "protocols": [f"{choice.protocol} by {choice.judged_by}" for choice in self.config.protocols],
            "agreements": [agreement.label for agreement in self.config.agreements],
            "compare": str(self.config.compare) if self.config.compare else None,
            "audit": self.config.audit.attribute if self.config.audit else None,
            "store": str(self.config.store),
        }

    def _check_memory(self, *, is_trial: bool = False) -> None:
        for label, dataset in self.datasets.items():
            check_memory_ahead(self.plan([label]), dataset.places, self.engine, is_trial=is_trial)

    @cached_property
    def _paired(self) -> set[str]:
        """The labels of the datasets whose pictures are held against each other."""
        if self.config.compare is None or not self.config.compare.encoders:
            return set()
        rows = [ScoredRows(label, choice.role, self.tables[label]) for label, choice in self.config.judged().items()]
        return {each.label for each in rows if can_be_paired(each, self.config.compare.by)}

    @cached_property
    def _scorers(self) -> Scorers:
        """What the config names, built once: reading weights to know their sha256 is not free."""
        return self.plan(list(self.datasets)).build()

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of what is asked of which images: the config without places, the datasets, scores and encoders.

        How a number is made of them, such as the version of a metric, is part of its own identity.
        """
        config = asked(self.named, without=NO_PART_OF_IDENTITY)
        roles = {label: choice.role for label, choice in self.config.datasets.items()}
        sets = sorted(self._scorers.set_names(self.plan(list(self.datasets))).values())
        content = {label: dataset.fingerprint for label, dataset in self.datasets.items()}
        content |= {label: side.content for (label, _), side in self._saved.items()}
        return fingerprint({"config": config, "roles": roles, "sets": sets, "content": content})

    @cached_property
    def _saved(self) -> SavedReferences:
        """What the files of statistics hold."""
        return read_references(self.config.references, self.config.encoders, self.config.measured_against)

    def _measure(self, rows: Mapping[str, ScoredRows]) -> Findings:
        found = Findings(f"{self.config.name}-{self.fingerprint[:8]}")
        add_means(self.named, rows, found)
        add_protocols(self.named, rows, found)
        add_spreads(self.named, rows, found)
        add_agreements(self.named, rows, found)
        add_distances(self.named, rows, found, self._saved, progress=self.progress)
        steps = (add_pair_distances, add_differences, add_audit)
        with track("measure", len(steps), unit="steps", mode=self.progress) as tracker:
            for step in steps:
                step(self.named, rows, found)
                tracker.advance()
        return found

    def _write(self, rows: Mapping[str, ScoredRows], found: Findings) -> None:
        run_id = found.run_id
        config = self.named.model_dump(mode="json")
        run = Run(run_id, self.config.name, self.fingerprint, config, collect())
        with ExitStack() as stack:
            store = stack.enter_context(_open_when_free(self.config.store, self.progress))
            stack.enter_context(store.replace_run(run))
            store.insert_datasets([dataset_row(run_id, each) for each in rows.values()])
            with track("store", sum(len(each) for each in rows.values()), mode=self.progress) as tracker:
                for each in rows.values():
                    store.insert_images(*images_of_rows(run_id, each))
                    for table in score_tables(run_id, each, found):
                        store.insert_scores(table)
                    tracker.advance(len(each))
            store.insert_score_columns(list(stored_columns(run_id, rows, found)))
            store.insert_results(found.placed_results())
            store.insert_differences(found.differences)
            store.insert_spreads(found.spreads)
            store.insert_audits(found.audits)
            for identity in found.identities.values():
                store.insert_identity(identity)


def _opened(label: str, path: Address) -> Dataset:
    """Open a dataset of the config.

    Raises:
        ConfigError: If there is none; the message begins with the key that names it.
        ShardError: If it is damaged or unfinished.
    """
    place = Location.at(path)
    try:
        return open_dataset(place)
    except ShardError as error:
        if (place / DATASET).is_file() or (place / "data").is_directory():
            raise
        raise ConfigError(f"datasets.{label}.path: {error}") from error


def _open_when_free(path: Address, progress: str) -> Store:
    """Open the store; where somebody uses it, such as a report or a notebook, wait: all work is done by now.

    Raises:
        StoreInUse: If it is still in use after ``STORE_WAIT_S``.
    """
    with suppress(StoreInUse):
        return Store.open(path)
    with track("wait for the store", STORE_WAIT_S, unit="s", mode=progress) as tracker:
        for _ in range(STORE_WAIT_S):
            time.sleep(1.0)
            tracker.advance(1)
            with suppress(StoreInUse):
                return Store.open(path)
    return Store.open(path)
