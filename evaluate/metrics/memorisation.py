"""Copies of a training set (AuthPct, MiFID). A set metric, and the nearest image of the reference of each.

``authpct`` is the percentage of authentic images: those that are farther from the nearest image of the reference than
that is from its own nearest other one. Source: Alaa et al. 2022 (arXiv 2102.08921), section 4.3, as dgm-eval computes
it (an equal distance is not authentic). Its interval is that of a share of images, by prompts, against the reference as
it is.

``memorisation_informed_distance`` is MiFID (Bai et al. 2021, arXiv 2106.03062): the Fréchet distance over the mean
distance 1 - |cos| of each image from its nearest in the reference, where that mean is below 0.1, else over 1.
torchmetrics 1.9 takes the mean over the reference of the distance from the nearest image: the two sides exchanged,
which a model that copies one picture passes.

Both say nothing where the reference is not what the model was trained on.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.evaluate.metrics.contract import (
    ImageNumbers,
    Influence,
    ReportedValue,
    Result,
    SetMetric,
    bare,
    missing,
)
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_names import fid_name
from diptych.evaluate.metrics.kept_vectors import KeptVectors, refused
from diptych.evaluate.metrics.near_pairs import TIE, squared_lengths
from diptych.evaluate.metrics.nearest_other import NearestOther, nearest
from diptych.evaluate.statistics.intervals import mean_variance, share_interval
from diptych.evaluate.statistics.moments import Moments, moments

NAME = "memorisation"
AUTHENTIC, INFORMED = "authpct", "memorisation_informed_distance"
NEAREST = "nearest_reference"
VERSION = 1
MIN_IMAGES = 2
MIN_UNITS = 5
EPSILON = 0.1  # of the mean cosine distance, see the paper's section 3.2


class MemorisationStatistics(KeptVectors):
    """The vectors of a set of images; their moments are computed once."""

    @cached_property
    def moments(self) -> Moments:
        """Mean and covariance."""
        return moments(self.matrix)


def nearest_of(images: KeptVectors, reference: KeptVectors) -> NearestOther:
    """Return the nearest of a reference to each image."""
    return nearest(images.matrix, reference.matrix)


def is_authentic(images: KeptVectors, reference: KeptVectors) -> npt.NDArray[np.bool_]:
    """Return bool (N,): whether an image is farther from its nearest one than that is from its own nearest other."""
    found = images.beside(reference, nearest_of)
    asked, place = np.unique(found.which, return_inverse=True)
    apart = nearest(reference.matrix[asked], reference.matrix, asked).squares[place]
    rounding = TIE * (squared_lengths(images.matrix) + squared_lengths(reference.matrix)[found.which])
    farther: npt.NDArray[np.bool_] = found.squares > apart + rounding
    return farther


def mean_least_cosine_distance(images: KeptVectors, reference: KeptVectors) -> float:
    """Return the mean over images of 1 - |cos| to the nearest of the reference; vectors of zeros are left out."""
    has_direction = images.matrix.any(axis=1)
    if not has_direction.any() or not reference.matrix.any():
        return float("nan")
    return float((1.0 - images.beside(reference, nearest_of).cosines[has_direction]).mean())


def results_of(
    statistics: MemorisationStatistics, reference: MemorisationStatistics, identity: Mapping[str, Any]
) -> dict[str, Result]:
    """Return both, see ``SetMetric.results``."""
    identity = {"metric": NAME, "version": VERSION, **identity}
    too_few = refused(statistics, reference, MIN_IMAGES, identity)
    if too_few is not None:
        return dict.fromkeys((AUTHENTIC, INFORMED), too_few)
    return {
        AUTHENTIC: _authentic(statistics, reference, identity),
        INFORMED: _informed(statistics, reference, identity),
    }


def influences_of(statistics: MemorisationStatistics, reference: MemorisationStatistics) -> dict[str, Influence]:
    """Return what each image adds to the share, against the reference as it is, see ``SetMetric.influences``."""
    shares = 100.0 * statistics.beside(reference, is_authentic)
    return {AUTHENTIC: Influence(shares - shares.mean(), statistics.units, np.zeros(reference.n), reference.units)}


def image_numbers(statistics: MemorisationStatistics, reference: MemorisationStatistics) -> tuple[ImageNumbers, ...]:
    """Return how far each image is from the nearest one of the reference, and which that is."""
    if min(statistics.n, reference.n) < MIN_IMAGES:
        return ()
    found = statistics.beside(reference, nearest_of)
    what = "Distance of an image from the nearest image of the reference"
    return (ImageNumbers(NEAREST, what, np.sqrt(found.squares), "", found.which),)


def names_in_space(encoder: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what the second is called where a Fréchet distance is FID, see ``frechet_names``."""
    name = fid_name(encoder)
    return {} if name is None else {INFORMED: name.replace("fid", "mifid")}


MEMORISATION = SetMetric(
    name=NAME,
    values=(
        ReportedValue(AUTHENTIC, better="higher", unit="%", low=0.0, high=100.0),
        ReportedValue(INFORMED, better="lower", low=0.0, size_bias="uncorrected"),
    ),
    statistics=MemorisationStatistics.of,
    results=results_of,
    influences=influences_of,
    of_images=image_numbers,
    names=names_in_space,
)


def _authentic(images: KeptVectors, reference: KeptVectors, identity: Mapping[str, Any]) -> Result:
    shares = images.beside(reference, is_authentic).astype(np.float64)
    value, convention = 100.0 * float(shares.mean()), {"convention": "nearest other of the nearest, strictly nearer"}
    if images.even_units < MIN_UNITS:
        few = f"no interval: {int(images.even_units):,} prompts, or images that stand alone, are too few"
        return bare(value, images.n, {**identity, **convention}, few)
    variance, df = mean_variance(shares, images.units)
    low, high = share_interval(float(shares.mean()), variance, df, (images.even_units, float(images.n)))
    note = "against the reference as it is"
    own = {**identity, **convention}
    return Result(value, 100.0 * variance**0.5, 100.0 * low, 100.0 * high, images.n, own, None, note)


def _informed(images: MemorisationStatistics, reference: MemorisationStatistics, identity: Mapping[str, Any]) -> Result:
    convention = f"over the mean of 1 - |cos| from each image to its nearest where below {EPSILON}"
    identity, apart = {**identity, "convention": convention}, mean_least_cosine_distance(images, reference)
    distance = frechet_distance(images.moments, reference.moments)
    if np.isnan(apart):
        return missing("no_direction", images.n, identity, "all vectors of a set are zeros, which have no cosine")
    if apart <= TIE and distance > 0.0:
        note = f"every image is in the reference, so that {distance:.6g} would be divided by nothing"
        return missing("in_reference", images.n, identity, note)
    value = distance / apart if 0.0 < apart < EPSILON else distance
    note = f"no interval: biased by size, compare at equal n; {distance:.6g} at a mean cosine distance of {apart:.3g}"
    return bare(value, images.n, identity, note)
