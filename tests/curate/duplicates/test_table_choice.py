import numpy as np

from diptych.curate.duplicates.table_choice import plan_tables


def test_few_hashes_are_all_compared_and_many_are_not() -> None:
    values = np.random.default_rng(0).integers(2**64, size=20_000, dtype=np.uint64)
    assert plan_tables(values[:1], 8) == ()
    assert plan_tables(values[:1000], 8) == (0,)
    assert plan_tables(values, 8)[0].bit_count() > 5


def test_hashes_that_all_lie_near_one_another_are_all_compared_unless_crowds_are_left() -> None:
    flips = np.random.default_rng(0).random((20_000, 64)) < 0.05
    values = np.unique(np.packbits(flips, axis=1).view(np.uint64)[:, 0])
    assert plan_tables(values, 8) == (0,)
    assert plan_tables(values, 8, crowds_are_left=True) != (0,)
