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

from diptych.judges.answers.asked import chosen_if_meant, no_answer
from diptych.judges.answers.chat_errors import whole_text
from diptych.judges.answers.choice_in_words import by_text
from diptych.judges.answers.first_token import ways_of_writing
from diptych.judges.contract import REFUSED, UNPARSED, Answer, Query
from diptych.judges.thoughts import behind_thought

ChoicesBy = Literal["logprobs", "text"]

FILTERED = "content_filter"
LENGTH = "length"  # why a completion ended that is not whole
ROUNDED = 1e-3  # a logarithm of a probability of 1 is above 0 by rounding at most so far


def first_choice(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the completion number 0 of a response, wherever it stands.

    Raises:
        LookupError: If there is none.
        TypeError: If the response has another form.
    """
    numbers = [one.get("index") for one in response["choices"]]
    place = numbers.index(0) if 0 in numbers else 0
    found: Mapping[str, Any] = response["choices"][place]
    if "content" not in found["message"]:
        raise KeyError("content")
    return found


def lacks_logprobs(query: Query, completion: Mapping[str, Any], choices_by: ChoicesBy) -> bool:
    """Return whether a completion lacks the log-probabilities that were asked for.

    Of a refusal and of one that says nothing there is no first token.
    """
    said, refusal = _said_in(completion["message"])
    has_answer = said and not refusal and completion.get("finish_reason") != FILTERED
    return bool(query.choices and choices_by == "logprobs" and has_answer and not likeliest_of(completion))


def answer_of(query: Query, completion: Mapping[str, Any], choices_by: ChoicesBy) -> Answer:
    """Return the answer that a completion gives; ``unparsed`` where it lacks log-probabilities that are to be read."""
    text, refusal = _said_in(completion["message"])
    if refusal or completion.get("finish_reason") == FILTERED:
        return no_answer(query, REFUSED, refusal or text)
    is_cut = completion.get("finish_reason") == LENGTH
    if not query.choices:
        return Answer(query.text, (), (), text, is_cut=is_cut) if text or is_cut else no_answer(query, UNPARSED)
    if choices_by == "logprobs":
        return chosen_if_meant(query, by_logprobs(query.choices, likeliest_of(completion)), text)
    if (said := None if is_cut else behind_thought(text)) is None:
        return no_answer(query, UNPARSED, text)
    answer = chosen_if_meant(query, by_text(query.choices, said), text)
    return replace(answer, words=said) if answer.state else answer


def by_logprobs(choices: Sequence[str], likeliest: Sequence[tuple[str, float]]) -> list[float]:
    """Return how likely it is that each choice comes first; 0 for all where what several begin with is likelier.

    >>> by_logprobs(["yes", "no", "not sure"], [("No", 1.0)])
    [0.0, 1.0, 0.0]
    >>> by_logprobs(["a man", "a woman"], [("A", 1.0)])
    [0.0, 0.0]

    Args:
        choices: The answers.
        likeliest: The likeliest first tokens, in any order, and the probability of each.
    """
    written = [[way.strip().casefold() for way in ways_of_writing(choice)] for choice in choices]
    sums, shared = [0.0] * len(choices), 0.0
    for said, probability in likeliest:
        token = said.strip().casefold()
        whole = [place for place, ways in enumerate(written) if token in ways]
        begun = [place for place, ways in enumerate(written) if any(way.startswith(token) for way in ways)]
        owners = whole or begun
        if token and len(owners) == 1:
            sums[owners[0]] += probability
        elif token and owners:
            shared += probability
    return sums if max(sums) > shared else [0.0] * len(choices)


def likeliest_of(completion: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the likeliest first tokens that a completion tells, each with its probability; none where it tells none.

    What has no token or no number is left out. Where a number is none of a logarithm of a probability, none is.
    """
    try:
        listed = list(completion["logprobs"]["content"][0]["top_logprobs"])
    except (LookupError, TypeError):
        return []
    pairs = [(one.get("token"), one.get("logprob")) for one in listed if isinstance(one, Mapping)]
    told = [
        (token, float(logprob))
        for token, logprob in pairs
        if isinstance(token, str) and isinstance(logprob, int | float) and not isinstance(logprob, bool)
    ]
    if not all(logprob <= ROUNDED for _, logprob in told):  # NaN is not
        return []
    return [(token, min(1.0, math.exp(logprob))) for token, logprob in told]


def _said_in(message: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text of a message and its refusal, each whole, where they come in parts as where they do not."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    said, refused = list[str](), [whole_text(message.get("refusal") or "")]
    for part in parts:
        if isinstance(part, Mapping):  # a part that is a thought, or of another kind, has neither
            said.append(whole_text(part.get("text") or ""))
            refused.append(whole_text(part.get("refusal") or ""))
        elif part is not None:
            said.append(whole_text(part))
    return "".join(said).strip(), "".join(refused).strip()
