import http.client
import pickle
import socket
import ssl

import pytest

from diptych.curate.download.errors import FetchError, error_of_exception, error_of_status


def test_a_detail_is_one_short_printable_line() -> None:
    detail = FetchError("http_error", "a\r\n  b\x00\ud800" + "c" * 1000).detail
    assert detail.startswith("a b??ccc")
    assert len(detail) == 200


def test_an_error_survives_the_way_from_a_worker() -> None:
    error = pickle.loads(pickle.dumps(FetchError("gone", "HTTP 410")))
    assert (str(error), error.code, error.detail) == ("gone: HTTP 410", "gone", "HTTP 410")


@pytest.mark.parametrize(
    ("status", "code", "is_transient"),
    [
        (304, "http_error", False),
        (400, "http_error", False),
        (401, "forbidden", False),
        (403, "forbidden", False),
        (404, "not_found", False),
        (410, "gone", False),
        (418, "http_error", False),
        (429, "rate_limited", True),
        (451, "forbidden", False),
        (500, "server_error", True),
        (501, "server_error", False),
        (502, "server_error", True),
        (503, "server_error", True),
        (504, "server_error", True),
    ],
)
def test_a_status_has_a_code_and_only_some_may_pass(status: int, code: str, is_transient: bool) -> None:
    error = error_of_status(status, "Reason", None)
    assert (str(error), error.is_transient) == (f"{code}: HTTP {status} Reason", is_transient)


@pytest.mark.parametrize(("header", "wait_s"), [(None, 0), ("soon", 0), ("7", 7), ("9" * 400, float("inf"))])
def test_a_status_says_how_long_to_wait(header: str | None, wait_s: float) -> None:
    assert error_of_status(503, "", header).wait_s == wait_s


@pytest.mark.parametrize(
    ("error", "code", "is_transient"),
    [
        (TimeoutError("timed out"), "timeout", False),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "dns", False),
        (socket.gaierror(socket.EAI_AGAIN, "busy"), "dns", True),
        (ssl.SSLCertVerificationError("self-signed"), "tls", False),
        (ConnectionRefusedError("refused"), "connection", False),
        (ConnectionResetError("reset"), "connection", True),
        (http.client.RemoteDisconnected("closed"), "connection", True),
        (OSError("unreachable"), "connection", False),
        (http.client.IncompleteRead(b"", 5), "truncated_body", False),
        (http.client.BadStatusLine("x"), "http_error", False),
        (http.client.HTTPException(), "http_error", False),
    ],
)
def test_an_exception_has_a_code(error: OSError | http.client.HTTPException, code: str, is_transient: bool) -> None:
    translated = error_of_exception(error)
    assert (translated.code, translated.is_transient) == (code, is_transient)
    assert translated.detail
