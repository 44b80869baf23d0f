import contextlib
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fault_server import Fault, FaultServer, Route, redirect

from diptych.curate.download.errors import FetchError
from diptych.curate.download.fetch import BoundedOpener, FetchLimits, wait_before_retry_s
from diptych.curate.download.spool import Spool
from diptych.errors import ConfigError

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b"\xff\xd8 not quite a picture \xff\xd9" * 40
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
EARLY_NO = b"HTTP/1.1 103 Early Hints\r\nX-Robots-Tag: noai\r\n\r\n"
LIMITS = FetchLimits(allow_private_addresses=True, deadline_s=5.0, max_bytes=100_000)
QUICK = FetchLimits(allow_private_addresses=True, deadline_s=0.6, retries=0)


@contextlib.contextmanager
def opener(limits: FetchLimits = LIMITS, *, tls: ssl.SSLContext | None = None) -> Iterator[BoundedOpener]:
    spool = Spool(tempfile.TemporaryFile())  # noqa: SIM115 -- the spool closes it
    with contextlib.closing(spool), contextlib.closing(BoundedOpener(limits, spool, tls)) as made:
        yield made


def failure(url: str, limits: FetchLimits = LIMITS) -> FetchError:
    with opener(limits) as made, pytest.raises(FetchError) as caught:
        made.open(url)
    return caught.value


@pytest.mark.parametrize(
    "route",
    [
        BODY,
        Fault(body=BODY, how="chunked"),
        Fault(body=BODY, head_byte_s=0.001),
        Fault(status=203, body=BODY),
        Fault(raw=b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE),
        Fault(
            raw=b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-Robots-Tag: all\r\n\r\n"
            + WHOLE
        ),
        Fault(body=BODY, headers={"TDM-Reservation": "0", "Content-Encoding": "gzip", "Content-Type": "text/html"}),
    ],
)
def test_a_body_comes_as_it_was_sent(route: Route) -> None:
    with FaultServer({"/a.jpg": route}) as server, opener() as made:
        answer = made.open(server.url("/a.jpg"))
        assert answer.body.read() == BODY
        assert answer.url == server.url("/a.jpg")


