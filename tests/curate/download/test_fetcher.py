import errno
import os
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fault_server import Fault, FaultServer, Route, redirect

from diptych.curate.download.addresses import FetchTarget
from diptych.curate.download.connections import Connector
from diptych.curate.download.errors import FETCH_CODES, FetchError
from diptych.curate.download.fetch import BoundedOpener, FetchLimits
from diptych.curate.download.fetcher import Fetched, Fetcher
from diptych.curate.download.spool import Spool
from diptych.errors import DataError, Shortage
from diptych.shortage import telling_shortage

LIMITS = FetchLimits(allow_private_addresses=True, deadline_s=5.0, max_bytes=100_000)
BODY = b"\xff\xd8 as it came \xff\xd9"


class Got(NamedTuple):
    """What a row got, its body read."""

    data: bytes | None
    code: str
    detail: str


def fetch_list(urls: Sequence[str | None], *, threads: int, limits: FetchLimits) -> list[Got]:
    """Return what each row got, in the order of the rows; each row must be handed over exactly once."""
    parts: dict[int, Fetched] = {}

    def note(rows: Sequence[int], part: Fetched) -> None:
        assert not parts.keys() & set(rows)
        parts.update(dict.fromkeys(rows, part))

    with closing(Spool(tempfile.TemporaryFile())) as spool, closing(Fetcher(limits, threads)) as fetcher:
        fetcher.fetch(urls, note, spool=spool)
        taken = [part.body.read() if part.body else None for part in map(parts.__getitem__, range(len(urls)))]
    return [Got(data, *parts[row][1:]) for row, data in enumerate(taken)]


def robots(directives: str) -> Fault:
    return Fault(body=BODY, headers={"X-Robots-Tag": directives})


def test_each_fault_gives_its_row_a_code_in_the_order_of_the_rows(capfd: pytest.CaptureFixture[str]) -> None:
    routes: dict[str, tuple[Route, str]] = {
        "/ok": (BODY, "ok"),
        "/none": (Fault(status=404), "not_found"),
        "/gone": (Fault(status=410), "gone"),
        "/forbidden": (Fault(status=403), "forbidden"),
        "/busy": (Fault(status=429, headers={"Retry-After": "60"}), "rate_limited"),
        "/broken": (Fault(status=500), "server_error"),
        "/back": ([Fault(status=503), Fault(body=BODY)], "ok"),
        "/moved": (redirect("/ok", status=301), "ok"),
        "/loop": (redirect("/loop"), "too_many_redirects"),
        "/file": (redirect("file:///etc/passwd"), "bad_url"),
        "/short": (Fault(body=BODY, claimed_length=999), "truncated_body"),
        "/reset": (Fault(how="reset"), "connection"),
        "/endless": (Fault(how="endless"), "too_large"),
        "/html": (Fault(body=BODY, headers={"Content-Type": "text/html"}), "ok"),
        "/gzip": (Fault(body=BODY, headers={"Content-Encoding": "gzip"}), "ok"),
        "/chunks": (Fault(body=BODY, how="chunked"), "ok"),
        "/noai": (robots("noai"), "opted_out"),
        "/noml": (robots("nofollow, NOML"), "opted_out"),
        "/noindex": (robots("diptych: noindex"), "opted_out"),
        "/others": (robots("otherbot: noai"), "ok"),
        "/follow": (robots("nofollow"), "ok"),
        "/tdm": (Fault(body=BODY, headers={"TDM-Reservation": "1"}), "opted_out"),
    }
    asked_again = {"/broken", "/back", "/reset"}
    with FaultServer({path: route for path, (route, _) in routes.items()}) as server:
        urls = [None, "ftp://example.com/a", *(server.url(path) for path in routes)]
        rows = fetch_list(urls, threads=8, limits=LIMITS)
        counts = {path: server.count(path) for path in routes}
    codes = ["bad_url", "bad_url", *(code for _, code in routes.values())]
    assert [row.code for row in rows] == codes
    assert [row.data for row in rows] == [BODY if code == "ok" else None for code in codes]
    assert [bool(row.detail) for row in rows] == [code != "ok" for code in codes]
    # The redirect adds one to /ok; the loop ends after five further ones.
    expected = {path: 2 if path in asked_again else 1 for path in routes}
    assert counts == expected | {"/ok": 2, "/loop": 6}
    assert capfd.readouterr() == ("", "")
    assert set(codes) <= {"ok", *FETCH_CODES}


