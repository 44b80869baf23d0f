"""A web server on the loopback address that misbehaves on request.

Every fault that a downloader meets in the wild, at a path of its own::

    with FaultServer({"/a.jpg": jpeg_bytes, "/gone.jpg": Fault(status=410)}) as server:
        fetch(server.url("/a.jpg"))
        assert server.count("/a.jpg") == 1

It runs one asyncio loop in one thread, so a thousand dripping clients cost nothing and it stops at once.
"""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal, NamedTuple, Self

PIECE = b"\xff" * 65536


@dataclass(frozen=True)
class Fault:
    """How one request is answered.

    Attributes:
        status: HTTP status.
        body: The body, sent as it is.
        headers: Further headers.
        how: ``plain`` answers; ``chunked`` uses the chunked encoding; ``endless`` sends a body without end after the
            headers; ``silent`` accepts and never answers; ``reset`` breaks the connection with a TCP reset.
        claimed_length: The Content-Length to claim in place of the true one.
        head_byte_s: Seconds before each byte of the status line and headers; 0 sends them at once.
        body_byte_s: Seconds before each byte of the body (each chunk then holds one byte); 0 sends it at once.
        raw: What is sent in the place of an answer, headers and all; the connection then ends.
        again_after_s: Seconds after which the whole answer is sent a second time, unasked; None sends it once.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    how: Literal["plain", "chunked", "endless", "silent", "reset"] = "plain"
    claimed_length: int | None = None
    head_byte_s: float = 0.0
    body_byte_s: float = 0.0
    raw: bytes | None = None
    again_after_s: float | None = None


def redirect(location: str, *, status: int = 302) -> Fault:
    """Return the answer that sends the client elsewhere."""
    return Fault(status=status, headers={"Location": location})


class Request(NamedTuple):
    """One request as it came; header names are in lower case."""

    path: str
    headers: Mapping[str, str]


Answer = Fault | bytes
Count = Callable[[int], None]  # of bytes that went out
Route = Answer | Sequence[Fault]


class FaultServer:
    """Serve ``routes`` on 127.0.0.1 while the context lasts; a path that is not among them answers 404.

    A route is a body (status 200, ``image/jpeg``), a Fault, or a list of Faults of which the n-th request gets the
    n-th and all later ones the last. Paths are matched with their query and as the client wrote them.
    """

    def __init__(self, routes: Mapping[str, Route], *, tls: ssl.SSLContext | None = None) -> None:
        """Take the routes, and a server-side TLS context to speak https."""
        self.routes = dict(routes)
        self.requests: list[Request] = []
        self.port = 0
        self.connections = 0
        self._tls = tls
        self._counts: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fault-server", daemon=True)

    def __enter__(self) -> Self:
        """Start, and return once the port is known."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop at once, whatever clients are still being served."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def url(self, path: str) -> str:
        """Return the address of ``path``."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{path}"

    def count(self, path: str) -> int:
        """Return how often ``path`` was asked for."""
        return self._counts.get(path, 0)

    def sent(self, path: str) -> int:
        """Return how many bytes of bodies went out at ``path``: where they drip, until the client had left."""
        return self._sent.get(path, 0)

    def _add_sent(self, path: str, size: int) -> None:
        self._sent[path] = self.sent(path) + size

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await self._turns()  # asyncio loses, unclosed, a connection whose acceptance has begun when the server closes
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._turns()

    @staticmethod
    async def _turns() -> None:
        """Let the loop finish what it has begun: opening and closing a connection each take it a few turns."""
        for _ in range(5):
            await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass  # the client went away, which many tests want, or the server stops
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer the next request; return whether the connection stays open for another one."""
        request = _parse(await reader.readuntil(b"\r\n\r\n"))
        self.requests.append(request)
        asked_before = self._counts.get(request.path, 0)
        self._counts[request.path] = asked_before + 1
        fault = self._fault(request.path, asked_before)
        if fault.how == "silent":
            await self._stop.wait()
        elif fault.how == "reset":
            linger_none = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
            writer.transport.abort()
            return False
        if fault.raw is not None:
            await _send(writer, fault.raw, 0)
            return False
        await _send_answer(writer, fault, lambda size: self._add_sent(request.path, size))
        if fault.again_after_s is not None:
            await asyncio.sleep(fault.again_after_s)
            await _send_answer(writer, fault, lambda size: self._add_sent(request.path, size))
        closes = request.headers.get("connection", "").lower() == "close"
        return not closes and fault.claimed_length is None and fault.how != "endless"

    def _fault(self, path: str, asked_before: int) -> Fault:
        route = self.routes.get(path, Fault(status=404))
        if isinstance(route, bytes):
            return Fault(body=route, headers={"Content-Type": "image/jpeg"})
        return route if isinstance(route, Fault) else route[min(asked_before, len(route) - 1)]


def _parse(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(first.split(" ")[1], headers)


def _head(fault: Fault) -> bytes:
    headers = dict(fault.headers)
    if fault.how == "chunked":
        headers["Transfer-Encoding"] = "chunked"
    elif fault.how != "endless":
        headers["Content-Length"] = str(len(fault.body) if fault.claimed_length is None else fault.claimed_length)
    lines = [f"HTTP/1.1 {fault.status} {HTTPStatus(fault.status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _send(writer: asyncio.StreamWriter, data: bytes, byte_s: float, count: Count = lambda size: None) -> None:
    for piece in [data[i : i + 1] for i in range(len(data))] if byte_s else [data]:
        await asyncio.sleep(byte_s) if byte_s else None
        writer.write(piece)
        await writer.drain()
        count(len(piece))


async def _send_answer(writer: asyncio.StreamWriter, fault: Fault, count: Count) -> None:
    await _send(writer, _head(fault), fault.head_byte_s)
    await _send_body(writer, fault, count)


async def _send_body(writer: asyncio.StreamWriter, fault: Fault, count: Count) -> None:
    if fault.how == "endless":
        while True:
            await _send(writer, PIECE, 0, count)
    if fault.how != "chunked":
        await _send(writer, fault.body, fault.body_byte_s, count)
        return
    size = 1 if fault.body_byte_s else 4096
    for start in range(0, len(fault.body), size):
        piece = fault.body[start : start + size]
        await asyncio.sleep(fault.body_byte_s)
        await _send(writer, b"%x\r\n%b\r\n" % (len(piece), piece), 0)
        count(len(piece))
    await _send(writer, b"0\r\n\r\n", 0)
