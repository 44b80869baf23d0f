"""From what a file says of one image to an answer to each of its questions.

Of several raters the answer is that of most of them, and its probability the share; where they are split evenly there
is none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from diptych.data.checks import Question
from diptych.data.numbered_ids import NumberedIds
from diptych.data.same_text import is_same_text
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, SaidAnswer
from diptych.evaluate.imports.matched import first_of
from diptych.judges.answers.asked import no_answer
from diptych.judges.answers.choice_in_words import by_text
from diptych.judges.contract import FAILED, UNPARSED, Answer, Query
from diptych.scores.answer_reading import plain_words, same_words

NO_QUESTION, OTHER_QUESTION = "no such question", "another question"


class StrayAnswer(NamedTuple):
    """A record of a question that nobody asks, why, and what it says and the questions are, in words."""

    record: EvidenceRecord
    why: str
    says: str


class AskedOnce(NamedTuple):
    """What was said to each question of an image.

    Attributes:
        said: The answers by number of the question, one of each rater.
        strays: What is about no question.
        repeated: Records that say again what another one says.
    """

    said: dict[int, list[SaidAnswer]]
    strays: list[StrayAnswer]
    repeated: int


def by_question(records: Sequence[EvidenceRecord], questions: Sequence[Question]) -> AskedOnce:
    """Return what is said to each question of an image.

    Raises:
        DataError: If a rater answers a question twice in different ways.
    """
    kept: dict[tuple[int, str], EvidenceRecord] = {}
    strays, repeated = list[StrayAnswer](), 0
    ids = NumberedIds(one.id for one in questions)
    for record in records:
        said = _said(record)
        meant = None if said.question_id is None else ids.find(said.question_id)
        numbers = [number for number, one in enumerate(questions) if _is_about(said, one, meant)]
        if not numbers:
            strays.append(StrayAnswer(record, NO_QUESTION, _both_sides(said, questions)))
        elif said.question is not None and not is_same_text(said.question, asked := questions[numbers[0]].question):
            strays.append(StrayAnswer(record, OTHER_QUESTION, f"{said.question!r}, where it is {asked!r}"))
            continue
        for number in numbers:
            other = kept.setdefault((number, said.rater), record)
            if other is record:
                continue
            repeated += 1
            if not _is_same(_said(other), said):
                raise DataError(
                    f"{record.place}: answers {_told(said)} to what {other.place.noun} {other.place.number} answers "
                    f"{_told(_said(other))}; keep one of them, or name those who answered in a column rater"
                )
    by_number: dict[int, list[SaidAnswer]] = {}
    for (number, _), record in kept.items():
        by_number.setdefault(number, []).append(_said(record))
    return AskedOnce(by_number, strays, repeated)


def answers_of(said: Mapping[int, Sequence[SaidAnswer]], questions: Sequence[Question]) -> list[Answer]:
    """Return an answer to each question of an image, or why there is none."""
    queries = [Query(one.question, one.choices) for one in questions]
    return [_answer(query, said.get(number, ())) for number, query in enumerate(queries)]


def states_of(answers: Sequence[Sequence[Answer] | None]) -> Counter[str]:
    """Return the number of questions by state, empty for those that are answered."""
    return Counter(answer.state for some in answers for answer in some or ())


def _said(record: EvidenceRecord) -> SaidAnswer:
    return cast("SaidAnswer", record.said)


def _is_about(said: SaidAnswer, question: Question, meant: str | None) -> bool:
    """Return whether an answer is about a question; an id that it tells means one of the ids."""
    if said.question_id is not None:
        return meant == question.id
    return is_same_text(said.question or "", question.question)


def _both_sides(said: SaidAnswer, questions: Sequence[Question]) -> str:
    if said.question_id is not None:
        return f"question_id {said.question_id!r}, where the image has {first_of(one.id for one in questions)}"
    return f"{said.question!r}, where the image has {first_of(one.question for one in questions)}"


def _is_same(one: SaidAnswer, other: SaidAnswer) -> bool:
    """Return whether two records say the same, in whatever case."""
    return same_words(one.answer, other.answer) and one.probability == other.probability


def _told(said: SaidAnswer) -> str:
    return repr(said.answer) if said.probability is None else f"{said.answer!r} ({said.probability:g})"


def _answer(query: Query, said: Sequence[SaidAnswer]) -> Answer:
    told = [one for one in said if one.answer.strip() or (one.probability is not None and len(query.choices) == 2)]
    if not told:
        return no_answer(query, FAILED)
    fit = [word for one in told if (word := _choice(query, one)) is not None]
    if not fit:
        unparsed = no_answer(query, UNPARSED, "; ".join(one.answer.strip() for one in told))
        return replace(unparsed, words=said[0].answer) if len(said) == 1 else unparsed
    if len(said) == 1:
        return _sure(query, said[0], fit[0])
    return _outvoted(query, fit)


def _sure(query: Query, said: SaidAnswer, choice: str) -> Answer:
    """Return what one says; of two choices the other one has the rest of the probability, of more nobody tells."""
    if said.probability is None:
        return Answer(query.text, (), (), choice, words=said.answer if query.choices else "")
    if len(query.choices) != 2:
        return Answer(query.text, (choice,), (said.probability,), choice)
    of = choice if said.answer.strip() else query.choices[0]
    likely = tuple(said.probability if one == of else 1.0 - said.probability for one in query.choices)
    return Answer(query.text, query.choices, likely, choice)


def _outvoted(query: Query, said: Sequence[str]) -> Answer:
    """Return what most say, and the share of each choice, or of what is said, whatever its case, where any may be."""
    words = {plain_words(word): word for word in reversed(said)}
    votes = Counter(plain_words(word) for word in said).most_common()
    if len(votes) > 1 and votes[0][1] == votes[1][1]:
        return no_answer(query, UNPARSED, ", ".join(f"{count} {words[plain]}" for plain, count in votes))
    every = query.choices or tuple(words[plain] for plain, _ in votes)
    shares = tuple(dict(votes).get(plain_words(word), 0) / len(said) for word in every)
    return Answer(query.text, every, shares, words[votes[0][0]])


def _choice(query: Query, said: SaidAnswer) -> str | None:
    """Return an answer as it counts: of choices, the one that it is, or the likelier; None if it is none of them."""
    if not said.answer.strip():
        return query.choices[0 if (said.probability or 0.0) >= 0.5 else 1]
    if not query.choices:
        return said.answer.strip()
    if same := next((choice for choice in query.choices if same_words(said.answer, choice)), None):
        return same
    named = by_text(query.choices, said.answer)
    return query.choices[named.index(1.0)] if sum(named) == 1 else None
