"""Fréchet distance at 2,048 dimensions beside scipy's sqrtm and torchmetrics, from the same statistics, in one run.

Run by ``make bench``. With 10,000 images per side the covariances are of full rank and all start from them; with 1,000
they are not, and diptych starts from the vectors, the others from the covariances (computed before their clocks start).
All run on one core, where other work on the machine disturbs the ratios least; sqrtm gains least from more of them.
Asserts the values, never the time.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy import linalg
from torchmetrics.image.fid import _compute_fid

from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_distance import FRECHET_DISTANCE, FrechetStatistics
from diptych.evaluate.statistics.moments import Moments, moments

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
DIM = 2048
MANY, FEW = 10_000, 1_000
REPEATS = 3


class Timed(NamedTuple):
    """A distance, the seconds it took, and those of the processors, which other work on the machine disturbs less."""

    value: float
    seconds: float
    cpu_seconds: float


def draw(n: int, seed: int, shift: float) -> np.ndarray:
    """Return features as Inception makes them: not negative, correlated, of falling spread; float32 (n, 2048)."""
    mixing = np.random.default_rng(0).standard_normal((DIM, DIM)).astype(np.float32) / np.sqrt(DIM)
    raw = np.random.default_rng(seed).standard_normal((n, DIM)).astype(np.float32)
    scales = np.arange(1, DIM + 1, dtype=np.float32) ** -0.25
    return np.maximum((raw * scales) @ mixing + np.float32(shift), 0.0)


def timed(work: Callable[[], float], repeats: int = 1) -> Timed:
    """Return the value and the medians of the seconds."""
    seconds, cpu_seconds = [], []
    for _ in range(repeats):
        started, cpu_started = time.perf_counter(), time.process_time()
        value = work()
        seconds.append(time.perf_counter() - started)
        cpu_seconds.append(time.process_time() - cpu_started)
    return Timed(value, *(sorted(times)[repeats // 2] for times in (seconds, cpu_seconds)))


def fresh(found: Moments) -> Moments:
    """Return the same moments with nothing cached."""
    return Moments(found.n, found.mean, found.spread, found.is_root)


def by_sqrtm(left: Moments, right: Moments) -> Callable[[], float]:
    """Return what pytorch-fid, clean-fid, dgm-eval and others compute."""
    a, b, apart = left.covariance, right.covariance, left.mean - right.mean
    return lambda: float(apart @ apart + np.trace(a) + np.trace(b) - 2 * np.trace(linalg.sqrtm(a @ b).real))


def by_torchmetrics(left: Moments, right: Moments) -> Callable[[], float]:
    """Return what torchmetrics computes from its statistics in float64."""
    parts = [torch.from_numpy(array) for side in (left, right) for array in (side.mean, side.covariance)]
    return lambda: float(_compute_fid(*parts))


def line(name: str, found: Timed, ours: Timed) -> str:
    """Return one line of the table."""
    ratio, cpu_ratio = found.seconds / ours.seconds, found.cpu_seconds / ours.cpu_seconds
    clock = f"{found.seconds:>8.3f} s  {ratio:>5.1f} x   cpu {found.cpu_seconds:>8.3f} s  {cpu_ratio:>5.1f} x"
    return f"  {name:<24} {clock}   {found.value:.9f}"


def measure_many() -> None:
    """Print the comparison at full rank, and what a result with correction and error costs."""
    x, y = draw(MANY, 1, 0.0), draw(MANY, 2, 0.05)
    left, right = moments(x), moments(y)
    ours = timed(lambda: frechet_distance(fresh(left), fresh(right)), REPEATS)
    itself = frechet_distance(left, left)
    torchmetrics, scipy = timed(by_torchmetrics(left, right)), timed(by_sqrtm(left, right))
    print(f"n = {MANY:,}, d = {DIM:,}, from mean and covariance")
    for name, found in (("diptych", ours), ("torchmetrics (eigvals)", torchmetrics), ("scipy sqrtm", scipy)):
        print(line(name, found, ours))
    print(f"  distance of a set to itself: {itself:.2g}")
    units = [str(row) for row in range(2 * MANY)]
    statistics = timed(lambda: keep(x, units[:MANY]))
    sides = FRECHET_DISTANCE.statistics(x, units[:MANY]), FRECHET_DISTANCE.statistics(y, units[MANY:])
    result = timed(lambda: FRECHET_DISTANCE.results(*sides, {})["frechet_distance"].value)
    print(f"  statistics of {MANY:,} vectors {statistics.seconds:.2f} s, correction and error {result.seconds:.2f} s")
    for found in (torchmetrics, scipy):
        assert abs(found.value - ours.value) < 1e-8 * ours.value, found
    assert abs(itself) < 1e-9, itself


def keep(vectors: np.ndarray, units: list[str]) -> float:
    """Return the number of vectors in the statistics that it makes."""
    statistics: FrechetStatistics = FRECHET_DISTANCE.statistics(vectors, units)
    return float(statistics.n)


def measure_few() -> None:
    """Print the comparison with fewer images than dimensions."""
    x, y = draw(FEW, 3, 0.0), draw(FEW, 4, 0.05)
    reference = moments(draw(MANY, 2, 0.05))
    ours = timed(lambda: frechet_distance(moments(x), moments(y)), REPEATS)
    known = fresh(reference)
    against = timed(lambda: frechet_distance(moments(x), known), REPEATS)
    itself = frechet_distance(moments(x), moments(x))
    left, right = moments(x), moments(y)
    torchmetrics, scipy = timed(by_torchmetrics(left, right)), timed(by_sqrtm(left, right))
    print(f"n = {FEW:,}, d = {DIM:,}, diptych from the vectors, the others from mean and covariance")
    for name, found in (("diptych", ours), ("torchmetrics (eigvals)", torchmetrics), ("scipy sqrtm", scipy)):
        print(line(name, found, ours))
    print(f"  against {MANY:,} images of reference: {against.seconds:.3f} s")
    print(f"  distance of a set to itself: {itself:.2g}")
    for found in (torchmetrics, scipy):  # theirs is off in the sixth digit: a thousand eigenvalues that should be 0
        assert abs(found.value - ours.value) < 1e-4 * ours.value, found
    assert abs(itself) < 1e-9, itself


def main() -> None:
    """Measure both sizes in a fresh process, since the libraries read their number of threads when they load."""
    if len(sys.argv) > 1:
        measure_many()
        measure_few()
        return
    subprocess.run([sys.executable, __file__, "measure"], env={**os.environ, **ONE_THREAD}, check=True)


if __name__ == "__main__":
    main()
