"""Sends requests to an OpenAI-compatible endpoint: paced, tried again where that may help, never redirected.

Decides what is tried again (429, 5xx, a broken or cut answer, silence) and after how long (what ``Retry-After`` says,
else twice as long each time), what ends the run in one line (no credit, a wrong key, address or model, a server that
stays away or asks to wait for longer than an hour), and what is one question's own fault. The key is read from the
environment when it is sent and is in no message.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from diptych.errors import ConfigError, DataError, one_line
from diptych.judges.answers.chat_errors import UNKNOWN, ToldError, error_within, told_error
from diptych.judges.answers.request_turns import RequestTurns
from diptych.judges.contract import FAILED, REFUSED
from diptych.retry_after import retry_after_s

FIRST_WAIT_S = 1.0  # before the second try
LONGEST_WAIT_S = 120.0  # of those that nobody asks for
LONGEST_ASKED_S = 3600.0
MOST_BYTES = 16 * 2**20  # of an answer
# No connection, silence, or what is cut, no JSON, or nested too deeply.
NO_ANSWER = (OSError, ValueError, RecursionError, http.client.HTTPException)
KEPT = "what it answered is kept"


class QuestionRefused(DataError):
    """The endpoint will not take one request, whatever it does with others.

    Attributes:
        state: ``refused`` where it will not answer what is asked, else ``failed``.
    """

    def __init__(self, said: str, state: str) -> None:
        """Take what it said."""
        super().__init__(said)
        self.state = state


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
        interval_s: Least time between the beginnings of two requests, of all workers on this machine.
    """

    base_url: str
    key_variable: str
    timeout_s: float
    tries: int
    interval_s: float

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
        said = ""
        for number in range(self.tries):
            self._turns.take()
            found, asked = self._sent(request)
            if isinstance(found, dict):
                return found
            said = self._without_key(found.said)
            if found.about != "passing":
                raise self._final(found, said)
            if number + 1 == self.tries:
                break
            if asked is None:
                time.sleep(min(FIRST_WAIT_S * 2**number, LONGEST_WAIT_S))
            elif asked <= LONGEST_ASKED_S:
                self._turns.hold(asked)
            else:
                wait = f"{asked:,.0f} s" if asked < float("inf") else "for ever"
                says = f"judge 'chat_endpoint': {self.base_url} says {said}"
                raise DataError(f"{says} and asks to wait {wait}; run again then: {KEPT}")
        raise DataError(
            f"judge 'chat_endpoint': {self.base_url} gave no answer in {self.tries} tries: {said}; "
            f"run again to go on: {KEPT}"
        )

    def _sent(self, request: urllib.request.Request) -> tuple[dict[str, Any] | ToldError, float | None]:
        """Return what comes of one try, and how long the endpoint asks to wait."""
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=self.timeout_s) as response:
                answer = json.loads(response.read(MOST_BYTES))
                asked = retry_after_s(response.headers.get("Retry-After"))
        except urllib.error.HTTPError as error:
            told = told_error(error.code, _body_of(error), str(error.reason))
            return told, retry_after_s(error.headers.get("Retry-After"))
        except NO_ANSWER as error:
            return ToldError(UNKNOWN, one_line(error)), None
        if not isinstance(answer, dict):
            return ToldError(UNKNOWN, "it sent no JSON object"), None
        return error_within(answer) or answer, asked

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

    @cached_property
    def _turns(self) -> RequestTurns:
        return RequestTurns(self.base_url, self.key_variable, self.interval_s)

    def _final(self, told: ToldError, said: str) -> DataError:
        if told.about in ("question", "content"):
            return QuestionRefused(said, FAILED if told.about == "question" else REFUSED)
        says = f"judge 'chat_endpoint': {self.base_url} says {said}"
        if told.about == "credit":
            return DataError(f"{says}; the account has no credit left: run again when it has some, {KEPT}")
        return DataError(f"{says}; {self.what_to_check(said)}: {KEPT}")

    def what_to_check(self, said: str) -> str:
        """Return what a user may do about what the endpoint says of every request."""
        if "max_completion_tokens" in said:
            return "say tokens_field: max_completion_tokens"
        if "temperature" in said:
            return "say fields: {temperature: null}, which leaves it out"
        return f"check base_url, model, fields and the key in {self.key_variable or 'key_variable'}"

    def _without_key(self, text: str) -> str:
        key = os.environ.get(self.key_variable, "") if self.key_variable else ""
        return text.replace(key, "***") if key else text


def _body_of(error: urllib.error.HTTPError) -> object:
    try:
        return json.loads(error.read(MOST_BYTES))
    except NO_ANSWER:
        return None
