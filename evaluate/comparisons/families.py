"""How many differences are looked at together: p-values are adjusted for that."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from diptych.evaluate.statistics.paired import holm
from diptych.store.rows import HOW_COMPARED
from diptych.store.store import DifferenceRow


def adjusted(rows: Sequence[DifferenceRow]) -> list[DifferenceRow]:
    """Return differences with their p-values adjusted for their number in their family, see ``holm``.

    A family is all comparisons of one metric that are cut by the same columns: those of all images, those by category,
    those by setting; also where they are of several datasets.
    """
    families: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        families[row.metric, frozenset(row.groups) - set(HOW_COMPARED)].append(place)
    known = np.array([np.nan if row.p_value is None else row.p_value for row in rows], np.float64)
    found = np.full(len(rows), np.nan)
    for places in families.values():
        found[places] = holm(known[places])
    return [replace(row, p_adjusted=float(p)) for row, p in zip(rows, found, strict=True)]
