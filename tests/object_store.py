"""An S3 server on the loopback address (moto's), in a thread, that counts what it is asked and fails on request::

    with S3Server() as server:
        server.fail("PUT", "00001.parquet", Fail.UNAVAILABLE, times=2)
        ...
        assert server.bytes_read(".parquet") < 10_000

Nothing else is ever asked: the settings that clients read name this server, and its credentials are made up.
"""

import logging
import re
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, Self

from diptych.storage.location import Location

ATTEMPTS = 3  # that a client makes of one request

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Fail(Enum):
    """How a request fails."""

    UNAVAILABLE = "503 with the code SlowDown"
    CUT = "the connection ends in the middle of the request"
    DENIED = "403"


class StoreRequest(NamedTuple):
    """A request as it came, and how many bytes of an object its answer had."""

    method: str
    path: str
    query: str
    range: str
    sent: int


@dataclass
class Failing:
    """A fault and how many requests still meet it."""

    method: str
    ending: str
    how: Fail
    times: int


@dataclass
class S3Server:
    """Buckets in memory while the context lasts."""

    requests: list[StoreRequest] = field(default_factory=list)
    failing: list[Failing] = field(default_factory=list)
    is_behind: bool = False  # whether listings show nothing that was written since
    _unlisted: set[str] = field(default_factory=set)
    _lock: Any = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        """Serve."""
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._inner = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client has to know."""
        return {
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.port}",
            "AWS_MAX_ATTEMPTS": str(ATTEMPTS),
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "NO_PROXY": "127.0.0.1",
        }

    def fail(self, method: str, ending: str, how: Fail, *, times: int = 1) -> None:
        """Let the next requests of a method, of paths that end so, fail."""
        self.failing.append(Failing(method, ending, how, times))

    def clear(self) -> None:
        """Forget what was asked, and what was to fail."""
        self.requests.clear()
        self.failing.clear()

    def catch_up(self) -> None:
        """Let listings show everything again."""
        self.is_behind = False
        self._unlisted.clear()

    def asked(self, method: str, part: str = "") -> list[StoreRequest]:
        """Return the requests of a method whose paths have a part."""
        return [request for request in self.requests if request.method == method and part in request.path]

    def bytes_read(self, part: str = "") -> int:
        """Return how many bytes of objects were sent, of those whose paths have a part."""
        return sum(request.sent for request in self.asked("GET", part) if not request.query)

    def listings(self) -> int:
        """Return how many times keys were listed."""
        return sum("list-type" in request.query for request in self.requests)

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        how = self._fault(method, path)
        if how is Fail.UNAVAILABLE:
            start("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(SLOW_DOWN)))])
            return [SLOW_DOWN]
        if how is Fail.DENIED:
            start("403 Forbidden", [("Content-Length", "0")])
            return []
        if how is Fail.CUT:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        length = 0

        def once(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal length  # the server behind adds these two a second time, which clients refuse
            kept = [(name, value) for name, value in headers if name.lower() not in {"server", "date"}]
            length = int({name.lower(): value for name, value in kept}.get("content-length", 0))
            return start(status, kept, *rest)

        if self.is_behind and method in ("PUT", "POST"):
            self._unlisted.add(path.lstrip("/"))
        if self._unlisted and "list-type" in environ.get("QUERY_STRING", ""):
            return self._listing(path.strip("/"), environ, start)
        answer = self._inner(environ, once)
        query, wanted = environ.get("QUERY_STRING", ""), environ.get("HTTP_RANGE", "")
        with self._lock:
            self.requests.append(StoreRequest(method, path, query, wanted, 0 if method == "HEAD" else length))
        return answer

    def _listing(self, bucket: str, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a listing as the server does, without what is not listed yet."""
        begun: list[Any] = []
        text = b"".join(self._inner(environ, lambda *args: begun.append(args))).decode()
        known = [key.partition("/")[2] for key in self._unlisted if key.startswith(f"{bucket}/")]
        listed = [key for key in self._keys(bucket) if key not in known]

        def shown(block: re.Match[str]) -> str:
            name = urllib.parse.unquote_plus(block[2])
            is_there = name in listed if block[1] == "Contents" else any(key.startswith(name) for key in listed)
            return block[0] if is_there else ""

        kept = re.sub(r"<(Contents|CommonPrefixes)>.*?<(?:Key|Prefix)>(.*?)</.*?</\1>", shown, text, flags=re.DOTALL)
        with self._lock:
            self.requests.append(StoreRequest("GET", f"/{bucket}", environ["QUERY_STRING"], "", len(kept)))
        start(begun[0][0], [("Content-Type", "application/xml"), ("Content-Length", str(len(kept.encode())))])
        return [kept.encode()]

    def _keys(self, bucket: str) -> list[str]:
        from moto.s3.models import s3_backends

        return list(s3_backends["123456789012"]["aws"].buckets[bucket].keys.keys())

    def _fault(self, method: str, path: str) -> Fail | None:
        with self._lock:
            for one in self.failing:
                if one.times and one.method == method and path.endswith(one.ending):
                    one.times -= 1
                    return one.how
        return None


class Bucket(NamedTuple):
    """A bucket of a server."""

    server: S3Server
    name: str

    @property
    def address(self) -> str:
        """Its address."""
        return f"s3://{self.name}"

    def make(self) -> None:
        """Make it."""
        import boto3

        boto3.client("s3").create_bucket(Bucket=self.name)

    def put(self, key: str, data: bytes) -> None:
        """Write an object as another process does."""
        import boto3

        boto3.client("s3").put_object(Bucket=self.name, Key=key, Body=data)

    def remove(self, key: str) -> None:
        """Remove an object as another process does."""
        import boto3

        boto3.client("s3").delete_object(Bucket=self.name, Key=key)

    def upload(self, folder: Path, name: str) -> str:
        """Copy the files of a folder to a name in it, and return the address."""
        for path in files_below(folder):
            (Location.at(self.address) / name / path.relative_to(folder).as_posix()).write(path.read_bytes())
        return f"{self.address}/{name}"

    def files(self, name: str) -> dict[str, bytes]:
        """Return the objects below a name."""
        return {path.removeprefix(f"{name}/"): data for path, data in self._objects(name)}

    def _objects(self, name: str) -> Iterator[tuple[str, bytes]]:
        import boto3

        client = boto3.client("s3")
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=f"{name}/"):
            for entry in page.get("Contents", ()):
                yield entry["Key"], client.get_object(Bucket=self.name, Key=entry["Key"])["Body"].read()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder that are not hidden, by name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def local_files(folder: Path) -> dict[str, bytes]:
    """Return those files, as a bucket returns its objects."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_below(folder)}
