"""The demo web: a server on the loopback address, the table of its URLs, and the truth about them.

It answers nobody but this machine. Pictures are drawn when they are asked for.
"""

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.demo.world.faults import broken, encoded, picture_of, truth_of_picture
from diptych.demo.world.plan import WebRow, plan_rows
from diptych.demo.world.truth import Truth
from diptych.errors import ConfigError

HOST = "127.0.0.1"
DEFAULT_ROWS = 2000
HOLD_S = 60.0  # how long a request that gets no answer is held, longer than any client waits
CACHED_PICTURES = 512
TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
STATUS_OF = {"gone": 410, "not_found": 404, "server_error": 500}

TRUTH_SCHEMA = pa.schema(
    [
        ("url", pa.string()),
        ("faults", pa.list_(pa.string())),
        ("status", pa.string()),
        ("quality", pa.float32()),
        ("group", pa.int64()),
        ("true_caption", pa.string()),
        ("language", pa.string()),
        ("style", pa.string()),
        ("occupation", pa.string()),
        ("attribute", pa.string()),
        ("scene", pa.string()),
    ]
)


class Response(NamedTuple):
    """What is sent for one URL."""

    status: int
    type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class DemoWeb:
    """Serve the rows of a plan on 127.0.0.1 while the context lasts."""

    def __init__(self, rows: int | Sequence[WebRow] = DEFAULT_ROWS, *, port: int = 0) -> None:
        """Plan the rows; serves nothing yet.

        Args:
            rows: How many (at least 100), or the rows themselves.
            port: The port to serve on; 0 takes any that is free.
        """
        self.rows = plan_rows(rows) if isinstance(rows, int) else tuple(rows)
        self.port = port
        self._by_path = {row.path: row for row in self.rows}
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._response = lru_cache(maxsize=CACHED_PICTURES)(self._make_response)

    def __enter__(self) -> Self:
        """Start serving.

        Raises:
            ConfigError: If the port is taken, or there is none of that number.
        """
        try:
            self._server = _Server((HOST, self.port), self._handler())
        except OSError as error:
            raise ConfigError(
                f"the demo web cannot serve on {HOST}:{self.port}: {error.strerror}; end the other program, "
                f"or give another --out"
            ) from error
        except OverflowError as error:
            raise ConfigError(
                f"there is no port {self.port} to serve on, only 0 to 65535; give another --out"
            ) from error
        self.port = self._server.server_address[1]
        self._stopping.clear()
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="demo-web", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let go of whoever still waits."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def url(self, row: WebRow) -> str:
        """Return the address of a row's picture; it is known once the web serves."""
        return f"http://{HOST}:{self.port}{row.path}"

    def response(self, path: str) -> Response:
        """Return what is sent for a path; a path that no row has answers 404."""
        row = self._by_path.get(path)
        return self._response(row) if row else Response(404, "text/plain", b"not found\n")

    def holds(self, path: str) -> bool:
        """Return False, or True after a long wait if the path is to get no answer."""
        row = self._by_path.get(path)
        if row is None or row.fault != "timeout":
            return False
        self._stopping.wait(HOLD_S)
        return True

    def write_tables(self, folder: Path) -> Path:
        """Write ``urls.parquet`` and ``truth.parquet`` and return the path of the former.

        The columns of ``urls.parquet`` are ``url`` and ``caption``. Those of ``truth.parquet``, rows in the same order:

        - ``url``; ``faults``, that of the picture first; ``status``, what a downloader should say of it.
        - ``quality`` of the picture in [0, 1], null where none is served.
        - ``group``: number of the row that it copies, its own if it copies none.
        - ``true_caption``, a caption that fits; ``language`` of the caption in ``urls.parquet``.
        - ``style`` of the scene; ``occupation`` and ``attribute`` (colour of the hat) of its figure, null without one.
        - ``scene``: a ``truth.Truth`` as JSON, about the picture as it is served: ``size_px`` is its side, boxes are
          left, top, right, bottom in its pixels (right and bottom outside), and left and right are those of the copy
          where it is mirrored. In a crop a box ends where the picture does; a thing that is cut away is not listed,
          counted or related. A figure is under ``figure`` alone, and ``things`` and ``counts`` are then empty. Where no
          picture is served, it is about the one that would have been.
        """
        folder.mkdir(parents=True, exist_ok=True)
        urls = [self.url(row) for row in self.rows]
        captions = pa.array([row.caption for row in self.rows], pa.string())
        _write(pa.table({"url": urls, "caption": captions}), folder / "urls.parquet")
        _write(self._truth(urls), folder / "truth.parquet")
        return folder / "urls.parquet"

    def _truth(self, urls: list[str]) -> pa.Table:
        figures = [row.scene.figure for row in self.rows]
        columns = {
            "url": urls,
            "faults": [row.faults for row in self.rows],
            "status": [row.status for row in self.rows],
            "quality": [row.quality for row in self.rows],
            "group": [row.group for row in self.rows],
            "true_caption": [row.true_caption for row in self.rows],
            "language": [row.language for row in self.rows],
            "style": [row.scene.style for row in self.rows],
            "occupation": [figure.occupation if figure else None for figure in figures],
            "attribute": [figure.hat if figure else None for figure in figures],
            "scene": [_seen(row).to_json() for row in self.rows],
        }
        return pa.table(columns, schema=TRUTH_SCHEMA)

    @staticmethod
    def _make_response(row: WebRow) -> Response:
        if row.fault in STATUS_OF:
            return Response(STATUS_OF[row.fault], "text/html", b"<html><body>sorry</body></html>\n")
        body = broken(bytes_of(row), row.fault, row.strength)
        headers = (("X-Robots-Tag", "noai"),) if row.fault == "opted_out" else ()
        return Response(200, TYPES[row.format], body, headers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            """Answers from the plan."""

            protocol_version = "HTTP/1.1"
            server_version = "diptych-demo-web"
            sys_version = ""
            timeout = HOLD_S

            def do_GET(self) -> None:
                if web.holds(self.path):
                    self.close_connection = True
                else:
                    self._send(web.response(self.path))

            def _send(self, response: Response) -> None:
                self.send_response(response.status)
                self.send_header("Content-Type", response.type)
                self.send_header("Content-Length", str(len(response.body)))
                for name, value in response.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(response.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


class _Server(ThreadingHTTPServer):
    """Takes many connections at once, and leaves none behind when it stops."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    # Elsewhere it lets the port of a server that has just stopped be taken again; on Windows, that of a running one.
    allow_reuse_address = os.name != "nt"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that go away, which is what clients with deadlines do."""


def bytes_of(row: WebRow) -> bytes:
    """Return the file behind a row, whole, whatever the server makes of it."""
    pixels = picture_of(row.scene, row.size_px, row.fault, row.strength)
    return encoded(pixels, row.format, row.encoder_quality)


def _seen(row: WebRow) -> Truth:
    """Return what is true of ``bytes_of`` a row."""
    return truth_of_picture(row.scene, row.size_px, row.fault, row.strength)


def _write(table: pa.Table, path: Path) -> None:
    """Write a table under a temporary name and rename it, so that a table that is there is whole."""
    part = path.with_name(f"{path.name}.part")
    pq.write_table(table, part)
    part.replace(path)
