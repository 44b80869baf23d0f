"""Checks what a config names before any work is done, so that a misspelt value costs no hour of scoring."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from math import fsum

from diptych.data.generated_columns import ATTRIBUTE_CLASS, CATEGORY, PROMPT_ID
from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.evaluate.audits.attribute import asked_classes, check_classes, reference_values
from diptych.evaluate.audits.choices import Audit
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.comparisons.compared_images import can_be_paired, sides_of
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.inputs.memberships import distinct, members
from diptych.evaluate.inputs.saved_references import SavedReferences
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.metrics.choices import DistanceChoice
from diptych.evaluate.metrics.contract import set_metric
from diptych.evaluate.metrics.side_statistics import different
from diptych.evaluate.names import WORDS, Tables
from diptych.evaluate.score_columns import Columns
from diptych.lookup import describe_unknown

SUM_TOLERANCE = 1e-6  # of the shares of a reference


def check_names(config: EvaluateConfig, tables: Tables, columns: Columns) -> None:
    """Check that the columns of a config are of the right kind, and that the values that it names are there.

    Args:
        config: With its columns' full names.
        tables: The datasets by label.
        columns: Those of its scores by name, as far as they are known.

    Raises:
        ConfigError: If one is not; the message says where it is named and what there is.
    """
    for number, distance in enumerate(config.distances):
        _check_reference(f"distances.{number}.reference", distance)
    for number, mean in enumerate(config.means):
        if mean.score in columns and columns[mean.score].dtype in WORDS:
            raise ConfigError(f"means.{number}.score: {mean.score!r} holds words, which have no mean; see audit")
    _check_agreements(config)
    if config.audit is not None:
        _check_audit(config, config.audit, tables, columns)
    if config.compare is not None:
        _check_compare(config, config.compare, tables)


def _check_agreements(config: EvaluateConfig) -> None:
    known = {label: f"scores.{label}" for label in config.every_score}
    for number, agreement in enumerate(config.agreements):
        where = f"agreements.{number}"
        if agreement.label in known:
            other = known[agreement.label]
            raise ConfigError(f"{where}: its numbers would stand under {agreement.label!r}, as those of {other} do")
        known[agreement.label] = where


def _check_reference(where: str, distance: DistanceChoice) -> None:
    is_needed, is_named = set_metric(distance.metric).needs_reference, distance.reference is not None
    if is_needed and not is_named:
        raise ConfigError(f"{where}: {distance.metric} compares with a reference; name the dataset")
    if is_named and not is_needed:
        raise ConfigError(f"{where}: {distance.metric} looks at one set of images alone; leave the reference out")
    if distance.paired and not is_named:
        raise ConfigError(f"{where}: paired images are versions of those of a reference; name it, or leave paired out")


def check_references(config: EvaluateConfig, saved: SavedReferences, encoders: Mapping[str, Encoder]) -> None:
    """Check that files of statistics are of the encoders that are asked for, and hold what their metrics need.

    Raises:
        ConfigError: If one does not fit; says which distance names it.
    """
    for number, choice in enumerate(config.distances):
        side, where = saved.get((choice.reference or "", choice.encoder)), f"distances.{number}.reference"
        if side is None:
            continue
        identity = encoders[choice.encoder].identity
        if side.encoder is not None and (what := different(side.encoder, json.loads(json.dumps(identity)))):
            raise ConfigError(f"{where}: {side.path} was made by another encoder: {what}; save it by {choice.encoder}")
        if side.images is None and set_metric(choice.metric).from_moments is None:
            raise ConfigError(
                f"{where}: {side.path} holds mean and covariance alone; {choice.metric} needs a file with vectors"
            )


def _check_audit(config: EvaluateConfig, audit: Audit, tables: Tables, columns: Columns) -> None:
    if audit.attribute in columns and columns[audit.attribute].dtype != "string":
        raise ConfigError(f"audit.attribute: {audit.attribute!r} holds numbers; an audit counts words, see means")
    rows = [ScoredRows(label, choice.role, tables[label]) for label, choice in config.judged(audit.datasets).items()]
    for each in rows:
        if audit.category is not None and not each.has(CATEGORY):
            raise ConfigError(f"audit.category: the dataset {each.label!r} has no column 'category'")
    _check_shares(audit)
    _check_category(audit, rows)
    _check_classes(audit, rows)
    _check_words(audit, columns)


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


def _check_words(audit: Audit, columns: Columns) -> None:
    """Check the values against the words that the column can hold, where those are known."""
    words = columns[audit.attribute].words if audit.attribute in columns else ()
    for where, named in (("values", audit.values or ()), ("reference", sorted(reference_values(audit)))):
        for value in named if words else ():
            if value not in words:
                raise ConfigError(f"audit.{where}: {describe_unknown('value', value, words)}")


def _check_category(audit: Audit, rows: Sequence[ScoredRows]) -> None:
    if audit.category is None:
        return
    known = {value for each in rows for value in distinct(each.values(CATEGORY))}
    if audit.category not in known:
        raise ConfigError(f"audit.category: {describe_unknown('category', audit.category, known)}")


def _check_classes(audit: Audit, rows: Sequence[ScoredRows]) -> None:
    """Check the classes of a reference where the data tell them; what only a score knows is checked with its words."""
    known: set[str] = set()
    for each in rows if audit.by else ():
        name = audit.by[-1]
        is_asked = name.rpartition(".")[2] == ATTRIBUTE_CLASS
        if not is_asked and not each.has(name):
            return
        found = asked_classes(each) if is_asked else each.values(name)
        if is_asked and found.null_count:
            return
        known |= {str(value) for value in members(found).values.unique().to_pylist()}
    check_classes(audit, known)


def _check_compare(config: EvaluateConfig, compare: Compare, tables: Tables) -> None:
    means = {f"means.{number}": mean.datasets for number, mean in enumerate(config.means)}
    protocols = {f"protocols.{number}": choice.datasets for number, choice in enumerate(config.protocols)}
    for where, datasets in {**means, **protocols}.items():
        rows = [ScoredRows(label, choice.role, tables[label]) for label, choice in config.judged(datasets).items()]
        for each, name in product(rows, (compare.by, PROMPT_ID)):
            if not each.has(name):
                raise ConfigError(
                    f"compare: the dataset {each.label!r} of {where} has no column {name!r}, so that nothing in "
                    f"it can be paired; name other datasets there"
                )
        _check_sides(compare, rows)
    if compare.encoders:
        judged = [ScoredRows(label, choice.role, tables[label]) for label, choice in config.judged().items()]
        rows = [each for each in judged if can_be_paired(each, compare.by)]
        if not rows:
            raise ConfigError(
                f"compare.encoders: no dataset has both {compare.by!r} and {PROMPT_ID!r}, so that nothing makes a pair"
            )
        _check_sides(compare, rows)


def _check_sides(compare: Compare, rows: Sequence[ScoredRows]) -> None:
    sides = sides_of(rows, compare.by)
    if compare.baseline is not None and compare.baseline not in sides:
        raise ConfigError(f"compare.baseline: {describe_unknown(compare.by, compare.baseline, sides)}")
    if len(sides) < 2:
        raise ConfigError(f"compare: {compare.by} has one value only ({', '.join(sides)}): nothing to compare")
