"""Whoever holds a place in a store asks for nothing twice, and knows what it wrote there; nobody else does."""

from collections.abc import Callable
from typing import Any

import pytest
from object_store import Bucket

from diptych.parts import JobPart
from diptych.storage import store_listings, store_memory
from diptych.storage.location import Location
from diptych.storage.locks import only_one
from diptych.storage.object_stores import StoreLocation

PART = JobPart(1, 2)
QUESTIONS: dict[str, Callable[[Location], object]] = {
    "read": lambda place: (place / "a").read(),
    "is there": lambda place: (place / "a").is_file(),
    "is not there": lambda place: (place / "b").exists(),
    "lists": lambda place: place.children(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_is_asked_twice_while_nothing_is_written(question: str, bucket: Bucket) -> None:
    place, ask = Location.at(f"{bucket.address}/runs"), QUESTIONS[question]
    (place / "a").write(b"abc")
    ask(place)
    bucket.server.clear()
    ask(place)
    once = len(bucket.server.requests)
    with only_one(place):
        answers = [ask(place) for _ in range(3)]
        with only_one(place / "data"):
            answers.append(ask(place))
    assert answers == [ask(place)] * 4
    assert len(bucket.server.requests) == 3 * once > 0
    bucket.server.clear()
    with only_one(place, PART):  # others write there
        assert [ask(place) for _ in range(3)] == answers[:3]
    assert len(bucket.server.requests) == 3 * once


def test_what_was_written_is_read_as_it_is_now(bucket: Bucket) -> None:
    place = Location.at(f"{bucket.address}/runs")
    with only_one(place):
        assert (place.children(), (place / "a").is_file()) == ([], False)
        (place / "a").write(b"abc")
        assert ((place / "a").read(), (place / "a").size(), place.children()) == (b"abc", 3, [place / "a"])
        (place / "a").write(b"xyz")
        assert ((place / "a").read(), (place / "a").open().read()) == (b"xyz", b"xyz")
        (place / "data" / "0").create(b"0")
        assert (place / "data").sizes() == {"0": 1}
        place.remove_everything()
        assert (place.children(), (place / "a").is_file(), (place / "data").is_directory()) == ([], False, False)
    with only_one(place):
        bucket.make()  # of its own, and empty
        assert place.children() == []


def test_what_was_asked_before_another_thread_wrote_is_not_remembered(bucket: Bucket) -> None:
    place = StoreLocation.of(f"{bucket.address}/runs")

    def written_meanwhile(found: Any) -> Any:
        (place / "a").write(b"xyz")
        return found

    with only_one(place):
        assert store_memory.answer("entries", "s3", place.key, lambda: written_meanwhile([])) == []
        assert place.children() == [place / "a"]
        assert store_memory.content("s3", f"{place.key}/a", lambda: written_meanwhile(b"abc")) == b"abc"
        assert (place / "a").read() == b"xyz"


def test_a_listing_shows_what_another_thread_wrote_as_it_came(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Location.at(f"{bucket.address}/runs")

    class Client:
        def ls(self, key: str, detail: bool) -> list[Any]:
            (place / "a").write(b"abc")
            return []

    monkeypatch.setattr(store_listings, "connected", lambda _: Client())
    with only_one(place):
        assert place.children() == [place / "a"]


def test_listings_that_are_behind_hide_nothing_that_was_written_and_show_nothing_that_was_removed(
    bucket: Bucket,
) -> None:
    place = Location.at(f"{bucket.address}/runs")
    (place / "old").write(b"abc")
    bucket.server.is_behind = True
    try:
        (place / "before").write(b"x")
        assert [child.name for child in place.children()] == ["old"]
        with only_one(place):
            (place / "new").write(b"abcd")
            (place / "data" / "0").write(b"0")
            assert [child.name for child in place.children()] == ["data", "new", "old"]
            assert place.sizes() == {"new": 4, "old": 3}
            (place / "data").remove_everything()
            assert not (place / "data").is_directory()
    finally:
        bucket.server.catch_up()
    assert sorted(bucket.files("runs")) == ["before", "new", "old"]
