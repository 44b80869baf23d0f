"""Bodies that come packed, from a server or by hand."""

import gzip
import zlib
from pathlib import Path

import pytest
from drawn import picture
from fault_server import Fault, FaultServer
from ingested import make_config, pool_rows, run, write_urls

from diptych.curate.download.errors import FetchError
from diptych.curate.download.packed_bodies import unpacked


def packed_as(coding: str, body: bytes) -> Fault:
    return Fault(body=body, headers={"Content-Encoding": coding})


def test_a_picture_that_comes_packed_is_a_picture_within_the_bound(tmp_path: Path) -> None:
    plain = picture(0)
    routes = {
        "/gzip": packed_as("GZIP", gzip.compress(plain)),
        "/two": packed_as("x-gzip", gzip.compress(plain[:100]) + gzip.compress(plain[100:])),
        "/listed": packed_as("identity, , gzip ,", gzip.compress(plain)),
        "/deflate": packed_as("deflate", zlib.compress(plain)),
        "/plain": packed_as("gzip", plain),
        "/chunked": Fault(body=gzip.compress(plain), headers={"Content-Encoding": "gzip"}, how="chunked"),
        "/bomb": packed_as("gzip", gzip.compress(bytes(10**7))),
        "/cut": packed_as("gzip", gzip.compress(plain)[:-12]),
        "/broken": packed_as("gzip", gzip.compress(plain)[:-8] + bytes(8)),
        "/br": packed_as("br", b"\x8b\x00"),
        "/twice": packed_as("gzip, gzip", gzip.compress(gzip.compress(plain))),
        "/deflated": packed_as("deflate, gzip", gzip.compress(zlib.compress(plain))),
        "/said_twice": packed_as("gzip, gzip", gzip.compress(plain)),
    }
    with FaultServer(routes) as server:
        write_urls(tmp_path / "t.parquet", [server.url(path) for path in routes])
        download = {"allow_private_addresses": True, "retries": 0, "max_bytes": 100_000}
        config = make_config({"kind": "url_table", "path": tmp_path / "t.parquet"}, download=download)
        rows = pool_rows(run(config, tmp_path / "pool").dataset)
    assert [row["image"]["bytes"] for row in rows[:6]] == [plain] * 6
    assert [(row["status"], row["error"]) for row in rows[6:8]] == [
        ("too_large", "more than 100000 bytes"),
        ("truncated_body", "a packed body that ends before its end"),
    ]
    assert rows[8]["status"] == "http_error"
    assert rows[8]["error"].startswith("a body that is no gzip as it says")
    assert [(row["status"], row["error"]) for row in rows[9:12]] == [
        ("http_error", "a body in the coding br, and none was asked for"),
        ("http_error", "a body packed more than once (gzip, gzip)"),
        ("http_error", "a body packed more than once (deflate, gzip)"),
    ]
    assert rows[12]["image"]["bytes"] == plain, "an answer that says it twice, as behind two proxies"


def test_what_is_unpacked_never_depends_on_how_it_came() -> None:
    packed = gzip.compress(b"a" * 5000) + gzip.compress(b"b")
    for size in (2, 3, len(gzip.compress(b"a" * 5000)), 1000):
        pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
        found = list(unpacked(iter(pieces), ["identity", "gzip"], 700))
        assert b"".join(found) == b"a" * 5000 + b"b"
        assert max(map(len, found)) <= 700
    with pytest.raises(FetchError, match="ends before its end"):
        list(unpacked(iter([packed[:20]]), ["gzip"], 700))
