"""1,800 URLs of a web that does what it can: each is a row with a status, and a picture is that of its own URL."""

import io
import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fault_server import Fault, FaultServer, Route, redirect
from ingested import make_config, pool_rows, run, write_urls
from PIL import Image

from diptych.curate.download import connections

URLS = 1_800
DEADLINE_S = 2.0
OUTSIDE, INSIDE = "127.0.0.1", "127.0.0.2"  # as if the first were a public address and the second were not

BEGIN = b"HTTP/1.1 200 OK\r\n"
CHUNKED = BEGIN + b"Transfer-Encoding: chunked\r\n\r\n"
OPT_OUTS = (
    {"X-Robots-Tag": "noai"},
    {"X-Robots-Tag": "NoImageAI"},
    {"X-Robots-Tag": "nofollow, noai"},
    {"X-Robots-Tag": "noai, max-image-preview:large"},
    {"X-Robots-Tag": "max-image-preview:large, noai"},
    {"X-Robots-Tag": "noindex, unavailable_after: 25 Jun 2010 15:00:00 PST"},
    {"X-Robots-Tag": "none"},
    {"X-Robots-Tag": "*: noai"},
    {"X-Robots-Tag": "noai; noimageai"},
    {"X-Robots-Tag": "diptych: noai"},
    {"X-Robots-Tag": "Diptych : NOAI"},
    {"X-Robots-Tag": "otherbot: all, diptych: noai"},
    {"X-Robots-Tag": "\r\n noai"},
    {"X-Robots-Tag": "all", "x-robots-tag": "noimageai"},
    {"TDM-Reservation": "1"},
    {"tdm-reservation": "0", "TDM-Reservation": "1"},
    {"Content-Signal": "search=yes, ai-train=no"},
    {"Content-Usage": "train-ai=n"},
)
BAD_STATUS = "not_found gone forbidden rate_limited server_error"
NO_PICTURE = "not_an_image empty svg bad_dimensions truncated corrupt"
REFUSED_HOSTS = ("127.0.0.2", "2130706434", "0x7f.2", "0177.0.0.2", "127.2", "[::ffff:127.0.0.2]", "inside.test")


