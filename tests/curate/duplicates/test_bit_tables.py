import itertools

import numpy as np
import pytest

from diptych.curate.duplicates import bit_tables
from diptych.curate.duplicates.bit_tables import count_tables, make_tables


@pytest.mark.parametrize("blocks", range(1, 11))
def test_whichever_blocks_are_wrong_one_table_has_none_of_them(blocks: int) -> None:
    for errors in range(blocks):
        for wanted in range(1, blocks - errors + 1):
            tables = bit_tables._choices(blocks, errors, wanted)
            assert len(tables) == count_tables(blocks, errors, wanted)
            assert {table.bit_count() for table in tables} == {wanted}
            for wrong in itertools.combinations(range(blocks), errors):
                assert any(all(not table >> block & 1 for block in wrong) for table in tables)


@pytest.mark.parametrize("design", [(16, 8, 4), (18, 10, 3), (15, 8, 4), (7, 4, 2), (24, 16, 4)])
def test_whichever_bits_differ_one_table_has_none_of_them(design: tuple[int, int, int]) -> None:
    tables = np.array(make_tables(*design), dtype=np.uint64)
    rng = np.random.default_rng(0)
    wrong = [rng.choice(64, design[1], replace=False).tolist() for _ in range(2000)]
    differences = np.array([sum(1 << bit for bit in bits) for bits in wrong], dtype=np.uint64)
    assert ((differences[:, None] & tables) == 0).any(axis=1).all()


def test_at_radius_eight_there_are_as_few_tables_as_documented() -> None:
    tables = make_tables(16, 8, 4)
    assert len(tables) == 73
    assert {table.bit_count() for table in tables} == {16}
    assert len(make_tables(12, 8, 4)) == 495
