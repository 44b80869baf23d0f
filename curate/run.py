"""The run: ingest, score, dedup, select, export, each doing only what is not done yet.

OUT/pool is the dataset directory of everything that was asked for; OUT/selected is the export.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from diptych.addresses import Address
from diptych.curate.config import CurateConfig
from diptych.curate.decisions import read_keep
from diptych.curate.delivery.parquet import Selection, export, exported_columns
from diptych.curate.duplicates.find import DedupRun, dedup
from diptych.curate.foresight import KnownColumns, check_config, known_without_weights
from diptych.curate.ingest.captions import caption_counts, caption_warning
from diptych.curate.ingest.estimate import estimate_ingest
from diptych.curate.ingest.inputs import look_at_input
from diptych.curate.ingest.rows import pool_schema
from diptych.curate.ingest.run import NOTHING_FURTHER, IngestOptions, first_error, ingest, reason_counts
from diptych.curate.rules.built_in import heic_left_out
from diptych.curate.rules.select import SelectRun, select
from diptych.curate.run_directory import POOL, SELECTED, check_run_directory
from diptych.curate.sources import open_source
from diptych.curate.sources.column_types import inferred_types
from diptych.curate.sources.reading import first_table
from diptych.data.columns_dir import written_place
from diptych.data.dataset import ColumnSet, Dataset, open_dataset
from diptych.data.table import DatasetTable
from diptych.errors import DataError, ShardError
from diptych.jobs.engine import HERE, Engine
from diptych.parts import WHOLE_JOB, JobPart
from diptych.progress.wording import format_bytes, quantity, taken_over
from diptych.scores import decoded
from diptych.scores.plan import ScorePlan, Scorers
from diptych.scores.run import score_dataset
from diptych.storage.location import Location
from diptych.storage.locks import only_one

STEPS = ("ingest", "score", "dedup", "select", "export")


@dataclass(frozen=True)
class StepOutcome:
    """How one step went.

    Attributes:
        name: Of the step.
        is_new: Whether it did anything.
        summary: What to say about it.
        facts: The same for machines.
        warning: What is probably not as it was meant; empty where nothing is.
    """

    name: str
    is_new: bool
    summary: str
    facts: dict[str, Any]
    warning: str = ""


@dataclass(frozen=True)
class CurateRunner:
    """The steps of one config in one output directory.

    Attributes:
        config: What to do.
        out: Where.
        engine: Who does ingest, score and export.
        progress: Display mode, see ``diptych.progress``.
        options: What ingest is to do beside going on.
    """

    config: CurateConfig
    out: Address
    engine: Engine = HERE
    progress: str = "auto"
    options: IngestOptions = NOTHING_FURTHER

    @property
    def pool(self) -> Location:
        """The dataset directory of everything."""
        return Location.at(self.out) / POOL

    @property
    def selected(self) -> Location:
        """The export."""
        return Location.at(self.out) / SELECTED

    @contextmanager
    def alone(self, part: JobPart = WHOLE_JOB) -> Iterator[None]:
        """Hold the directory of the run and its pool, so that nobody but other parts writes there meanwhile.

        Raises:
            ShardError: If somebody works in one of them, or the directory is something else.
        """
        check_run_directory(self.out, self.config.source.path)
        pool = self.pool
        written = written_place(pool)
        places = [Location.at(self.out), *([] if written != pool and pool.is_read_only() else [pool]), written]
        with ExitStack() as stack:
            for place in dict.fromkeys(places):
                stack.enter_context(only_one(place, part))
            yield

    def check(self) -> None:
        """Build every score and try every piece of SQL on empty columns, so that a mistake costs no download.

        Raises:
            DiptychError: As the first step that would meet the mistake says, or if the source cannot be read.
        """
        check_config(self.config, KnownColumns(pool_schema(self._source_schema()), self._scorers.scores))

    def check_ahead(self) -> None:
        """Do of ``check`` what needs no weights, so that nothing is looked for or downloaded.

        Raises:
            DiptychError: As ``check`` does, or if the directory of the run is no place for it.
        """
        check_run_directory(self.out, self.config.source.path)
        check_config(self.config, known_without_weights(pool_schema(self._source_schema()), self.plan()))

    def run(self, step: str) -> StepOutcome:
        """Do one of ``STEPS``; the steps before it must be done.

        Raises:
            DiptychError: As the step says.
        """
        done_by = (self._ingest, self._score, self._dedup, self._select, self._export)
        return dict(zip(STEPS, done_by, strict=True))[step]()

    def plan(self) -> ScorePlan:
        """Return what the config asks to be scored, and whether the pictures decode, which an export has to know."""
        encoders = {label: choice.spec for label, choice in self.config.encoders.items()}
        embed = tuple(dict.fromkeys(self.config.dedup.compared_by.values())) if self.config.dedup else ()
        judges = {label: choice.spec for label, choice in self.config.judges.items()}
        scores = {label: choice.spec for label, choice in self.config.scores.items()}
        scores[decoded.NAME] = (decoded.NAME, {})
        return ScorePlan(encoders, scores, embed, judges)

    def estimate(self) -> dict[str, Any]:
        """Return what a run would do: rows, shards, disk, scores and rules. Fetches nothing.

        Raises:
            DiptychError: If ingest would refuse.
        """
        facts = estimate_ingest(self.config, self.pool, self.options, progress=self.progress)
        rules = [rule.name for rule in self.config.select]
        return {**facts, "scores": sorted(self.plan().scores), "rules": rules}

    @cached_property
    def _scorers(self) -> Scorers:
        """What the plan names, built once: reading weights to know their sha256 is not free."""
        return self.plan().build()

    def _source_schema(self) -> pa.Schema:
        """Return the schema of the source's tables; to infer types all of it is read, which is remembered."""
        table = first_table(open_source(self.config.source))
        if table is None:
            raise DataError(f"{self.config.source.path}: no rows there")
        if not inferred_types(table.schema):
            return table.schema
        found = look_at_input(self.config, progress=self.progress)
        return found.read(engine=self.engine, progress=self.progress).schema

    def _ingest(self) -> StepOutcome:
        run = ingest(self.config, self.pool, self.options, engine=self.engine, progress=self.progress)
        dataset, counts = run.dataset, reason_counts(run.dataset)
        ok = counts.get("ok", 0)
        failed = ", ".join(f"{reason} {count:,}" for reason, count in counts.items() if reason != "ok")
        if not ok:
            none = f"none of {quantity(dataset.rows, 'row')} has a picture ({failed})"
            first = first_error(dataset, next(iter(counts)))
            told = f"the first: {first}; the column error has each" if first else "see the column status"
            raise DataError(f"{self.pool}: {none}; {told}")
        captions, sought = caption_counts(dataset), self.config.source.captions_sought
        summary = f"{quantity(dataset.rows, 'row')}, {quantity(ok, 'image')}{f' ({failed})' if failed else ''}"
        if sought and 0 < captions.there < ok:
            summary += f", {quantity(captions.there, 'caption')}"
        if run.rows_made and (there := taken_over(dataset.rows - run.rows_made, dataset.rows, "row")):
            summary += f"; {there}"
        if run.rows_gone:
            summary += f"; no longer in the input: {quantity(run.rows_gone, 'row')}"
        if run.rows_lost:
            summary += (
                f"; LOST with damaged shards, kept aside in {self.pool / 'data'}: {quantity(run.rows_lost, 'row')}"
            )
        if run.inferred:
            summary += f"; columns taken as {', '.join(f'{name} {kind}' for name, kind in run.inferred.items())}"
        facts = {"rows": dataset.rows, "status": counts, "rows_made": run.rows_made, "rows_retried": run.rows_retried}
        facts |= {
            "rows_gone": run.rows_gone,
            "rows_lost": run.rows_lost,
            "captions": captions.there,
            "captions_damaged": captions.damaged,
            "captions_unread": captions.unread,
            "inferred_types": dict(run.inferred),
        }
        warning = caption_warning(captions, sought)
        return StepOutcome("ingest", run.rows_made + run.rows_retried > 0, summary, facts, warning)

    def _score(self) -> StepOutcome:
        run = score_dataset(
            self.pool,
            self.plan(),
            engine=self.engine,
            batch_size=self.config.batch_size,
            threads=self.config.decode_threads,
            progress=self.progress,
        )
        there = taken_over(run.shards - run.shards_done, run.shards, "shard") if run.shards_done else ""
        names = ", ".join(column_set.name for column_set in run.sets.values())
        return StepOutcome("score", run.shards_done > 0, f"{names}; {there}" if there else names, run.facts)

    def _dedup(self) -> StepOutcome:
        found = self._find_duplicates()
        if found is None:
            return StepOutcome("dedup", False, "not asked for", {})
        return StepOutcome("dedup", found.is_new, found.summary, dict(found.facts))

    def _select(self) -> StepOutcome:
        decided = self._decide()
        last = decided.steps[-1]
        facts: dict[str, Any] = {"funnel": [step._asdict() for step in decided.steps]}
        heic = heic_left_out(facts["funnel"])
        summary = f"{last.rows_out:,} of {quantity(decided.steps[0].rows_in, 'row')} kept{f' ({heic})' if heic else ''}"
        return StepOutcome("select", decided.is_new, summary, facts)

    def _export(self) -> StepOutcome:
        decided, table = self._decide(), self._table()
        made_by = {
            "rules": decided.decisions.manifest["identity"]["rules"],
            "funnel": decided.decisions.manifest["funnel"],
        }
        columns = exported_columns(table, self.config.export.columns)
        selection = Selection(table, read_keep(decided.decisions), columns, made_by)
        settings = self.config.export
        exported, written, kept = export(selection, self.selected, settings, engine=self.engine, progress=self.progress)
        size = sum(shard.bytes for shard in exported.shards)
        what = f"{quantity(exported.rows, 'row')}, {quantity(len(exported.shards), 'shard')}"
        summary = f"{what}, {format_bytes(size)} in {self.selected}"
        facts = {"rows": exported.rows, "bytes": size, "path": str(self.selected), "kept": kept and str(kept)}
        warning = f"the former export holds more than export wrote, and is kept as {kept}" if kept else ""
        return StepOutcome("export", written > 0, summary, facts, warning)

    def _score_sets(self) -> dict[str, ColumnSet]:
        dataset, sets = open_dataset(self.pool), {}
        for (folder, label), name in self._scorers.set_names(self.plan()).items():
            found = dataset.column_set(folder, name)
            if folder == "scores" and found is None and label == decoded.NAME:
                found = self._look_at_pictures()
            if folder == "scores" and found is None:
                raise ShardError(f"{self.pool}: the score {label!r} is not computed yet; run the step score first")
            if folder == "scores" and found is not None:
                sets[label] = found
        return sets

    def _look_at_pictures(self) -> ColumnSet:
        """Decode the pictures where the step score did not: nobody may have asked for one."""
        plan = ScorePlan({}, {decoded.NAME: (decoded.NAME, {})})
        return score_dataset(self.pool, plan, engine=self.engine, progress=self.progress).sets[decoded.NAME]

    def _find_duplicates(self) -> DedupRun | None:
        if self.config.dedup is None:
            return None
        return dedup(self._table(), self.config.dedup, self._vectors(), progress=self.progress)

    def _vectors(self) -> dict[str, ColumnSet]:
        """Return the stored vectors that dedup compares, by the labels of their encoders."""
        plan, vectors = self.plan(), {}
        for label in plan.embed:
            found = self._dataset().column_set("embeddings", self._scorers.set_names(plan)["embeddings", label])
            if found is None:
                raise ShardError(f"{self.pool}: the vectors of {label!r} are not there yet; run the step score first")
            vectors[label] = found
        return vectors

    def _decide(self) -> SelectRun:
        found = self._find_duplicates()
        duplicates = found.decisions if found is not None else None
        heic = self.config.export.heic
        return select(self._table(), self.config.select, duplicates, heic=heic, progress=self.progress)

    def _table(self) -> DatasetTable:
        return DatasetTable(self._dataset(), self._score_sets())

    def _dataset(self) -> Dataset:
        return open_dataset(self.pool)
