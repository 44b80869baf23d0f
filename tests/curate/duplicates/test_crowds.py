import numpy as np
import numpy.typing as npt
import pytest

from diptych.curate.duplicates import crowds
from diptych.curate.duplicates.crowds import Crowds, collect_pairs

Hashes = npt.NDArray[np.uint64]


def near_pairs(values: Hashes, radius: int) -> set[tuple[int, int]]:
    near = np.bitwise_count(values[:, None] ^ values) <= radius
    return set(zip(*(side.tolist() for side in np.nonzero(np.triu(near, k=1))), strict=True))


def as_tuples(pairs: Hashes) -> list[tuple[int, int]]:
    return [(pair >> 32, pair & 0xFFFF_FFFF) for pair in pairs.tolist()]


def test_crowds_that_share_a_row_become_one_and_take_no_other_row() -> None:
    found = Crowds(np.arange(9, dtype=np.uint64), 8)
    for rows in ([1, 2], [7, 8], [4, 5], [2, 4]):
        found.join(np.array(rows, dtype=np.int32))
    assert sorted(rows.tolist() for rows in found.members()) == [[1, 2, 4, 5], [7, 8]]
    pairs = np.array([[0, 1, 1, 1, 7], [3, 2, 5, 7, 8]], dtype=np.int32)
    assert found.hold(*pairs).tolist() == [False, True, True, False, True]


def test_pairs_come_in_ascending_order_and_each_once() -> None:
    values = np.random.default_rng(0).permutation(np.arange(300, dtype=np.uint64))
    found = as_tuples(collect_pairs(Crowds(values, 2), None, None).all())
    assert found == sorted(near_pairs(values, 2))


def test_pairs_over_the_limit_make_one_crowd_that_answers_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "HELD_PAIRS", 10)
    monkeypatch.setattr(crowds, "HELD_PAIRS_PER_ROW", 0)
    alone = np.array([0xFFFF_0000_0000_0000, 0xFFFF_0000_0001_FFFF], np.uint64)
    values = np.concatenate([np.arange(40, dtype=np.uint64), alone])
    held = Crowds(values, 2)
    listed = set(as_tuples(collect_pairs(held, 1, None).all()))
    (members,) = held.members()
    assert members.tolist() == list(range(40))
    assert {pair for pair in near_pairs(values, 2) if not set(pair) <= set(members.tolist())} <= listed
