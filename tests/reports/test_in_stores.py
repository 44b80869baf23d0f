"""Reports of what lies in an object store, and reports that are written into one."""

from pathlib import Path

import pytest
from object_store import ATTEMPTS, Bucket, Fail, local_files
from report_world import World

from diptych.errors import ConfigError, DataError, ShardError, StoreError
from diptych.jobs.engine import Engine
from diptych.reports.build import build_report
from diptych.reports.uploaded import THREADS
from diptych.storage.store_path import StorePath
from diptych.store.seal import ENDING
from diptych.store.store import Store


def upload_store(bucket: Bucket, store: Path) -> str:
    """Put a store and its seal into a bucket."""
    for file in (store, store.with_name(f"{store.name}{ENDING}")):
        StorePath(f"{bucket.address}/{file.name}").location.write(file.read_bytes())
    return f"{bucket.address}/{store.name}"


def test_a_report_of_a_remote_store_and_pool_is_the_same(world: World, built: Path, bucket: Bucket) -> None:
    store, pool = upload_store(bucket, world.store), bucket.upload(world.pool, "pool")
    bucket.server.clear()
    bucket.server.fail("PUT", "index.html", Fail.CUT, times=ATTEMPTS - 1)
    bucket.server.fail("GET", ".duckdb", Fail.UNAVAILABLE)
    there = build_report(world.config(store=store, pools=(pool,)), f"{bucket.address}/report")
    assert str(there.index) == f"{bucket.address}/report/index.html"
    assert not any(fault.times for fault in bucket.server.failing)
    here = local_files(built)
    stored = bucket.files("report")
    assert stored.keys() == here.keys()
    differ = {name for name in here if here[name] != stored[name]}
    assert differ <= {name for name in here if name.endswith((".html", ".js"))}  # they say where the pool lies
    assert sum(request.method == "PUT" for request in bucket.server.requests) <= len(here) + 2

    bucket.server.clear()
    (StorePath(f"{bucket.address}/report") / "old.html").location.write(b"of another build")
    again = build_report(world.config(store=store, pools=(pool,)), f"{bucket.address}/report")
    assert again.pictures_kept > 50
    assert not bucket.server.asked("PUT", ".webp")
    assert bucket.files("report") == stored


def test_what_is_no_report_is_not_written_over(world: World, bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    address = bucket.upload(tmp_path, "other")
    with pytest.raises(ConfigError, match=f"^{address}: holds files that are no report; give another --out"):
        build_report(world.config(), address)
    pool = bucket.upload(world.pool, "pool")
    with pytest.raises(ShardError, match=f"^{pool}/report: lies inside the dataset {pool}"):
        build_report(world.config(), f"{pool}/report")


def test_what_is_refused_once_is_not_tried_for_every_picture(world: World, bucket: Bucket) -> None:
    bucket.server.fail("PUT", ".webp", Fail.DENIED, times=999)
    with pytest.raises(DataError, match=f"^{bucket.address}/report/.*: cannot be written: .*; give credentials that"):
        build_report(world.config(), f"{bucket.address}/report")
    (failing,) = bucket.server.failing
    assert 999 - failing.times <= 4 * THREADS


def test_a_bucket_for_a_report_that_is_not_there_is_named(world: World, bucket: Bucket) -> None:
    with pytest.raises(DataError, match=r"^s3://nothing-here: there is no such bucket, or"):
        build_report(world.config(), "s3://nothing-here/report")


def test_a_store_that_is_not_there_or_not_whole_is_named(world: World, bucket: Bucket) -> None:
    with pytest.raises(StoreError, match=f"^{bucket.address}/no.duckdb: no such store; make it with"):
        Store.open(f"{bucket.address}/no.duckdb", read_only=True)
    store = upload_store(bucket, world.store)
    StorePath(store).location.write(b"x" * 4096)
    with pytest.raises(StoreError, match=f"^{store}: is damaged, or store.duckdb{ENDING} is") as caught:
        Store.open(store, read_only=True)
    assert "/tmp" not in str(caught.value)


def test_another_machine_is_not_asked_for_the_pictures_of_a_report_in_a_store(world: World, bucket: Bucket) -> None:
    with pytest.raises(ConfigError, match=f"^{bucket.address}/report: a report in a store is built on this machine"):
        build_report(world.config(), f"{bucket.address}/report", engine=Engine(2, "ray"))
