import random
from pathlib import Path

import pytest
from tiny_dataset import good_rows, make_dataset

from diptych.data.damage import ShardFile, check_content, content_problem, size_problem
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.digests import columns_digest, footer_sha256
from diptych.data.shards import read_shard
from diptych.errors import ShardError


def only_shard(dataset: Dataset) -> ShardFile:
    return ShardFile(dataset.files[0], dataset.shards[0])


def flip(path: Path, at: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def picture_at(path: Path) -> int:
    """Return where in the file the middle of the first picture lies."""
    picture = read_shard(path, ["image"])["image"][0].as_py()["bytes"]
    return path.read_bytes().index(picture) + len(picture) // 2


def test_what_was_written_is_sound_in_every_extent(tmp_path: Path) -> None:
    shard = only_shard(make_dataset(tmp_path, good_rows(3)))
    assert (size_problem(shard), content_problem(shard), content_problem(shard, "columns")) == ("", "", "")
    with shard.file.open() as file:
        assert (shard.file.sha256(), footer_sha256(file)) == (shard.info.sha256, shard.info.footer)
        assert columns_digest(file, shard.info.footer) == (shard.info.columns, shard.info.footer)
    assert shard.info.sha256 != shard.info.columns


def test_a_flip_in_a_picture_is_seen_in_the_whole_and_not_in_the_columns(tmp_path: Path) -> None:
    shard = only_shard(make_dataset(tmp_path, good_rows(3)))
    flip(shard.file.path, picture_at(shard.file.path))
    assert content_problem(shard).startswith("is damaged: its sha256 is ")
    assert content_problem(shard, "columns") == ""


def test_any_flip_outside_the_pictures_is_seen_in_the_columns(tmp_path: Path) -> None:
    shard = only_shard(make_dataset(tmp_path, good_rows(3)))
    path, whole = shard.file.path, shard.file.read()
    pictures: set[int] = set()
    for one in read_shard(path, ["image"])["image"].to_pylist():
        start = whole.index(one["bytes"])
        pictures.update(range(start, start + len(one["bytes"])))
    outside = sorted(set(range(len(whole))) - pictures)
    chosen = random.Random(0).sample(outside, 300)
    seen = 0
    for at in chosen:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert content_problem(shard)
        seen += bool(content_problem(shard, "columns"))
    path.write_bytes(whole)
    # The few bytes of the chunk of pictures that are no picture (lengths, page headers) count as pictures.
    assert seen >= 290


@pytest.mark.parametrize("how", ["gone", "empty", "shorter", "longer"])
def test_another_size_is_a_problem_that_opening_finds(tmp_path: Path, how: str) -> None:
    shard = only_shard(make_dataset(tmp_path, good_rows(2)))
    data = shard.file.read()
    if how == "gone":
        shard.file.path.unlink()
    else:
        shard.file.path.write_bytes({"empty": b"", "shorter": data[:-1], "longer": data + b"\0"}[how])
    assert size_problem(shard) == content_problem(shard) != ""
    with pytest.raises(
        ShardError, match=r"data/00000\.parquet: the shard is (missing|damaged: it has [\d,]+ bytes, not)"
    ):
        open_dataset(tmp_path)


def test_zeros_of_the_same_size_are_seen_in_the_content(tmp_path: Path) -> None:
    shard = only_shard(make_dataset(tmp_path, good_rows(2)))
    shard.file.path.write_bytes(bytes(shard.info.bytes))
    assert size_problem(shard) == ""
    assert content_problem(shard).startswith("is damaged: ")
    assert content_problem(shard, "columns").startswith("is damaged: ")


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, good_rows(6), rows_per_shard=2)
    flip(dataset.files[1].path, 100)
    with pytest.raises(ShardError, match=r"data/00001\.parquet: is damaged: .*diptych verify DATASET --repair"):
        dataset.check()


def test_a_file_that_did_not_change_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(tmp_path, good_rows(4), rows_per_shard=2)
    opened = []
    real = type(dataset.location).sha256
    monkeypatch.setattr(type(dataset.location), "sha256", lambda place: opened.append(place.name) or real(place))
    for _ in range(3):
        check_content(map(ShardFile, dataset.files, dataset.shards))
    assert sorted(opened) == ["00000.parquet", "00001.parquet"]
    dataset.files[0].write(dataset.files[0].read())
    opened.clear()
    check_content(map(ShardFile, dataset.files, dataset.shards))
    assert opened == ["00000.parquet"]
