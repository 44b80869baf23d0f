import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from drawn import picture
from tiny_dataset import Row, good_rows, make_table, mixed_rows

from diptych.data import images
from diptych.data.shards import write_shard
from diptych.scores import shard_batches
from diptych.scores.batches import Batch
from diptych.scores.loading import Needs
from diptych.scores.shard_batches import iterate_batches

PIXELS = Needs(pixels=True)
NOTHING = Needs()
EVERYTHING = Needs(pixels=True, bytes=True)


def write(tmp_path: Path, rows: Sequence[Row]) -> Path:
    write_shard(make_table(rows), tmp_path / "00000.parquet")
    return tmp_path / "00000.parquet"


def cut(path: Path, batch_size: int, needs: Needs = NOTHING, threads: int = 2) -> list[Batch]:
    return list(iterate_batches(path, batch_size=batch_size, needs=needs, threads=threads))


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("batch_size", [1, 3, 10, 64])
def test_batches_hold_at_most_what_was_asked_for_and_keep_the_order(
    tmp_path: Path, batch_size: int, threads: int
) -> None:
    found = cut(write(tmp_path, mixed_rows()), batch_size, EVERYTHING, threads)
    whole = Batch(make_table(mixed_rows()).to_batches()[0])
    assert [len(batch) for batch in found] == [min(batch_size, 10 - start) for start in range(0, 10, batch_size)]
    assert [key for batch in found for key in batch.keys] == whole.keys
    assert [data for batch in found for data in batch.bytes] == whole.bytes
    pixels = [image and image.tobytes() for batch in found for image in batch.images()]
    assert pixels == [image and image.tobytes() for image in whole.images()]


def test_batches_run_over_the_borders_of_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diptych.data.shards.MAX_ROW_GROUP_ROWS", 3)
    path = write(tmp_path, good_rows(10))
    for batch_size in (2, 4, 64):
        found = cut(path, batch_size, EVERYTHING)
        assert max(len(batch) for batch in found) <= batch_size
        assert [data for batch in found for data in batch.bytes] == [row.data for row in good_rows(10)]


def test_a_shard_without_rows_has_no_batch_with_rows(tmp_path: Path) -> None:
    assert [len(batch) for batch in cut(write(tmp_path, []), 4, PIXELS)] in ([], [0])


def test_a_batch_is_cut_where_its_pictures_exceed_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture(0)  # the same in every row, so that as it came each takes as much
    monkeypatch.setattr(shard_batches, "MAX_BATCH_BYTES", 3 * 10_000 + 3 * len(data))
    sides = [(100, 50), (100, 50), (10, 1), (300, 300), (10, 10), None, (99, 100), (100, 100), (100, 20)]
    rows = [Row(data, str(seed), size=size) for seed, size in enumerate(sides)]
    path = write(tmp_path, rows)
    assert [batch.captions for batch in cut(path, 64, PIXELS)] == [
        ["0", "1"],
        ["2"],
        ["3"],
        ["4", "5", "6"],
        ["7"],
        ["8"],
    ]
    assert [len(batch) for batch in cut(path, 2, PIXELS)] == [2, 1, 1, 2, 1, 1, 1]
    assert [len(batch) for batch in cut(path, 64, Needs(bytes=True))] == [9], "nothing is decoded"
    assert [len(batch) for batch in cut(path, 64)] == [9], "nor read"


def test_what_is_ahead_takes_no_more_than_one_batch_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    real = shard_batches._begin
    monkeypatch.setattr(shard_batches, "_begin", lambda *given: (begun.append(given[0].num_rows), real(*given))[1])
    path = write(tmp_path, good_rows(12))
    size = 3 * 48 * 32 + max(len(row.data or b"") for row in good_rows(12))
    for budget, ahead in ((2 * size, 1), (100 * size, 2)):
        begun.clear()
        monkeypatch.setattr(shard_batches, "MAX_BATCH_BYTES", budget)
        run = iterate_batches(path, batch_size=2, needs=PIXELS, threads=2)
        next(run)
        next(run)
        assert len(begun) == 2 + ahead
        run.close()


def test_batches_are_the_same_whatever_the_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_batches, "MAX_BATCH_BYTES", 40_000)
    expected = [batch.keys for batch in cut(write(tmp_path, good_rows(20)), 7, PIXELS)]
    for rows in (1, 3, 8):
        monkeypatch.setattr("diptych.data.shards.MAX_ROW_GROUP_ROWS", rows)
        assert [batch.keys for batch in cut(write(tmp_path, good_rows(20)), 7, PIXELS)] == expected


def test_at_most_two_batches_are_decoded_ahead_of_the_one_in_hand(tmp_path: Path, decoded: list[bytes]) -> None:
    path = write(tmp_path, good_rows(20))
    run = iterate_batches(path, batch_size=2, needs=PIXELS, threads=4)
    for number in range(1, 6):
        next(run).images()
        time.sleep(0.05)
        assert 2 * number <= len(decoded) <= 2 * (number + 2)
    run.close()
    assert len(decoded) <= 14


def test_images_are_decoded_by_the_threads_while_another_batch_is_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: set[str] = set()
    real = images.decode
    monkeypatch.setattr(
        images, "decode", lambda data, **limit: (names.add(threading.current_thread().name), real(data, **limit))[1]
    )
    for batch in iterate_batches(write(tmp_path, good_rows(8)), batch_size=2, needs=PIXELS, threads=3):
        batch.images()
    assert names <= {f"decode_{index}" for index in range(3)}
    assert names
