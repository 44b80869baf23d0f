"""A model behind an OpenAI-compatible endpoint: a hosted one, or a server of your own such as vLLM.

Pictures leave the machine: nobody is contacted but the ``base_url`` that a config names. A question is one request, the
picture as PNG before it, temperature 0; a text to be read is one such question, see
``diptych.judges.text.transcription``. The model behind an address may change without a word; the identity knows only
its name. What was answered is kept on disk, see ``paid_answers``, so that a run that was stopped pays for nothing
again.
"""

import base64
import io
import math
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, Literal

import PIL.Image

from diptych.assets import is_offline, why_offline
from diptych.config.such_as import SuchAs
from diptych.data.images import Image
from diptych.errors import ConfigError, DataError
from diptych.judges.answers.asked import every_question, in_order, no_answer
from diptych.judges.answers.chat_answers import ChoicesBy, answer_of, first_choice
from diptych.judges.answers.chat_client import ChatClient, QuestionRefused
from diptych.judges.answers.paid_answers import content_key, keep, kept
from diptych.judges.contract import FAILED, Answer, Query, TextLine
from diptych.judges.text import transcription

JUDGE = "chat_endpoint"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TOP_LOGPROBS = 20  # the most that the protocol allows

Limit = Literal[
    "max_pixels", "max_new_tokens", "max_text_tokens", "at_once", "requests_per_minute", "timeout_s", "tries"
]
USUAL: Mapping[Limit, int] = {
    "max_pixels": 2048 * 2048,
    "max_new_tokens": 64,
    "max_text_tokens": transcription.NEW_TOKENS,
    "at_once": 4,
    "requests_per_minute": 600,
    "timeout_s": 120,
    "tries": 6,
}


