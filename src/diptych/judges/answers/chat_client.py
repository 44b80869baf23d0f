"""Sends requests to an OpenAI-compatible endpoint: paced, tried again where that may help, never redirected.

Decides what is tried again (429, 5xx, a broken or cut answer, silence) and after how long (what ``Retry-After`` says,
else twice as long each time), what ends the run in one line (a wrong key, address or model, a server that stays away),
and what is one question's own fault. The key is read from the environment when it is sent and is in no message.
"""

import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diptych.errors import ConfigError, DataError, one_line
from diptych.retry_after import retry_after_s

FIRST_WAIT_S = 1.0  # before the second try
LONGEST_WAIT_S = 120.0
AGAIN = frozenset({408, 409, 425, 429})
WRONG = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})
MOST_BYTES = 16 * 2**20  # of an answer
# No connection, silence, or what is cut, no JSON, or nested too deeply.
NO_ANSWER = (OSError, ValueError, RecursionError, http.client.HTTPException)


class QuestionRefused(DataError):
    """The endpoint will not take one request, whatever it does with others."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the key would be sent to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return nothing, so that the redirect is an error."""


@dataclass(eq=False)
class ChatClient:
    """One endpoint.

    Attributes:
        base_url: Of its API, such as ``http://127.0.0.1:8000/v1``.
        key_variable: The environment variable that has the key; empty for none.
        timeout_s: Of silence, in seconds.
        tries: How often one request is sent at most.
        interval_s: Least time between the beginnings of two requests.
    """

    base_url: str
    key_variable: str
    timeout_s: float
    tries: int
    interval_s: float
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _next: float = field(default=0.0, init=False, repr=False)

    def ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a request for a chat completion.

        Raises:
            ConfigError: If the variable of the key is not set.
            DataError: If the endpoint takes no request, or gave no answer in so many tries.
            QuestionRefused: If it does not take this one.
        """
        headers = {"Content-Type": "application/json", **self._authorization()}
        url = f"{self.base_url}/chat/completions"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        opener = urllib.request.build_opener(_NoRedirect)
        said = ""
        for number in range(self.tries):
            self._wait_for_turn()
            wait = min(FIRST_WAIT_S * 2**number, LONGEST_WAIT_S)
            try:
                with opener.open(request, timeout=self.timeout_s) as response:
                    answer = json.loads(response.read(MOST_BYTES))
                if isinstance(answer, dict):
                    return answer
                said = "it sent no JSON object"
            except urllib.error.HTTPError as error:
                said = self._reason(error)
                if error.code not in AGAIN and error.code < 500:
                    raise self._final(error.code, said) from None
                asked = retry_after_s(error.headers.get("Retry-After"))
                wait = wait if asked is None else min(asked, LONGEST_WAIT_S)
            except NO_ANSWER as error:
                said = self._without_key(one_line(error))
            if number + 1 < self.tries:
                time.sleep(wait)
        raise DataError(
            f"judge 'chat_endpoint': {self.base_url} gave no answer in {self.tries} tries: {said}; "
            f"run again to go on: what it answered is kept"
        )

    def _authorization(self) -> dict[str, str]:
        if not self.key_variable:
            return {}
        key = os.environ.get(self.key_variable, "")
        if not key:
            raise ConfigError(
                f"judge 'chat_endpoint': key_variable: the environment variable {self.key_variable} is not set; "
                f"put the key of {self.base_url} there"
            )
        return {"Authorization": f"Bearer {key}"}

    def _wait_for_turn(self) -> None:
        with self._turn:
            now = time.monotonic()
            begins = max(now, self._next)
            self._next = begins + self.interval_s
        time.sleep(begins - now)

    def _reason(self, error: urllib.error.HTTPError) -> str:
        try:
            said = json.loads(error.read(MOST_BYTES))["error"]["message"]
        except (*NO_ANSWER, LookupError, TypeError):
            said = error.reason
        return self._without_key(f"{error.code} {one_line(ValueError(whole_text(said)))}")

    def _final(self, status: int, said: str) -> DataError:
        if status not in WRONG:
            return QuestionRefused(said)
        return DataError(
            f"judge 'chat_endpoint': {self.base_url} says {said}; check base_url, model and the key in "
            f"{self.key_variable or 'key_variable'}"
        )

    def _without_key(self, text: str) -> str:
        key = os.environ.get(self.key_variable, "") if self.key_variable else ""
        return text.replace(key, "***") if key else text


def whole_text(said: object) -> str:
    r"""Return what an endpoint said, a question mark for half of a character, which is legal in JSON and nowhere else.

    >>> whole_text("yes \ud83d")
    'yes ?'
    """
    return str(said).encode("utf-8", "replace").decode()
