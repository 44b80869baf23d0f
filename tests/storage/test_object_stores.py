import io
import pickle
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from object_store import ATTEMPTS, Bucket, Fail

from diptych.addresses import STORES
from diptych.errors import DataError, MissingExtra, ShardError
from diptych.storage import store_clients, store_listings
from diptych.storage.location import Location
from diptych.storage.store_path import read_path

KINDS = ["memory", "s3"]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Iterator[Location]:
    """A place in a store: in that of this process, and in a bucket."""
    if request.param == "s3":
        yield Location.at(request.getfixturevalue("bucket").address) / "runs"
        return
    found = Location.at(f"memory://{request.node.name}/runs")
    yield found
    found.remove_everything()


def test_an_object_is_written_whole_read_and_removed(place: Location) -> None:
    shard = place / "data" / "00000.parquet"
    assert (shard.exists(), shard.is_file(), shard.size(), place.is_directory()) == (False, False, None, False)
    shard.write(b"abc")
    assert (shard.is_file(), shard.size(), shard.read(), place.is_directory()) == (True, 3, b"abc", True)
    assert (place / "data").sizes() == {"00000.parquet": 3}
    shard.write(b"abcd")
    assert (shard.size(), shard.read(), shard.open().read()) == (4, b"abcd", b"abcd")
    shard.remove()
    shard.remove()
    assert not shard.exists()


def test_what_is_not_written_to_its_end_is_not_there(place: Location) -> None:
    def stopped() -> None:
        with (place / "a").publishing() as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        stopped()
    assert not (place / "a").exists()


def test_of_several_that_create_an_object_one_succeeds(place: Location) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit((place / "a").create, bytes([number]) * 9) for number in range(4)]
    assert sorted(type(one.exception()).__name__ for one in done) == ["FileExistsError"] * 3 + ["NoneType"]
    (first,) = [number for number, one in enumerate(done) if one.exception() is None]
    assert (place / "a").read() == bytes([first]) * 9


def test_an_address_in_a_store_is_a_place_with_names_in_it_and_above(place: Location) -> None:
    shard = place / "data" / "00000.parquet"
    assert str(shard) == f"{place}/data/00000.parquet"
    assert (shard.name, shard.parent, shard.is_store) == ("00000.parquet", place / "data", True)
    assert list(shard.above()) == [place / "data", place, place.parent]
    assert place.parent.parent == place.parent
    assert Location.at(f"{shard}/") == Location.at(shard) == pickle.loads(pickle.dumps(shard))


def test_children_are_listed_by_name_and_hidden_ones_only_where_asked(place: Location) -> None:
    for name in ("b.parquet", "a.parquet", ".lock", "scores/x-1/00000.parquet"):
        (place / name).write(b"x")
    assert [child.name for child in place.children()] == ["a.parquet", "b.parquet", "scores"]
    assert [child.name for child in place.children("*.parquet")] == ["a.parquet", "b.parquet"]
    assert [child.name for child in place.children(".*")] == [".lock"]
    assert (place / "absent").children() == (place / "a.parquet").children() == []


def test_a_file_is_read_by_ranges_and_its_end_once(bucket: Bucket) -> None:
    data = bytes(range(256)) * 4096
    place = Location.at(bucket.address) / "a"
    place.write(data)
    bucket.server.clear()
    for _ in range(2):
        with place.open() as file:
            assert file.seek(-8, io.SEEK_END) == len(data) - 8
            assert file.read() == data[-8:]
            file.seek(1000)
            assert (file.read(10), file.tell()) == (data[1000:1010], 1010)
    ranges = [request.range for request in bucket.server.asked("GET")]
    assert ranges == ["bytes=983040-1048575", "bytes=1000-1009", "bytes=1000-1009"]


def test_a_column_of_a_parquet_file_costs_its_bytes(bucket: Bucket) -> None:
    table = pa.table({"score": [0.5] * 1000, "picture": [bytes(5000)] * 1000})
    place = Location.at(bucket.address) / "a.parquet"
    with place.publishing() as file:
        pq.write_table(table, file, compression="none", use_dictionary=False, row_group_size=100)
    bucket.server.clear()
    with place.open() as opened:
        assert pq.ParquetFile(opened).read(columns=["score"]).num_rows == 1000
    assert bucket.server.bytes_read() < 100_000 < (place.size() or 0)


def test_an_object_that_is_replaced_while_it_is_read_is_never_mixed(bucket: Bucket) -> None:
    place = Location.at(bucket.address) / "a"
    place.write(bytes(2**20))
    with place.open() as file:
        assert file.read(10) == bytes(10)
        bucket.put("a", b"\1" * 2**20)  # by another process
        with pytest.raises(DataError, match=f"^{place}: was replaced while it was read; .*run again to go on$"):
            file.read(10)
    with place.open() as file:
        assert file.read(10) == b"\1" * 10