@pytest.mark.parametrize(
    ("route", "code", "detail"),
    [
        (Fault(status=404), "not_found", "HTTP 404 Not Found"),
        (Fault(status=410), "gone", "HTTP 410 Gone"),
        (Fault(status=403), "forbidden", "HTTP 403 Forbidden"),
        (Fault(status=418), "http_error", "HTTP 418 I'm a Teapot"),
        (Fault(status=304), "http_error", "HTTP 304 Not Modified"),
        (Fault(status=302), "http_error", "a redirect without a Location"),
        (
            Fault(raw=WHOLE.replace(b"200 OK", b"206 Partial Content")),
            "truncated_body",
            "HTTP 206 Partial Content: a part, and the whole was asked for",
        ),
        (Fault(raw=CHUNKED + b"-5\r\n12345\r\n0\r\n\r\n"), "http_error", "a chunk that is none: its size is b'-5'"),
        (Fault(body=BODY, claimed_length=2000), "truncated_body", f"{len(BODY)} of 2000 bytes came"),
        (Fault(body=BODY, claimed_length=100_001), "too_large", "100001 bytes announced, more than 100000"),
        (Fault(how="endless"), "too_large", "more than 100000 bytes"),
        (Fault(how="chunked", body=b"x" * 100_001), "too_large", "more than 100000 bytes"),
        (Fault(body=BODY, headers={"TDM-Reservation": "1"}), "opted_out", "TDM-Reservation: 1"),
        (Fault(body=BODY, headers={"X-Robots-Tag": "all, noai"}), "opted_out", "X-Robots-Tag: all, noai"),
        (Fault(302, headers={"Location": "/b", "X-Robots-Tag": "noai"}), "opted_out", "X-Robots-Tag: noai"),
        (Fault(302, headers={"Location": "/b", "TDM-Reservation": "1"}), "opted_out", "TDM-Reservation: 1"),
        (Fault(status=404, headers={"X-Robots-Tag": "noindex"}), "not_found", "HTTP 404 Not Found"),
        (Fault(raw=CHUNKED + b"-5\r\n" + BODY), "http_error", "a chunk that is none"),
        (Fault(raw=CHUNKED + b"zz\r\n" + BODY), "http_error", "a chunk that is none: its size is b'zz'"),
        (Fault(raw=CHUNKED + b"5\r\n123"), "truncated_body", "IncompleteRead(0 bytes read, 2 more"),
        (Fault(raw=WHOLE.replace(b"OK", b"OK\r\nmade by hand")[:-9]), "truncated_body", "991 of 1000 bytes came"),
        (Fault(raw=WHOLE.replace(b"OK", b"OK\r\nX Y: z\r\nX-Robots-Tag : noai")), "opted_out", "X-Robots-Tag: noai"),
        (Fault(raw=EARLY_NO + WHOLE), "opted_out", "X-Robots-Tag: noai"),
        (Fault(raw=CHUNKED + b"2\r\nab\r\n0\r\nX-Robots-Tag: noai\r\n\r\n"), "opted_out", "X-Robots-Tag: noai"),
        (Fault(raw=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), "http_error", "got more than 100 headers"),
        (redirect("file:///etc/passwd"), "bad_url", "redirect: scheme 'file' is neither http nor https"),
        (redirect("http://user:secret@example.com/"), "bad_url", "redirect: user name or password"),
        (redirect("http://[::1/"), "bad_url", "redirect: Invalid IPv6 URL"),
    ],
)
def test_a_final_failure_has_its_code_and_is_asked_for_once(route: Fault, code: str, detail: str) -> None:
    with FaultServer({"/a.jpg": route}) as server:
        error = failure(server.url("/a.jpg"))
        assert error.code == code
        assert error.detail.startswith(detail)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("route", "code"),
    [
        (Fault(status=500), "server_error"),
        (Fault(status=429, headers={"Retry-After": "0"}), "rate_limited"),
        (Fault(how="reset"), "connection"),
    ],
)
def test_a_failure_that_may_pass_is_asked_for_again(route: Fault, code: str) -> None:
    with FaultServer({"/stays": route, "/passes": [route, Fault(body=BODY)]}) as server, opener() as made:
        assert failure(server.url("/stays")).code == code
        assert made.open(server.url("/passes")).body.read() == BODY
        assert (server.count("/stays"), server.count("/passes")) == (2, 2)


def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    routes: dict[str, Route] = {"/a.jpg": [Fault(status=429, headers={"Retry-After": "1"}), Fault(body=BODY)]}
    with FaultServer(routes) as server, opener() as made:
        started = time.monotonic()
        assert made.open(server.url("/a.jpg")).body.read() == BODY
        assert time.monotonic() - started >= 1.0


def test_a_wait_past_the_deadline_is_not_begun() -> None:
    with FaultServer({"/a.jpg": Fault(status=503, headers={"Retry-After": "30"})}) as server:
        started = time.monotonic()
        assert failure(server.url("/a.jpg")).code == "server_error"
        assert time.monotonic() - started < LIMITS.deadline_s
        assert server.count("/a.jpg") == 1


def test_waits_double_and_depend_on_the_url_alone() -> None:
    waits = [wait_before_retry_s(f"http://h.example/{i}", attempt) for i in range(200) for attempt in range(3)]
    assert waits == [wait_before_retry_s(f"http://h.example/{i}", attempt) for i in range(200) for attempt in range(3)]
    for attempt in range(3):
        of_attempt = waits[attempt::3]
        assert 0.25 * 2**attempt <= min(of_attempt) < 0.3 * 2**attempt
        assert 0.7 * 2**attempt < max(of_attempt) < 0.75 * 2**attempt


