"""MIND: closed forms, the definition as torch-fidelity's next release writes it, and its size bias."""

import numpy as np
import pytest
import torch
from drawn_vectors import flat, names

from diptych.errors import DataError
from diptych.evaluate.metrics import mind
from diptych.evaluate.metrics.contract import Result
from diptych.evaluate.metrics.kept_vectors import KeptVectors
from diptych.evaluate.metrics.mind import CORRECTED, MIND, NAME, sliced_distance

Vectors = np.ndarray


def judged(x: Vectors, y: Vectors, units: list[str] | None = None) -> dict[str, Result]:
    return dict(MIND.results(KeptVectors.of(x, units or names(len(x), "x")), KeptVectors.of(y, names(len(y), "y")), {}))


def by_torch_fidelity(x: torch.Tensor, y: torch.Tensor) -> float:
    """Return it as ``mind_features_to_metric`` of torch-fidelity 0.5 computes it of two sets of one size, seed 2020."""
    generator = torch.Generator(device="cpu").manual_seed(2020)
    directions = torch.randn(1000, x.shape[1], generator=generator, dtype=torch.float32)
    directions = directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-12)
    one, other = (side @ directions.t() for side in (x, y))
    apart = ((one.sort(dim=0).values - other.sort(dim=0).values) ** 2).mean(dim=0)
    return float(3.0 * x.shape[1] * apart.mean())


@pytest.mark.reference
@pytest.mark.parametrize(("n", "dim"), [(50, 7), (300, 64), (20, 300)])
def test_it_is_that_of_torch_fidelity(n: int, dim: int) -> None:
    x, y = (flat(n, dim, seed).astype(np.float32) for seed in (1, 2))
    expected = by_torch_fidelity(torch.from_numpy(x + 0.2), torch.from_numpy(y))
    assert judged(x + np.float32(0.2), y)[NAME].value == pytest.approx(expected, rel=1e-5)


def test_a_shift_alone_has_its_closed_form() -> None:
    """A shift by s in each of D coordinates is 3 D s^2: along a direction u it is (s sum u)^2, s^2 on the mean."""
    x = np.random.default_rng(0).standard_normal((400, 16)).astype(np.float32)
    assert sliced_distance(x + np.float32(0.5), x) == pytest.approx(3 * 16 * 0.5**2, rel=0.1)
    assert sliced_distance(x, x) == 0.0
    assert judged(x, x[::-1])[NAME].value == 0.0


def test_what_samples_of_one_distribution_are_apart_is_corrected() -> None:
    raw, corrected = [], []
    for seed in range(40):
        dice = np.random.default_rng(seed)
        found = judged(dice.standard_normal((60, 8)), dice.standard_normal((60, 8)))
        raw.append(found[NAME].value)
        corrected.append(found[CORRECTED].value)
    assert np.mean(raw) > 5 * np.std(raw) / 40**0.5
    assert abs(np.mean(corrected)) < 0.15 * np.mean(raw)


def test_where_two_distributions_differ_the_correction_leaves_their_distance() -> None:
    truth, corrected, raw = 3 * 8 * 1.0, [], []
    for seed in range(40):
        dice = np.random.default_rng(seed)
        found = judged(dice.standard_normal((60, 8)) + 1.0, dice.standard_normal((90, 8)))
        raw.append(found[NAME].value)
        corrected.append(found[CORRECTED].value)
    directions = np.concatenate(list(mind._directions(8)), axis=1)
    truth = 3 * 8 * float((directions.sum(axis=0) ** 2).mean())
    assert abs(np.mean(corrected) - truth) < 0.35 * abs(np.mean(raw) - truth)


def test_prompts_with_several_images_are_not_taken_for_as_many_strangers() -> None:
    """Their copies tell nothing new: the halves differ as those of the prompts alone do."""
    x, y = flat(50, 6, 1), flat(200, 6, 2)
    alone, copied = judged(x, y), judged(np.repeat(x, 4, axis=0), y, [f"p{row // 4}" for row in range(200)])
    bias = {name: found[NAME].value - found[CORRECTED].value for name, found in (("one", alone), ("four", copied))}
    assert bias["four"] > 0.5 * bias["one"]


def test_neither_order_nor_blocks_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = flat(50, 6, 1), flat(80, 6, 2)
    whole = judged(x, y)
    monkeypatch.setattr(mind, "BLOCK_DIRECTIONS", 7)
    again = judged(x[::-1], y, names(50, "x")[::-1])
    for name in (NAME, CORRECTED):
        assert again[name].value == pytest.approx(whole[name].value, rel=1e-5)
        assert "no interval" in again[name].note


def test_few_images_have_a_reason_and_one_prompt_no_correction() -> None:
    assert judged(flat(1, 4, 1), flat(9, 4, 2))[NAME].reason == "too_few_images"
    assert set(judged(flat(9, 4, 1), flat(9, 4, 2), ["p"] * 9)) == {NAME}
    with pytest.raises(DataError, match="4 and of 5 dimensions"):
        judged(flat(9, 4, 1), flat(9, 5, 2))
