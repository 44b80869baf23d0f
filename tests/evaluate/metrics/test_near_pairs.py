"""Pairs found in float32 and measured in float64: what is told of them is what float64 alone tells."""

import numpy as np
import pytest
from drawn_vectors import far_off, flat, names
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from diptych.evaluate.metrics import manifolds, near_pairs, nearest_other, realism
from diptych.evaluate.metrics.contract import set_metric
from diptych.evaluate.metrics.manifolds import GROUPS, PARTS, squared_radii
from diptych.evaluate.metrics.near_pairs import measured, settled, squared_lengths

Vectors = np.ndarray


def found_pairs(
    x: Vectors, y: Vectors, bounds: Vectors, *, is_within: bool = False
) -> tuple[set[tuple[int, int]], int]:
    """Return the pairs below a bound of the column, and how many were looked at."""
    below, count, none = set(), 0, np.full(len(x), -np.inf)
    x_bounds = bounds if is_within else none
    for pairs in near_pairs.near_pairs(x, y, x_bounds, bounds, is_within=is_within):
        count += len(pairs.row)
        both = np.stack([bounds[pairs.row] if is_within else none[pairs.row], bounds[pairs.column]], axis=1)
        is_below = settled(pairs, x, y, both) <= both.max(axis=1)
        below |= set(zip(pairs.row[is_below].tolist(), pairs.column[is_below].tolist(), strict=True))
    return below, count


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("draw", [flat, far_off])
def test_pairs_below_a_bound_are_those_of_float64(scale: float, draw: object) -> None:
    assert callable(draw)
    x, y = (draw(n, 64, seed).astype(np.float32) * np.float32(scale) for n, seed in ((700, 1), (600, 2)))
    squares = cdist(x.astype(np.float64), y.astype(np.float64), "sqeuclidean")
    bounds = np.sort(squares, axis=0)[8] * (1.0 + 1e-7)
    below, count = found_pairs(x, y, bounds)
    assert below == set(map(tuple, np.argwhere(squares <= bounds).tolist()))
    assert len(below) <= count < 0.05 * squares.size, "most are left out in float32"


def test_within_a_set_each_pair_is_there_once() -> None:
    x = flat(1200, 16, 1).astype(np.float32)
    squares = cdist(x.astype(np.float64), x.astype(np.float64), "sqeuclidean")
    bounds = np.sort(squares, axis=0)[6] * (1.0 + 1e-7)
    wanted = np.triu(squares <= np.maximum(bounds, bounds[:, np.newaxis]), 1)
    assert found_pairs(x, x, bounds, is_within=True)[0] == set(map(tuple, np.argwhere(wanted).tolist()))


def radii_by_definition(x: Vectors, groups: Vectors, neighbours: int) -> Vectors:
    squares = cdist(x.astype(np.float64), x.astype(np.float64), "sqeuclidean")
    np.fill_diagonal(squares, np.inf)
    found = np.full((len(x), len(PARTS)), -np.inf)
    for number, part in enumerate(PARTS):
        inside = part[groups]
        own = squares[np.ix_(inside, inside)]
        if len(own) > neighbours:
            found[inside, number] = np.sort(own, axis=1)[:, neighbours - 1]
    return found


@pytest.mark.parametrize("waiting", [1, 1000])
@pytest.mark.parametrize("kind", ["flat", "far off", "copies", "one large group"])
def test_radii_of_all_parts_are_those_of_all_distances(
    kind: str, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifolds, "WAITING", waiting)
    x = (far_off if kind == "far off" else flat)(2000, 12, 1).astype(np.float32)
    if kind == "copies":
        x[::3] = x[1]
    groups = np.sort(np.random.default_rng(2).integers(0, GROUPS, 2000))
    if kind == "one large group":
        groups = np.sort(np.where(np.random.default_rng(2).random(2000) < 0.98, 3, groups))
    found = squared_radii(x, squared_lengths(x), groups, 5)
    wanted = radii_by_definition(x, groups, 5)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 if kind == "far off" else 1e-11)


def test_few_pairs_are_measured_for_a_manifold(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0

    def counted(x: Vectors, y: Vectors, row: Vectors, column: Vectors) -> Vectors:
        nonlocal count
        count += len(row)
        return measured(x, y, row, column)

    monkeypatch.setattr(manifolds, "measured", counted)
    x = flat(3000, 32, 1).astype(np.float32)
    groups = np.sort(np.arange(3000) % GROUPS)
    squared_radii(x, squared_lengths(x), groups, 3)
    assert 0 < count < 20 * 3000


@pytest.mark.parametrize("dense", [0.0, 1.0])
@given(n=st.integers(6, 40), m=st.integers(6, 40), dim=st.integers(1, 3), seed=st.integers(0, 1000))
def test_ties_and_copies_are_told_alike_by_both_ways(dense: float, n: int, m: int, dim: int, seed: int) -> None:
    """Thirds of whole numbers: many distances are equal but for rounding, and many vectors are."""
    dice = np.random.default_rng(seed)
    x, y = (dice.integers(0, 3, (rows, dim)).astype(np.float32) / 3 for rows in (n, m))
    whole = told(x, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_pairs, "DENSE", dense)
        patch.setattr(nearest_other, "DENSE", dense)
        patch.setattr(realism, "DENSE", dense)
        assert told(x, y) == pytest.approx(whole, nan_ok=True)


def told(x: Vectors, y: Vectors) -> dict[str, float]:
    found = {}
    for name in ("density_coverage", "precision_recall", "memorisation"):
        metric = set_metric(name)
        sides = metric.statistics(x, np.array(names(len(x), "x"))), metric.statistics(y, np.array(names(len(y), "y")))
        found |= {key: each.value for key, each in metric.results(*sides, {}).items()}
        for column in metric.of_images(*sides) if metric.of_images is not None else ():
            found |= {f"{column.name} {row}": number for row, number in enumerate(column.numbers.tolist())}
    return found
