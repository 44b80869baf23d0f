"""Fetch one URL within bounds: one total deadline, a size limit, a few redirects, public addresses only.

Decides how a URL is asked for, how long and how often. Does not decide which URLs are fetched, in how many threads, nor
whether the bytes are an image.

Nothing goes through a proxy (``http_proxy`` and its like are ignored): a proxy would look names up itself, and no
address could be checked before it is connected to.
"""

import functools
import http.client
import io
import socket
import ssl
import urllib.parse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from diptych import __version__
from diptych.curate.download.addresses import FetchTarget, parse_url
from diptych.curate.download.answers import AnswerHead, ChunkReader, Fields, read_head
from diptych.curate.download.connections import Clock, Connector, bound_waits
from diptych.curate.download.errors import FetchError, error_of_exception, error_of_status
from diptych.curate.download.opt_outs import refusal
from diptych.curate.download.packed_bodies import unpacked
from diptych.curate.download.spool import PIECE_BYTES, Body, Spool
from diptych.errors import ConfigError
from diptych.shortage import what_ran_out

FIRST_WAIT_S = 0.5

_PARTIAL = 206
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class FetchLimits:
    """The bounds for one URL.

    Attributes:
        deadline_s: Seconds from the first lookup to the last byte, redirects, retries and waits included; above 0.
        max_bytes: Largest body, in bytes.
        max_redirects: Most redirects to follow.
        retries: Further attempts after a failure that may pass (connection lost or not made in time, 429, 5xx).
        allow_private_addresses: Whether hosts inside the own network may be asked (for tests and local mirrors).
        user_agent: What to say who asks; its first word, without the version, is the name that robots directives use.
        respect_opt_outs: Whether a no of the owner, in the headers of the answer or of a redirect to it, is heeded.
    """

    deadline_s: float = 30.0
    max_bytes: int = 50 * 2**20
    max_redirects: int = 5
    retries: int = 1
    allow_private_addresses: bool = False
    user_agent: str = f"diptych/{__version__}"
    respect_opt_outs: bool = True

    def __post_init__(self) -> None:
        """Refuse bounds that cannot be meant.

        Raises:
            ConfigError: If a number is out of its range or the user agent cannot be a header.
        """
        if not self.deadline_s > 0 or self.max_bytes < 1 or min(self.max_redirects, self.retries) < 0:
            raise ConfigError(
                f"fetch limits out of range: {self}; deadline_s and max_bytes are above 0, counts at least 0"
            )
        if not self.user_agent.strip() or not (self.user_agent.isascii() and self.user_agent.isprintable()):
            raise ConfigError(
                f"user_agent {self.user_agent!r} is not printable ASCII; use a form like 'name/1.0 (+URL)'"
            )

    @functools.cached_property
    def robots_names(self) -> frozenset[str]:
        """The names by which robots directives speak to us: that of the user agent, diptych, and img2dataset.

        ``kurator`` for ``Kurator/1.0 (+https://...)``. An owner who says no to img2dataset by its name says it to what
        is done with pictures here.
        """
        return frozenset({self.user_agent.split()[0].partition("/")[0].lower(), "diptych", "img2dataset"})


def wait_before_retry_s(url: str, attempt: int) -> float:
    """Return the seconds to wait after the given attempt (0 for the first): doubling, times 0.5 to 1.5 by URL.

    The factor comes from a hash, so that many URLs of one host spread and a rerun waits the same.
    """
    spread = zlib.crc32(f"{attempt} {url}".encode()) / 2**32
    return FIRST_WAIT_S * 2.0**attempt * (0.5 + spread)


class FetchAnswer(NamedTuple):
    """A whole answer: its head, the URL that gave it, and the body."""

    body: Body
    head: AnswerHead
    url: str


class _BodyReader(io.RawIOBase):
    """A socket's bytes, each wait for more bounded by what is left of the clock.

    A timeout set once on a socket bounds each wait, not their sum: a server that sends a byte a second never meets it.
    """

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        self._sock = sock
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        bound_waits(self._sock, self._clock)
        return self._sock.recv_into(buffer)