def encoded(number: int) -> bytes:
    """Return a small picture that shows its number."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (number % 256, number // 256, 77)).save(buffer, "PNG")
    return buffer.getvalue()


def shown(data: bytes) -> int:
    red, green, _ = Image.open(io.BytesIO(data)).getpixel((3, 3))  # type: ignore[misc]  # RGB: three numbers
    return int(red) + 256 * int(green)


class Kind(NamedTuple):
    """A kind of answer: what it is for a number, which statuses its rows may have, and how often it is there.

    Attributes:
        route: From the number to the answer.
        statuses: What may become of it.
        weight: How many there are to one of another kind of weight 1.
    """

    route: Callable[[int], Route]
    statuses: frozenset[str]
    weight: int = 1


def plain(body: bytes) -> bytes:
    """Return a whole answer."""
    return BEGIN + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def moved(headers: dict[str, str]) -> Fault:
    """Return a redirect with further headers to a picture that is free to take."""
    return Fault(302, headers={"Location": "/plain/0", **headers})


def kinds(port: int) -> dict[str, Kind]:
    """Return all kinds.

    Args:
        port: Where something listens that must not be asked.
    """

    def kind(route: Callable[[int], Route], statuses: str, weight: int = 1) -> Kind:
        return Kind(route, frozenset(statuses.split()), weight)

    def inside(number: int) -> Fault:
        return redirect(f"http://{REFUSED_HOSTS[number % len(REFUSED_HOSTS)]}:{port}/x")

    return {
        "plain": kind(encoded, "ok", 24),
        "doubled": kind(lambda n: Fault(body=encoded(n), again_after_s=0.01 * (n % 3)), "ok", 10),
        "poisoned": kind(lambda n: Fault(raw=plain(encoded(n)) + plain(encoded(0)) * 2), "ok", 5),
        "chunked": kind(lambda n: Fault(body=encoded(n), how="chunked"), "ok", 3),
        "unmeasured": kind(lambda n: Fault(raw=BEGIN + b"\r\n" + encoded(n)), "ok"),
        "hinted": kind(lambda n: Fault(raw=b"HTTP/1.1 103 Early Hints\r\n\r\n" + plain(encoded(n))), "ok"),
        "hints only": kind(lambda _: Fault(raw=b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5000), "connection"),
        "continued": kind(lambda n: Fault(raw=b"HTTP/1.1 100 Continue\r\n\r\n" + plain(encoded(n))), "ok"),
        "flaky": kind(lambda n: [Fault(503), Fault(body=encoded(n))], "ok server_error"),
        "opted out": kind(lambda n: Fault(body=encoded(n), headers=OPT_OUTS[n % len(OPT_OUTS)]), "opted_out", 12),
        "opted out on the way": kind(lambda n: moved(OPT_OUTS[n % len(OPT_OUTS)]), "opted_out", 4),
        "for another bot": kind(lambda n: Fault(body=encoded(n), headers={"X-Robots-Tag": "otherbot: noai"}), "ok"),
        "inside": kind(inside, "blocked_address", 10),
        "elsewhere": kind(lambda n: redirect(("file:///etc/passwd", "ftp://a/", "data:,x")[n % 3]), "bad_url"),
        "loop": kind(lambda n: redirect(f"/loop/{n}"), "too_many_redirects"),
        "nowhere": kind(lambda _: Fault(302), "http_error"),
        "short": kind(lambda n: Fault(body=encoded(n), claimed_length=5000), "truncated_body"),
        "cut": kind(lambda n: Fault(body=encoded(n)[:-30]), "truncated"),
        "chunk cut": kind(lambda n: Fault(raw=CHUNKED + b"999\r\n" + encoded(n)), "truncated_body"),
        "chunk below none": kind(lambda n: Fault(raw=CHUNKED + b"-5\r\n" + encoded(n)), "http_error"),
        "chunk beyond all": kind(lambda n: Fault(raw=CHUNKED + b"F" * 9000 + b"\r\n" + encoded(n)), "http_error"),
        "length beyond all": kind(
            lambda n: Fault(raw=BEGIN + b"Content-Length: " + b"9" * 20 + b"\r\n\r\n" + encoded(n)), "too_large"
        ),
        "no http": kind(lambda n: Fault(raw=encoded(n)), "http_error"),
        "no status": kind(lambda _: Fault(raw=b"HTTP/1.1 abc OK\r\n\r\n"), "http_error"),
        "long header": kind(lambda _: Fault(raw=BEGIN + b"X: " + b"a" * 100_000 + b"\r\n\r\n"), "http_error"),
        "many headers": kind(lambda _: Fault(raw=BEGIN + b"X: y\r\n" * 500 + b"\r\n"), "http_error"),
        "reset": kind(lambda _: Fault(how="reset"), "connection"),
        "silence": kind(lambda _: Fault(how="silent"), "timeout"),
        "drip": kind(lambda n: Fault(body=encoded(n), body_byte_s=0.3), "timeout"),
        "dripping header": kind(lambda n: Fault(body=encoded(n), head_byte_s=0.3), "timeout"),
        "endless": kind(lambda _: Fault(how="endless"), "too_large"),
        "gone": kind(
            lambda n: Fault((404, 410, 403, 429, 500)[n % 5], headers={"Retry-After": "1000000000"}), BAD_STATUS, 4
        ),
        "no picture": kind(lambda n: (b"<html>", b"", b"{}", b"<svg>", b"GIF89a/*")[n % 5], NO_PICTURE, 2),
    }


@contextmanager
def listening(host: str) -> Iterator[socket.socket]:
    """Listen, and never wait for who connects."""
    with closing(socket.create_server((host, 0))) as listener:
        listener.setblocking(False)
        yield listener


def lookup(name: str, *_: Any, **__: Any) -> list[Any]:
    """Stand in for the system's: one name is inside, and one is on both sides."""
    addresses = {"inside.test": [INSIDE], "mixed.test": [OUTSIDE, INSIDE]}[name]
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_row_has_its_status_its_own_picture_or_none_and_nothing_inside_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "is_public", lambda address: str(address) == OUTSIDE)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with listening(INSIDE) as inside:
        port = inside.getsockname()[1]
        known = kinds(port)
        names = [name for name, kind in known.items() for _ in range(kind.weight)]
        asked = [names[number % len(names)] for number in range(URLS)]
        routes = {f"/{name.replace(' ', '-')}/{n}": known[name].route(n) for n, name in enumerate(asked)}
        direct = [f"http://{host}:{port}/x" for host in (*REFUSED_HOSTS, "mixed.test")]
        with FaultServer({**routes, "/plain/0": encoded(0)}) as server:
            urls = [*map(server.url, routes), *direct]
            write_urls(tmp_path / "table.parquet", urls, [*asked, *["direct"] * len(direct)])
            source = {"kind": "url_table", "path": str(tmp_path / "table.parquet")}
            config = make_config(source, download={"deadline_s": DEADLINE_S, "max_bytes": 1_000_000})
            rows = pool_rows(run(config, tmp_path / "pool").dataset)
        with suppress(BlockingIOError):
            pytest.fail(f"somebody asked inside: {inside.accept()}")
    assert [row["url"] for row in rows] == urls
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row["caption"]][row["status"]] += 1
    assert found.pop("direct") == {"blocked_address": len(direct)}
    unexpected = {name: dict(counts) for name, counts in found.items() if not counts.keys() <= known[name].statuses}
    assert unexpected == {}
    wrong = [row["url"] for n, row in enumerate(rows) if row["status"] == "ok" and shown(row["image"]["bytes"]) != n]
    assert wrong == []
    assert {name for name, counts in found.items() if counts["ok"]} >= {"plain", "doubled", "poisoned", "chunked"}
