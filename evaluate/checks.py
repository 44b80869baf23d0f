"""Looks every name of a config up before any work is done, so that a misspelt column costs no hour of scoring."""

from collections.abc import Mapping, Sequence
from math import fsum

from diptych.data.dataset import Dataset
from diptych.data.generated_columns import ATTRIBUTE_CLASS, CATEGORY
from diptych.data.shards import reading
from diptych.errors import ConfigError
from diptych.evaluate.audits.attribute import asked_classes, check_classes, reference_values
from diptych.evaluate.audits.choices import Audit
from diptych.evaluate.comparisons.pairs import sides_of
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.inputs.scored_rows import ScoredRows, shown_names
from diptych.evaluate.metrics.choices import DistanceChoice
from diptych.evaluate.metrics.contract import set_metric
from diptych.lookup import describe_unknown
from diptych.scores import Column, Score

SUM_TOLERANCE = 1e-6  # of the shares of a reference


def check_names(config: EvaluateConfig, datasets: Mapping[str, Dataset], scores: Mapping[str, Score]) -> None:
    """Check that every column, score and value that a config names is there.

    Raises:
        ConfigError: If one is not; the message says where it is named and what there is.
    """
    columns = _columns_by_name(scores)
    for number, distance in enumerate(config.distances):
        _check_reference(f"distances.{number}.reference", distance)
        for label in config.judged(distance.datasets):
            _check_by(f"distances.{number}.by", distance.by, label, datasets[label], columns)
    for number, mean in enumerate(config.means):
        column = _column(f"means.{number}.score", mean.score, columns)
        if column.dtype in ("string", "uint64"):
            raise ConfigError(f"means.{number}.score: {mean.score!r} holds words, which have no mean; see audit")
        for label in config.judged(mean.datasets):
            _check_by(f"means.{number}.by", mean.by, label, datasets[label], columns)
    _check_audit(config, datasets, columns)
    if config.audit is not None:
        _check_words(config.audit, columns)
    _check_compare(config, datasets)


def _check_reference(where: str, distance: DistanceChoice) -> None:
    is_needed, is_named = set_metric(distance.metric).needs_reference, distance.reference is not None
    if is_needed and not is_named:
        raise ConfigError(f"{where}: {distance.metric} compares with a reference; name the dataset")
    if is_named and not is_needed:
        raise ConfigError(f"{where}: {distance.metric} looks at one set of images alone; leave the reference out")


def _check_audit(config: EvaluateConfig, datasets: Mapping[str, Dataset], columns: Mapping[str, Column]) -> None:
    audit = config.audit
    if audit is None:
        return
    if _column("audit.attribute", audit.attribute, columns).dtype != "string":
        raise ConfigError(f"audit.attribute: {audit.attribute!r} holds numbers; an audit counts words, see means")
    labels = config.judged(audit.datasets)
    for label in labels:
        _check_by("audit.by", audit.by, label, datasets[label], columns)
        if audit.category is not None and CATEGORY not in data_columns(datasets[label]):
            raise ConfigError(f"audit.category: the dataset {label!r} has no column 'category'")
    _check_shares(audit)
    rows = [ScoredRows(label, choice.role, datasets[label]) for label, choice in labels.items()]
    _check_category(audit, rows)
    _check_classes(audit, rows)


def _check_shares(audit: Audit) -> None:
    """Check what an audit counts and the shares it is held against, as far as its config alone tells."""
    if audit.values is not None and not audit.values:
        raise ConfigError("audit.values: names no value, so nothing is counted; leave it out to count those that occur")
    twice = next((value for value in audit.values or () if (audit.values or ()).count(value) > 1), None)
    if twice is not None:
        raise ConfigError(f"audit.values: {twice!r} stands there twice")
    parts = {f".{name}": part for name, part in audit.reference.items() if isinstance(part, Mapping)}
    if parts and not audit.by:
        raise ConfigError("audit.reference: has shares by class, but audit.by names no column; name it last there")
    of_all = {name: share for name, share in audit.reference.items() if not isinstance(share, Mapping)}
    for where, shares in {**parts, **({"": of_all} if of_all else {})}.items():
        counted, known = set(audit.values or ()), set(shares)
        if counted - known and known - counted and counted:  # a share too many where one is lacking is misspelt
            raise ConfigError(f"audit.reference{where}: {describe_unknown('value', min(known - counted), counted)}")
        total = fsum(shares.values())
        if abs(total - 1.0) > SUM_TOLERANCE:
            raise ConfigError(
                f"audit.reference{where}: the shares sum to {total:.6g}, not 1; give every value its share"
            )


def _check_words(audit: Audit, columns: Mapping[str, Column]) -> None:
    """Check the values against the words that the column can hold, where those are known."""
    words = columns[audit.attribute].words
    for where, named in (("values", audit.values or ()), ("reference", sorted(reference_values(audit)))):
        for value in named if words else ():
            if value not in words:
                raise ConfigError(f"audit.{where}: {describe_unknown('value', value, words)}")


def _check_category(audit: Audit, rows: Sequence[ScoredRows]) -> None:
    if audit.category is None:
        return
    known = {value for each in rows for value in each.values(CATEGORY).unique().to_pylist() if value is not None}
    if audit.category not in known:
        raise ConfigError(f"audit.category: {describe_unknown('category', audit.category, known)}")


def _check_classes(audit: Audit, rows: Sequence[ScoredRows]) -> None:
    """Check the classes of a reference where the data tell them; what only a score knows is checked with its words."""
    known: set[str] = set()
    for each in rows if audit.by else ():
        name = audit.by[-1]
        is_asked = name.rpartition(".")[2] == ATTRIBUTE_CLASS
        if not is_asked and name not in each.table.column_names:
            return
        found = asked_classes(each) if is_asked else each.values(name)
        if is_asked and found.null_count:
            return
        known |= {str(value) for value in found.unique().to_pylist()}
    check_classes(audit, known)


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
        sides = sides_of(
            [ScoredRows(label, choice.role, datasets[label]) for label, choice in labels.items()], compare.by
        )
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
    with reading(dataset.files[0]) as parquet:
        return [name for name in parquet.schema_arrow.names if name != "image"]


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
