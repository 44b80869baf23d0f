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
from diptych.judges.answers.chat_answers import ChoicesBy, answer_of, first_choice, lacks_logprobs
from diptych.judges.answers.chat_client import KEPT, ChatClient, QuestionRefused
from diptych.judges.answers.paid_answers import content_key, keep, kept, only_asker, place_of
from diptych.judges.contract import FAILED, Answer, Query, TextLine
from diptych.judges.text import transcription

JUDGE = "chat_endpoint"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TOP_LOGPROBS = 20  # the most that the protocol allows
PROBE = ("Answer with the word yes.", (64, 64))  # a question about a grey picture of that size, which nobody refuses

TokensField = Literal["max_tokens", "max_completion_tokens"]
OWN_FIELDS = ("model", "messages", "max_tokens", "max_completion_tokens", "logprobs", "top_logprobs", "stream", "n")

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
        tokens_field: What a request calls the most tokens of an answer.
        fields: Further fields of a request, each in the place of one that is sent, which None leaves out.
    """

    base_url: str
    model: str
    key_variable: str
    system: str
    choices_by: ChoicesBy
    limits: Mapping[Limit, int]
    tokens_field: TokensField
    fields: Mapping[str, Any]

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, address and name of the model, how it is asked, what a probability is read from."""
        return {
            "judge": JUDGE,
            "version": 3,
            "base_url": self.base_url,
            "model": self.model,
            "system": self.system,
            "temperature": 0,
            "tokens_field": self.tokens_field,
            "fields": dict(self.fields),
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
        wanted = {keys[one]: (one.query, bodies[one]) for one in asked}  # the same asked twice is one request
        for key, (query, _) in wanted.items():  # before any is paid for
            if (paid := kept(key)) is not None:
                self._check_told(query, paid["completion"], key)
        client = self._client  # one for all threads
        latest: dict[bool, str] = {}
        with ThreadPoolExecutor(self.limits["at_once"]) as pool:
            said = pool.map(lambda key: self._completion(client, key, *wanted[key], latest), wanted)
            found = dict(zip(wanted, said, strict=True))
        for with_logprobs, refused in latest.items():
            if refused:
                self._check_form(client, with_logprobs, most, refused)
        return in_order({one: self._read(one.query, found[keys[one]]) for one in asked}, shown, questions)

    def _read(self, query: Query, found: Mapping[str, Any] | QuestionRefused) -> Answer:
        if isinstance(found, QuestionRefused):
            return no_answer(query, found.state, str(found))
        return answer_of(query, found, self.choices_by)

    def _completion(
        self, client: ChatClient, key: str, query: Query, body: Mapping[str, Any], latest: dict[bool, str]
    ) -> Mapping[str, Any] | QuestionRefused:
        """Return what was kept of a request, or what the endpoint says to it, or why it does not take it.

        What it said to the latest request of each form is noted: nothing of one that it took, else why not.
        """
        with only_asker(key):
            if (paid := kept(key)) is not None:
                completion: Mapping[str, Any] = paid["completion"]
                self._check_told(query, completion, key)
                return completion
            started = time.perf_counter()
            try:
                response = client.ask(body)
            except QuestionRefused as error:
                latest["logprobs" in body] = str(error) if error.state == FAILED else ""
                return error
            latest["logprobs" in body] = ""
            completion = self._said(query, response)
            facts = {"usage": response.get("usage"), "model": response.get("model")}
            keep(key, {"completion": completion, **facts, "seconds": time.perf_counter() - started})
            self._check_told(query, completion, key)  # after it is kept: it was paid for
            return completion

    def _said(self, query: Query, response: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            completion = first_choice(response)
            lacks_logprobs(query, completion, self.choices_by)  # reads all of it
        except (LookupError, TypeError, AttributeError) as error:
            raise DataError(f"judge {JUDGE!r}: {self.base_url} sent no completion; is it such an endpoint?") from error
        return completion

    def _check_told(self, query: Query, completion: Mapping[str, Any], key: str) -> None:
        if lacks_logprobs(query, completion, self.choices_by):
            raise DataError(
                f"judge {JUDGE!r}: the endpoint tells no log-probabilities; say choices_by: text, which takes what is "
                f"written for certain and asks (and pays) anew; {KEPT}, and is not asked for again while "
                f"{place_of(key)} is there"
            )

    def _check_form(self, client: ChatClient, with_logprobs: bool, most: int, refused: str) -> None:
        """Check that the endpoint takes a request of this form at all, where it took none after one that it refused.

        Raises:
            DataError: If it does not: what it refuses is then no question's own fault.
        """
        question, size = PROBE
        choices = ("yes", "no") if with_logprobs else ()
        picture = as_data_url(PIL.Image.new("RGB", size, (128, 128, 128)), self.limits["max_pixels"])
        try:
            client.ask(self._body(picture, Query(question, choices), most))
        except QuestionRefused as error:
            if error.state == FAILED:
                raise DataError(
                    f"judge {JUDGE!r}: {self.base_url} says {refused}, and takes no request of this form; "
                    f"{client.what_to_check(refused)}: {KEPT}"
                ) from error

    def _body(self, picture: str, query: Query, most: int) -> dict[str, Any]:
        """Return the request for an answer."""
        told = [{"role": "system", "content": self.system}] if self.system else []
        shown = {"type": "image_url", "image_url": {"url": picture}}
        asked = {"role": "user", "content": [shown, {"type": "text", "text": query.text}]}
        likely = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        body = {
            "model": self.model,
            "messages": [*told, asked],
            "temperature": 0,
            self.tokens_field: most,
            **(likely if query.choices and self.choices_by == "logprobs" else {}),
            **self.fields,
        }
        return {name: value for name, value in body.items() if value is not None}

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
    tokens_field: TokensField = "max_tokens",
    fields: dict[str, Any] | None = None,
) -> ChatEndpoint:
    """Return a judge that answers; contacts nobody yet.

    Args:
        base_url: Of the API, up to and with ``/v1``.
        model: What the endpoint calls it.
        key_variable: The environment variable that has the key; the key itself stands nowhere.
        system: What it is told before every question.
        choices_by: ``logprobs`` where the endpoint tells them, else ``text``: 1 for what is written, 0 for the rest.
        limits: ``max_pixels`` of a picture as sent, ``max_new_tokens`` of an answer, ``max_text_tokens`` of a text that
            it reads; and, of which no answer depends, ``at_once`` of a worker, ``requests_per_minute`` of all workers
            on this machine, ``timeout_s``, ``tries``.
        tokens_field: What a request calls the most tokens of an answer: ``max_completion_tokens`` for OpenAI's models
            that think.
        fields: Further fields of a request, such as ``{reasoning_effort: low}``; null leaves out one that is sent, such
            as ``{temperature: null}``.

    Raises:
        ConfigError: If the address is none of an API, a limit is below 1, or a field is the judge's own; on first use,
            if downloads are switched off and the address is not of this machine.
    """
    parts = urllib.parse.urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username or parts.password:
        raise ConfigError(f"judge {JUDGE!r}: base_url is like https://host/v1, without a key in it")
    for name, value in (limits or {}).items():
        if value < 1:
            raise ConfigError(f"judge {JUDGE!r}: limits: {name} is at least 1, not {value}")
    if own := [name for name in fields or {} if name in OWN_FIELDS]:
        raise ConfigError(f"judge {JUDGE!r}: fields: {own[0]} is what the judge says itself; leave it out")
    every = {**USUAL, **(limits or {})}
    address = base_url.rstrip("/")
    return ChatEndpoint(address, model, key_variable, system, choices_by, every, tokens_field, fields or {})
