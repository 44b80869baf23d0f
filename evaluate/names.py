"""The names of a config in full: each column that it names as it is stored and shown, ``label.column`` of a score.

A config may leave a label out where only one score has the column. Behind this, nothing does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.data.column_names import find_name
from diptych.data.table import DatasetTable
from diptych.errors import ConfigError
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.comparisons.compared_metrics import compared_metrics, margins_in_full
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.score_columns import ScoreColumns, find_score

WORDS = ("string", "uint64")  # types of columns that make groups

Tables = Mapping[str, DatasetTable]


def in_full(
    config: EvaluateConfig, tables: Tables, columns: ScoreColumns, encoders: Mapping[str, Mapping[str, Any]]
) -> EvaluateConfig:
    """Return a config whose columns, and the metrics of its margins, have their full names.

    Args:
        config: As it was written.
        tables: The datasets by label.
        columns: Those of its scores. What may be one that is not known keeps its name.
        encoders: The identity of each encoder by its label, where it is known: distances are named after it.

    Raises:
        ConfigError: If a column or a metric is not there, or several labels have it; the message says where it stands.
    """
    changes: dict[str, object] = {
        "distances": tuple(
            choice.model_copy(
                update={
                    "by": _by(f"distances.{number}.by", choice.by, _judged(config, choice.datasets, tables), columns)
                }
            )
            for number, choice in enumerate(config.distances)
        ),
        "means": tuple(
            mean.model_copy(
                update={
                    "score": find_score(f"means.{number}.score", mean.score, columns),
                    "by": _by(f"means.{number}.by", mean.by, _judged(config, mean.datasets, tables), columns),
                }
            )
            for number, mean in enumerate(config.means)
        ),
    }
    changes["protocols"] = tuple(
        choice.model_copy(
            update={"by": _by(f"protocols.{number}.by", choice.by, _judged(config, choice.datasets, tables), columns)}
        )
        for number, choice in enumerate(config.protocols)
    )
    changes["agreements"] = tuple(
        _agreement(f"agreements.{number}", agreement, _judged(config, agreement.datasets, tables), columns)
        for number, agreement in enumerate(config.agreements)
    )
    if config.audit is not None:
        attribute = find_score("audit.attribute", config.audit.attribute, columns)
        by = _by("audit.by", config.audit.by, _judged(config, config.audit.datasets, tables), columns)
        changes["audit"] = config.audit.model_copy(update={"attribute": attribute, "by": by})
    full = config.model_copy(update=changes)
    return full.model_copy(update={"compare": _compare(full, columns, encoders)})


def _compare(
    config: EvaluateConfig, columns: ScoreColumns, encoders: Mapping[str, Mapping[str, Any]]
) -> Compare | None:
    compare = config.compare
    if compare is None or not compare.margins:
        return compare
    metrics = compared_metrics(compare, config.means, config.protocols, config.distances, columns, encoders)
    return compare.model_copy(update={"margins": margins_in_full(compare.margins, metrics)})


def _agreement(where: str, agreement: AgreementChoice, tables: Tables, columns: ScoreColumns) -> AgreementChoice:
    sides = {side: find_score(f"{where}.{side}", getattr(agreement, side), columns) for side in ("a", "b")}
    return agreement.model_copy(update={**sides, "by": _by(f"{where}.by", agreement.by, tables, columns)})


def _judged(config: EvaluateConfig, only: Sequence[str] | None, tables: Tables) -> Tables:
    return {label: tables[label] for label in config.judged(only)}


def _by(where: str, by: Sequence[str], tables: Tables, columns: ScoreColumns) -> tuple[str, ...]:
    """Return what groups are made by: columns that all data have, or words of scores."""
    words = [name for name, column in columns.known.items() if column.dtype in WORDS]
    found = []
    for name in by:
        lacking = next((label for label, table in tables.items() if name not in table.columns), None)
        if lacking is None:
            found.append(name)
            continue
        try:
            known = dict.fromkeys([*words, *columns.possible, *tables[lacking].columns])
            found.append(find_name(name, known, what="column", where=f"{where}: dataset {lacking!r}: "))
        except ConfigError as error:
            if columns.may_have(name):
                found.append(name)
                continue
            raise ConfigError(f"{error}; or write by: [] for all images together") from error
    return tuple(found)
