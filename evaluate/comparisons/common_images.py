"""Two groups of images by a set metric, over the images that both have.

A model that was asked at one setting more, or that lost some of its images, has another set of images and not only
other images. A distance of all of them would tell the two apart by what was asked, so two groups are compared over the
prompts, samples and settings of which both have a picture, and it is said how many images of each were left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from diptych.evaluate.comparisons.compared_images import Images, gather
from diptych.evaluate.comparisons.pairs import matched
from diptych.evaluate.inputs.scored_rows import Index, RowGroup
from diptych.evaluate.metrics.distances import MeasuredDataset, MeasuredGroup
from diptych.store.rows import LEFT_OUT_A, LEFT_OUT_B


class CommonGroups(NamedTuple):
    """Two groups over the images that both have; ``note`` says how that is not all of both, see ``HOW_COMPARED``."""

    groups: tuple[MeasuredGroup, MeasuredGroup]
    note: Mapping[str, Any]


@dataclass(frozen=True)
class CommonImages:
    """Finds what two groups of a dataset have in common; what several pairs share is measured once.

    Attributes:
        measures: The dataset.
        by: The column that is compared.
    """

    measures: MeasuredDataset
    by: str
    _measured: dict[tuple[int, bytes], MeasuredGroup] = field(default_factory=dict)

    def of(self, a: MeasuredGroup, b: MeasuredGroup) -> CommonGroups:
        """Return two groups over the images that both have; as they are where one has no picture at all."""
        known = [self.measures.known(each.group.rows) for each in (a, b)]
        if not all(map(len, known)):
            return CommonGroups((a, b), {})
        found = matched(*(self._images.take(each.group.rows) for each in (a, b)), by=self.by)
        units = [
            units[np.isin(each.group.rows, rows)]
            for each, units, rows in zip((a, b), (found.units_a, found.units_b), known, strict=True)
        ]
        kept = [rows[np.isin(own, other)] for rows, own, other in zip(known, units, reversed(units), strict=True)]
        left_out = {
            name: len(rows) - len(part)
            for name, rows, part in zip((LEFT_OUT_A, LEFT_OUT_B), known, kept, strict=True)
            if len(part) < len(rows)
        }
        parts = (self._part(a, known[0], kept[0]), self._part(b, known[1], kept[1]))
        return CommonGroups(parts, {**found.note, **left_out})

    def _part(self, each: MeasuredGroup, known: Index, kept: Index) -> MeasuredGroup:
        if len(kept) == len(known):
            return each
        key = id(each), kept.tobytes()
        if key not in self._measured:
            self._measured[key] = self.measures.measure(RowGroup(each.group.values, kept))
        return self._measured[key]

    @cached_property
    def _images(self) -> Images:
        judged = self.measures.judged
        return gather([judged], np.zeros(len(judged)), np.ones(len(judged), bool), self.by)
