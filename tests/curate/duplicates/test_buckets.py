import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.curate.duplicates import buckets
from diptych.curate.duplicates.buckets import arrange, moves_back, moves_to_top, near_in_buckets, take_crowds_out

Hashes = npt.NDArray[np.uint64]

hashes = st.lists(st.integers(0, 2**64 - 1), max_size=30).map(lambda values: np.array(values, np.uint64))


@given(values=hashes, mask=st.integers(1, 2**64 - 2))
def test_moved_bits_of_a_mask_stand_on_top_and_go_back_where_they_were(values: Hashes, mask: int) -> None:
    moves = moves_to_top(mask)
    arranged = arrange(values, moves)
    bits = mask.bit_count()
    assert arrange(np.array([mask], np.uint64), moves).tolist() == [(2**bits - 1) << (64 - bits)]
    assert arrange(arranged, moves_back(moves)).tolist() == values.tolist()
    assert np.bitwise_count(arranged).tolist() == np.bitwise_count(values).tolist()


@settings(max_examples=200)
@given(
    sizes=st.lists(st.integers(1, 12), max_size=8),
    chunk=st.integers(1, 40),
    most=st.integers(1, 12),
)
def test_buckets_of_more_rows_than_the_limit_are_taken_out_and_all_others_stay_in_order(
    sizes: list[int], chunk: int, most: int
) -> None:
    bits = 8
    rows = [[(bucket << (64 - bits)) + row for row in range(size)] for bucket, size in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "CHUNK", chunk)
        patch.setattr(buckets, "CROWD_ROWS", most)
        patch.setattr(buckets, "CROWD_RATIO", 0)
        others, crowds = take_crowds_out(np.array(list(itertools.chain(*rows)), np.uint64), bits)
    assert [crowd.tolist() for crowd in crowds] == [values for values in rows if len(values) > most]
    assert others.tolist() == [value for values in rows if len(values) <= most for value in values]


@given(values=hashes, bits=st.integers(1, 4), radius=st.integers(0, 40))
def test_all_near_pairs_of_a_bucket_are_found_once(values: Hashes, bits: int, radius: int) -> None:
    ordered = np.unique(values)
    found = [
        (int(left), int(right))
        for near in near_in_buckets(ordered, bits, radius)
        for left, right in zip(*near, strict=True)
        if int(ordered[left]) >> (64 - bits) == int(ordered[right]) >> (64 - bits)
    ]
    pairs = itertools.combinations(enumerate(ordered.tolist()), 2)
    expected = [
        (left, right)
        for (left, a), (right, b) in pairs
        if a >> (64 - bits) == b >> (64 - bits) and (a ^ b).bit_count() <= radius
    ]
    assert sorted(found) == expected
