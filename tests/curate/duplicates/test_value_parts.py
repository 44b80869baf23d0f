import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.duplicates import value_parts
from diptych.curate.duplicates.value_parts import sorted_parts, table_parts, take_part

SMALL = {"CHUNK": 5, "SORTED_ROWS": 6, "TABLE_ROWS": 4, "SAMPLE_ROWS": 8}
# Many equal ones, and such as differ in their first or last bits alone.
hashes = st.lists(st.integers(0, 7) | st.integers(0, 7).map(lambda value: value << 61), max_size=60).map(
    lambda values: np.array(values, np.uint64)
)


@pytest.fixture(autouse=True, scope="module")
def _small_parts() -> object:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(value_parts, name, value)
        yield


@given(hashes)
def test_sorted_parts_have_all_rows_by_value_and_equal_ones_together(values: np.ndarray) -> None:
    parts = list(sorted_parts(values))
    rows = np.concatenate([np.empty(0, np.int32), *parts])
    assert sorted(rows.tolist()) == list(range(len(values)))
    assert values[rows].tolist() == sorted(values.tolist())
    sets = [set(values[part].tolist()) for part in parts]
    assert sum(map(len, sets)) == len(set(values.tolist()))


def test_parts_of_random_hashes_are_of_about_one_size() -> None:
    values = np.random.default_rng(0).integers(2**64, size=600, dtype=np.uint64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_parts, "SORTED_ROWS", 100)
        patch.setattr(value_parts, "SAMPLE_ROWS", 600)
        assert {len(part) for part in sorted_parts(values)} == {100}


@given(hashes, st.integers(0, 2**64 - 1))
def test_the_parts_of_a_table_have_every_hash_once_and_all_that_agree_on_it_together(
    values: np.ndarray, table: int
) -> None:
    parts = [take_part(values, part) for part in table_parts(values, table)]
    assert sorted(np.concatenate(parts).tolist()) == sorted(values.tolist())
    agreeing = [set((part & np.uint64(table)).tolist()) for part in parts]
    assert sum(map(len, agreeing)) == len(set((values & np.uint64(table)).tolist()))


def test_bits_that_all_hashes_share_part_nothing() -> None:
    values = np.random.default_rng(0).integers(2**63, size=64, dtype=np.uint64)  # whose first bit is 0
    ((mask, _), *others) = table_parts(values, (1 << 63) | 0b1111)
    assert mask == 0b1111
    assert len(others) == 15
