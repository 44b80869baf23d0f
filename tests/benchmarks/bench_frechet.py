"""Fréchet distance as diptych reports it beside torchmetrics' bare value and scipy's sqrtm, from vectors, in one run.

Run by ``make bench``. Both sides have 2,048 dimensions, and n of 1,000, 10,000 and 50,000 images. What is reported is
everything: moments, the published distance, and from 10,000 on the corrected one with its error; the others give one
number, from their own sums over batches of 500. All run on one core, each size in a process of its own, and ratios are
of processor seconds, which other work on the machine disturbs least. Asserts the values and the memory, never the time.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from scipy import linalg
from torchmetrics.image.fid import _compute_fid

from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.frechet import frechet_distance
from diptych.evaluate.metrics.frechet_distance import FRECHET_DISTANCE
from diptych.evaluate.metrics.frechet_names import CORRECTED, PUBLISHED
from diptych.evaluate.statistics.moments import moments

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
DIM = 2048
SIZES = (1_000, 10_000, 50_000)
THEIR_BATCH = 500
MOST_GB = 2.0
# Theirs at fewer images than dimensions is off in the sixth digit, by a thousand eigenvalues that should be 0.
TOLERANCE = {1_000: 1e-4, 10_000: 1e-6, 50_000: 1e-6}

Work = TypeVar("Work")
Sums = tuple[torch.Tensor, torch.Tensor]


def draw(n: int, seed: int, wider: float) -> np.ndarray:
    """Return float32 (n, 2048) of a falling spread, in place so that memory is that of what is measured."""
    drawn = np.random.default_rng(seed).standard_normal((n, DIM), dtype=np.float32)
    drawn *= (wider * np.arange(1, DIM + 1) ** -0.5).astype(np.float32)
    return drawn


def timed(work: Callable[[], Work]) -> tuple[Work, float]:
    """Return what a piece of work gives, and the seconds of the processor that it took."""
    started = time.process_time()
    return work(), time.process_time() - started


def peak_gb() -> float:
    """Return the most memory that this process has held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def their_sums(vectors: np.ndarray) -> Sums:
    """Return mean and covariance as torchmetrics adds them up, batch by batch in float64."""
    total, products = torch.zeros(DIM, dtype=torch.float64), torch.zeros(DIM, DIM, dtype=torch.float64)
    for start in range(0, len(vectors), THEIR_BATCH):
        batch = torch.from_numpy(vectors[start : start + THEIR_BATCH]).double()
        total += batch.sum(0)
        products += batch.t().mm(batch)
    mean = total / len(vectors)
    return mean, (products - len(vectors) * mean[:, None] * mean[None]) / (len(vectors) - 1)


def by_sqrtm(left: Sums, right: Sums) -> float:
    """Return what pytorch-fid, clean-fid, dgm-eval and others compute."""
    (mean, a), (other, b) = ((part.numpy() for part in side) for side in (left, right))
    apart = mean - other
    return float(apart @ apart + np.trace(a) + np.trace(b) - 2.0 * np.trace(linalg.sqrtm(a @ b).real))


def measure(n: int) -> None:
    """Print one size."""
    x, y = draw(n, 1, 1.0), draw(n, 2, 1.05)
    units = [[f"{side}{row}" for row in range(n)] for side in "xy"]

    def report() -> dict[str, Result]:
        sides = [FRECHET_DISTANCE.statistics(each, names) for each, names in zip((x, y), units, strict=True)]
        return dict(FRECHET_DISTANCE.results(*sides, {}))

    results, ours = timed(report)
    memory = peak_gb()
    bare_value, bare = timed(lambda: frechet_distance(moments(x), moments(y)))
    (left, right), update = timed(lambda: (their_sums(x), their_sums(y)))
    torchmetrics, compute = timed(lambda: float(_compute_fid(*left, *right)))
    scipy, root = timed(lambda: by_sqrtm(left, right))
    published, corrected = results[PUBLISHED], results.get(CORRECTED)
    print(f"n = {n:,} on each side, d = {DIM:,}")
    for name, seconds, value in (
        ("diptych, as reported", ours, f"{published.value:.9f}"),
        ("diptych, bare distance", bare, f"{bare_value:.9f}"),
        ("torchmetrics, bare", update + compute, f"{torchmetrics:.9f}"),
        ("the same sums, scipy sqrtm", update + root, f"{scipy:.9f}"),
    ):
        print(f"  {name:<28} cpu {seconds:>8.2f} s  {seconds / ours:>5.2f} x   {value}")
    beside = "no corrected value" if corrected is None else f"corrected {corrected.value:.4f}, se {corrected.se:.4f}"
    print(f"  {beside}; at most {memory:.2f} GB, the vectors of both sides among them")
    assert abs(published.value - torchmetrics) < TOLERANCE[n] * torchmetrics, (published, torchmetrics)
    assert abs(published.value - scipy) < TOLERANCE[n] * scipy, (published, scipy)
    assert memory < MOST_GB, memory


def main() -> None:
    """Measure each size in a fresh process, since the libraries read their number of threads when they load."""
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
        return
    for n in SIZES:
        subprocess.run([sys.executable, __file__, str(n)], env={**os.environ, **ONE_THREAD}, check=True)


if __name__ == "__main__":
    main()
