import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.curate.duplicates import buckets, crowds, hamming, spilled, stars, value_parts
from diptych.curate.duplicates.bit_tables import make_tables
from diptych.curate.duplicates.stars import group_equal, star_clusters, summarise

Hashes = npt.NDArray[np.uint64]
Order = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def claim_one_by_one(hashes: Hashes, radius: int, order: Order, valid: Mask) -> list[int]:
    """Return representatives by the definition: each unclaimed row in turn claims all unclaimed rows within radius."""
    representative = list(range(len(hashes)))
    values = hashes.tolist()
    unclaimed = [row for row in order.tolist() if valid[row]]
    while unclaimed:
        star = unclaimed[0]
        near = {row for row in unclaimed if (values[row] ^ values[star]).bit_count() <= radius}
        for row in near:
            representative[row] = star
        unclaimed = [row for row in unclaimed if row not in near]
    return representative


def noise(rng: np.random.Generator, rows: int, share: float) -> Hashes:
    return np.packbits(rng.random((rows, 64)) < share, axis=1).view(np.uint64)[:, 0]


@st.composite
def rows_in_order(draw: st.DrawFn) -> tuple[Hashes, Order, Mask]:
    """Hashes of which many are equal or near, an order, and which rows have a hash."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(0, 120))
    centres = rng.integers(2**64, size=draw(st.integers(1, 5)), dtype=np.uint64)
    hashes = rng.choice(centres, rows) ^ noise(rng, rows, draw(st.sampled_from([0.0, 0.02, 0.05, 0.1])))
    return hashes, rng.permutation(rows), rng.random(rows) < draw(st.sampled_from([0.5, 1.0]))


def test_a_chain_keeps_both_ends_where_one_end_is_preferred() -> None:
    hashes = np.array([0b0000, 0b0011, 0b1111], dtype=np.uint64)
    found = star_clusters(hashes, 2, order=np.array([0, 1, 2]))
    assert found.tolist() == [0, 0, 2]


def test_a_chain_keeps_its_middle_where_that_is_preferred() -> None:
    hashes = np.array([0b0000, 0b0011, 0b1111], dtype=np.uint64)
    assert star_clusters(hashes, 2, order=np.array([1, 0, 2])).tolist() == [1, 1, 1]


def test_a_row_near_two_representatives_goes_to_the_preferred_one_not_to_the_nearer() -> None:
    hashes = np.array([0b0000, 0b1111, 0b0111], dtype=np.uint64)
    found = star_clusters(hashes, 3, order=np.array([0, 1, 2]))
    assert found.tolist() == [0, 1, 0]


def test_a_long_chain_keeps_every_other_row() -> None:
    hashes = np.array([(1 << length) - 1 for length in range(64)], dtype=np.uint64)
    found = star_clusters(hashes, 1, order=np.arange(64))
    assert found.tolist() == [row - row % 2 for row in range(64)]


@settings(max_examples=150, deadline=None)
@given(given_rows=rows_in_order(), radius=st.integers(0, 12))
def test_stars_are_those_of_claiming_one_by_one(given_rows: tuple[Hashes, Order, Mask], radius: int) -> None:
    hashes, order, valid = given_rows
    found = star_clusters(hashes, radius, order=order, valid=valid)
    assert found.tolist() == claim_one_by_one(hashes, radius, order, valid)


@settings(max_examples=150, deadline=None)
@given(
    given_rows=rows_in_order(),
    design=st.sampled_from([(4, 2, 1), (9, 6, 2), (12, 8, 2), (11, 10, 1)]),
    neighbours=st.integers(0, 20),
    held=st.integers(0, 200),
    workers=st.integers(1, 3),
    claimed=st.integers(1, 200),
)
def test_neither_crowds_nor_limits_nor_workers_change_the_stars(
    given_rows: tuple[Hashes, Order, Mask],
    design: tuple[int, int, int],
    neighbours: int,
    held: int,
    workers: int,
    claimed: int,
) -> None:
    hashes, order, valid = given_rows
    tables = make_tables(*design)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "plan_tables", lambda values, radius, crowds_are_left: tables)
        for name, value in {"CHUNK": 7, "CROWD_ROWS": 3, "CROWD_RATIO": 0, "BLOCK_PAIRS": 4}.items():
            patch.setattr(buckets, name, value)
        for name, value in {"CHUNK": 5, "SORTED_ROWS": 6, "TABLE_ROWS": 4, "SAMPLE_ROWS": 8}.items():
            patch.setattr(value_parts, name, value)
        patch.setattr(spilled, "held_bytes", lambda: 64)
        patch.setattr(hamming, "THREAD_ROWS", 0)
        patch.setattr(hamming, "THREAD_CROWD", 0)
        patch.setattr(crowds, "RANGE_ROWS", claimed)
        patch.setattr(stars, "RANGE_ROWS", claimed)
        patch.setattr(crowds, "CROWD_NEIGHBOURS", neighbours)
        patch.setattr(crowds, "CROWD_SAMPLE_HITS", 1)
        patch.setattr(crowds, "HELD_PAIRS", held)
        patch.setattr(crowds, "HELD_PAIRS_PER_ROW", 0)
        found = star_clusters(hashes, design[1], order=order, valid=valid, workers=workers)
    assert found.tolist() == claim_one_by_one(hashes, design[1], order, valid)


@pytest.mark.parametrize("preferred", [True, False])
def test_a_crowd_among_random_rows_gives_the_stars_of_claiming_one_by_one(preferred: bool) -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(2**64, size=12_000, dtype=np.uint64)
    hashes[:4_000] = hashes[0] ^ noise(rng, 4_000, 0.04)
    order = np.arange(12_000) if preferred else np.arange(12_000)[::-1].copy()
    found = star_clusters(hashes, 8, order=order)
    assert found.tolist() == claim_one_by_one_fast(hashes, 8, order)
    assert summarise(found).largest_size > 3_000


def claim_one_by_one_fast(hashes: Hashes, radius: int, order: Order) -> list[int]:
    """Do as ``claim_one_by_one`` does, but compare a row with all others in one go."""
    representative = np.full(len(hashes), -1)
    for star in order.tolist():
        if representative[star] < 0:
            near = np.bitwise_count(hashes ^ hashes[star]) <= radius
            representative[near & (representative < 0)] = star
    result: list[int] = representative.tolist()
    return result


def peak_bytes(hashes: Hashes, radius: int) -> int:
    order = np.arange(len(hashes))
    tracemalloc.start()
    try:
        star_clusters(hashes, radius, order=order, workers=1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_million_equal_hashes_are_one_cluster_in_little_memory() -> None:
    hashes = np.full(1_000_000, 12345, dtype=np.uint64)
    assert peak_bytes(hashes, 8) < 100_000_000
    found = star_clusters(hashes, 8, order=np.arange(len(hashes))[::-1])
    assert summarise(found).largest_size == 1_000_000
    assert set(found.tolist()) == {999_999}


def test_a_crowd_of_distinct_hashes_holds_no_pairs() -> None:
    hashes = noise(np.random.default_rng(0), 30_000, 0.08)  # some 2e8 of its pairs are within 10 bits
    assert peak_bytes(hashes, 10) < 30_000_000


def test_rows_without_a_hash_represent_themselves_though_they_look_equal() -> None:
    found = star_clusters(
        np.zeros(4, dtype=np.uint64), 8, order=np.array([3, 2, 1, 0]), valid=np.array([True, False, True, False])
    )
    assert found.tolist() == [2, 1, 2, 3]


def test_no_rows_make_no_clusters() -> None:
    found = star_clusters(np.empty(0, dtype=np.uint64), 8, order=np.empty(0, dtype=np.int64))
    assert len(found) == 0
    summary = summarise(found)
    assert (summary.rows, summary.clusters, summary.largest_size, summary.largest_representative) == (0, 0, 0, -1)


@given(st.lists(st.integers(0, 5) | st.integers(2**64 - 2, 2**64 - 1), max_size=30))
def test_groups_restore_the_hashes_and_come_in_the_order_of_first_rows(hashes: list[int]) -> None:
    groups = group_equal(np.array(hashes, dtype=np.uint64))
    assert groups.values[groups.group].tolist() == hashes
    assert groups.values.tolist() == list(dict.fromkeys(hashes))
    assert groups.first.tolist() == [hashes.index(value) for value in groups.values.tolist()]


# What is said about clusters


def star_of(size: int, rows: int) -> npt.NDArray[np.int64]:
    """Return representatives of rows of which the last ``size`` are one cluster, represented by the last row."""
    representative = np.arange(rows)
    representative[rows - size :] = rows - 1
    return representative


def test_the_summary_counts_clusters_removed_rows_and_the_largest() -> None:
    summary = summarise(np.array([0, 0, 2, 5, 5, 5, 6]))
    assert (summary.rows, summary.clusters, summary.rows_removed) == (7, 2, 3)
    assert (summary.largest_size, summary.largest_representative) == (3, 5)


def test_the_summary_counts_only_rows_that_take_part() -> None:
    summary = summarise(np.array([0, 0, 2, 3]), valid=np.array([True, True, False, True]))
    assert (summary.rows, summary.clusters, summary.rows_removed) == (3, 1, 1)


def test_without_clusters_there_is_no_largest_representative() -> None:
    summary = summarise(np.arange(3))
    assert (summary.clusters, summary.rows_removed, summary.largest_representative) == (0, 0, -1)


@pytest.mark.parametrize(
    ("size", "rows", "alarm"), [(50, 60, False), (51, 60, True), (51, 5_100, False), (100, 9_999, True)]
)
def test_the_alarm_needs_more_than_fifty_rows_and_more_than_a_hundredth(size: int, rows: int, alarm: bool) -> None:
    assert summarise(star_of(size, rows)).alarm is alarm


# Wrong arguments


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (np.array([0, 1]), "pass the 3 rows as integers"),
        (np.array([0.0, 1.0, 2.0]), "order is float64"),
        (np.array([0, 1, 1]), "not a permutation of the rows 0 to 2"),
        (np.array([0, 1, 3]), "not a permutation"),
        (np.array([-1, 0, 1]), "not a permutation"),
    ],
)
def test_an_order_that_is_none_is_refused(order: Order, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        star_clusters(np.zeros(3, dtype=np.uint64), 8, order=order)


@pytest.mark.parametrize("valid", [np.ones(3, dtype=np.int8), np.ones(2, dtype=bool)])
def test_a_mask_of_another_type_or_length_is_refused(valid: Mask) -> None:
    with pytest.raises(ValueError, match=r"pass bool \(3,\)"):
        star_clusters(np.zeros(3, dtype=np.uint64), 8, order=np.arange(3), valid=valid)


def test_hashes_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="hashes are int64"):
        star_clusters(np.zeros(3, dtype=np.int64), 8, order=np.arange(3))  # type: ignore[arg-type]
