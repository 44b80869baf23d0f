"""How different the images of one prompt are.

It is the mean squared distance of two of them, on the mean over prompts. In the space of the encoder ``lpips`` that is
the mean LPIPS of two pictures of a prompt, in that of ``dreamsim`` the mean DreamSim, OneIG-Bench's diversity. It says
how much a model varies, not whether it should, so neither way is better. A prompt with one image says nothing and is
left out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric, missing
from diptych.evaluate.metrics.kept_vectors import KeptVectors, Texts
from diptych.evaluate.statistics.intervals import interval, mean_variance

NAME = "prompt_diversity"
PERCEIVED = ("dreamsim", "lpips")  # the encoders in whose space the field has a name for it


class Spread(NamedTuple):
    """The mean squared distance of two images of each prompt, float64 (P,), its name, text (P,), and its images."""

    values: npt.NDArray[np.float64]
    prompts: Texts
    images: npt.NDArray[np.int64]


def spread_of(kept: KeptVectors) -> Spread:
    """Return how different the images of each prompt are that has several.

    The mean over pairs is twice the unbiased variance around their centre, so that no pair is formed.

    >>> spread_of(KeptVectors.of(np.array([[0.0, 0.0], [3.0, 4.0], [9.0, 9.0]]), ["a", "a", "b"])).values.tolist()
    [25.0]
    """
    names, unit, sizes = np.unique(kept.units, return_inverse=True, return_counts=True)
    rows = np.split(np.argsort(unit, kind="stable"), np.cumsum(sizes)[:-1])
    values = []
    for own in (own for own in rows if len(own) > 1):
        vectors = kept.matrix[own].astype(np.float64)
        values.append(2.0 * float(((vectors - vectors.mean(axis=0)) ** 2).sum()) / (len(own) - 1))
    several = sizes > 1
    return Spread(np.array(values, np.float64), names[several], sizes[several].astype(np.int64))


def results_of(statistics: KeptVectors, reference: None, identity: Mapping[str, Any]) -> Mapping[str, Result]:
    """Return the mean over prompts, with the error of a mean over prompts."""
    identity = {"metric": NAME, "version": 1, **identity}
    if not statistics.n or not len((found := spread_of(statistics)).values):
        return {NAME: missing("too_few_images", 0, identity, "needs two images of a prompt at least")}
    value, n = float(found.values.mean()), int(found.images.sum())
    variance, df = mean_variance(found.values, found.prompts)
    ends = interval(value, variance, df)
    note = f"over {len(found.values):,} prompts of {n:,} images" + ("" if np.isfinite(ends[0]) else "; no interval")
    se = variance**0.5 if np.isfinite(ends[0]) else float("nan")
    return {NAME: Result(value, se, *ends, n, identity, None, note)}


def influences_of(statistics: KeptVectors, reference: None) -> Mapping[str, Influence]:
    """Return what each prompt adds to the mean."""
    found = spread_of(statistics)
    nothing = np.array([], np.float64), np.array([], np.str_)
    return {NAME: Influence(found.values - found.values.mean(), found.prompts, *nothing)}


def names_in_space(encoder: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what it is called in the space of an encoder.

    >>> names_in_space({"encoder": "lpips"}), names_in_space({"encoder": "open_clip"})
    ({'prompt_diversity': 'lpips_diversity'}, {})
    """
    kind = encoder.get("encoder")
    return {NAME: f"{kind}_diversity"} if kind in PERCEIVED else {}


PROMPT_DIVERSITY = SetMetric(
    name=NAME,
    values=(ReportedValue(NAME, better=None, unit="squared distance", low=0.0),),
    statistics=KeptVectors.of,
    results=results_of,
    influences=influences_of,
    names=names_in_space,
    needs_reference=False,
)
