"""Vendi score of a set of images. A set metric of one set: how many different ones it is worth, of four orders.

See ``vendi_score``. It cannot be more than the number of images and grows with it, so two sets compare at equal n, and
it has no interval: what a set of this size is worth is known exactly, and of the distribution it is a lower bound. How
much a model should vary it does not say, so neither way is better.
"""

from collections.abc import Mapping
from typing import Any

from diptych.evaluate.metrics.contract import ReportedValue, Result, SetMetric, bare, missing
from diptych.evaluate.metrics.kept_vectors import KeptVectors
from diptych.evaluate.metrics.vendi_score import ORDERS, has_direction, spectrum, vendi_score

NAME = "vendi"
VERSION = 1
NO_INTERVAL = "no interval: it grows with the number of images, compare at equal n"


def results_of(statistics: KeptVectors, reference: None, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return it by each order, see ``SetMetric.results``."""
    identity = {"metric": NAME, "version": VERSION, "kernel": "cosine", **identity}
    names = {order: f"{NAME}{ending}" for order, ending in ORDERS.items()}
    if not statistics.n:
        few = missing("too_few_images", 0, identity, "needs at least 1 image")
        return dict.fromkeys(names.values(), few)
    has_one = has_direction(statistics.matrix)
    lost = statistics.n - int(has_one.sum())
    if lost:
        note = f"{lost:,} images have a vector of zeros, which has no cosine with another"
        return dict.fromkeys(names.values(), missing("no_direction", statistics.n, identity, note))
    found = spectrum(statistics.matrix)
    return {
        name: bare(vendi_score(found, order), statistics.n, {**identity, "order": str(order)}, NO_INTERVAL)
        for order, name in names.items()
    }


VENDI = SetMetric(
    name=NAME,
    values=tuple(
        ReportedValue(f"{NAME}{ending}", better=None, unit="images", low=1.0 - 1e-9, size_bias="uncorrected")
        for ending in ORDERS.values()
    ),
    statistics=KeptVectors.of,
    results=results_of,
    needs_reference=False,
)
