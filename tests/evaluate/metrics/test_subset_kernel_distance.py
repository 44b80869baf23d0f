"""KID as published: torch-fidelity's number, and the mean over subsets beside all pairs."""

import numpy as np
import pytest
import torch
from drawn_vectors import flat, names

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import Result, set_metric
from diptych.evaluate.metrics.subset_kernel_distance import NAME, SUBSET_KERNEL_DISTANCE

Vectors = np.ndarray


def judged(x: Vectors, y: Vectors) -> Result:
    sides = [SUBSET_KERNEL_DISTANCE.statistics(each, np.array(names(len(each), "x"))) for each in (x, y)]
    return SUBSET_KERNEL_DISTANCE.results(*sides, {})[NAME]


@pytest.mark.reference
def test_it_is_that_of_torch_fidelity_in_the_same_order() -> None:
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = (flat(rows, 16, seed).astype(np.float32) for rows, seed in ((1100, 1), (1050, 2)))
    ordered = [each[SUBSET_KERNEL_DISTANCE.statistics(each, names(len(each), "x")).drawing_order] for each in (x, y)]
    options = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None}
    theirs = kid_features_to_metric(
        *(torch.from_numpy(each).double() for each in ordered),
        kid_subsets=100,
        kid_subset_size=1000,
        kid_kernel_poly_coef0=1.0,
        rng_seed=2020,
        verbose=False,
        **options,
    )
    found = judged(x, y)
    assert found.value == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-12)
    spread = float(found.note.removeprefix("no interval: ").partition(",")[0])
    assert spread == pytest.approx(theirs["kernel_inception_distance_std"], rel=5e-3)


def test_it_is_near_that_over_all_pairs_without_being_it() -> None:
    x, y = flat(300, 8, 1) + 0.2, flat(400, 8, 2)
    metric = set_metric("kernel_distance")
    sides = [metric.statistics(each, np.array(names(len(each), which))) for each, which in ((x, "x"), (y, "y"))]
    whole = metric.results(*sides, {})["kernel_distance"]
    assert judged(x, y).value == pytest.approx(whole.value, abs=2 * whole.se)
    assert judged(x, y).identity["subsets"].startswith("100 of 300 images, seed 2020")


def test_neither_order_nor_a_second_run_changes_it() -> None:
    x, y = flat(50, 4, 1), flat(60, 4, 2)
    assert judged(x[::-1], y).to_json() == judged(x, y).to_json()


def test_equal_images_are_nothing_apart_and_few_have_a_reason() -> None:
    same = np.full((9, 3), 0.5)
    assert judged(same, same).value == pytest.approx(0.0, abs=1e-12)
    assert judged(flat(1, 4, 1), flat(60, 4, 2)).reason == "too_few_images"
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(flat(20, 4, 1), flat(20, 5, 2))
