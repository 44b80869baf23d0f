"""Vendi score of the images of a prompt. A set metric of one set: how many different ones they are worth.

See ``vendi_score``, with the same orders as ``vendi``. It depends on how many images a prompt has, which its identity
says; a prompt with one image says nothing and is left out. It says how much a model varies, not whether it should.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric, missing
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts
from diptych.evaluate.metrics.vendi_score import ORDERS, has_direction, spectrum, vendi_score
from diptych.evaluate.statistics.intervals import interval, mean_variance

NAME = "prompt_vendi"
VERSION = 1


class PromptScores(NamedTuple):
    """The score of each prompt by each order, float64 (P, orders), its name, text (P,), and its images, int64 (P,)."""

    scores: npt.NDArray[np.float64]
    prompts: Texts
    images: npt.NDArray[np.int64]

    @property
    def of_each(self) -> str:
        """How many images a prompt has, in words."""
        low, high = int(self.images.min()), int(self.images.max())
        return str(low) if low == high else f"{low} to {high}"


def scores_of(kept: KeptVectors) -> PromptScores:
    """Return the score of each prompt that has several images, none of them a vector of zeros.

    >>> two = scores_of(KeptVectors.of(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]), ["a", "a", "b"]))
    >>> two.scores.round(6).tolist(), two.prompts.tolist()
    ([[2.0, 2.0, 2.0, 2.0]], ['a'])
    """
    names, unit, sizes = np.unique(kept.units, return_inverse=True, return_counts=True)
    rows = np.split(np.argsort(unit, kind="stable"), np.cumsum(sizes)[:-1])
    several = [place for place, own in enumerate(rows) if len(own) > 1 and has_direction(kept.matrix[own]).all()]
    spectra = [spectrum(kept.matrix[rows[place]]) for place in several]
    scores = [[vendi_score(found, order) for order in ORDERS] for found in spectra]
    return PromptScores(np.array(scores, np.float64).reshape(-1, len(ORDERS)), names[several], sizes[several])


def results_of(statistics: KeptVectors, reference: None, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return the mean over prompts by each order, with the error of a mean over prompts."""
    identity = {"metric": NAME, "version": VERSION, "kernel": "cosine", **identity}
    names = [f"{NAME}{ending}" for ending in ORDERS.values()]
    if not statistics.n or not len((found := scores_of(statistics)).prompts):
        few = missing("too_few_images", 0, identity, "needs two images of a prompt at least")
        return dict.fromkeys(names, few)
    n, identity = int(found.images.sum()), {**identity, "images_per_prompt": found.of_each}
    results = {}
    for place, (name, order) in enumerate(zip(names, ORDERS, strict=True)):
        scores = found.scores[:, place]
        variance, df = mean_variance(scores, found.prompts)
        ends = interval(float(scores.mean()), variance, df)
        known = bool(np.isfinite(ends.low))
        note = f"over {len(scores):,} prompts of {found.of_each} images" + ("" if known else "; no interval")
        se = variance**0.5 if known else float("nan")
        own = {**identity, "order": str(order)}
        results[name] = Result(float(scores.mean()), se, *ends, n, own, None, note)
    return results


def influences_of(statistics: KeptVectors, reference: None) -> dict[str, Influence]:
    """Return what each prompt adds to the means."""
    found = scores_of(statistics)
    nothing = np.array([], np.float64), np.array([], np.str_)
    return {
        f"{NAME}{ending}": Influence(scores - scores.mean(), found.prompts, *nothing)
        for ending, scores in zip(ORDERS.values(), found.scores.T, strict=True)
    }


PROMPT_VENDI = SetMetric(
    name=NAME,
    values=tuple(ReportedValue(f"{NAME}{ending}", better=None, unit="images") for ending in ORDERS.values()),
    statistics=KeptVectors.of,
    results=results_of,
    influences=influences_of,
    needs_reference=False,
)
