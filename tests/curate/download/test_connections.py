import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from fault_server import FaultServer

from diptych.curate.download.addresses import parse_url
from diptych.curate.download.connections import Clock, Connector
from diptych.curate.download.errors import FetchError

Answers = dict[str, list[str] | socket.gaierror]


class Resolver:
    """Stands in for the system's: answers from a table and counts."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        self.asked.append(host)
        found = self.answers[host]
        if isinstance(found, socket.gaierror):
            raise found
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (ip, port, 0, 0))
            if ipaddress.ip_address(ip).version == 6
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))
            for ip in found
        ]


@contextlib.contextmanager
def connector(*, allow_private_addresses: bool) -> Iterator[Connector]:
    made = Connector(allow_private_addresses=allow_private_addresses)
    try:
        yield made
    finally:
        made.close()


def peer_of(made: Connector, url: str, *, seconds: float = 2.0, attempts_left: int = 1) -> str:
    with made.connection(parse_url(url), Clock(seconds, made.stopped), attempts_left) as sock:
        return str(sock.getpeername()[0])


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue is full: the kernel drops what further clients send, as a dead host does."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        time.sleep(0.05)
        yield port


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0"],
)
def test_addresses_that_are_not_public_are_refused_however_they_are_written(host: str) -> None:
    with connector(allow_private_addresses=False) as made, pytest.raises(FetchError, match="blocked_address"):
        peer_of(made, f"http://{host}/")


@pytest.mark.parametrize("found", [["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["fe80::1"], ["::ffff:192.168.0.1"]])
def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, found: list[str]) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver({"inside.example": found}))
    with connector(allow_private_addresses=False) as made, pytest.raises(FetchError, match="which is not public"):
        peer_of(made, "http://inside.example/")


def test_a_name_is_looked_up_once_and_that_answer_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver({"mirror.example": ["127.0.0.1"]})
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with FaultServer({}) as server, connector(allow_private_addresses=True) as made:
        for _ in range(3):
            assert peer_of(made, f"http://mirror.example:{server.port}/") == "127.0.0.1"
            resolver.answers = {"mirror.example": ["10.0.0.1"]}  # a rebinding name server changes its mind
    assert resolver.asked == ["mirror.example"]


def test_a_dead_address_leaves_time_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer({}) as server, connector(allow_private_addresses=True) as made, socket.socket() as closed:
        monkeypatch.setattr(socket, "getaddrinfo", Resolver({"two.example": ["127.0.0.2", "127.0.0.1"]}))
        closed.bind(("127.0.0.2", server.port))  # bound and not listening: refuses
        assert peer_of(made, f"http://two.example:{server.port}/") == "127.0.0.1"


def test_a_connection_that_is_not_made_takes_only_its_share_of_the_time() -> None:
    with deaf_port() as port, connector(allow_private_addresses=True) as made:
        started = time.monotonic()
        with pytest.raises(FetchError, match=r"timeout: no connection to 127.0.0.1 within 0.\d+ s") as caught:
            peer_of(made, f"http://127.0.0.1:{port}/", seconds=1.0, attempts_left=3)
        assert 0.2 < time.monotonic() - started < 0.95
        assert caught.value.is_transient


def test_a_name_that_does_not_exist_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver({"none.example": socket.gaierror(socket.EAI_NONAME, "unknown")})
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with connector(allow_private_addresses=False) as made:
        for _ in range(2):
            with pytest.raises(socket.gaierror, match="unknown"):
                peer_of(made, "http://none.example/")
    assert resolver.asked == ["none.example"]


def test_a_busy_name_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver({"busy.example": socket.gaierror(socket.EAI_AGAIN, "busy")})
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with FaultServer({}) as server, connector(allow_private_addresses=True) as made:
        with pytest.raises(socket.gaierror, match="busy"):
            peer_of(made, f"http://busy.example:{server.port}/")
        resolver.answers = {"busy.example": ["127.0.0.1"]}
        assert peer_of(made, f"http://busy.example:{server.port}/") == "127.0.0.1"


def test_a_hanging_lookup_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(10) and [])
    started = time.monotonic()
    with connector(allow_private_addresses=False) as made, pytest.raises(TimeoutError):
        peer_of(made, "http://slow.example/", seconds=0.3)
    answered.set()
    assert time.monotonic() - started < 5.0  # not the 10 that the answer takes


def test_nothing_is_connected_once_closed() -> None:
    made = Connector(allow_private_addresses=True)
    made.close()
    for host in ("127.0.0.1:9", "localhost:9"):
        with pytest.raises(FetchError, match="internal: the run was interrupted"):
            peer_of(made, f"http://{host}/")
