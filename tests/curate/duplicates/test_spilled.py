import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.duplicates import equal_bytes, spilled
from diptych.curate.duplicates.equal_bytes import ByteDigests
from diptych.curate.duplicates.spilled import SpilledBuckets
from diptych.errors import ConfigError
from diptych.shortage import MEMORY_LIMIT
from diptych.storage.spill import HELD_BYTES, held_bytes

BUCKETS = 5


@given(
    st.lists(st.lists(st.integers(0, BUCKETS - 1), max_size=8), max_size=8),
    st.sampled_from([0, 20, 100, HELD_BYTES]),
)
def test_records_come_back_by_bucket_in_their_order_however_many_are_held(batches: list[list[int]], held: int) -> None:
    expected: list[list[int]] = [[] for _ in range(BUCKETS)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spilled, "held_bytes", lambda: held)
        records = SpilledBuckets(BUCKETS, np.int64)
    with records:
        for batch in batches:
            numbers = len(records) + np.arange(len(batch))
            records.put(np.array(batch, np.int64), numbers)
            for bucket, number in zip(batch, numbers.tolist(), strict=True):
                expected[bucket].append(number)
        assert not (records.is_spilled and held == HELD_BYTES)
        for _ in range(2):  # they stay where they are
            assert [records.take(bucket).tolist() for bucket in range(BUCKETS)] == expected


def test_what_is_spilled_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "4MiB")
    batch, bucket = np.zeros(1 << 14, np.int64), np.arange(1 << 14) % BUCKETS  # 128 KiB
    tracemalloc.start()
    with SpilledBuckets(BUCKETS, np.int64) as records:
        for _ in range(256):  # 32 MiB
            records.put(bucket, batch)
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert records.is_spilled
        assert len(records) == 256 << 14
        assert sum(len(records.take(number)) for number in range(BUCKETS)) == len(records)
    assert held < 1 << 20
    assert peak < 4 << 20


def test_a_bucket_costs_what_is_in_it_and_not_what_waits_with_it() -> None:
    with SpilledBuckets(BUCKETS, np.int64) as records:
        records.put(np.arange(1 << 18) % (BUCKETS - 1), np.arange(1 << 18))  # 2 MiB
        assert len(records.take(0)) == 1 << 16
        tracemalloc.start()
        assert len(records.take(BUCKETS - 1)) == 0
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 14


@pytest.mark.parametrize(
    ("limit", "held"),
    [("", HELD_BYTES), ("8GB", HELD_BYTES), ("80MB", 10**7), ("8 MiB", 1 << 20), ("1.6kb", 200), ("800B", 100)],
)
def test_what_duckdb_may_take_bounds_what_is_held(limit: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, limit)
    assert held_bytes() == held


def test_what_is_no_amount_of_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "5 apples")
    with pytest.raises(ConfigError, match="'5 apples' is no amount of memory"):
        held_bytes()


def test_equal_bytes_are_the_same_in_few_and_in_many_buckets_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    digests = [rng.bytes(32).hex() for _ in range(300)]
    column = pa.array([digests[number] for number in rng.integers(0, 300, 1000)])
    order = rng.permutation(1000).astype(np.int32)

    def first_of_equals() -> list[int]:
        with ByteDigests(1000) as found:
            for start in range(0, 1000, 90):
                found.put(start, column.slice(start, 90))
            assert found.is_spilled == (equal_bytes.BUCKET_ROWS == 8)
            return found.first_of_equals(order).tolist()

    expected = first_of_equals()
    monkeypatch.setattr(equal_bytes, "BUCKET_ROWS", 8)
    monkeypatch.setattr(spilled, "held_bytes", lambda: 1000)
    assert first_of_equals() == expected
    assert len(set(expected)) == len(set(column.to_pylist()))