@dataclass(frozen=True, eq=False)
class ChatEndpoint:
    """One model of one endpoint.

    Attributes:
        base_url: Of the API.
        model: What the endpoint calls it.
        key_variable: The environment variable that has the key; empty for none.
        system: What it is told before every question; empty for nothing.
        choices_by: What the probability of a choice is read from.
        limits: All of them.
    """

    base_url: str
    model: str
    key_variable: str
    system: str
    choices_by: ChoicesBy
    limits: Mapping[Limit, int]

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, address and name of the model, how it is asked, what a probability is read from."""
        return {
            "judge": JUDGE,
            "version": 2,
            "base_url": self.base_url,
            "model": self.model,
            "system": self.system,
            "temperature": 0,
            "choices_by": self.choices_by,
            "picture": {"format": "png", "max_pixels": self.limits["max_pixels"]},
            "max_new_tokens": self.limits["max_new_tokens"],
            "reading": transcription.reading(self.limits["max_text_tokens"]),
        }

    def answers(self, images: Sequence[Image], questions: Sequence[Sequence[Query]]) -> list[list[Answer] | None]:
        """Return an answer to each question about each RGB image.

        Raises:
            ConfigError: If the variable of the key is not set, or nobody elsewhere may be contacted.
            DataError: If the endpoint takes no request, stays away, or tells no log-probabilities that were asked for.
        """
        return self._answers(images, questions, self.limits["max_new_tokens"])

    def text(self, images: Sequence[Image]) -> list[list[TextLine] | None]:
        """Return the lines that the model reads in each RGB image; None for one that it refuses.

        Raises:
            ConfigError: As ``answers``.
            DataError: As ``answers``.
        """
        return transcription.transcribed(partial(self._answers, most=self.limits["max_text_tokens"]), images)

    def _answers(
        self, images: Sequence[Image], questions: Sequence[Sequence[Query]], most: int
    ) -> list[list[Answer] | None]:
        """Return the answers, of so many tokens at most."""
        shown = {number: images[number] for number, some in enumerate(questions) if some}
        urls = {number: as_data_url(image, self.limits["max_pixels"]) for number, image in shown.items()}
        asked = every_question(shown, questions)
        if not asked:
            return in_order({}, {}, questions)
        bodies = {one: self._body(urls[one.image], one.query, most) for one in asked}
        keys = {one: content_key(self.base_url, body) for one, body in bodies.items()}
        wanted = {keys[one]: body for one, body in bodies.items()}  # the same asked twice is one request
        client = self._client  # one for all threads, whose pace it keeps
        with ThreadPoolExecutor(self.limits["at_once"]) as pool:
            said = pool.map(lambda item: self._completion(client, *item), wanted.items())
            found = dict(zip(wanted, said, strict=True))
        return in_order({one: self._read(one.query, found[keys[one]]) for one in asked}, shown, questions)

    def _read(self, query: Query, found: Mapping[str, Any] | QuestionRefused) -> Answer:
        if isinstance(found, QuestionRefused):
            return no_answer(query, FAILED, str(found))
        return answer_of(query, found, self.choices_by)

    def _completion(self, client: ChatClient, key: str, body: Mapping[str, Any]) -> Mapping[str, Any] | QuestionRefused:
        """Return what was kept of a request, or what the endpoint says to it, or why it does not take it."""
        if (paid := kept(key)) is not None:
            completion: Mapping[str, Any] = paid["completion"]
            return completion
        started = time.perf_counter()
        try:
            response = client.ask(body)
        except QuestionRefused as error:
            return error
        try:
            completion = first_choice(response)
        except (LookupError, TypeError, AttributeError) as error:
            raise DataError(f"judge {JUDGE!r}: {self.base_url} sent no completion; is it such an endpoint?") from error
        facts = {"usage": response.get("usage"), "model": response.get("model")}
        keep(key, {"completion": completion, **facts, "seconds": time.perf_counter() - started})
        return completion

    def _body(self, picture: str, query: Query, most: int) -> dict[str, Any]:
        """Return the request for an answer."""
        told = [{"role": "system", "content": self.system}] if self.system else []
        shown = {"type": "image_url", "image_url": {"url": picture}}
        asked = {"role": "user", "content": [shown, {"type": "text", "text": query.text}]}
        likely = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return {
            "model": self.model,
            "messages": [*told, asked],
            "temperature": 0,
            "max_tokens": most,
            **(likely if query.choices and self.choices_by == "logprobs" else {}),
        }

    @cached_property
    def _client(self) -> ChatClient:
        if is_offline() and urllib.parse.urlsplit(self.base_url).hostname not in LOOPBACK:
            raise ConfigError(f"judge {JUDGE!r}: base_url {self.base_url} is elsewhere, and {why_offline()}")
        limits = self.limits
        interval = 60.0 / limits["requests_per_minute"]
        return ChatClient(self.base_url, self.key_variable, limits["timeout_s"], limits["tries"], interval)


def as_data_url(image: Image, max_pixels: int) -> str:
    """Return an RGB picture as a data URL of a PNG, made smaller where it has more pixels."""
    share = math.sqrt(max_pixels / (image.width * image.height))
    if share < 1.0:
        size = (max(1, int(image.width * share)), max(1, int(image.height * share)))
        image = image.resize(size, PIL.Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def chat_endpoint(
    *,
    base_url: Annotated[str, SuchAs("http://127.0.0.1:8000/v1")],
    model: Annotated[str, SuchAs("qwen")],
    key_variable: str = "",
    system: str = "",
    choices_by: ChoicesBy = "text",
    limits: dict[Limit, int] | None = None,
) -> ChatEndpoint:
    """Return a judge that answers; contacts nobody yet.

    Args:
        base_url: Of the API, up to and with ``/v1``.
        model: What the endpoint calls it.
        key_variable: The environment variable that has the key; the key itself stands nowhere.
        system: What it is told before every question.
        choices_by: ``logprobs`` where the endpoint tells them, else ``text``: 1 for what is written, 0 for the rest.
        limits: ``max_pixels`` of a picture as sent, ``max_new_tokens`` of an answer, ``max_text_tokens`` of a text that
            it reads; and, of which no answer depends, ``at_once``, ``requests_per_minute``, ``timeout_s``, ``tries``.

    Raises:
        ConfigError: If the address is none of an API, or a limit is below 1; on first use, if downloads are switched
            off and the address is not of this machine.
    """
    parts = urllib.parse.urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username or parts.password:
        raise ConfigError(f"judge {JUDGE!r}: base_url is like https://host/v1, without a key in it")
    for name, value in (limits or {}).items():
        if value < 1:
            raise ConfigError(f"judge {JUDGE!r}: limits: {name} is at least 1, not {value}")
    return ChatEndpoint(base_url.rstrip("/"), model, key_variable, system, choices_by, {**USUAL, **(limits or {})})
