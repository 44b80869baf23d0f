"""Shards that are noted by an object each, by several at once."""

from pathlib import Path

import pytest

from diptych.data.journal import JOURNAL, Journal
from diptych.data.markers import MARKERS
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError
from diptych.storage.location import Location

FINGERPRINT = "f" * 64


def info(number: int, sha256: str = "a") -> ShardInfo:
    return ShardInfo(f"{number:05d}.parquet", 3, 100, sha256 * 64, "b" * 64, "c" * 64, "d" * 64, "source")


@pytest.fixture(params=["folder", "store"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    return Location.at(tmp_path if request.param == "folder" else f"memory://{request.node.name}")


def joined(data: Location) -> Journal:
    journal = Journal(data, is_shared=True)
    journal.join("ingest", FINGERPRINT)
    return journal


def test_everybody_knows_what_each_has_noted_and_who_is_alone_writes_it_down(data: Location) -> None:
    one, two = joined(data), joined(data)
    one.commit(info(0))
    two.commit(info(1))
    assert sorted(Journal(data).entries) == ["00000.parquet", "00001.parquet"]
    assert [place.name for place in (data / MARKERS).children()] == ["00000.parquet.json", "00001.parquet.json"]
    alone = Journal(data)
    alone.begin("ingest", FINGERPRINT)
    assert not (data / MARKERS).children()
    again = Journal(data)
    assert (list(again.entries), again.problems) == (["00000.parquet", "00001.parquet"], [])


def test_the_same_shard_noted_twice_is_one_and_noted_otherwise_is_an_error(data: Location) -> None:
    joined(data).commit(info(0))
    joined(data).commit(info(0))
    with pytest.raises(ShardError, match=r"00000\.parquet: another run has made this shard otherwise"):
        joined(data).commit(info(0, sha256="9"))


def test_a_shard_that_is_forgotten_may_be_noted_again(data: Location) -> None:
    journal = joined(data)
    journal.commit(info(0))
    journal.forget(["00000.parquet"])
    assert Journal(data).entries == {}
    journal.commit(info(0, sha256="9"))
    assert Journal(data).entries["00000.parquet"].sha256 == "9" * 64


def test_what_was_begun_otherwise_is_not_joined(data: Location) -> None:
    joined(data)
    with pytest.raises(ShardError, match="holds what was begun otherwise, or finished and is to grow"):
        Journal(data, is_shared=True).join("ingest", "0" * 64)
    assert (data / JOURNAL).is_file()


def test_a_marker_that_is_not_what_was_written_counts_for_nothing(data: Location) -> None:
    journal = joined(data)
    journal.commit(info(0))
    (data / MARKERS / "00000.parquet.json").write(b"{}")
    found = Journal(data)
    assert found.entries == {}
    assert found.problems == [f"{data / MARKERS / '00000.parquet.json'}: is not what was written"]
