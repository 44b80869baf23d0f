"""A server that speaks what of the Hub is needed to read files of repositories: revisions, trees, files by ranges."""

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple


class HubRequest(NamedTuple):
    """What was asked."""

    method: str
    path: str
    range: str
    sent: int


@dataclass
class HubServer:
    """Repositories by kind and name, such as ``datasets/ada/pictures``, each a folder."""

    repositories: Mapping[str, Path]
    requests: list[HubRequest] = field(default_factory=list)
    failing: int = 0  # of the next files, how many are not there for a moment
    address: str = ""

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client has to know."""
        off = dict.fromkeys(("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY"), "1")
        online = dict.fromkeys(("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "DIPTYCH_OFFLINE"), "0")
        return {"HF_ENDPOINT": self.address, **off, **online}

    def bytes_read(self, ending: str) -> int:
        """Return how many bytes of files whose names end so were sent."""
        return sum(one.sent for one in self.requests if one.path.endswith(ending) and "/resolve/" in one.path)


@contextmanager
def serving(repositories: Mapping[str, Path]) -> Iterator[HubServer]:
    """Serve repositories on this machine."""
    hub = HubServer(repositories)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if path.startswith("/api/"):
            self._say(path.removeprefix("/api/"))
            return
        repository, _, rest = path.removeprefix("/").partition("/resolve/")
        file = self._file(repository, rest.partition("/")[2])
        if file is None:
            self._refuse(404, "EntryNotFound" if repository in self.hub.repositories else "RepoNotFound")
        elif self.hub.failing:
            self.hub.failing -= 1
            self._refuse(503, "")
        else:
            self._send(file.read_bytes(), hashlib.sha256(file.read_bytes()).hexdigest())

    def _say(self, path: str) -> None:
        name = "/".join(path.split("/")[:3])
        folder, what = self.hub.repositories.get(name), path.removeprefix(name).split("/")[1:]
        if folder is None:
            self._refuse(404, "RepoNotFound")
        elif what[:1] in ([], ["revision"]):
            self._send_json({"id": name.partition("/")[2], "sha": "0" * 40, "siblings": []})
        elif what[0] == "tree" and (below := folder.joinpath(*what[2:])).is_dir():
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            is_deep = query.get("recursive", ["False"])[0].casefold() == "true"
            found = sorted(below.rglob("*") if is_deep else below.iterdir())
            self._send_json([self._entry(folder, one) for one in found])
        else:
            self._refuse(404, "EntryNotFound")

    def _file(self, repository: str, name: str) -> Path | None:
        folder = self.hub.repositories.get(repository)
        return folder / name if folder is not None and (folder / name).is_file() else None

    @staticmethod
    def _entry(folder: Path, path: Path) -> dict[str, Any]:
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            return {"type": "directory", "oid": "1" * 40, "size": 0, "path": name}
        data = path.read_bytes()
        return {"type": "file", "oid": hashlib.sha1(data).hexdigest(), "size": len(data), "path": name}

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, value: Any) -> None:
        self._send(json.dumps(value).encode(), "0")

    def _send(self, data: bytes, etag: str) -> None:
        wanted = self.headers.get("Range", "")
        whole = len(data)
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            data = data[int(first) : int(last or whole) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(data) - 1}/{whole}")
        else:
            self.send_response(200)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        is_asked = self.command == "GET"
        self.hub.requests.append(HubRequest(self.command, self.path, wanted, len(data) if is_asked else 0))
        if is_asked:
            self.wfile.write(data)
