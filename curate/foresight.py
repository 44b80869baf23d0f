"""What a run would refuse, as far as the columns of its source say it, and the memory: no picture is read.

Scores that take no model are built, so that their columns are known. Of the others only the labels are; what names one
of them, or a column that may be theirs, is left to the run, which knows.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from diptych.curate.conditions import TrialTable, check_expression, trial_table
from diptych.curate.config import CurateConfig, Dedup, Rule
from diptych.curate.delivery.parquet import export_names
from diptych.curate.duplicates.reading import check_settings
from diptych.curate.missing_columns import what_config_lacks
from diptych.curate.named_columns import Place, quoted_label
from diptych.curate.rules.funnel import check_rules
from diptych.data.column_names import clash_problem, describe_unknown_column, full_name
from diptych.data.columns_dir import written_place
from diptych.data.sql import column_references, connect
from diptych.data.table import REASON
from diptych.errors import ConfigError
from diptych.jobs.engine import Engine
from diptych.scores import Score
from diptych.scores.giving import PossibleColumns, possible_columns
from diptych.scores.memory_ahead import check_memory_ahead
from diptych.scores.plan import ScorePlan
from diptych.scores.tables import score_schema
from diptych.storage.location import Location


class UnfitConfig(ConfigError):
    """A config does not fit the columns that there are.

    Attributes:
        place: The keys that lead to what does not.
    """

    def __init__(self, place: Place, said: str) -> None:
        """Say what is wrong there."""
        super().__init__(said)
        self.place = place


@dataclass(frozen=True)
class KnownColumns:
    """The columns of a run.

    Attributes:
        data: Of the pool.
        scores: Those that could be built, by label.
        others: Of those that could not be: what they may have, by label; None where nothing tells.
    """

    data: pa.Schema
    scores: Mapping[str, Score]
    others: Mapping[str, PossibleColumns | None] = field(default_factory=dict)


def known_without_weights(data: pa.Schema, plan: ScorePlan) -> KnownColumns:
    """Return what is known of the columns of a run before weights are there.

    Raises:
        ConfigError: If a score cannot be built as it is asked for.
    """
    scores = plan.built_without_models()
    others = {label: possible_columns(*spec) for label, spec in plan.scores.items() if label not in scores}
    return KnownColumns(data, scores, others)


def check_memory(plan: ScorePlan, pool: Location, engine: Engine, *, is_trial: bool) -> None:
    """Check that the models of the scores which a pool lacks for certain fit the memory, before there is a pool too.

    Raises:
        ConfigError: If a model cannot be made as it is asked for.
        DataError: If they do not; see ``check_memory_ahead``.
    """
    check_memory_ahead(plan, [*dict.fromkeys([pool, written_place(pool)])], engine, is_trial=is_trial)


def check_config(config: CurateConfig, columns: KnownColumns) -> None:
    """Try every piece of SQL and every name of a column, as far as all that it names is known.

    Raises:
        UnfitConfig: As the first step that would meet the mistake says.
    """
    schemas = {"data": columns.data, **{label: score_schema(one.columns) for label, one in columns.scores.items()}}
    trial = trial_table(connect(), schemas, missing=what_config_lacks)
    labels = {*columns.scores, *columns.others}
    if config.dedup is not None:
        with _at("dedup"):
            if _knows(trial, columns, _texts_of(config.dedup, labels), "dedup"):
                check_settings(trial, config.dedup)
    _check_rules(trial, columns, config.select)
    pairs = [(label, column.name) for label, score in columns.scores.items() for column in score.columns]
    if problem := clash_problem(pairs, columns.data.names):
        raise UnfitConfig(("scores",), problem)
    wanted = config.export.columns
    with _at("export", "columns"):
        if wanted is not None and columns.others:
            for label, _, column in (name.rpartition(".") for name in wanted):
                _refuse_impossible(columns, label, column, "export.columns")
            wanted = tuple(name for name in wanted if name.rpartition(".")[0] in columns.scores)
        export_names(pairs, wanted, data=columns.data.names)


@contextmanager
def _at(*place: str | int) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        raise UnfitConfig(place, str(error)) from error


def _check_rules(trial: TrialTable, columns: KnownColumns, rules: Sequence[Rule]) -> None:
    for number, rule in enumerate(rules):
        where = f"rule {rule.name!r}: {rule.where!r}"
        with _at("select", number, "where"):
            check_expression(trial, rule.where, where=where)
            if _knows(trial, columns, [f"SELECT (\n{rule.where}\n)"], where):
                check_rules(trial, [rule])


def _texts_of(dedup: Dedup, labels: Collection[str]) -> list[str]:
    hashes = [dedup.perceptual, *dedup.variants] if dedup.perceptual is not None else []
    return [*(f"SELECT {quoted_label(one, labels)}" for one in hashes), f"SELECT 1 ORDER BY\n{dedup.prefer}\n"]


def _knows(trial: TrialTable, columns: KnownColumns, queries: Iterable[str], where: str) -> bool:
    """Return whether nothing that queries name can be a column of a score of which no column is known.

    Raises:
        ConfigError: If one names a column that such a score cannot have; the message begins with ``where``.
    """
    names = {name.casefold() for schema in trial.schemas.values() for name in schema.names}
    labels = {label.casefold(): label for label in columns.others}
    named = {one for query in queries for one in column_references(trial.con, query)}
    full = sorted((labels[one[0].casefold()], one[1]) for one in named if len(one) > 1 and one[0].casefold() in labels)
    for label, column in full:
        if column.casefold() != REASON:  # which every score has for SQL
            _refuse_impossible(columns, label, column, where)
    alone = {one[0].casefold() for one in named if len(one) == 1} - names
    possible = list(columns.others.values())
    return not full and not any(found is None or found.may_have(name) for name in alone for found in possible)


def _refuse_impossible(columns: KnownColumns, label: str, column: str, where: str) -> None:
    """Raise for a column that a score which is not built cannot have.

    Raises:
        ConfigError: If it cannot; the message begins with ``where``.
    """
    found = columns.others.get(label)
    if found is not None and not found.may_have(column.casefold()):
        possible = [full_name(label, name) for name in sorted(found.names)]
        raise ConfigError(f"{where}: {describe_unknown_column(full_name(label, column), possible)}")
