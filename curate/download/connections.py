"""Connect to hosts within a clock, to checked addresses only.

Decides which address a host is reached at, and how long a connection may take. Speaks no HTTP.
"""

import concurrent.futures
import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from diptych.curate.download.addresses import CACHED_HOSTS, FetchTarget, is_public
from diptych.curate.download.errors import FetchError

LOOKUP_THREADS = 64
SLACK_S = 0.1  # by which a deadline may be passed; saves setting the timeout before every wait

Address = tuple[int, tuple[Any, ...]]  # family, and what connect takes: host, port and for IPv6 two more numbers


class Clock:
    """What is left of the time for one URL. Every wait asks it first, so it is also where a stopped run is noticed."""

    def __init__(self, seconds: float, stopped: threading.Event) -> None:
        """Start."""
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._stopped = stopped

    def left_s(self) -> float:
        """Return the seconds left, above 0.

        Raises:
            FetchError: ``timeout`` if the time is up, ``internal`` if the run was stopped.
        """
        left = self._end - time.monotonic()
        if self._stopped.is_set():
            raise FetchError("internal", "the run was interrupted")
        if left <= 0:
            raise FetchError("timeout", f"no complete answer within {self._seconds:g} s")
        return left

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the time of what this machine does, while the other side waits, not count."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._end += time.monotonic() - start


def bound_waits(sock: socket.socket, clock: Clock) -> None:
    """Let no wait of a socket be longer than what is left of the clock.

    Raises:
        FetchError: As the clock does.
    """
    left_s = clock.left_s()
    if not left_s <= (sock.gettimeout() or 0.0) <= left_s + SLACK_S:
        sock.settimeout(left_s)


class Connector:
    """Opens connections for many threads, one for each request, and can break off all of them.

    None serves a second request. A server that sends an answer twice has all later requests of that connection answered
    with what belongs to the one before, and no silence before a request can rule that out: the second answer may still
    be under way. Apart from a connection of its own nothing ties an answer to its request.

    A connection goes to the very address that was checked. A host name is looked up once in the connector's life, so
    make a new one for each shard. Lookups run in a small pool of threads: a hanging resolver cannot be interrupted, and
    must not outlast the clock.
    """

    def __init__(self, *, allow_private_addresses: bool, tls: ssl.SSLContext | None = None) -> None:
        """Trust the certificates of ``tls``, or else those that the system trusts."""
        self.stopped = threading.Event()
        self._allow_private_addresses = allow_private_addresses
        self._tls = tls or _system_tls()
        self._resolver = concurrent.futures.ThreadPoolExecutor(LOOKUP_THREADS, "lookup")
        self._lookups: dict[str, concurrent.futures.Future[list[Address] | socket.gaierror]] = {}
        self._public: set[str] = set()  # addresses that were found to be
        self._sockets: set[socket.socket] = set()

    def close(self) -> None:
        """Break off all connections, from any thread, and start no more."""
        self.stopped.set()
        for sock in list(self._sockets):
            with suppress(OSError):  # not connected yet, or no more
                sock.shutdown(socket.SHUT_RDWR)
        self._resolver.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def connection(self, target: FetchTarget, clock: Clock, attempts_left: int) -> Iterator[socket.socket]:
        """Connect, speak TLS where the scheme says so, and close in the end.

        Args:
            target: Whom to connect to.
            clock: What bounds the whole request; making the connection gets its share of what is left.
            attempts_left: Into how many shares, this attempt's among them.

        Raises:
            FetchError: ``blocked_address``, or ``timeout``.
            OSError: What the socket and ssl modules raise.
        """
        sock = self._open(target, clock, attempts_left)
        try:
            yield sock
        finally:
            self._drop(sock)

    def _open(self, target: FetchTarget, clock: Clock, attempts_left: int) -> socket.socket:
        sock = self._connect(target, clock, attempts_left)
        if target.scheme == "http":
            return sock
        try:
            name = target.host.rstrip(".")
            secured = self._tls.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
        except BaseException:
            self._drop(sock)
            raise
        self._sockets.discard(sock)
        self._sockets.add(secured)
        try:
            secured.settimeout(clock.left_s())
            secured.do_handshake()
        except BaseException:
            self._drop(secured)
            raise
        return secured

    def _drop(self, sock: socket.socket) -> None:
        self._sockets.discard(sock)
        sock.close()

    def _connect(self, target: FetchTarget, clock: Clock, attempts_left: int) -> socket.socket:
        """Return a connection to the first address that takes one.

        A dead address gets only its share of the time left: the other addresses and the retries need theirs.
        """
        failure: Exception = OSError(f"{target.host} has no address")
        addresses = self._addresses(target, clock)
        for index, (family, address) in enumerate(addresses):
            share_s = clock.left_s() / (attempts_left * (len(addresses) - index))
            sock = socket.socket(family, socket.SOCK_STREAM)
            self._sockets.add(sock)
            try:
                sock.settimeout(share_s)
                sock.connect(address)
                return sock
            except TimeoutError:
                text = f"no connection to {address[0]} within {share_s:.3g} s"
                failure = FetchError("timeout", text, is_transient=True)
            except OSError as error:
                failure = error
            self._sockets.discard(sock)
            sock.close()
        raise failure

    def _addresses(self, target: FetchTarget, clock: Clock) -> list[Address]:
        """Return the addresses of the host, all of them checked."""
        family = _family_of_literal(target.host)
        found = self._looked_up(target, clock) if family is None else [(family, (target.host, target.port))]
        if not self._allow_private_addresses:
            for _, address in found:
                if address[0] not in self._public and not is_public(ipaddress.ip_address(address[0])):
                    raise FetchError("blocked_address", f"{target.host} is at {address[0]}, which is not public")
                self._public.add(address[0])
        return found

    def _looked_up(self, target: FetchTarget, clock: Clock) -> list[Address]:
        left_s = clock.left_s()  # before the pool, which takes nothing more once the run is stopped
        lookup = self._lookups.get(target.host)
        if lookup is None:
            lookup = self._lookups[target.host] = self._resolver.submit(_look_up, target.host)
        found = lookup.result(left_s)
        if isinstance(found, socket.gaierror):
            if found.errno == socket.EAI_AGAIN:
                self._lookups.pop(target.host, None)
            raise socket.gaierror(*found.args)
        return [(family, (host, target.port, *rest)) for family, (host, _, *rest) in found]


@functools.lru_cache(CACHED_HOSTS)
def _family_of_literal(host: str) -> int | None:
    """Return the family of a host that is an address; None of a name."""
    try:
        return socket.AF_INET if ipaddress.ip_address(host).version == 4 else socket.AF_INET6
    except ValueError:
        return None


@functools.cache
def _system_tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads the certificates: 20 ms


def _look_up(host: str) -> list[Address] | socket.gaierror:
    """Return addresses with port 0, or the error: as a value, since many rows raise it, each with its own traceback."""
    try:
        return [(family, address) for family, _, _, _, address in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)]
    except socket.gaierror as error:
        return error