DRIPS: dict[str, Route] = {
    "/head": Fault(body=BODY, head_byte_s=0.1),
    "/body": Fault(body=BODY, body_byte_s=0.1),
    "/chunks": Fault(body=BODY, body_byte_s=0.1, how="chunked"),
    "/silent": Fault(how="silent"),
    "/hints": Fault(status=103, head_byte_s=0.1),
    "/one": Fault(status=302, headers={"Location": "/two"}, head_byte_s=0.005),
    "/two": Fault(status=302, headers={"Location": "/one"}, head_byte_s=0.005),
}


def test_whatever_drips_ends_at_the_deadline() -> None:
    with FaultServer(DRIPS) as server, opener(QUICK) as made, ThreadPoolExecutor(16) as pool:
        started = time.monotonic()
        errors = [pool.submit(made.open, server.url(path)).exception for path in [*DRIPS] * 2]
        assert [str(error()) for error in errors] == ["timeout: no complete answer within 0.6 s"] * 14
        assert 0.6 <= time.monotonic() - started < 5.0  # not as long as their bytes take


def test_a_late_byte_buys_no_time() -> None:
    limits = FetchLimits(allow_private_addresses=True, deadline_s=1.0, retries=0)
    with FaultServer({"/slow": Fault(body=BODY, body_byte_s=0.9)}) as server:
        started = time.monotonic()
        assert failure(server.url("/slow"), limits).code == "timeout"
        assert time.monotonic() - started < 1.5  # not 1.8, when the next byte comes


def test_a_handshake_without_an_answer_ends_at_the_deadline() -> None:
    with FaultServer({}) as server:
        silent_to_tls = server.url("/").replace("http:", "https:")
        # The server takes the handshake for the start of a request, and waits for its end.
        assert failure(silent_to_tls, QUICK).code == "timeout"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    routes: dict[str, Route] = {"/a": redirect("b c?d#e", status=status), "/b%20c?d": redirect("//127.0.0.1:{}/é")}
    with FaultServer(routes | {"/%C3%A9": BODY}) as server, opener() as made:
        server.routes["/b%20c?d"] = redirect(f"//127.0.0.1:{server.port}/é".encode().decode("latin-1"))
        answer = made.open(server.url("/a"))
        assert (answer.body.read(), answer.url) == (BODY, server.url("/%C3%A9"))


def test_as_many_redirects_are_followed_as_allowed() -> None:
    routes: dict[str, Route] = {f"/{i}": redirect(f"/{i + 1}") for i in range(6)}
    with FaultServer(routes | {"/6": BODY}) as server, opener() as made:
        assert made.open(server.url("/1")).body.read() == BODY
        assert failure(server.url("/0")).code == "too_many_redirects"
        assert server.count("/6") == 1


def test_a_redirect_loop_ends() -> None:
    with FaultServer({"/a": redirect("/a")}) as server:
        assert failure(server.url("/a")).code == "too_many_redirects"
        assert server.count("/a") == 6


def test_a_redirect_to_an_address_that_is_not_public_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # The server itself is on loopback, so here loopback counts as public, and all else as what it is.
    from diptych.curate.download import connections

    is_public = connections.is_public
    monkeypatch.setattr(connections, "is_public", lambda ip: str(ip) == "127.0.0.1" or is_public(ip))
    routes: dict[str, Route] = {
        "/meta": redirect("http://169.254.169.254/latest/"),
        "/dec": redirect("http://167772161/"),
    }
    limits = FetchLimits(deadline_s=5.0)
    with FaultServer(routes) as server:
        error = failure(server.url("/meta"), limits)
        assert str(error) == "blocked_address: 169.254.169.254 is at 169.254.169.254, which is not public"
        assert failure(server.url("/dec"), limits).code == "blocked_address"


def test_loopback_is_refused_unless_allowed() -> None:
    with FaultServer({"/a.jpg": BODY}) as server:
        assert failure(server.url("/a.jpg"), FetchLimits()).code == "blocked_address"
        assert failure(f"http://localhost:{server.port}/a.jpg", FetchLimits()).code == "blocked_address"
        assert server.count("/a.jpg") == 0


