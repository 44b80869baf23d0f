"""What an OpenAI-compatible endpoint said, as an answer to a question.

With ``logprobs`` a choice is as likely as the likeliest first tokens that the endpoint tells (20 at most) are its
beginning in one of its ways of writing; what is not among the likeliest counts as 0. A token that is the whole of one
choice is that choice's; one that only begins several is nobody's. There is no answer where that is likelier than the
likeliest choice, or where the choices together have less than half: the model was about to say something else, such as
what it thinks.

With ``text`` the choice that is named has 1 and the others 0: the one with which the text begins, else the only one in
it. What stands before ``</think>`` is not looked at. A refusal, a text that was cut, and one that names no choice or
several, is a state and no number.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from diptych.errors import DataError
from diptych.judges.answers.asked import chosen_if_meant, no_answer
from diptych.judges.answers.chat_client import whole_text
from diptych.judges.answers.choice_in_words import by_text
from diptych.judges.answers.first_token import ways_of_writing
from diptych.judges.contract import REFUSED, UNPARSED, Answer, Query
from diptych.judges.thoughts import behind_thought

ChoicesBy = Literal["logprobs", "text"]

FILTERED = "content_filter"
LENGTH = "length"  # why a completion ended that is not whole


def first_choice(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the completion number 0 of a response, wherever it stands.

    Raises:
        LookupError: If there is none.
        TypeError: If the response has another form.
    """
    found: Mapping[str, Any] = min(response["choices"], key=lambda one: one.get("index", 0), default={})
    if "content" not in found["message"]:
        raise KeyError("content")
    return found


def answer_of(query: Query, completion: Mapping[str, Any], choices_by: ChoicesBy) -> Answer:
    """Return the answer that a completion gives.

    Raises:
        DataError: If it has no log-probabilities though they were asked for.
    """
    message = completion["message"]
    text = whole_text(message.get("content") or "").strip()
    if message.get("refusal") or completion.get("finish_reason") == FILTERED:
        return no_answer(query, REFUSED, whole_text(message.get("refusal") or text))
    is_cut = completion.get("finish_reason") == LENGTH
    if not query.choices:
        return Answer(query.text, (), (), text, is_cut=is_cut) if text or is_cut else no_answer(query, UNPARSED)
    if choices_by == "logprobs":
        return chosen_if_meant(query, by_logprobs(query.choices, _likeliest(completion)), text)
    if (said := None if is_cut else behind_thought(text)) is None:
        return no_answer(query, UNPARSED, text)
    answer = chosen_if_meant(query, by_text(query.choices, said), text)
    return replace(answer, words=said) if answer.state else answer


def by_logprobs(choices: Sequence[str], likeliest: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return how likely it is that each choice comes first; 0 for all where what several begin with is likelier.

    >>> by_logprobs(["yes", "no", "not sure"], [{"token": "No", "logprob": 0.0}])
    [0.0, 1.0, 0.0]
    >>> by_logprobs(["a man", "a woman"], [{"token": "A", "logprob": 0.0}])
    [0.0, 0.0]

    Args:
        choices: The answers.
        likeliest: ``token`` and ``logprob`` of the likeliest first tokens, in any order.
    """
    written = [[way.strip().casefold() for way in ways_of_writing(choice)] for choice in choices]
    sums, shared = [0.0] * len(choices), 0.0
    for one in likeliest:
        token = str(one["token"]).strip().casefold()
        whole = [place for place, ways in enumerate(written) if token in ways]
        begun = [place for place, ways in enumerate(written) if any(way.startswith(token) for way in ways)]
        owners = whole or begun
        if token and len(owners) == 1:
            sums[owners[0]] += math.exp(float(one["logprob"]))
        elif token and owners:
            shared += math.exp(float(one["logprob"]))
    return sums if max(sums) > shared else [0.0] * len(choices)


def _likeliest(completion: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    try:
        found: Sequence[Mapping[str, Any]] = completion["logprobs"]["content"][0]["top_logprobs"]
    except (LookupError, TypeError) as error:
        raise DataError(
            "judge 'chat_endpoint': the endpoint tells no log-probabilities; say choices_by: text, which takes what is "
            "written for certain"
        ) from error
    return found
