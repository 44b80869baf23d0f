import functools
import itertools
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.curate.duplicates import buckets, hamming, value_parts
from diptych.curate.duplicates.bit_tables import make_tables
from diptych.curate.duplicates.hamming import HashPairs, find_pairs, iterate_pairs
from diptych.curate.duplicates.table_choice import plan_tables
from diptych.errors import DataError

Hashes = npt.NDArray[np.uint64]
Design = tuple[int, int, int]  # blocks, radius, blocks of a table

# So small that a few dozen rows meet every edge of chunks, tiles, stripes, blocks and crowds.
SMALL_PARTS = {
    "CHUNK": 7,
    "CROWD_ROWS": 5,
    "CROWD_RATIO": 0,
    "TILE_ROWS": 2,
    "TILE_COLUMNS": 3,
    "STRIPE_CELLS": 12,
    "BLOCK_PAIRS": 4,
    "FEW": 1,
}
SMALL_VALUES = {"CHUNK": 5, "SORTED_ROWS": 6, "TABLE_ROWS": 4, "SAMPLE_ROWS": 8}
SMALL_SEARCH = {"DENSE_TABLES": 1, "THREAD_ROWS": 0, "THREAD_CROWD": 0}


@contextmanager
def searching_with(design: Design, *, in_small_parts: bool = False) -> Iterator[None]:
    """Search with these tables, which the cost model would not choose for so few rows."""
    tables = make_tables(*design)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "plan_tables", lambda values, radius, crowds_are_left: tables)
        if in_small_parts:
            cut_small(patch)
        yield


def cut_small(patch: pytest.MonkeyPatch) -> None:
    for module, constants in ((buckets, SMALL_PARTS), (hamming, SMALL_SEARCH), (value_parts, SMALL_VALUES)):
        for name, value in constants.items():
            patch.setattr(module, name, value)


def triples(pairs: HashPairs) -> list[tuple[int, int, int]]:
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist(), strict=True))


def count_bits_of_all_pairs(values: Hashes, radius: int) -> list[tuple[int, int, int]]:
    """Compare all with all, in Python's own integers."""
    combinations = itertools.combinations(enumerate(values.tolist()), 2)
    distances = ((left, right, (a ^ b).bit_count()) for (left, a), (right, b) in combinations)
    return [pair for pair in distances if pair[2] <= radius]


def flip(rng: np.random.Generator, value: int, bits: int) -> int:
    for bit in rng.choice(64, bits, replace=False).tolist():
        value ^= 1 << bit
    return value


def random_with_planted(rows: int, planted: int, radius: int) -> tuple[Hashes, set[tuple[int, int]]]:
    rng = np.random.default_rng(rows)
    values = rng.integers(2**64, size=rows, dtype=np.uint64)
    for row in range(planted):
        values[rows - 1 - row] = flip(rng, int(values[row]), int(rng.integers(1, radius + 1)))
    return values, {(row, rows - 1 - row) for row in range(planted)}


def crowd(rows: int, share: float) -> Hashes:
    """Distinct hashes around one, each bit flipped with a probability."""
    rng = np.random.default_rng(0)
    flips = rng.random((2 * rows, 64)) < share
    values = np.unique(np.packbits(flips, axis=1).view(np.uint64)[:, 0])[:rows]
    assert len(values) == rows
    return rng.permutation(values)


@st.composite
def clustered(draw: st.DrawFn) -> Hashes:
    """Distinct hashes of which many lie near one another."""
    centres = draw(st.lists(st.integers(0, 2**64 - 1) | st.just(2**64 - 1), min_size=1, max_size=4))
    flips = draw(st.lists(st.tuples(st.sampled_from(centres), st.lists(st.integers(0, 63), max_size=9)), max_size=60))
    values = {functools.reduce(lambda value, bit: value ^ (1 << bit), bits, centre) for centre, bits in flips}
    return np.array(draw(st.permutations(sorted(values))), dtype=np.uint64)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    radius = draw(st.integers(0, 16))
    blocks = draw(st.integers(radius + 1, radius + 6))
    return blocks, radius, draw(st.integers(1, min(3, blocks - radius)))


# Pairs


@settings(max_examples=100, deadline=None)
@given(values=clustered(), radius=st.integers(0, 20))
def test_comparing_all_finds_the_pairs_that_counting_bits_finds(values: Hashes, radius: int) -> None:
    assert triples(find_pairs(values, radius)) == count_bits_of_all_pairs(values, radius)


@settings(max_examples=150, deadline=None)
@given(values=clustered(), design=designs())
def test_tables_find_the_pairs_that_counting_bits_finds(values: Hashes, design: Design) -> None:
    with searching_with(design):
        assert triples(find_pairs(values, design[1])) == count_bits_of_all_pairs(values, design[1])


@settings(max_examples=100, deadline=None)
@given(values=clustered(), design=designs(), workers=st.integers(1, 3))
def test_each_pair_comes_once_however_the_work_is_cut(values: Hashes, design: Design, workers: int) -> None:
    with searching_with(design, in_small_parts=True):
        blocks = list(iterate_pairs(values, design[1], workers=workers))
    found = sorted(pair for block in blocks for pair in triples(block))
    assert found == count_bits_of_all_pairs(values, design[1])


