"""What a run computes, step by step: from its config and its rows to what the store gets.

The steps say which numbers are asked for; how one is made stands in ``metrics``, ``audits`` and ``comparisons``.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from diptych.evaluate.agreements.rows import agreement_rows
from diptych.evaluate.audits.attribute import audit_rows
from diptych.evaluate.collected import Findings
from diptych.evaluate.comparisons.common_images import CommonImages
from diptych.evaluate.comparisons.compared_images import can_be_paired
from diptych.evaluate.comparisons.distances import DistanceFamily, distance_differences
from diptych.evaluate.comparisons.families import adjusted
from diptych.evaluate.comparisons.means import mean_differences
from diptych.evaluate.comparisons.noise_floors import noise_floor_rows
from diptych.evaluate.comparisons.pair_distances import pair_distance_names, pair_distance_rows
from diptych.evaluate.comparisons.pools import pool_differences
from diptych.evaluate.comparisons.spreads import spread_rows
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.inputs.compared_files import ComparedFiles
from diptych.evaluate.inputs.saved_references import SavedReferences
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.metrics.choices import DistanceChoice
from diptych.evaluate.metrics.corrected_shares import corrected_rows
from diptych.evaluate.metrics.distances import (
    DistanceKey,
    DistanceReference,
    MeasuredDataset,
    distance_rows,
    encoder_identity,
    key_of,
    value_names,
)
from diptych.evaluate.metrics.image_numbers import image_columns
from diptych.evaluate.metrics.means import AskedMean, mean_rows
from diptych.evaluate.protocols.agreement import agreement_note
from diptych.evaluate.protocols.means import CountedRule, counted_rules, own_means
from diptych.evaluate.protocols.rows import protocol_rows, rule_mean_rows
from diptych.evaluate.statistics.judge_errors import JudgeCheck
from diptych.progress import track

Rows = Mapping[str, ScoredRows]
NO_FILES: SavedReferences = MappingProxyType({})


def add_means(config: EvaluateConfig, rows: Rows, found: Findings) -> None:
    """Add the means that the config asks for, per dataset and group."""
    own = own_means(config.protocols)
    for mean in config.means:
        rule, asked = own.get(mean.score, (None, AskedMean(mean.score)))
        asked = replace(asked, by=mean.by)
        for label in config.judged(mean.datasets):
            if rule is None:
                found.add_results(mean_rows(rows[label], asked, found))
            else:
                found.add_results(rule_mean_rows(rule, asked, rows[label], found))
            if mean.judge_check is not None:
                check = JudgeCheck(*mean.judge_check.right, *mean.judge_check.wrong)
                found.add_results(corrected_rows(rows[label], asked, check, found))


def add_protocols(config: EvaluateConfig, rows: Rows, found: Findings) -> None:
    """Add the numbers of the protocols that the config asks for, per dataset, group and category."""
    for rule in counted_rules(config.protocols):
        for label in config.judged(rule.datasets):
            found.add_results(protocol_rows(rule, rows[label], found, _told(config, rule)))


def _told(config: EvaluateConfig, rule: CountedRule) -> str:
    """Return what there is to say of the judge of a rule."""
    return agreement_note(rule.protocol, config.judges[rule.judge].options) if rule.judge else ""


def add_spreads(config: EvaluateConfig, rows: Rows, found: Findings) -> None:
    """Add how much of the spread of each mean lies between prompts, where prompts have several images."""
    own = own_means(config.protocols)
    asked = [(own.get(mean.score, (None, AskedMean(mean.score)))[1], mean.datasets) for mean in config.means]
    asked += [(rule.mean, rule.datasets) for rule in counted_rules(config.protocols) if rule.mean is not None]
    for mean, datasets in asked:
        for label in config.judged(datasets):
            found.add_spreads(spread_rows(rows[label], mean, found))


def add_agreements(config: EvaluateConfig, rows: Rows, found: Findings) -> None:
    """Add how far judges agree, as the config asks for it, per dataset and over all, by category and group.

    Raises:
        ConfigError: If what one says cannot be held against the other.
    """
    means = {name: mean for name, (_, mean) in own_means(config.protocols).items()}
    for agreement in config.agreements:
        judged = [rows[label] for label in config.judged(agreement.datasets)]
        found.add_results(agreement_rows(agreement, judged, means, found))


def add_distances(
    config: EvaluateConfig, rows: Rows, found: Findings, saved: SavedReferences = NO_FILES, *, progress: str = "none"
) -> None:
    """Add the set metrics that the config asks for, per dataset and group, and where it compares their differences."""
    encoders = {label: encoder_identity(each, label) for each in rows.values() for label in each.embedding_sets}
    names = value_names(config.distances, encoders)
    asked = ((choice, label) for choice in config.distances for label in config.measured(choice))
    work = {(key_of(choice), frozenset(choice.by), label): (choice, label) for choice, label in asked}.values()
    references: dict[DistanceKey, DistanceReference] = {}
    by_image: set[tuple[DistanceKey, str]] = set()
    files = ComparedFiles(rows)
    with track("distances", sum(len(rows[label]) for _, label in work), mode=progress) as tracker:
        for choice, label in work:
            key, judged = key_of(choice), rows[label]
            if key not in references:
                references[key] = DistanceReference.of(choice, rows, saved)
            reference, measured = references[key], []
            differ = files.differences(label, choice.reference, reference.side)
            measures = MeasuredDataset(reference, judged, choice.paired, differ)
            for each in measures.groups(choice.by):
                found.add_results(distance_rows(measures, names[key], each, found))
                if config.noise_floor:
                    found.add_results(noise_floor_rows(measures, names[key], each, found))
                measured.append(each)
                tracker.advance(len(each.group.rows))
            if (key, label) not in by_image:
                by_image.add((key, label))
                found.image_columns += image_columns(measures, measured, _prefix(choice, config))
            if config.compare is not None:
                common = CommonImages(measures, config.compare.by)
                family = DistanceFamily(
                    reference.metric, names[key], label, reference.statistics, measured, common.of, measures.drawn
                )
                found.add_differences(distance_differences(family, config.compare, found))


def _prefix(choice: DistanceChoice, config: EvaluateConfig) -> list[str]:
    """Return the labels before a column of the images: of the encoder and, of several references, of that."""
    references = {other.reference for other in config.distances if other.encoder == choice.encoder}
    return [choice.encoder, *(choice.references if len(references - {None}) > 1 else ())]


def add_pair_distances(config: EvaluateConfig, rows: Rows, found: Findings) -> None:
    """Add how far apart the two pictures of each pair are, by the encoders that the config names for it."""
    if config.compare is None or not config.compare.encoders:
        return
    judged = [rows[label] for label in config.judged() if can_be_paired(rows[label], config.compare.by)]
    encoders = {label: encoder_identity(judged[0], label) for label in config.compare.encoders}
    for encoder, name in pair_distance_names(encoders).items():
        found.add_results(pair_distance_rows(judged, encoder, name, config.compare, found))


def add_differences(config: EvaluateConfig, rows: Rows, found: Findings) -> None:
    """Add the paired differences of every mean of the config, and adjust all differences for their number."""
    if config.compare is None:
        return
    rules, own = list(counted_rules(config.protocols)), own_means(config.protocols)
    named = [(own.get(mean.score, (None, AskedMean(mean.score))), mean.datasets) for mean in config.means]
    asked = [((rule, rule.mean), rule.datasets) for rule in rules if rule.mean is not None]
    wanted = {(mean.score, datasets): (rule, mean) for (rule, mean), datasets in [*named, *asked]}
    for (_, datasets), (owner, mean) in wanted.items():
        judged = [rows[label] for label in config.judged(datasets)]
        about = (None, "") if owner is None else (owner.protocol, _told(config, owner))
        found.add_differences(mean_differences(judged, mean, config.compare, found, *about))
    for rule in rules:
        judged = [rows[label] for label in config.judged(rule.datasets)]
        found.add_differences(pool_differences(judged, rule, config.compare, found, _told(config, rule)))
    found.differences = adjusted(found.differences, config.compare.margins)


def add_audit(config: EvaluateConfig, rows: Rows, found: Findings) -> None:
    """Add the shares of the audit that the config asks for, per dataset and group.

    Raises:
        ConfigError: If its reference names a class that is nowhere, or a value that is misspelt.
    """
    if config.audit is not None:
        judged = [rows[label] for label in config.judged(config.audit.datasets)]
        found.audits += audit_rows(config.audit, judged, found)
