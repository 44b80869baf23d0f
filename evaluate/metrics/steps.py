"""Distances of groups of images to a reference dataset, in the space of an encoder."""

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.evaluate.collected import Findings
from diptych.evaluate.comparisons.distances import INFLUENCES, DistanceFamily, MeasuredDistance, distance_differences
from diptych.evaluate.config import DistanceChoice, EvaluateConfig
from diptych.evaluate.inputs.scored_rows import RowGroup, ScoredRows
from diptych.evaluate.metrics.contract import Result, SetMetric, set_metric
from diptych.progress import track
from diptych.store.store import ResultRow

Key = tuple[str, str, str]  # metric, encoder, reference


def add_distances(
    config: EvaluateConfig, rows: Mapping[str, ScoredRows], found: Findings, *, progress: str = "none"
) -> None:
    """Add the distances that the config asks for, per dataset and group."""
    names = distance_names(config.distances)
    work = [(each, label) for each in config.distances for label in distance_datasets(config, each)]
    references: dict[Key, Any] = {}
    with track("distances", sum(len(rows[label]) for _, label in work), mode=progress) as tracker:
        for distance, label in work:
            key, judged, reference = _key(distance), rows[label], rows[distance.reference]
            metric = set_metric(distance.metric)
            vectors = judged.vectors(distance.encoder)
            if key not in references:
                everything = reference.vectors(distance.encoder)
                references[key] = metric.statistics(everything, reference.units)
            measured = []
            for group in judged.groups(distance.by):
                statistics = metric.statistics(vectors[group.rows], judged.units[group.rows])
                result = metric.result(statistics, references[key], _identity(distance, judged, reference))
                row = _as_row(result, metric, names[key], judged, group, found)
                found.results.append(row)
                measured.append(MeasuredDistance(group.values, statistics, result, row.identity_id))
                tracker.advance(len(group.rows))
            if config.compare is not None and metric.name in INFLUENCES:
                family = DistanceFamily(found.run_id, metric.name, names[key], label, metric.better)
                found.differences += distance_differences(family, measured, references[key], config.compare)


def distance_datasets(config: EvaluateConfig, distance: DistanceChoice) -> list[str]:
    """Return the labels of the datasets whose distance to the reference is wanted."""
    return [label for label in config.judged(distance.datasets) if label != distance.reference]


def distance_names(distances: Sequence[DistanceChoice]) -> dict[Key, str]:
    """Return (metric, encoder, reference) -> name: distances that differ in encoder or reference never share one.

    >>> several = [DistanceChoice(metric="kernel_distance", encoder=one, reference="real") for one in ("clip", "dino")]
    >>> list(distance_names(several).values())
    ['clip.kernel_distance', 'dino.kernel_distance']
    """
    keys = list(dict.fromkeys(map(_key, distances)))
    names = {}
    for metric, encoder, reference in keys:
        rivals = [key for key in keys if key[0] == metric]
        parts = [encoder] if len({key[1] for key in rivals}) > 1 else []
        parts += [reference] if len({key[2] for key in rivals}) > 1 else []
        names[metric, encoder, reference] = ".".join([*parts, metric])
    return names


def _key(distance: DistanceChoice) -> Key:
    return distance.metric, distance.encoder, distance.reference


def _identity(distance: DistanceChoice, judged: ScoredRows, reference: ScoredRows) -> dict[str, Any]:
    """Return what decides the number beside the images: the encoder, and the reference by its content."""
    encoder = dict(judged.embedding_sets[distance.encoder].manifest["identity"])
    return {"encoder": encoder, "reference": reference.dataset.fingerprint}


def _as_row(
    result: Result, metric: SetMetric, name: str, judged: ScoredRows, group: RowGroup, found: Findings
) -> ResultRow:
    size = result.details.get("n_reference")
    against = [f"reference of {int(size):,} images"] if size else []
    return ResultRow(
        found.run_id,
        name,
        judged.label,
        group.values,
        result.value,
        result.se,
        result.ci_low,
        result.ci_high,
        result.n,
        len(group.rows) - result.n,
        metric.unit,
        metric.better,
        found.identify(result.identity),
        result.reason,
        "; ".join([*([result.note] if result.note else []), *against]) or None,
    )