@settings(max_examples=50, deadline=None)
@given(values=clustered(), radius=st.integers(0, 64))
def test_stripes_and_tiles_of_any_size_cover_all_pairs(values: Hashes, radius: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        cut_small(patch)
        assert triples(find_pairs(values, radius)) == count_bits_of_all_pairs(values, radius)


@settings(max_examples=100, deadline=None)
@given(values=clustered(), design=designs(), dense=st.integers(6, 12))
def test_only_pairs_within_a_crowd_that_the_caller_takes_are_left_out(
    values: Hashes, design: Design, dense: int
) -> None:
    taken: list[set[int]] = []

    def leave(rows: npt.NDArray[np.int32]) -> bool:
        if len(rows) >= dense:
            taken.append(set(rows.tolist()))
        return len(rows) >= dense

    with searching_with(design, in_small_parts=True):
        found = [pair for block in iterate_pairs(values, design[1], leave=leave) for pair in triples(block)]
    assert len(set(found)) == len(found)
    for pair in set(count_bits_of_all_pairs(values, design[1])) ^ set(found):
        assert any(pair[0] in rows and pair[1] in rows for rows in taken)


@pytest.mark.reference
@pytest.mark.parametrize("radius", [3, 8, 10])
def test_pairs_agree_with_distances_by_matrix_product(radius: int) -> None:
    values, _ = random_with_planted(9_000, 300, 12)
    assert plan_tables(values, radius) != (0,)
    bits = np.unpackbits(values.view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) * 2 - 1
    near = np.triu(bits @ bits.T >= 64 - 2 * radius, k=1)
    pairs = find_pairs(values, radius)
    assert np.array_equal(np.nonzero(near), (pairs.left, pairs.right))
    assert pairs.distance.max() <= radius


def test_all_planted_pairs_are_found_among_a_hundred_thousand() -> None:
    values, planted = random_with_planted(100_000, 2_000, 8)
    pairs = find_pairs(values, 8)
    assert planted <= set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    assert pairs.left.dtype == pairs.right.dtype == np.int32
    assert pairs.distance.dtype == np.uint8


def test_neither_pairs_nor_their_order_depend_on_the_number_of_workers() -> None:
    values, _ = random_with_planted(70_000, 1_000, 4)
    assert len(values) >= hamming.THREAD_ROWS  # with fewer rows there is only one worker
    one, three = (list(iterate_pairs(values, 4, workers=workers)) for workers in (1, 3))
    assert len(one) == len(three) > 0
    for a, b in zip(one, three, strict=True):
        assert triples(a) == triples(b)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_hashes_have_no_pairs(rows: int) -> None:
    pairs = find_pairs(np.zeros(rows, dtype=np.uint64), 8)
    assert [len(column) for column in pairs] == [0, 0, 0]
    assert pairs.left.dtype == np.int32


def test_at_radius_zero_distinct_hashes_have_no_pairs_and_at_64_all_are_pairs() -> None:
    values, _ = random_with_planted(300, 0, 8)
    assert len(find_pairs(values, 0).left) == 0
    assert len(find_pairs(values, 64).left) == 300 * 299 // 2


def test_the_extreme_hashes_are_64_bits_apart() -> None:
    assert triples(find_pairs(np.array([2**64 - 1, 0], dtype=np.uint64), 64)) == [(0, 1, 64)]


def test_progress_ends_with_all_parts_done() -> None:
    values, _ = random_with_planted(20_000, 0, 8)
    calls: list[tuple[int, int]] = []
    find_pairs(values, 8, progress=lambda done, total: calls.append((done, total)))
    total = len(plan_tables(values, 8))
    assert calls == [(done, total) for done in range(1, total + 1)]


def test_a_crowd_is_handed_out_in_blocks_that_need_little_memory() -> None:
    values = crowd(4_000, 0.05)
    list(iterate_pairs(values[:100], 8))
    tracemalloc.start()
    try:
        count = sum(len(block.left) for block in iterate_pairs(values, 10, workers=1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count > 7_000_000  # 64 MB as int32 and uint8
    assert peak < 50_000_000


def test_find_pairs_refuses_to_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "MAX_PAIRS", 100)
    with pytest.raises(DataError, match="1000 hashes have over 100 pairs within 10 bits; lower the radius"):
        find_pairs(crowd(1000, 0.05), 10)


# Wrong arguments


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.zeros(3, dtype=np.int64), "int64 (3,)"),
        (np.zeros((3, 2), dtype=np.uint64), "uint64 (3, 2)"),
        (["ffff0000ffff0000"], "list (1,)"),
    ],
)
def test_hashes_of_another_type_or_shape_are_refused(values: Hashes, found: str) -> None:
    with pytest.raises(ValueError, match="pass a numpy array of dtype uint64") as error:
        find_pairs(values, 8)
    assert f"hashes are {found}" in str(error.value)


@pytest.mark.parametrize("radius", [-1, 65])
def test_a_radius_outside_the_hash_is_refused(radius: int) -> None:
    with pytest.raises(ValueError, match=rf"radius {radius} is not in \[0, 64\] bits"):
        find_pairs(np.zeros(1, dtype=np.uint64), radius)


def test_equal_hashes_are_refused_with_the_way_to_collapse_them() -> None:
    with pytest.raises(ValueError, match="group_equal"):
        find_pairs(np.array([5, 6, 5], dtype=np.uint64), 8)
