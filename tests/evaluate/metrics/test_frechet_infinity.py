"""FID infinity: the line by scikit-learn, what is left of the size bias, and what it is called where."""

import numpy as np
import pytest
from drawn_vectors import flat, names
from scipy import linalg
from sklearn.linear_model import LinearRegression

from diptych.asset_table import ASSETS
from diptych.encoders.inception import ASSET
from diptych.errors import DataError
from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.frechet_infinity import FRECHET_INFINITY, NAME, SEED, names_in_space
from diptych.evaluate.metrics.kept_vectors import KeptVectors

Vectors = np.ndarray


def judged(x: Vectors, y: Vectors) -> Result:
    return dict(
        FRECHET_INFINITY.results(KeptVectors.of(x, names(len(x), "x")), KeptVectors.of(y, names(len(y), "y")), {})
    )[NAME]


def by_dgm_eval(reference: Vectors, made: Vectors) -> float:
    """Return it as ``compute_FD_infinity`` of dgm-eval writes it, with a seed."""
    sizes = np.linspace(min(5000, max(len(made) // 10, 2)), len(made), 15).astype("int32")
    dice, distances = np.random.default_rng(SEED), []
    for size in sizes:
        drawn = dice.choice(made, size, replace=False)
        apart = reference.mean(axis=0) - drawn.mean(axis=0)
        covariances = [np.cov(each, rowvar=False) for each in (reference, drawn)]
        root = linalg.sqrtm(covariances[0] @ covariances[1]).real
        distances.append(apart @ apart + np.trace(covariances[0] + covariances[1] - 2 * root))
    line = LinearRegression().fit(1 / sizes.reshape(-1, 1), np.array(distances).reshape(-1, 1))
    return float(line.predict(np.array([[0]]))[0, 0])


@pytest.mark.reference
def test_it_is_that_of_dgm_eval_in_the_same_order_and_with_a_seed() -> None:
    x, y = (flat(rows, 6, seed).astype(np.float32) for rows, seed in ((400, 1), (500, 2)))
    ordered = x[KeptVectors.of(x, names(400, "x")).drawing_order]
    found = judged(x + np.float32(0.3), y)
    shifted = ordered + np.float32(0.3)
    order = KeptVectors.of(shifted, names(400, "x")).drawing_order
    assert found.value == pytest.approx(by_dgm_eval(y.astype(float), shifted[order].astype(float)), rel=1e-6)


def test_most_of_the_bias_by_the_images_is_gone() -> None:
    """Of one distribution the distance is 0; of 300 images in 16 dimensions against a large reference it is not."""
    reference = np.random.default_rng(0).standard_normal((20_000, 16))
    found = [judged(np.random.default_rng(seed).standard_normal((300, 16)), reference) for seed in range(1, 13)]
    raw = np.mean([float(each.note.rpartition(", ")[2].partition(" ")[0]) for each in found])
    assert abs(np.mean([each.value for each in found])) < 0.35 * raw


def test_neither_order_nor_a_second_run_changes_it() -> None:
    x, y = flat(80, 4, 1), flat(90, 4, 2)
    assert judged(x[::-1], y).to_json() == judged(x, y).to_json()


def test_of_equal_images_and_of_a_set_and_itself_it_is_nothing_much() -> None:
    same = np.full((40, 3), 0.5)
    assert judged(same, same).value == pytest.approx(0.0, abs=1e-9)
    assert judged(flat(29, 4, 1), flat(60, 4, 2)).reason == "too_few_images"
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(flat(40, 4, 1), flat(40, 5, 2))


def test_it_is_called_as_the_field_calls_it() -> None:
    known = {"network": "inception-v3-2015-12-05", "layer": "pool3", "weights_sha256": ASSETS[ASSET].sha256}
    said = "clean: Pillow bicubic, antialiased, float32"
    assert names_in_space({**known, "preprocess": said}) == {NAME: "clean_fid_infinity"}
    assert names_in_space({"encoder": "open_clip"}) == {}
