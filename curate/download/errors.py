"""Why a URL gave no bytes: the closed list of codes, and what stands for which.

The codes are stored in shards: one is never renamed, and its meaning never narrowed.
"""

import http.client
import socket
import ssl

from diptych.errors import DataError
from diptych.retry_after import retry_after_s

FETCH_CODES: dict[str, str] = {
    "bad_url": "the URL, or one it redirects to, cannot be asked for: not http(s), malformed, too long, with password",
    "blocked_address": "the host has an address that is not public: private, loopback, link-local, multicast, reserved",
    "connection": "no connection, or the connection broke",
    "dns": "the host name cannot be looked up",
    "forbidden": "refused: HTTP 401, 403 or 451",
    "gone": "removed for good: HTTP 410",
    "http_error": "another HTTP status that gives no image, an answer that is not HTTP, or packed as was not asked for",
    "internal": "a fault of diptych, or an interrupted run",
    "not_found": "HTTP 404",
    "opted_out": "the owner says no to such use, see ``diptych.curate.download.opt_outs``",
    "rate_limited": "HTTP 429",
    "server_error": "HTTP 5xx",
    "timeout": "not complete before the deadline",
    "tls": "no secure connection: certificate or protocol",
    "too_large": "more bytes than allowed",
    "too_many_redirects": "more redirects than allowed",
    "truncated_body": "fewer bytes than announced",
}

# The failures that another day, another network or a rested server may mend; the others would only show again.
TRANSIENT = ("connection", "dns", "internal", "rate_limited", "server_error", "timeout", "truncated_body")
REFUSED = "opted_out"

MAX_DETAIL_CHARS = 200

_CODE_OF_STATUS = {
    401: "forbidden",
    403: "forbidden",
    404: "not_found",
    410: "gone",
    429: "rate_limited",
    451: "forbidden",
}
_TRANSIENT_STATUSES = frozenset({429, 500, 502, 503, 504})
# The first kind that fits: a broken connection is an OSError even where http.client also calls it a bad status line.
_CODE_OF_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (socket.gaierror, "dns"),
    (ssl.SSLError, "tls"),
    (http.client.IncompleteRead, "truncated_body"),
    (OSError, "connection"),
    (http.client.HTTPException, "http_error"),
)


class FetchError(DataError):
    """A URL gave no bytes; ``str()`` is ``"<code>: <detail>"``.

    Attributes:
        code: One of ``FETCH_CODES``.
        detail: What happened, one line of at most 200 printable characters.
        is_transient: Whether asking again may help.
        wait_s: Seconds that the server asked to wait before that.
    """

    def __init__(self, code: str, detail: str, *, is_transient: bool = False, wait_s: float = 0.0) -> None:
        """Keep the code apart from the human-readable detail."""
        self.code = code
        self.detail = _one_line(detail)
        self.is_transient = is_transient
        self.wait_s = wait_s
        super().__init__(f"{code}: {self.detail}")

    def __reduce__(self) -> tuple[type["FetchError"], tuple[str, str]]:
        """Survive the way back from a worker process, where nothing is asked again."""
        return type(self), (self.code, self.detail)


def error_of_status(status: int, reason: str, retry_after: str | None) -> FetchError:
    """Return what a status outside 2xx stands for, with the wait that its Retry-After header asks for."""
    code = _CODE_OF_STATUS.get(status, "server_error" if status >= 500 else "http_error")
    is_transient = status in _TRANSIENT_STATUSES
    return FetchError(
        code, f"HTTP {status} {reason}", is_transient=is_transient, wait_s=retry_after_s(retry_after) or 0.0
    )


def error_of_exception(error: OSError | http.client.HTTPException) -> FetchError:
    """Return what an exception of the socket, ssl and http.client modules stands for."""
    code = next(code for kind, code in _CODE_OF_ERROR if isinstance(error, kind))
    is_lost = isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError)
    is_lookup_busy = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
    return FetchError(code, str(error) or type(error).__name__, is_transient=is_lost or is_lookup_busy)


def _one_line(text: str) -> str:
    line = " ".join(text.split())[:MAX_DETAIL_CHARS]
    return "".join(char if char.isprintable() else "?" for char in line)
