"""Questions about pictures, one by one: who is asked what, and the answers put together again in their order."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from diptych.judges.contract import UNPARSED, Answer, Query

LEAST_TOGETHER = 0.5  # of all that may be said, what the choices have together where one of them is meant


class Asked(NamedTuple):
    """One question about one picture: number of the picture, place of the question among those about it, its text."""

    image: int
    place: int
    query: Query


def every_question(numbers: Iterable[int], questions: Sequence[Sequence[Query]]) -> list[Asked]:
    """Return the questions about some of the pictures, picture by picture."""
    return [Asked(number, place, query) for number in numbers for place, query in enumerate(questions[number])]


def in_order(
    told: Mapping[Asked, Answer], judged: Container[int], questions: Sequence[Sequence[Query]]
) -> list[list[Answer] | None]:
    """Return the answers about each picture in the order of its questions.

    Args:
        told: The answer to each question about those of the pictures that could be judged.
        judged: The numbers of those.
        questions: Those about each picture; one about which nothing is asked has no answers, whatever it is.
    """
    return [
        [told[Asked(number, place, query)] for place, query in enumerate(some)]
        if number in judged or not some
        else None
        for number, some in enumerate(questions)
    ]


def chosen(query: Query, probabilities: Sequence[float]) -> Answer:
    """Return the answer by the probabilities of its choices, the first of equal ones; a sum that is above 1 is 1.

    >>> chosen(Query("A cat?", ("yes", "no")), (0.2, 0.7)).text
    'no'
    >>> chosen(Query("A cat?", ("yes", "no")), (1.4, 0.2)).probabilities
    (1.0, 0.2)
    """
    likely = tuple(min(float(probability), 1.0) for probability in probabilities)
    return Answer(query.text, query.choices, likely, query.choices[likely.index(max(likely))])


def chosen_if_meant(query: Query, probabilities: Sequence[float], said: str = "") -> Answer:
    """Return the answer by the probabilities of its choices among all that may be said.

    Where they have less than half together, the model is about to say something else, such as what it thinks, and has
    no answer.

    >>> chosen_if_meant(Query("A cat?", ("yes", "no")), (2e-6, 1e-6), "So").state
    'unparsed'
    """
    return chosen(query, probabilities) if sum(probabilities) >= LEAST_TOGETHER else no_answer(query, UNPARSED, said)


def no_answer(query: Query, state: str, said: str = "") -> Answer:
    """Return the record of a question that has no answer, with what the judge said instead."""
    return Answer(query.text, query.choices, (), said, state)
