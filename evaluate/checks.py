"""Looks every name of a config up before any work is done, so that a misspelt column costs no hour of scoring."""

from collections.abc import Mapping, Sequence

import pyarrow.parquet as pq

from diptych.dataset import Dataset
from diptych.errors import ConfigError
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.differences import sides_of
from diptych.evaluate.rows import Rows, shown_names
from diptych.lookup import describe_unknown
from diptych.scores import Column, Score


def check_names(config: EvaluateConfig, datasets: Mapping[str, Dataset], scores: Mapping[str, Score]) -> None:
    """Check that every column, score and value that a config names is there.

    Raises:
        ConfigError: If one is not; the message says where it is named and what there is.
    """
    columns = _columns_by_name(scores)
    for number, distance in enumerate(config.distances):
        for label in config.judged(distance.datasets):
            _check_by(f"distances.{number}.by", distance.by, label, datasets[label], columns)
    for number, mean in enumerate(config.means):
        column = _column(f"means.{number}.score", mean.score, columns)
        if column.dtype in ("string", "uint64"):
            raise ConfigError(f"means.{number}.score: {mean.score!r} holds words, which have no mean; see audit")
        for label in config.judged(mean.datasets):
            _check_by(f"means.{number}.by", mean.by, label, datasets[label], columns)
    _check_audit(config, datasets, columns)
    _check_compare(config, datasets)


def _check_audit(config: EvaluateConfig, datasets: Mapping[str, Dataset], columns: Mapping[str, Column]) -> None:
    if config.audit is None:
        return
    if _column("audit.attribute", config.audit.attribute, columns).dtype != "string":
        raise ConfigError(
            f"audit.attribute: {config.audit.attribute!r} holds numbers; an audit counts words, see means"
        )
    for label in config.judged(config.audit.datasets):
        _check_by("audit.by", config.audit.by, label, datasets[label], columns)
        if config.audit.category is not None and "category" not in data_columns(datasets[label]):
            raise ConfigError(f"audit.category: the dataset {label!r} has no column 'category'")


def _check_compare(config: EvaluateConfig, datasets: Mapping[str, Dataset]) -> None:
    compare = config.compare
    if compare is None:
        return
    for number, mean in enumerate(config.means):
        labels = config.judged(mean.datasets)
        for label in labels:
            for name in (compare.by, "prompt_id"):
                if name not in data_columns(datasets[label]):
                    raise ConfigError(
                        f"compare: the dataset {label!r} of means.{number} has no column {name!r}, so that nothing in "
                        f"it can be paired; name other datasets there"
                    )
        sides = sides_of([Rows(label, choice.role, datasets[label]) for label, choice in labels.items()], compare.by)
        if compare.baseline is not None and compare.baseline not in sides:
            raise ConfigError(f"compare.baseline: {describe_unknown(compare.by, compare.baseline, sides)}")
        if len(sides) < 2:
            raise ConfigError(f"compare: {compare.by} has one value only ({', '.join(sides)}): nothing to compare")


def _check_by(where: str, by: Sequence[str], label: str, dataset: Dataset, columns: Mapping[str, Column]) -> None:
    have = data_columns(dataset)
    words = [name for name, column in columns.items() if column.dtype in ("string", "uint64")]
    for name in by:
        if name not in have and name not in words:
            unknown = describe_unknown("column", name, [*have, *words])
            raise ConfigError(f"{where}: dataset {label!r}: {unknown}; or write by: [] for all images together")


def data_columns(dataset: Dataset) -> list[str]:
    """Return the names of the columns of a dataset's data, without the pictures."""
    if not dataset.files:
        return []
    with dataset.files[0].open("rb") as file:
        return [name for name in pq.ParquetFile(file).schema_arrow.names if name != "image"]


def _columns_by_name(scores: Mapping[str, Score]) -> dict[str, Column]:
    """Return the score columns by the names that a config may use for them."""
    shown = shown_names({label: [column.name for column in score.columns] for label, score in scores.items()})
    named = {}
    for label, score in scores.items():
        for column in score.columns:
            named[shown[label, column.name]] = named[f"{label}.{column.name}"] = column
    return named


def _column(where: str, name: str, columns: Mapping[str, Column]) -> Column:
    if name not in columns:
        raise ConfigError(f"{where}: {describe_unknown('score column', name, columns)}")
    return columns[name]
