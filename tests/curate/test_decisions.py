from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed import seal_dataset

from diptych.curate.decisions import Decisions, find_decisions, keys_of, read_clusters, read_keep, write_decisions
from diptych.data.dataset import Dataset
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.errors import ShardError

REASONS = ("small", "blurred")


def make_dataset(path: Path, cuts: list[int]) -> Dataset:
    """Make a dataset of keys k0, k1, ... in shards of as many rows as the cuts say."""
    infos, start = [], 0
    for index, rows in enumerate(cuts):
        records = [{"key": f"k{row}", "status": "ok"} for row in range(start, start + rows)]
        table = pa.Table.from_pylist(records, schema=data_schema())
        infos.append(write_shard(table, path / "data" / shard_name(index)))
        start += rows
    return seal_dataset(path, infos, {"kind": "pairs", "name": "test"})


def small_decisions() -> Decisions:
    copy_of = np.array([-1, 4, 4, -1, -1, 0], np.int32)
    return Decisions(
        keep=copy_of < 0,
        reasons=REASONS,
        reason=np.array([-1, 0, 1, -1, -1, 1], np.int8),
        duplicate_of=copy_of,
        rank=np.array([3, 4, 5, 0, 1, 2], np.int32),
    )


@pytest.mark.parametrize("cuts", [[6], [1] * 6, [2, 4], [5, 1], [3, 1, 2]])
def test_a_copy_names_its_row_by_key_and_by_number_wherever_that_lies(cuts: list[int], tmp_path: Path) -> None:
    written = write_decisions(make_dataset(tmp_path, cuts), "dedup", {"step": "dedup"}, small_decisions(), {})
    rows = [row for file in written.files for row in read_shard(file).to_pylist()]
    assert [shard.rows for shard in written.shards] == cuts
    assert [row["key"] for row in rows] == [f"k{number}" for number in range(6)]
    assert [row["reason"] for row in rows] == [None, "small", "blurred", None, None, "blurred"]
    assert [row["duplicate_of"] for row in rows] == [None, "k4", "k4", None, None, "k0"]
    assert [row["duplicate_of_row"] for row in rows] == [None, 4, 4, None, None, 0]
    assert [row["rank"] for row in rows] == [3, 4, 5, 0, 1, 2]
    assert read_keep(written).tolist() == [row["keep"] for row in rows]
    clusters = read_clusters(written)
    assert clusters.stands_for.tolist() == [0, 4, 4, 3, 4, 0]
    assert clusters.rank.tolist() == [3, 4, 5, 0, 1, 2]


def test_a_step_that_knows_no_copies_and_no_order_says_nothing_about_them(tmp_path: Path) -> None:
    keep = np.array([True, False])
    reason = np.array([-1, 1], np.int8)
    written = write_decisions(make_dataset(tmp_path, [2]), "select", {}, Decisions(keep, REASONS, reason), {"n": 7})
    table = read_shard(written.files[0])
    assert table["reason"].to_pylist() == [None, "blurred"]
    assert [table[name].null_count for name in ("duplicate_of", "duplicate_of_row", "rank")] == [2, 2, 2]
    assert (written.manifest["kept"], written.manifest["rows"], written.manifest["n"]) == (1, 2, 7)


def test_only_what_the_same_identity_decided_is_found_again(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, [2, 4])
    assert find_decisions(dataset, "dedup", {"radius": 4}) is None
    write_decisions(dataset, "dedup", {"radius": 4}, small_decisions(), {})
    assert find_decisions(dataset, "dedup", {"radius": 4}) is not None
    assert find_decisions(dataset, "dedup", {"radius": 5}) is None


def test_decisions_of_which_a_bit_is_flipped_are_not_read(tmp_path: Path) -> None:
    written = write_decisions(make_dataset(tmp_path, [2, 4]), "dedup", {}, small_decisions(), {})
    whole = bytearray(written.files[1].read())
    whole[len(whole) // 2] ^= 1
    written.files[1].path.write_bytes(whole)
    for read in (read_keep, read_clusters):
        with pytest.raises(ShardError, match=r"00001\.parquet"):
            read(written)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 4), min_size=1, max_size=5), data=st.data())
def test_keys_of_any_rows_come_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], data: st.DataObject
) -> None:
    rows = sorted(data.draw(st.sets(st.integers(0, sum(cuts) - 1))))
    found = keys_of(make_dataset(tmp_path_factory.mktemp("keys"), cuts), np.array(rows, np.int32))
    assert found.to_pylist() == [f"k{row}" for row in rows]
