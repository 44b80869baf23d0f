import itertools

import numpy as np
import pytest
import torch
from drawn_vectors import fired

from diptych.evaluate.metrics import kernel
from diptych.evaluate.metrics.kernel import kernel_distance, kernel_sums


def estimate(x: np.ndarray, y: np.ndarray) -> float:
    return kernel_distance(kernel_sums(x), kernel_sums(y), kernel_sums(x, y)).value


def test_two_points_have_a_closed_form() -> None:
    """k(0, .) = 1 and k(1, 1) = 8 with one dimension: within 8 and 1, between 1."""
    x, y = np.ones((4, 1)), np.zeros((3, 1))
    assert estimate(x, y) == pytest.approx(8.0 + 1.0 - 2.0 * 1.0, abs=1e-12)
    assert estimate(x, x) == pytest.approx(0.0, abs=1e-12)


def test_it_is_the_mean_over_all_pairs() -> None:
    x, y = fired(7, 3, 1).astype(float), fired(5, 3, 2).astype(float)
    kernel = lambda a, b: (a @ b / 3 + 1) ** 3  # noqa: E731
    within = [np.mean([kernel(a, b) for a, b in itertools.permutations(s, 2)]) for s in (x, y)]
    between = np.mean([kernel(a, b) for a in x for b in y])
    assert estimate(x, y) == pytest.approx(sum(within) - 2 * between, rel=1e-12)


def test_it_is_the_mean_over_all_subsets() -> None:
    """What others average over random subsets of, all subsets give exactly."""
    x, y = fired(5, 2, 1), fired(5, 2, 2)
    subsets = [list(rows) for rows in itertools.combinations(range(5), 3)]
    values = [estimate(x[a], y[b]) for a in subsets for b in subsets]
    assert np.mean(values) == pytest.approx(estimate(x, y), rel=1e-9)


@pytest.mark.reference
def test_it_is_the_distance_of_torchmetrics() -> None:
    from torchmetrics.image.kid import poly_mmd

    x, y = fired(200, 64, 1), fired(200, 64, 2, shift=0.1)
    theirs = poly_mmd(torch.from_numpy(y).double(), torch.from_numpy(x).double())
    assert estimate(x, y) == pytest.approx(float(theirs), rel=1e-10)


@pytest.mark.reference
def test_it_is_the_kid_of_torch_fidelity_over_subsets_of_all() -> None:
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = fired(150, 16, 1), fired(150, 16, 2, shift=0.1)
    theirs = kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_subsets=3, kid_subset_size=150, verbose=False
    )
    assert estimate(x, y) == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6)  # theirs is float32


def test_prompts_of_different_sizes_agree_with_all_pairs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = fired(17, 3, 1).astype(float), fired(11, 3, 2).astype(float)
    dice = np.random.default_rng(0)
    units = [dice.integers(0, 5, 17).astype(str), dice.integers(0, 4, 11).astype(str)]
    kernels = [(a @ b.T / 3 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
    apart = [own[:, None] != own for own in units]
    value = kernels[0][apart[0]].mean() + kernels[1][apart[1]].mean() - 2.0 * kernels[2].mean()
    sums = [[kernels[2][np.ix_(units[0] == a, units[1] == b)].sum() for b in set(units[1])] for a in set(units[0])]
    counts = np.outer(*([(own == name).sum() for name in set(own)] for own in units))
    for rows in (2048, 4, 1):
        monkeypatch.setattr(kernel, "BLOCK_ROWS", rows)
        within = [kernel_sums(vectors, units=own) for vectors, own in ((x, units[0]), (y, units[1]))]
        between = kernel_sums(x, y, *units)
        found = kernel_distance(*within, between)
        assert found.value == pytest.approx(value, rel=1e-12)
        assert [found.left.mean(), found.right.mean()] == pytest.approx([0.0, 0.0], abs=1e-12)
        assert within[0].rows == pytest.approx((kernels[0] * apart[0]).sum(axis=1), rel=1e-12)
        assert between.squares == pytest.approx(np.square(sums).sum(), rel=1e-12)
        assert between.cross == pytest.approx((np.array(sums) * counts).sum(), rel=1e-12)


def test_fewer_than_two_units_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not \(1, 5\)"):
        kernel_distance(
            kernel_sums(fired(1, 2, 1)), kernel_sums(fired(5, 2, 1)), kernel_sums(fired(1, 2, 1), fired(5, 2, 1))
        )