def test_a_closed_port_is_a_connection_failure() -> None:
    with FaultServer({}) as server:
        url = server.url("/")
    assert failure(url).code == "connection"


def test_a_server_that_does_not_speak_tls_or_http_has_a_code() -> None:
    with FaultServer({"/a.jpg": Fault(status=200)}) as server, contextlib.closing(_NotHttp()) as other:
        assert failure(f"http://127.0.0.1:{other.port}/").code == "http_error"
        assert failure(f"https://127.0.0.1:{other.port}/").code == "tls"
        assert server.count("/a.jpg") == 0


class _NotHttp:
    """Answers everything with one line of something else."""

    def __init__(self) -> None:
        import socket

        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        for _ in range(2):
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"220 mail.example ESMTP\r\n")

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    extension = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", *options.split(), *extension, "-keyout", path, "-out", f"{path}.crt"],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def test_https_is_spoken_with_trusted_servers_only(certificate: Path) -> None:
    speaks, trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=certificate)
    speaks.load_cert_chain(certificate)
    routes: dict[str, Route] = {"/a.jpg": BODY, "/drip": Fault(body=BODY, body_byte_s=0.1)}
    with FaultServer(routes, tls=speaks) as server:
        with opener(tls=trusts) as made:
            assert made.open(server.url("/a.jpg")).body.read() == BODY
        with opener(QUICK, tls=trusts) as made, pytest.raises(FetchError, match="timeout"):
            made.open(server.url("/drip"))
        error = failure(server.url("/a.jpg"))
        assert (error.code, "self-signed" in error.detail.replace(" ", "-")) == ("tls", True)
        assert server.count("/a.jpg") == 1


def test_a_request_says_who_asks_and_takes_no_encoding() -> None:
    limits = FetchLimits(allow_private_addresses=True, user_agent="Kurator/2.0 (+https://example.com/bot)")
    with FaultServer({"/a.jpg": BODY}) as server, opener(limits) as made:
        made.open(server.url("/a.jpg"))
        assert server.requests[0].headers == {
            "host": f"127.0.0.1:{server.port}",
            "user-agent": "Kurator/2.0 (+https://example.com/bot)",
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "close",
        }
    assert limits.robots_names == {"kurator", "diptych", "img2dataset"}


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with FaultServer({"/a.jpg": BODY}) as server, opener() as made:
        assert made.open(server.url("/a.jpg")).body.read() == BODY


def test_closing_breaks_off_what_is_under_way() -> None:
    with FaultServer({"/silent": Fault(how="silent"), "/later": Fault(status=503)}) as server, opener() as made:
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(made.open, server.url(path)) for path in ("/silent", "/silent", "/later")]
            while server.count("/silent") < 2 or server.count("/later") < 1:
                time.sleep(0.01)
            started = time.monotonic()
            made.close()
            codes = [str(request.exception()).partition(":")[0] for request in waiting]
        assert codes[:2] == ["internal", "internal"]
        assert codes[2] in {"server_error", "internal"}
        assert time.monotonic() - started < 2.0


@pytest.mark.parametrize(
    "options",
    [{"deadline_s": 0}, {"max_bytes": 0}, {"retries": -1}, {"max_redirects": -1}, {"deadline_s": float("nan")}],
)
def test_limits_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        FetchLimits(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("agent", ["", "a\r\nX-Injected: 1", "kurätor/1"])
def test_a_user_agent_that_is_no_header_is_refused(agent: str) -> None:
    with pytest.raises(ConfigError, match="user_agent"):
        FetchLimits(user_agent=agent)


def test_each_request_has_a_connection_of_its_own() -> None:
    routes: dict[str, Route] = {"/a.jpg": BODY, "/moved": redirect("/a.jpg"), "/back": [Fault(503), Fault(body=BODY)]}
    with FaultServer(routes) as server, opener() as made:
        for path in ("/a.jpg", "/a.jpg", "/moved", "/back"):
            assert made.open(server.url(path)).body.read() == BODY
        assert server.connections == len(server.requests) == 6
