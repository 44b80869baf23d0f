"""What a run would refuse, as far as the columns of its source say it: no weights are looked for, no picture is read.

Scores that take no model are built, so that their columns are known. Of the others only the labels are; what names one
of them, or a column that may be theirs, is left to the run, which knows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from diptych.curate.conditions import TrialTable, check_expression, trial_table
from diptych.curate.config import CurateConfig, Dedup, Rule
from diptych.curate.delivery.parquet import export_names
from diptych.curate.duplicates.reading import check_settings
from diptych.curate.named_columns import quoted_label
from diptych.curate.rules.funnel import check_rules
from diptych.data.column_names import clash_problem
from diptych.data.sql import column_references, connect
from diptych.errors import ConfigError
from diptych.scores import Score
from diptych.scores.plan import ScorePlan
from diptych.scores.tables import score_schema


@dataclass(frozen=True)
class KnownColumns:
    """The columns of a run.

    Attributes:
        data: Of the pool.
        scores: Those that could be built, by label.
        others: Labels of scores of which no column is known.
    """

    data: pa.Schema
    scores: Mapping[str, Score]
    others: frozenset[str] = frozenset()


def known_without_weights(data: pa.Schema, plan: ScorePlan) -> KnownColumns:
    """Return what is known of the columns of a run before weights are there.

    Raises:
        ConfigError: If a score cannot be built as it is asked for.
    """
    scores = plan.built_without_models()
    return KnownColumns(data, scores, frozenset(plan.scores) - set(scores))


def check_config(config: CurateConfig, columns: KnownColumns) -> None:
    """Try every piece of SQL and every name of a column, as far as all that it names is known.

    Raises:
        ConfigError: As the first step that would meet the mistake says.
    """
    schemas = {"data": columns.data, **{label: score_schema(one.columns) for label, one in columns.scores.items()}}
    trial = trial_table(connect(), schemas)
    if config.dedup is not None and _knows(trial, columns, _texts_of(config.dedup, {*columns.scores, *columns.others})):
        check_settings(trial, config.dedup)
    _check_rules(trial, columns, config.select)
    pairs = [(label, column.name) for label, score in columns.scores.items() for column in score.columns]
    if problem := clash_problem(pairs, columns.data.names):
        raise ConfigError(f"scores: {problem}")
    wanted = config.export.columns
    if wanted is not None and columns.others:
        wanted = tuple(name for name in wanted if name.rpartition(".")[0] in columns.scores)
    export_names(pairs, wanted, data=columns.data.names)


def _check_rules(trial: TrialTable, columns: KnownColumns, rules: Sequence[Rule]) -> None:
    for rule in rules:
        check_expression(trial, rule.where, where=f"rule {rule.name!r}: {rule.where!r}")
        if _knows(trial, columns, [f"SELECT (\n{rule.where}\n)"]):
            check_rules(trial, [rule])


def _texts_of(dedup: Dedup, labels: Collection[str]) -> list[str]:
    hashes = [dedup.perceptual, *dedup.variants] if dedup.perceptual is not None else []
    return [*(f"SELECT {quoted_label(one, labels)}" for one in hashes), f"SELECT 1 ORDER BY\n{dedup.prefer}\n"]


def _knows(trial: TrialTable, columns: KnownColumns, queries: Iterable[str]) -> bool:
    """Return whether nothing that queries name can be a column of a score of which no column is known."""
    if not columns.others:
        return True
    names = {name.casefold() for schema in trial.schemas.values() for name in schema.names}
    others = {label.casefold() for label in columns.others}
    named = [one for query in queries for one in column_references(trial.con, query)]
    return all(one[0].casefold() not in others if len(one) > 1 else one[0].casefold() in names for one in named)
