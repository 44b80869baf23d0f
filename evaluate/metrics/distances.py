"""Set metrics of groups of images, in the space of an encoder, mostly as distances to a reference dataset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.scored_rows import RowGroup, ScoredRows
from diptych.evaluate.metrics.choices import DistanceChoice
from diptych.evaluate.metrics.contract import Result, SetMetric, set_metric
from diptych.store.store import ResultRow

DistanceKey = tuple[str, str, str | None]  # metric, encoder, reference


@dataclass(frozen=True)
class MeasuredGroup:
    """A set metric of one group of images, by the name of each value, and the statistics behind it."""

    group: RowGroup
    statistics: Any
    results: Mapping[str, Result]


@dataclass(frozen=True)
class DistanceReference:
    """What the groups of a dataset are measured against.

    Attributes:
        metric: What is computed.
        encoder: Label of the encoder.
        rows: The reference dataset; None for a metric that looks at one set.
        statistics: Of all of its images; None without one.
    """

    metric: SetMetric[Any]
    encoder: str
    rows: ScoredRows | None
    statistics: Any

    @classmethod
    def of(cls, choice: DistanceChoice, rows: Mapping[str, ScoredRows]) -> "DistanceReference":
        """Return the reference of an entry of the config."""
        metric = set_metric(choice.metric)
        if choice.reference is None:
            return cls(metric, choice.encoder, None, None)
        reference = rows[choice.reference]
        statistics = metric.statistics(reference.vectors(choice.encoder), reference.units)
        return cls(metric, choice.encoder, reference, statistics)

    def identity(self, judged: ScoredRows) -> dict[str, Any]:
        """Return what decides the numbers beside the images: the encoder, and the reference by its content."""
        encoder = dict(judged.embedding_sets[self.encoder].manifest["identity"])
        return {"encoder": encoder, **({"reference": self.rows.dataset.fingerprint} if self.rows else {})}

    def measure(self, judged: ScoredRows, by: Sequence[str]) -> Iterator[MeasuredGroup]:
        """Yield the metric of each group of a dataset."""
        vectors, identity = judged.vectors(self.encoder), self.identity(judged)
        for group in judged.groups(by):
            statistics = self.metric.statistics(vectors[group.rows], judged.units[group.rows])
            yield MeasuredGroup(group, statistics, self.metric.results(statistics, self.statistics, identity))


def key_of(choice: DistanceChoice) -> DistanceKey:
    """Return what an entry of the config shares its reference, and the names of its numbers, with."""
    return choice.metric, choice.encoder, choice.reference


def value_names(choices: Sequence[DistanceChoice]) -> dict[DistanceKey, dict[str, str]]:
    """Return for each key what each value of its metric is called: of two encoders or references, by their labels.

    >>> several = [DistanceChoice(metric="kernel_distance", encoder=one, reference="real") for one in ("clip", "dino")]
    >>> [list(names.values()) for names in value_names(several).values()]
    [['clip.kernel_distance'], ['dino.kernel_distance']]
    """
    keys = list(dict.fromkeys(map(key_of, choices)))
    names = {}
    for metric, encoder, reference in keys:
        rivals = [key for key in keys if key[0] == metric]
        parts = [encoder] if len({key[1] for key in rivals}) > 1 else []
        parts += [reference] if reference is not None and len({key[2] for key in rivals}) > 1 else []
        values = set_metric(metric).values
        names[metric, encoder, reference] = {value.name: ".".join([*parts, value.name]) for value in values}
    return names


def distance_rows(
    reference: DistanceReference, names: Mapping[str, str], judged: ScoredRows, each: MeasuredGroup, found: Findings
) -> Iterator[ResultRow]:
    """Yield the rows of a group, one for each value that the metric reports."""
    against = [f"reference of {reference.statistics.n:,} images"] if reference.rows is not None else []
    for value in reference.metric.values:
        result = each.results[value.name]
        yield ResultRow(
            found.run_id,
            names[value.name],
            judged.label,
            each.group.values,
            result.value,
            result.se,
            result.ci_low,
            result.ci_high,
            result.n,
            len(each.group.rows) - result.n,
            value.unit,
            value.better,
            found.identify(result.identity),
            result.reason,
            "; ".join([*([result.note] if result.note else []), *against]) or None,
            reference.metric.size_bias,
        )
