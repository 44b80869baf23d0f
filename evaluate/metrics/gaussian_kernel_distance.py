"""Gaussian kernel distance (CMMD). A set metric: a squared maximum mean discrepancy over all images.

k(x, y) = 1000 exp(-|x - y|^2 / (2 x 10^2)). Source: Jayasumana et al. 2024 (arXiv 2401.09603), section 4, whose vectors
are those of CLIP ViT-L/14 at 336 pixels, of length 1. The paper says that its estimate is unbiased; the program that
made its numbers takes all pairs, those of an image with itself too (Gretton et al. 2012, equation (5)), so that two
sets of 500 of one distribution are 0.02 apart, as far as published models are. So there are two numbers with two names:
the unbiased estimate with its interval, as for ``kernel_distance``, and the biased one as published, which falls as n
grows and has none.

Vectors of length 1 are at most 2 apart, where the kernel is nearly straight: the distance is 10 |m - m_r|^2 and little
else, and hardly sees what leaves the mean in place. At most it is 39.6 there.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from diptych.evaluate.metrics.contract import Influence, ReportedValue, Result, SetMetric
from diptych.evaluate.metrics.kernel import Floats
from diptych.evaluate.metrics.kernel_distance import KernelStatistics, biased, computed, estimate, unbiased

NAME, BIASED = "gaussian_kernel_distance", "biased_gaussian_kernel_distance"
FIELD_NAMES = {NAME: "cmmd", BIASED: "published_cmmd"}
VERSION = 1
WIDTH, SCALE = 10.0, 1000.0
KERNEL = f"{SCALE:g} exp(-|x - y|^2 / (2 {WIDTH:g}^2))"
ARCHITECTURE = "ViT-L-14-336"
NO_INTERVAL = "no interval: biased by size, compare at equal n"


def gaussian(x: Floats, y: Floats) -> Floats:
    """Return the kernel, float64 (N, M), of vectors (N, D) and (M, D).

    >>> gaussian(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])).round(4).tolist()
    [[1000.0, 990.0498]]
    """
    lengths = [np.einsum("nd,nd->n", each, each) / (2.0 * WIDTH**2) for each in (x, y)]
    values: Floats = (x / WIDTH**2) @ y.T
    values -= lengths[0][:, np.newaxis]
    values -= lengths[1]
    np.minimum(values, 0.0, out=values)
    np.exp(values, out=values)
    values *= SCALE
    return values


class GaussianStatistics(KernelStatistics):
    """The vectors of a set of images; sums of the kernel within the set are computed once."""

    def kernel(self, x: Floats, y: Floats) -> Floats:
        """See ``KernelStatistics.kernel``."""
        return gaussian(x, y)


def results_of(
    statistics: GaussianStatistics, reference: GaussianStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the unbiased distance with its error, and the one that is published, see ``SetMetric.results``."""
    own = {**_identity(identity), "pairs": "of different units"}
    return {NAME: computed(unbiased, statistics, reference, own), **of_dependent(statistics, reference, identity)}


def of_dependent(
    statistics: GaussianStatistics, reference: GaussianStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return the biased distance, which takes no side for independent, see ``SetMetric.of_dependent``."""
    found = computed(biased, statistics, reference, {**_identity(identity), "pairs": "all, biased"})
    return {BIASED: found if found.reason is not None else replace(found, note=NO_INTERVAL)}


def influences_of(statistics: GaussianStatistics, reference: GaussianStatistics) -> dict[str, Influence]:
    """Return what each image adds to the unbiased distance, see ``SetMetric.influences``."""
    found = estimate(statistics, reference)
    return {NAME: Influence(found.left, statistics.units, found.right, reference.units)}


def names_in_space(encoder: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what both are called over the CLIP that CMMD is defined by; nothing over any other encoder.

    >>> names_in_space({"encoder": "open_clip", "architecture": "ViT-L-14-336", "quick_gelu": True})[NAME]
    'cmmd'
    """
    architecture = str(encoder.get("architecture")).removesuffix("-quickgelu")
    is_cmmd = architecture == ARCHITECTURE and encoder.get("quick_gelu") is True  # as OpenAI's weights need it
    return FIELD_NAMES if encoder.get("encoder") == "open_clip" and is_cmmd else {}


GAUSSIAN_KERNEL_DISTANCE = SetMetric(
    name=NAME,
    values=(
        ReportedValue(NAME, better="lower", true_low=0.0),
        ReportedValue(BIASED, better="lower", low=0.0, size_bias="uncorrected"),
    ),
    statistics=GaussianStatistics.of,
    results=results_of,
    of_dependent=of_dependent,
    influences=influences_of,
    names=names_in_space,
)


def _identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {"metric": NAME, "version": VERSION, "kernel": KERNEL, **identity}
