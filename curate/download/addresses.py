"""What a URL must be to be asked for, and which addresses are public.

Decides how a URL is read and what is refused outright. Looks nothing up and connects to nothing.
"""

import functools
import ipaddress
import re
import socket
import urllib.parse
from typing import NamedTuple

MAX_URL_CHARS = 8192
CACHED_HOSTS = 10_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,252}")
_NUMERIC_LAST_LABEL = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)\.?$")
_UNQUOTED = "%/:=&?~+!$,;'@()*[]|^"  # what stays as written in a path or query; %xx is taken to be quoted already
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# What is not of the public internet, by IANA's registries of special-purpose addresses and RFC 1112 and 7526;
# an interpreter's own list is as old as the interpreter.
_NOT_PUBLIC_V4 = [
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
    )
]
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")  # all that is given out
_NOT_PUBLIC_V6 = [ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20")]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchTarget(NamedTuple):
    """A URL that can be asked for; all parts are ASCII, the host is a name in punycode or a plain IP address."""

    scheme: str
    host: str
    port: int
    selector: str

    @property
    def authority(self) -> str:
        """Host and, where it is not the usual one, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL in its normal form, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.selector}"


def parse_url(url: str | None) -> FetchTarget:
    """Return the parts of an http(s) URL, with non-ASCII hosts in punycode (IDNA 2003) and paths percent-encoded.

    Spaces at the ends are dropped, those inside and characters that a URL may not hold are percent-encoded (UTF-8).
    IPv4 addresses in decimal, octal, hexadecimal or short form become dotted quads, as browsers read them.

    >>> parse_url("HTTP://bücher.example/ein bild.jpg#oben").url
    'http://xn--bcher-kva.example/ein%20bild.jpg'
    >>> parse_url("https://0x7f.1/").host
    '127.0.0.1'

    Raises:
        ValueError: If it is empty, not http(s), malformed, longer than 8,192 characters, or holds control characters
            or credentials. The message begins with what is wrong and ends with the URL.
    """
    text = (url or "").strip()
    if not text:
        raise ValueError("the URL is empty")
    if len(text) > MAX_URL_CHARS:
        raise ValueError(f"{len(text)} characters, more than {MAX_URL_CHARS}: {text}")
    if _CONTROL.search(text):
        raise ValueError(f"control character in {text!r}")
    try:
        target = _parse(urllib.parse.urlsplit(text))
    except (ValueError, OSError) as error:
        raise ValueError(f"{error}: {text}") from error
    if len(target.url) > MAX_URL_CHARS:
        raise ValueError(f"{len(target.url)} characters when percent-encoded, more than {MAX_URL_CHARS}: {text}")
    return target


def _parse(parts: urllib.parse.SplitResult) -> FetchTarget:
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"scheme {parts.scheme!r} is neither http nor https")
    if "@" in parts.netloc:
        raise ValueError("user name or password in the URL")
    port = parts.port if parts.port is not None else (443 if parts.scheme == "https" else 80)
    if port == 0:
        raise ValueError("port 0")
    selector = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # Bytes of a redirect that are not UTF-8 arrive as surrogates, and leave as the bytes they were.
    quoted = urllib.parse.quote(selector, safe=_UNQUOTED, errors="surrogateescape")
    name = parts.hostname or ""
    host = _ipv6_host(name) if "[" in parts.netloc else _ascii_host(name)
    return FetchTarget(parts.scheme, host, port, quoted)


def _ipv6_host(name: str) -> str:
    if "%" in name:
        raise ValueError("IPv6 zone in the URL")
    address = ipaddress.IPv6Address(name)
    # In hexadecimal, as browsers write a URL; Python 3.13 writes these with dots.
    mapped = address.ipv4_mapped
    return f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}" if mapped is not None else str(address)


@functools.lru_cache(CACHED_HOSTS)  # punycode takes as long as all else, and few hosts have most URLs
def _ascii_host(name: str) -> str:
    host = name.encode("idna").decode("ascii").lower() if name else ""
    if not _HOST.fullmatch(host):
        raise ValueError(f"no valid host name {name!r}")
    if _NUMERIC_LAST_LABEL.search(host):
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    return host


def is_public(address: IPAddress) -> bool:
    """Return whether the address is one of the public internet; IPv4 wrapped in IPv6 is judged as the IPv4 it is.

    >>> [is_public(ipaddress.ip_address(text)) for text in ("93.184.215.14", "10.0.0.1", "::ffff:169.254.169.254")]
    [True, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
    return not any(address in network for network in _NOT_PUBLIC_V4)
