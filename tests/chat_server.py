"""A chat endpoint on the loopback address that answers as it is told, and misbehaves on request."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def completion(text: str | None, **more: Any) -> dict[str, Any]:
    """Return a response with one completion; ``more`` is put beside its message."""
    message = {"role": "assistant", "content": text, "refusal": more.pop("refusal", None)}
    chosen = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None, **more}
    return {"model": "tiny-0001", "choices": [chosen], "usage": {"prompt_tokens": 85, "completion_tokens": 1}}


def likeliest(*told: tuple[str, float]) -> dict[str, Any]:
    """Return log-probabilities of first tokens as the protocol tells them."""
    return {"content": [{"token": "x", "top_logprobs": [{"token": token, "logprob": log} for token, log in told]}]}


@dataclass(frozen=True)
class Reply:
    """How one request is answered: a status, a body (JSON or raw bytes), headers, after so many seconds."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    claimed_length: int | None = None


Answers = Callable[[Mapping[str, Any]], Reply]


class ChatServer:
    """Answer with each of ``first`` once, then as ``usual`` says, while the context lasts."""

    def __init__(self, usual: Answers, first: Sequence[Reply] = ()) -> None:
        """Take how requests are answered."""
        self.usual, self.first = usual, list(first)
        self.requests: list[Mapping[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.close_connection = True
                with contextlib.suppress(OSError):  # who asked has gone
                    owner.answer(self, body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler, body: Mapping[str, Any]) -> None:
        with self._turn:
            self.requests.append({"path": handler.path, **body})
            self.headers.append(dict(handler.headers))
            reply = self.first.pop(0) if self.first else None
        reply = self.usual(body) if reply is None else reply
        time.sleep(reply.after_s)
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(reply.claimed_length or len(data)))
        handler.end_headers()
        handler.wfile.write(data)


def question_of(body: Mapping[str, Any]) -> str:
    """Return the text of the question of a request."""
    return str(body["messages"][-1]["content"][-1]["text"])