def test_what_a_store_refuses_of_a_range_is_never_taken_for_a_replaced_object(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError
    from s3fs.errors import translate_boto_error

    def refuse(*_: object) -> bytes:
        expired = {"Error": {"Code": "InvalidToken", "Message": "The provided token is malformed"}}
        raise translate_boto_error(ClientError(expired, "GetObject"))

    place = Location.at(bucket.address) / "a"
    place.write(bytes(2**20))
    monkeypatch.setattr(store_clients, "_read_matching", refuse)
    with place.open() as file, pytest.raises(DataError, match=f"^{place}: cannot be read: .*token is malformed"):
        file.read(10)


def test_a_range_that_is_cut_while_it_is_sent_is_asked_for_again(bucket: Bucket) -> None:
    place = Location.at(bucket.address) / "a"
    place.write(bytes(2**20))
    with place.open() as file:
        bucket.server.fail("GET", "/a", Fail.CUT, times=ATTEMPTS - 1)
        assert file.read(10) == bytes(10)


def test_keys_that_no_path_could_say_are_refused_and_never_read_as_others(bucket: Bucket) -> None:
    place = read_path(f"{bucket.address}/in")
    place.joinpath("a").location.write(b"own")
    for key in ("in//a", "in/x//a", "in/./a"):
        bucket.put(key, b"another's")
        below = place / "x" if key == "in/x//a" else place
        for listing in (lambda below=below: list(below.iterdir()), lambda below=below: list(below.everything_below())):
            with pytest.raises(DataError, match=rf"the object {place}\S+ has .* in its key; rename or remove it$"):
                listing()
        bucket.remove(key)
    assert [path.read_bytes() for path in place.everything_below()] == [b"own"]


def test_a_copy_at_hand_is_gone_afterwards(place: Location) -> None:
    (place / "a.parquet").write(b"abc")
    with (place / "a.parquet").at_hand() as copy:
        assert (copy.is_store, copy.read(), copy.name) == (False, b"abc", "a.parquet")
    assert not copy.exists()


@pytest.mark.parametrize("how", [Fail.UNAVAILABLE, Fail.CUT], ids=["503", "cut"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_store_that_fails_for_a_moment_is_asked_again(bucket: Bucket, method: str, how: Fail) -> None:
    place = Location.at(bucket.address) / "a"
    place.write(b"abc")
    bucket.server.fail(method, "/a", how, times=ATTEMPTS - 1)
    if method == "PUT":
        place.write(b"abcd")
    assert place.read() == (b"abcd" if method == "PUT" else b"abc")


def test_a_store_that_refuses_is_never_taken_for_what_is_missing(bucket: Bucket) -> None:
    place = Location.at(bucket.address) / "a"
    place.write(b"abc")
    for method, ask in {"HEAD": place.is_file, "GET": place.read, "PUT": lambda: place.write(b"x")}.items():
        bucket.server.fail(method, "/a", Fail.DENIED, times=99)
        with pytest.raises(DataError, match=rf"^{place}: cannot be \w+( at)?: .*; what is finished is kept") as caught:
            ask()
        assert "\n" not in str(caught.value)
    bucket.server.clear()
    assert place.read() == b"abc"


def test_a_bucket_that_is_not_there_is_named(bucket: Bucket) -> None:
    said = "^s3://nothing-here: there is no such bucket, or these credentials do not show it; make it"
    with pytest.raises(DataError, match=said):
        (Location.at("s3://nothing-here") / "runs").children()
    with pytest.raises(DataError, match=said):
        read_path("s3://nothing-here/runs").location.below()
    with pytest.raises(DataError, match="s3://nothing-here/a: "):
        Location.at("s3://nothing-here/a").write(b"abc")


def test_of_the_hub_nothing_is_asked_above_a_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hub:
        def ls(self, key: str, detail: bool) -> list[Mapping[str, Any]]:
            raise FileNotFoundError(key)

        def isdir(self, key: str) -> bool:
            raise ValueError(f"Repository id must be 'namespace/name', got {key!r}.")

    monkeypatch.setattr(store_listings, "connected", lambda _: Hub())
    assert not Location.at("hf://datasets/a/b/absent").is_directory()


def test_a_place_of_objects_is_no_object(place: Location) -> None:
    (place / "a" / "b").write(b"abc")
    for ask in (lambda: (place / "a").open(), (place / "a").stamp, lambda: read_path(place / "a").stat()):
        with pytest.raises(FileNotFoundError, match=f"{re.escape(str(place))}/a'$"):
            ask()


def test_an_empty_object_that_stands_for_a_folder_is_none(bucket: Bucket) -> None:
    import boto3

    for key in ("in/", "in/a/", "in/b/"):  # as the console of the store makes a folder
        boto3.client("s3").put_object(Bucket=bucket.name, Key=key)
    place = read_path(f"{bucket.address}/in")
    (place / "a" / "0.txt").location.write(b"abc")
    assert place.location.below() == ["a/0.txt"]
    with pytest.raises(FileNotFoundError):
        (place / "a").stat()


def test_without_credentials_the_run_ends_in_one_line(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    store_clients.connected.cache_clear()
    monkeypatch.setattr("s3fs.S3FileSystem._cache", {})
    with pytest.raises(DataError, match=f"^{bucket.address}/a: cannot be read: .*credentials"):
        Location.at(f"{bucket.address}/a").read()
    store_clients.connected.cache_clear()


def test_what_reaches_a_store_comes_with_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STORES, "gs", STORES["gs"])
    store_clients.connected.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    with pytest.raises(MissingExtra, match=r"'gcsfs' is not installed; it comes with: pip install './diptych\[gcs\]'"):
        Location.at("gs://bucket/x")


def test_nothing_is_written_to_the_hub() -> None:
    with pytest.raises(ShardError, match=r"^hf://datasets/a/b/c: nothing is written in hf://; give another place$"):
        Location.at("hf://datasets/a/b/c").write(b"x")
    assert Location.at("hf://datasets/a/b").is_read_only()


def test_a_key_is_no_pattern(place: Location) -> None:
    for name in ("a[b]*", "ab"):
        (place / name / "x").write(b"x")
    assert [child.name for child in (place / "a[b]*").children()] == ["x"]
    (place / "a[b]*").remove_everything()
    assert ((place / "a[b]*").children(), (place / "ab" / "x").read()) == ([], b"x")
    place.remove_everything()
    assert not (place / "ab" / "x").exists()
