"""Shards that are noted by an object each, by several at once."""

from pathlib import Path

import pytest

from diptych.data import journal as journal_module
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


def test_a_marker_that_another_takes_out_meanwhile_is_none(data: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    joined(data).commit(info(0))
    listed = [*(data / MARKERS).children(), data / MARKERS / "00001.parquet.json"]
    monkeypatch.setattr(type(data), "children", lambda *_: listed)
    assert list(Journal(data).entries) == ["00000.parquet"]


def test_a_marker_of_other_words_is_told_as_a_line_of_the_journal_is(
    data: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = joined(data)
    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "asdict", lambda _: {"name": "00000.parquet", "colour": "red"})
        journal.commit(info(0))
    (problem,) = Journal(data).problems
    assert problem.startswith(f"{data / MARKERS / '00000.parquet.json'}: ")


def test_who_joins_what_was_begun_writes_nothing_and_reads_it_once(
    data: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(data).commit(info(0))
    asked: list[str] = []
    for name in ("create", "read"):
        real = getattr(type(data), name)
        monkeypatch.setattr(
            type(data), name, lambda place, *rest, n=name, r=real: (asked.append(n), r(place, *rest))[1]
        )
    joined(data)
    assert asked == ["read", "read"], "the journal and the marker"


def test_of_two_that_begin_at_once_with_something_else_the_second_is_refused(data: Location) -> None:
    one, two = Journal(data, is_shared=True), Journal(data, is_shared=True)
    one.join("ingest", FINGERPRINT)
    with pytest.raises(ShardError, match="holds what was begun otherwise"):
        two.join("ingest", "0" * 64)
    third = Journal(data, is_shared=True)
    third.join("ingest", FINGERPRINT)
    assert third.fingerprint == FINGERPRINT
