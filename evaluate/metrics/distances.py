"""Set metrics of groups of images, in the space of an encoder, mostly as distances to a reference dataset."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.distance_side import DistanceSide
from diptych.evaluate.inputs.saved_references import SavedReferences
from diptych.evaluate.inputs.scored_rows import Index, RowGroup, ScoredRows
from diptych.evaluate.inputs.set_images import SetImages, set_images_of, told_apart_from
from diptych.evaluate.metrics.choices import DistanceChoice
from diptych.evaluate.metrics.contract import Result, SetMetric, set_metric
from diptych.evaluate.metrics.dependent_sets import results_between
from diptych.evaluate.metrics.overlap import DECLARED, Overlap, overlap
from diptych.evaluate.metrics.side_statistics import encoder_of_both, saying_of_unknown, side_statistics
from diptych.progress.wording import quantity
from diptych.store.store import ResultRow

DistanceKey = tuple[str, str, str | None]  # metric, encoder, reference


@dataclass(frozen=True, eq=False)
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
        side: The reference by its vectors or moments; None for a metric that looks at one set.
        statistics: Of it.
        rows: The dataset that it is; None where it is a file.
    """

    metric: SetMetric[Any]
    encoder: str
    side: DistanceSide | None
    statistics: Any
    rows: ScoredRows | None = None

    @classmethod
    def of(cls, choice: DistanceChoice, rows: Mapping[str, ScoredRows], saved: SavedReferences) -> "DistanceReference":
        """Return the reference of an entry of the config: a dataset, or a file of statistics.

        Raises:
            DataError: If the file has moments alone, and the metric needs vectors.
        """
        metric = set_metric(choice.metric)
        if choice.reference is None:
            return cls(metric, choice.encoder, None, None)
        of_file = saved.get((choice.reference, choice.encoder))
        dataset = rows[choice.reference] if of_file is None else None
        if dataset is not None:
            side = _side_of(dataset, choice.encoder)
        else:
            assert of_file is not None
            side = _apart_from(rows.values(), choice.encoder, of_file)
        return cls(metric, choice.encoder, side, side_statistics(metric, side), dataset)

    @property
    def images(self) -> SetImages | None:
        """All of its images; None where there are none, or nobody knows them."""
        return None if self.side is None else self.side.images

    def keys(self, places: Index) -> list[str]:
        """Return the keys of some images of the reference, by their places among those with a vector."""
        assert self.images is not None
        if self.rows is None:
            return [str(key) for key in self.images.known.keys[places]]
        known = np.flatnonzero(np.isfinite(self.images.vectors).all(axis=1))
        keys: list[str] = self.rows.values("key").take(pa.array(known[places])).to_pylist()
        return keys

    def identity(self, judged: ScoredRows) -> dict[str, Any]:
        """Return what decides the numbers beside the images: the encoder, and the reference by its content."""
        encoder = encoder_identity(judged, self.encoder)
        if self.side is None:
            return {"encoder": encoder}
        return {"encoder": encoder_of_both(encoder, self.side.encoder), "reference": self.side.content}

    def told(self, results: Mapping[str, Result]) -> dict[str, Result]:
        """Return results that say where nobody knows the encoder of the reference."""
        return {
            name: result if self.side is None else saying_of_unknown(result, self.side)
            for name, result in results.items()
        }


def _apart_from(rows: Iterable[ScoredRows], encoder: str, side: DistanceSide) -> DistanceSide:
    """Return a side whose prompts are other units where a dataset has another text under their ids."""
    images = side.images
    for each in rows:
        if images is not None and encoder in each.embedding_sets:
            images = told_apart_from(set_images_of(each, encoder), images)
    return replace(side, images=images)


def _side_of(rows: ScoredRows, encoder: str) -> DistanceSide:
    content, identity = rows.dataset.fingerprint, encoder_identity(rows, encoder)
    return DistanceSide(Path(rows.label), content, identity, set_images_of(rows, encoder))