class BoundedOpener:
    """Gets what is at a URL, within its limits.

    Safe to use from many threads. A host name is looked up once in its life, so make a new one for each shard.
    """

    def __init__(self, limits: FetchLimits, spool: Spool, tls: ssl.SSLContext | None = None) -> None:
        """Keep bodies in ``spool``; trust the certificates of ``tls``, or else those that the system trusts."""
        self.limits = limits
        self.spool = spool
        self._connector = Connector(allow_private_addresses=limits.allow_private_addresses, tls=tls)

    def close(self) -> None:
        """End the requests under way, from any thread, and refuse further ones: both fail as ``internal``."""
        self._connector.close()

    def open(self, url: str | FetchTarget) -> FetchAnswer:
        """Return the answer to a GET of a URL, or of one that is parsed already; redirects and retries included.

        Raises:
            FetchError: If there is no whole answer with a status of 2xx.
        """
        target = url if isinstance(url, FetchTarget) else parse_target(url)
        clock = Clock(self.limits.deadline_s, self._connector.stopped)
        for attempt in range(self.limits.retries):
            try:
                return self._follow(target, clock, self.limits.retries + 1 - attempt)
            except FetchError as error:
                wait_s = max(wait_before_retry_s(target.url, attempt), error.wait_s)
                if not error.is_transient or wait_s >= clock.left_s() or self._connector.stopped.wait(wait_s):
                    raise
        return self._follow(target, clock, 1)

    def _follow(self, target: FetchTarget, clock: Clock, attempts_left: int) -> FetchAnswer:
        for _ in range(self.limits.max_redirects + 1):
            answer = self._ask(target, clock, attempts_left)
            if answer.head.status not in _REDIRECT_STATUSES:
                return answer
            target = _redirected(target, answer.head.get("Location"))
        raise FetchError("too_many_redirects", f"more than {self.limits.max_redirects}, the last to {target.url}")

    def _ask(self, target: FetchTarget, clock: Clock, attempts_left: int) -> FetchAnswer:
        """Make one request and read its answer to the end."""
        try:
            with self._connector.connection(target, clock, attempts_left) as sock:
                return self._exchange(sock, target, clock)
        except (MemoryError, RuntimeError) as error:
            if what_ran_out(error):  # such as a thread that looks a name up
                self.spool.failure = error
            raise
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and what_ran_out(error):  # no file for a socket is no answer of a server
                self.spool.failure = error
            clock.left_s()  # where the time is up or the run was stopped, that is the reason and not what it led to
            raise error_of_exception(error) from error

    def _exchange(self, sock: socket.socket, target: FetchTarget, clock: Clock) -> FetchAnswer:
        bound_waits(sock, clock)
        sock.sendall(_request(target, self.limits.user_agent))
        with io.BufferedReader(_BodyReader(sock, clock), 65536) as file:
            head = read_head(file)
            _check_head(head, self.limits)
            body = Body(self.spool)
            if head.status not in _REDIRECT_STATUSES:
                try:
                    _read_into(body, file, head, self.limits, clock)
                except BaseException:
                    body.drop()
                    raise
            return FetchAnswer(body, head, target.url)


def parse_target(url: str | None) -> FetchTarget:
    """Return the parts of a URL, as ``diptych.curate.download.addresses.parse_url`` does.

    Raises:
        FetchError: ``bad_url`` if it cannot be asked for.
    """
    try:
        return parse_url(url)
    except ValueError as error:
        raise FetchError("bad_url", str(error)) from error


def _redirected(target: FetchTarget, location: str | None) -> FetchTarget:
    if location is None:
        raise FetchError("http_error", "a redirect without a Location")
    # Headers are read as Latin-1; what servers put there raw is UTF-8.
    text = location.encode("latin-1").decode("utf-8", "surrogateescape")
    try:
        return parse_url(urllib.parse.urljoin(target.url, text))
    except ValueError as error:
        raise FetchError("bad_url", f"redirect: {error}") from error


def _request(target: FetchTarget, user_agent: str) -> bytes:
    return (
        f"GET {target.selector} HTTP/1.1\r\nHost: {target.authority}\r\nUser-Agent: {user_agent}\r\n"
        "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def _check_head(head: AnswerHead, limits: FetchLimits) -> None:
    """Raise where the status or the headers already say that there will be no image for us."""
    if head.status not in _REDIRECT_STATUSES and not 200 <= head.status < 300:
        raise error_of_status(head.status, head.reason, head.get("Retry-After"))
    if head.status == _PARTIAL:
        raise FetchError("truncated_body", f"HTTP 206 {head.reason}: a part, and the whole was asked for")
    _heed(head.early + head.fields, limits)


def _heed(fields: Fields, limits: FetchLimits) -> None:
    no = refusal(fields, limits.robots_names) if limits.respect_opt_outs else None
    if no is not None:
        raise FetchError("opted_out", no)


def _read_into(body: Body, file: io.BufferedIOBase, head: AnswerHead, limits: FetchLimits, clock: Clock) -> None:
    announced = head.length  # None where chunked or up to the end of the connection
    if announced is not None and announced > limits.max_bytes:
        raise FetchError("too_large", f"{announced} bytes announced, more than {limits.max_bytes}")
    chunks = ChunkReader(file)
    source: io.BufferedIOBase = io.BufferedReader(chunks, PIECE_BYTES) if head.is_chunked else file
    left = limits.max_bytes + 1 if announced is None else announced

    def sent() -> Iterator[bytes]:
        nonlocal left
        while piece := source.read(min(left, PIECE_BYTES)):
            left -= len(piece)
            yield piece
        if announced is not None and left:
            raise FetchError("truncated_body", f"{announced - left} of {announced} bytes came")

    for piece in unpacked(sent(), head.elements("content-encoding"), PIECE_BYTES):
        if body.size + len(piece) > limits.max_bytes:
            raise FetchError("too_large", f"more than {limits.max_bytes} bytes")
        with clock.paused():
            body.add(piece)
    _heed(chunks.trailer, limits)
