"""What is computed of two sets is computed once, whoever asks: results, errors, differences and columns of images."""

from typing import Any

import numpy as np
import pytest
from drawn_vectors import flat, names

from diptych.evaluate.metrics import density_coverage, kernel_distance, memorisation, precision_recall
from diptych.evaluate.metrics.contract import SetMetric, set_metric
from diptych.evaluate.metrics.kept_vectors import KeptVectors

# Metric -> the function that looks at all pairs of two sets, and how often: CMMD within each of them too, memorisation
# once more at the nearest others of what is nearest.
LOOKS: dict[str, tuple[Any, str, int]] = {
    "density_coverage": (density_coverage, "near_pairs", 1),
    "gaussian_kernel_distance": (kernel_distance, "kernel_sums", 3),
    "kernel_distance": (kernel_distance, "kernel_sums", 3),
    "memorisation": (memorisation, "nearest", 2),
    "precision_recall": (precision_recall, "covered", 1),
}


def counted(module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    compute = getattr(module, name)

    def count(*given: Any, **named: Any) -> Any:
        calls.append(name)
        return compute(*given, **named)

    monkeypatch.setattr(module, name, count)
    return calls


@pytest.mark.parametrize("name", LOOKS)
def test_all_that_a_metric_says_takes_one_look_at_two_sets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, function, looks = LOOKS[name]
    calls = counted(module, function, monkeypatch)
    metric: SetMetric[Any] = set_metric(name)
    images, reference = (metric.statistics(flat(80, 4, seed), np.array(names(80, "x"))) for seed in (1, 2))
    metric.results(images, reference, {})
    assert metric.influences is not None
    metric.influences(images, reference)
    if metric.of_images is not None:
        metric.of_images(images, reference)
    assert len(calls) == looks


def test_another_set_is_not_taken_for_the_last_one() -> None:
    def gap(one: KeptVectors, other: KeptVectors) -> float:
        return float(one.matrix.mean() - other.matrix.mean())

    ones, zeros, twos = (KeptVectors.of(np.full((3, 2), value), names(3, "x")) for value in (1.0, 0.0, 2.0))
    assert [ones.beside(other, gap) for other in (zeros, twos, twos, zeros)] == [1.0, -1.0, -1.0, 1.0]


def test_vectors_are_known_by_their_numbers_alone() -> None:
    rows = flat(6, 3, 1)
    one, other = KeptVectors.of(rows, names(6, "x")), KeptVectors.of(np.asfortranarray(rows[::-1]), names(6, "y"))
    assert one.vector_hashes.tolist() == other.vector_hashes[::-1].tolist()
    assert len(set(one.vector_hashes.tolist())) == 6