@dataclass(frozen=True)
class MeasuredDataset:
    """A dataset whose groups are measured against a reference.

    Attributes:
        reference: What they are measured against.
        judged: The dataset.
        is_paired: Whether it is declared that its images are versions of those of the reference.
        files_differ: In what its files differ from those of the reference throughout, in words.
    """

    reference: DistanceReference
    judged: ScoredRows
    is_paired: bool
    files_differ: Sequence[str] = ()

    def groups(self, by: Sequence[str]) -> Iterator[MeasuredGroup]:
        """Yield the metric of each group."""
        for group in self.judged.groups(by):
            yield self.measure(group)

    def measure(self, group: RowGroup) -> MeasuredGroup:
        """Return the metric of some rows."""
        metric, rows = self.reference.metric, group.rows
        statistics = metric.statistics(self._images.vectors[rows], self._images.units[rows])
        results = results_between(metric, statistics, self.reference.statistics, self.identity, self._shared(rows))
        return MeasuredGroup(group, statistics, self.reference.told(results))

    def drawn(self, each: MeasuredGroup, n: int) -> MeasuredGroup:
        """Return the metric of so many of a group's images, those whose keys have the lowest hashes."""
        known = self.known(each.group.rows)
        keys = self.judged.values("key").take(pa.array(known)).to_pylist()
        lots = [hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest() for key in keys]
        order = sorted(range(len(known)), key=lots.__getitem__)[:n]
        return self.measure(RowGroup(each.group.values, np.sort(known[order])))

    def known(self, rows: Index) -> Index:
        """Return those of some rows that have a vector."""
        return rows[np.isfinite(self._images.vectors[rows]).all(axis=1)]

    def _shared(self, rows: Index) -> Overlap | None:
        if self.reference.images is None:
            return None
        if self.is_paired:
            return Overlap(len(rows), len(rows), DECLARED)
        return overlap(self._images.take(rows), self.reference.images)

    @cached_property
    def _images(self) -> SetImages:
        return set_images_of(self.judged, self.reference.encoder)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What decides the numbers beside the images, see ``DistanceReference.identity``."""
        return self.reference.identity(self.judged)


def encoder_identity(rows: ScoredRows, encoder: str) -> dict[str, Any]:
    """Return the identity of an encoder by its label, as its vectors of a dataset have it."""
    return dict(rows.embedding_sets[encoder].manifest["identity"])


def key_of(choice: DistanceChoice) -> DistanceKey:
    """Return what an entry of the config shares its reference, and the names of its numbers, with."""
    return choice.metric, choice.encoder, choice.reference


def value_names(
    choices: Sequence[DistanceChoice], encoders: Mapping[str, Mapping[str, Any]]
) -> dict[DistanceKey, dict[str, str]]:
    """Return for each key what each value of its metric is called: of two encoders or references, by their labels.

    Args:
        choices: Of the config.
        encoders: The identity of each encoder by its label.

    >>> several = [DistanceChoice(metric="kernel_distance", encoder=one, reference="real") for one in ("clip", "dino")]
    >>> [next(iter(names.values())) for names in value_names(several, {}).values()]
    ['clip.kernel_distance', 'dino.kernel_distance']
    """
    keys = list(dict.fromkeys(map(key_of, choices)))
    names = {}
    for metric, encoder, reference in keys:
        rivals = [key for key in keys if key[0] == metric]
        parts = [encoder] if len({key[1] for key in rivals}) > 1 else []
        parts += [reference] if reference is not None and len({key[2] for key in rivals}) > 1 else []
        own = set_metric(metric).names_in(encoders.get(encoder))
        names[metric, encoder, reference] = {value: ".".join([*parts, name]) for value, name in own.items()}
    return names


def distance_rows(
    measures: MeasuredDataset, names: Mapping[str, str], each: MeasuredGroup, found: Findings
) -> Iterator[ResultRow]:
    """Yield the rows of a group, one for each value that the metric has of it."""
    reference, judged = measures.reference, measures.judged
    against = [f"reference of {quantity(reference.statistics.n, 'image')}"] if reference.side is not None else []
    against += [f"the files differ: {said}" for said in measures.files_differ]
    for value in reference.metric.values:
        if value.name not in each.results:
            continue
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
            value.size_bias,
            caution=result.caution or None,
        )
