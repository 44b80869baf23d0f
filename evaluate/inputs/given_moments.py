"""A mean and a covariance that somebody else saved: checked before any distance rests on them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError
from diptych.evaluate.statistics.moments import Floats, Moments

NEGATIVE = 1e-4  # how far below zero, of the largest, an eigenvalue of a covariance may be rounded
UNEQUAL = 1e-5  # how far apart, of the largest number, the two halves of a covariance may be rounded


def given_moments(where: str, mu: Floats, sigma: Floats, n: int | None) -> Moments:
    """Return moments.

    Args:
        where: What a message begins with: the file, and which of its statistics.
        mu: Float (D,).
        sigma: Float (D, D), with n - 1 in the denominator.
        n: How many images they are of; None where nobody knows.

    Raises:
        DataError: If they are none.
    """
    fits = mu.ndim == 1 and len(mu) and sigma.shape == (len(mu), len(mu))
    if not fits or not (np.issubdtype(mu.dtype, np.floating) and np.issubdtype(sigma.dtype, np.floating)):
        raise DataError(f"{where}: mu and sigma are {mu.shape} and {sigma.shape}; (D,) and (D, D) numbers are needed")
    mean, covariance = mu.astype(np.float64), sigma.astype(np.float64)
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise DataError(f"{where}: mu or sigma holds numbers that are not finite")
    if np.abs(covariance - covariance.T).max() > UNEQUAL * np.abs(covariance).max():
        raise DataError(f"{where}: sigma is not symmetric, so it is no covariance")
    eigenvalues = np.linalg.eigvalsh((covariance + covariance.T) / 2.0)
    if eigenvalues.min() < -NEGATIVE * np.abs(eigenvalues).max():
        raise DataError(
            f"{where}: sigma has the eigenvalue {eigenvalues.min():.3g}, so it is no covariance: none is negative there"
        )
    if n is not None and n < 2:
        raise DataError(f"{where}: n is {n}; statistics need at least 2 images")
    size = n or 2  # any number gives the same covariance back
    return Moments(size, mean, (covariance + covariance.T) / 2.0 * (size - 1), False)


def given_size(where: str, n: npt.NDArray[Any]) -> int:
    """Return the number of images that somebody saved.

    Raises:
        DataError: If it is none.
    """
    is_number = np.issubdtype(n.dtype, np.integer) or np.issubdtype(n.dtype, np.floating)
    if n.shape != () or not is_number or not np.isfinite(n) or n != np.floor(n):
        raise DataError(f"{where}: n is {n.tolist()!r}; the number of images is needed, or no n")
    return int(n)