def test_many_rows_keep_their_order_and_equal_urls_are_asked_for_once() -> None:
    bodies: dict[str, Route] = {f"/{i}.jpg": b"image %d" % i for i in range(300)}
    with FaultServer(bodies) as server:
        urls = [server.url(path) for path in bodies]
        again = [url.replace("http://", " HTTP://") + "#fragment" for url in urls[:20]]
        rows = fetch_list([*urls, *again], threads=32, limits=LIMITS)
        assert len(server.requests) == 300
    assert rows == [Got(b"image %d" % i, "ok", "") for i in [*range(300), *range(20)]]


@pytest.mark.parametrize("again_after_s", [0.0, 0.002, 0.02])
def test_an_answer_that_is_sent_twice_is_no_other_row_s_picture(again_after_s: float) -> None:
    doubled = [again_after_s if number % 20 == 0 else None for number in range(200)]
    routes: dict[str, Route] = {f"/{i}": Fault(body=b"image %d" % i, again_after_s=s) for i, s in enumerate(doubled)}
    with FaultServer(routes) as server:
        rows = fetch_list([server.url(path) for path in routes], threads=4, limits=LIMITS)
    assert rows == [Got(b"image %d" % i, "ok", "") for i in range(200)]


def test_dripping_servers_hold_a_shard_no_longer_than_the_deadline() -> None:
    drip = Fault(body=BODY * 9, body_byte_s=0.2)
    routes: dict[str, Route] = {f"/{i}": drip for i in range(12)}
    limits = FetchLimits(allow_private_addresses=True, deadline_s=1.0, retries=3)
    with FaultServer({**routes, "/ok": BODY}) as server:
        started = time.monotonic()
        rows = fetch_list([server.url(path) for path in [*routes, "/ok"]], threads=13, limits=limits)
        seconds = time.monotonic() - started
        assert [row.code for row in rows] == ["timeout"] * 12 + ["ok"]
        assert 1.0 <= seconds < 2.5
        assert len(server.requests) == 13


def test_loopback_is_refused_by_default() -> None:
    with FaultServer({"/a": BODY}) as server:
        assert fetch_list([server.url("/a")], threads=1, limits=FetchLimits())[0].code == "blocked_address"
        assert server.count("/a") == 0


@pytest.mark.parametrize("urls", [[], [None], ["", "nonsense", "\ud800", "http://example.com/\ud800"]])
def test_rows_without_a_url_that_can_be_asked_for_need_no_server(urls: list[str | None]) -> None:
    assert [row.code for row in fetch_list(urls, threads=4, limits=LIMITS)] == ["bad_url"] * len(urls)


def test_whether_a_no_is_heeded_is_an_option() -> None:
    routes: dict[str, Route] = {"/a": robots("noai"), "/b": Fault(body=BODY, headers={"TDM-Reservation": "1"})}
    with FaultServer(routes) as server:
        urls = [server.url("/a"), server.url("/b")]
        assert [row.code for row in fetch_list(urls, threads=2, limits=LIMITS)] == ["opted_out"] * 2
        limits = FetchLimits(allow_private_addresses=True, respect_opt_outs=False)
        assert [row.code for row in fetch_list(urls, threads=2, limits=limits)] == ["ok"] * 2


def test_a_fault_of_this_program_at_one_row_is_internal_and_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = BoundedOpener.open

    def faulty(opener: BoundedOpener, url: FetchTarget) -> Any:
        return sound(opener, url) if url.selector == "/a" else {}[url.selector]

    monkeypatch.setattr(BoundedOpener, "open", faulty)
    with FaultServer({"/a": BODY}) as server:
        rows = fetch_list([server.url("/b"), server.url("/a")], threads=2, limits=LIMITS)
    assert rows[1] == Got(BODY, "ok", "")
    assert rows[0][:2] == (None, "internal")
    assert "KeyError" in rows[0].detail


def test_what_is_raised_where_rows_are_handed_over_ends_the_shard() -> None:
    def refuse(rows: Sequence[int], _: Fetched) -> None:
        raise ZeroDivisionError(rows)

    with FaultServer({f"/{i}": Fault(body=BODY, head_byte_s=0.002) for i in range(50)}) as server:
        urls = [server.url(f"/{i}") for i in range(50)]
        with closing(Spool(tempfile.TemporaryFile())) as spool, closing(Fetcher(LIMITS, 2)) as fetcher:
            with pytest.raises(ZeroDivisionError):
                fetcher.fetch(urls, refuse, spool=spool)
            assert len(server.requests) < 25


