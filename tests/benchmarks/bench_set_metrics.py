"""Every set metric as diptych reports it beside a peer's number of the same two sets: seconds and peak memory.

Run by ``make bench`` at 20,000 images of 2,048 dimensions on both sides; ``bench_set_metrics.py 1000 256`` is another
size, and names behind it choose metrics. Each side of each comparison has a process of its own, so that the memory is
its own, less that of the interpreter and of the vectors, which both have. All run on one core, and seconds are those of
the processor, which other work on the machine disturbs least. Peers are torch-fidelity's and torchmetrics' functions
over the same vectors, prdc's steps by scikit-learn as they stand in ``prdc.py``, and where no library has a metric the
script of its paper written out. Asserts the values, never the time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from diptych.evaluate.metrics.contract import set_metric

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
WARM = 64
PROMPTS = 4  # images of one prompt, for what looks at prompts
SHOWN = "{:<26} {:>12} {:>10} {:>8} {:>12} {:>10} {:>8} {:>7}"
Vectors = np.ndarray


def draw(n: int, dim: int, seed: int, wider: float) -> Vectors:
    """Return float32 (n, dim) of a falling spread about a mean that is not 0, as features have one."""
    drawn = np.random.default_rng(seed).standard_normal((n, dim), dtype=np.float32)
    drawn *= (wider * np.arange(1, dim + 1) ** -0.5).astype(np.float32)
    drawn += np.float32(0.2)
    return drawn


def ordered(x: Vectors) -> Vectors:
    """Return vectors in the order in which a metric draws from them."""
    metric = set_metric("subset_kernel_distance")
    return x[metric.statistics(x, np.arange(len(x)).astype(str)).drawing_order]


def by_prdc(x: Vectors, y: Vectors) -> float:
    """Return density by the steps of ``prdc.compute_prdc``, which computes coverage from the same matrix."""
    from sklearn.metrics import pairwise_distances

    def radii(side: Vectors) -> Vectors:
        distances = pairwise_distances(side, metric="euclidean", n_jobs=8)
        nearest = np.argpartition(distances, 6, axis=-1)[..., :6]
        return np.take_along_axis(distances, nearest, axis=-1).max(axis=-1)

    real, made = radii(y), radii(x)
    apart = pairwise_distances(y, x, metric="euclidean", n_jobs=8)
    _ = (apart < real[:, None]).any(axis=0).mean(), (apart < made[None]).any(axis=1).mean()
    _ = (apart.min(axis=1) < real).mean()
    return float((apart < real[:, None]).sum(axis=0).mean() / 5)


def by_torch_fidelity_prc(x: Vectors, y: Vectors) -> float:
    from torch_fidelity.metric_prc import prc_features_to_metric

    options = {"prc_neighborhood": 3, "prc_batch_size": 10_000, "save_cpu_ram": True, "verbose": False}
    return float(prc_features_to_metric(torch.from_numpy(x), torch.from_numpy(y), **options)["precision"])


def by_torch_fidelity_kid(x: Vectors, y: Vectors) -> float:
    from torch_fidelity.metric_kid import kid_features_to_metric

    sides = [torch.from_numpy(ordered(each)).double() for each in (x, y)]
    kernel = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None}
    size = min(1000, len(x))
    options = {"kid_subsets": 100, "kid_subset_size": size, "kid_kernel_poly_coef0": 1.0, "rng_seed": 2020}
    return float(kid_features_to_metric(*sides, **kernel, **options, verbose=False)["kernel_inception_distance_mean"])


def by_cmmd(x: Vectors, y: Vectors) -> float:
    """Return the published value by the steps of ``distance.py`` of cmmd-pytorch."""
    one, other = (torch.from_numpy(each).double() for each in (x, y))
    lengths = [(each * each).sum(dim=1) for each in (one, other)]

    def mean(a: torch.Tensor, b: torch.Tensor, la: torch.Tensor, lb: torch.Tensor) -> torch.Tensor:
        return torch.mean(torch.exp(-(1 / 200) * (-2 * torch.matmul(a, b.T) + la.unsqueeze(1) + lb.unsqueeze(0))))

    k_xx, k_xy = mean(one, one, lengths[0], lengths[0]), mean(one, other, *lengths)
    return float(1000 * (k_xx + mean(other, other, lengths[1], lengths[1]) - 2 * k_xy))


def by_torch_fidelity_isc(x: Vectors, y: Vectors) -> float:
    from torch_fidelity.metric_isc import isc_features_to_metric

    found = isc_features_to_metric(torch.from_numpy(ordered(x)), splits=10, shuffle=False)
    return float(found["inception_score_mean"])


def by_torchmetrics_fid(x: Vectors, y: Vectors) -> float:
    from torchmetrics.image.fid import _compute_fid

    def sums(side: Vectors) -> tuple[torch.Tensor, torch.Tensor]:
        vectors = torch.from_numpy(side).double()
        return vectors.mean(dim=0), torch.cov(vectors.T)

    (mean, a), (other, b) = sums(x), sums(y)
    return float(_compute_fid(mean, a, other, b))


def by_vendi(x: Vectors, y: Vectors) -> float:
    """Return it by ``score_dual`` of the package vendi-score."""
    rows = x / np.linalg.norm(x, axis=1, keepdims=True)
    found = np.linalg.eigvalsh((rows.T @ rows).astype(np.float64) / len(rows))
    found = found[found > 1e-12]
    return float(np.exp(-(found * np.log(found)).sum()))


def by_authpct(x: Vectors, y: Vectors) -> float:
    """Return it by ``compute_authpct`` of dgm-eval."""
    train, made = torch.from_numpy(y), torch.from_numpy(x)
    real = torch.cdist(train, train).fill_diagonal_(float("inf"))
    apart = torch.cdist(train, made).min(dim=0)
    return float(100 * (real.min(dim=0).values[apart.indices] < apart.values).float().mean())


def by_mind(x: Vectors, y: Vectors) -> float:
    """Return it by ``mind_features_to_metric`` of torch-fidelity 0.5, which is not released."""
    generator = torch.Generator().manual_seed(2020)
    directions = torch.randn(1000, x.shape[1], generator=generator)
    directions = directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-12)
    one, other = ((torch.from_numpy(each) @ directions.t()).sort(dim=0).values for each in (x, y))
    return float(3.0 * x.shape[1] * ((one - other) ** 2).mean())


# Metric -> the value that is compared, the peer's name, what it computes, and how far the two may be apart.
PEERS: dict[str, tuple[str, str, Callable[[Vectors, Vectors], float] | None, float]] = {
    "density_coverage": ("density", "prdc", by_prdc, 1e-3),
    "frechet_distance": ("frechet_distance", "torchmetrics", by_torchmetrics_fid, 1e-4),
    "frechet_infinity": ("frechet_infinity", "", None, 0.0),
    "gaussian_kernel_distance": ("biased_gaussian_kernel_distance", "cmmd", by_cmmd, 1e-6),
    "inception_score": ("inception_score", "torch-fidelity", by_torch_fidelity_isc, 1e-6),
    "kernel_distance": ("kernel_distance", "", None, 0.0),
    "memorisation": ("authpct", "dgm-eval", by_authpct, 5e-3),
    "mind": ("mind", "torch-fidelity 0.5", by_mind, 1e-3),
    "precision_recall": ("precision", "torch-fidelity", by_torch_fidelity_prc, 1e-3),
    "prompt_vendi": ("prompt_vendi", "", None, 0.0),
    "subset_kernel_distance": ("subset_kernel_distance", "torch-fidelity", by_torch_fidelity_kid, 1e-6),
    "vendi": ("vendi", "vendi-score", by_vendi, 1e-3),
}


def own(name: str, x: Vectors, y: Vectors) -> float:
    """Return a value of a metric, everything that it reports being computed."""
    metric = set_metric(name)
    units = np.array([f"x{row // PROMPTS}" if name == "prompt_vendi" else f"x{row}" for row in range(len(x))])
    reference = metric.statistics(y, np.array([f"y{row}" for row in range(len(y))])) if metric.needs_reference else None
    return metric.results(metric.statistics(x, units), reference, {})[PEERS[name][0]].value


def one(name: str, is_own: bool, n: int, dim: int) -> None:
    """Print value, seconds and memory of one side."""
    x, y = draw(n, dim, 1, 1.0), draw(n, dim, 2, 1.05)
    if name == "inception_score":
        x *= np.float32(10.0)  # logits that say something
    peer = PEERS[name][2]
    compute = peer if not is_own and peer is not None else lambda a, b: own(name, a, b)
    compute(x[:WARM], y[:WARM])  # loads the libraries
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    value = compute(x, y)
    seconds = time.process_time() - started
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps([value, seconds, more / 1e6]))


def measured(name: str, is_own: bool, n: int, dim: int) -> list[float]:
    """Return value, seconds and gigabytes beyond the vectors, of a process of its own."""
    arguments = [sys.executable, __file__, str(n), str(dim), name, "--side", "own" if is_own else "peer"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=os.environ | ONE_THREAD, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    found: list[float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Measure the metrics that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", nargs="?", type=int, default=20_000)
    parser.add_argument("dim", nargs="?", type=int, default=2_048)
    parser.add_argument("names", nargs="*", default=sorted(PEERS))
    parser.add_argument("--side", choices=("own", "peer"))
    given = parser.parse_args()
    if given.side:
        one(given.names[0], given.side == "own", given.n, given.dim)
        return
    print(f"two sets of {given.n:,} x {given.dim:,}, one thread; GB beyond the vectors")
    print(SHOWN.format("metric", "value", "seconds", "GB", "peer's", "seconds", "GB", "faster"))
    for name in given.names:
        value, seconds, memory = measured(name, True, given.n, given.dim)
        mine = (f"{value:.6g}", f"{seconds:.1f}", f"{memory:.2f}")
        if PEERS[name][2] is None:
            print(SHOWN.format(name, *mine, "-", "-", "-", "-"), flush=True)
            continue
        theirs, their_seconds, their_memory = measured(name, False, given.n, given.dim)
        assert abs(value - theirs) <= PEERS[name][3] * max(abs(theirs), 1e-3), f"{name}: {value} and {theirs}"
        shown = (f"{theirs:.6g}", f"{their_seconds:.1f}", f"{their_memory:.2f}", f"{their_seconds / seconds:.1f}")
        print(SHOWN.format(name, *mine, *shown), f" {PEERS[name][1]}", flush=True)


if __name__ == "__main__":
    main()