def test_a_full_disk_ends_the_shard_and_is_no_reason_of_a_row() -> None:
    given: list[int] = []
    with FaultServer({f"/{i}": Fault(body=BODY, body_byte_s=0.02) for i in range(200)}) as server:
        urls = [server.url(f"/{i}") for i in range(200)]
        # /dev/full takes nothing.
        full = Spool(open("/dev/full", "r+b", 0))  # noqa: SIM115 -- the spool closes it
        with closing(full), closing(Fetcher(LIMITS, 4)) as fetcher, pytest.raises(OSError, match="No space left"):
            fetcher.fetch(urls, lambda rows, _: given.extend(rows), spool=full)
        assert len(server.requests) < 100, "nothing more is asked for"


def test_files_that_cannot_be_opened_end_the_shard_and_are_no_reason_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Connector, "_connect", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        fetch_list([f"http://127.0.0.1/{number}" for number in range(20)], threads=2, limits=LIMITS)


def test_threads_that_cannot_be_started_end_the_shard_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def few(thread: threading.Thread) -> None:
        if threading.active_count() > 8:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", few)
    said = r"^threads ran out: can't start new thread; .*download\.threads, .*ulimit -v"
    with pytest.raises(Shortage, match=said), telling_shortage():
        fetch_list([f"http://127.0.0.1:9/{number}" for number in range(64)], threads=64, limits=LIMITS)


def test_a_lookup_without_a_thread_ends_the_shard_and_is_no_reason_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Connector, "_connect", refuse)
    with pytest.raises(RuntimeError, match="can't start"):
        fetch_list([f"http://127.0.0.1/{number}" for number in range(20)], threads=2, limits=LIMITS)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = threading.active_count()
    with FaultServer({"/a": BODY}) as server:
        fetch_list([server.url("/a"), server.url("/none")], threads=2, limits=LIMITS)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads


def test_the_rows_of_the_next_shard_take_what_slow_rows_of_the_last_one_leave_idle() -> None:
    slow: dict[str, Route] = {"/slow": Fault(how="silent")}
    quick: dict[str, Route] = {f"/{i}": BODY for i in range(40)}
    limits = FetchLimits(allow_private_addresses=True, deadline_s=60.0)
    ended: list[tuple[str, int]] = []
    with FaultServer({**slow, **quick}) as server, closing(Fetcher(limits, 4)) as fetcher:

        def fetch(name: str, paths: Sequence[str]) -> None:
            with closing(Spool(tempfile.TemporaryFile())) as spool:
                urls = [server.url(path) for path in paths]
                fetcher.fetch(urls, lambda rows, got: ended.extend((name, row) for row in rows), spool=spool)

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(fetch, "first", ["/slow", *(f"/{i}" for i in range(20))])
            while not server.requests:
                time.sleep(0.001)
            second = pool.submit(fetch, "second", [f"/{i}" for i in range(20, 40)])
            second.result()
            assert not first.done(), "the slow row is still awaited"
            assert len(ended) == 40
            fetcher.close()
            with pytest.raises(FetchError, match="internal: the run was interrupted"):
                first.result()
    assert server.connections == 41


def test_rows_of_the_first_shard_go_before_those_of_the_next() -> None:
    body = Fault(body=BODY, body_byte_s=0.002)
    routes: dict[str, Route] = {f"/{name}{i}": body for name in "ab" for i in range(20)}
    with FaultServer(routes) as server, closing(Fetcher(LIMITS, 3)) as fetcher, ThreadPoolExecutor(2) as pool:

        def fetch(name: str) -> None:
            with closing(Spool(tempfile.TemporaryFile())) as spool:
                fetcher.fetch([server.url(f"/{name}{i}") for i in range(20)], lambda *_: None, spool=spool)

        first = pool.submit(fetch, "a")
        while len(server.requests) < 3:
            time.sleep(0.001)
        pool.submit(fetch, "b").result()
        first.result()
        asked = "".join(request.path[1] for request in server.requests)
    assert "b" not in asked[:18], "three are under way at a time"


def test_a_closed_fetcher_asks_nothing() -> None:
    fetcher = Fetcher(LIMITS, 2)
    fetcher.close()
    with closing(Spool(tempfile.TemporaryFile())) as spool, pytest.raises(DataError, match="interrupted"):
        fetcher.fetch(["http://127.0.0.1:9/"], lambda *_: None, spool=spool)


def test_ctrl_c_ends_a_shard_at_once() -> None:
    with FaultServer({f"/{i}": Fault(how="silent") for i in range(500)}) as server:

        def interrupt() -> None:
            while len(server.requests) < 4:
                time.sleep(0.01)
            times.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        times: list[float] = []
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            fetch_list([server.url(f"/{i}") for i in range(500)], threads=4, limits=LIMITS)
        thread.join()
        assert time.monotonic() - times[0] < 2.0
        assert len(server.requests) <= 8
