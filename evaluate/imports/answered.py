"""From what a file says of one image to an answer to each of its questions.

Of several raters the answer is that of most of them, and its probability the share; where they are split evenly there
is none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from diptych.data.checks import Question
from diptych.errors import DataError
from diptych.evaluate.imports.contract import EvidenceRecord, SaidAnswer
from diptych.judges.answers.asked import no_answer
from diptych.judges.contract import FAILED, UNPARSED, Answer, Query
from diptych.scores.question_rule import same_words

NO_QUESTION = "no such question"


class AskedOnce(NamedTuple):
    """What was said to each question of an image.

    Attributes:
        said: The answers by number of the question, one of each rater.
        strays: Records of a question that nobody asks.
        repeated: Records that say again what another one says.
    """

    said: dict[int, list[SaidAnswer]]
    strays: list[EvidenceRecord]
    repeated: int


def by_question(records: Sequence[EvidenceRecord], questions: Sequence[Question]) -> AskedOnce:
    """Return what is said to each question of an image.

    Raises:
        DataError: If a rater answers a question twice in different ways.
    """
    kept: dict[tuple[int, str], EvidenceRecord] = {}
    strays, repeated = [], 0
    for record in records:
        said = _said(record)
        numbers = [number for number, one in enumerate(questions) if _is_about(said, one)]
        if not numbers:
            strays.append(record)
        for number in numbers:
            other = kept.setdefault((number, said.rater), record)
            if other is record:
                continue
            repeated += 1
            if _said(other).answer != said.answer:
                raise DataError(
                    f"{record.place}: answers {said.answer!r} to what {other.place.noun} {other.place.number} answers "
                    f"{_said(other).answer!r}; keep one of them, or name those who answered in a column rater"
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


def _is_about(said: SaidAnswer, question: Question) -> bool:
    return said.question_id == question.id if said.question_id is not None else said.question == question.question


def _answer(query: Query, said: Sequence[SaidAnswer]) -> Answer:
    told = [one for one in said if one.answer.strip()]
    if not told:
        return no_answer(query, FAILED)
    fit = [word for one in told if (word := _choice(query, one.answer.strip())) is not None]
    if not fit:
        return no_answer(query, UNPARSED, "; ".join(one.answer.strip() for one in told))
    if len(said) == 1:
        sure = told[0].probability
        # Of its own: nobody said how probable the other choices were.
        return Answer(query.text, () if sure is None else (fit[0],), () if sure is None else (sure,), fit[0])
    votes = Counter(fit).most_common()
    if len(votes) > 1 and votes[0][1] == votes[1][1]:
        return no_answer(query, UNPARSED, ", ".join(f"{count} {word}" for word, count in votes))
    shares = tuple(count / len(fit) for _, count in votes)
    return Answer(query.text, tuple(word for word, _ in votes), shares, votes[0][0])


def _choice(query: Query, said: str) -> str | None:
    """Return an answer as it counts: of choices, the one that it is; None if it is none of them."""
    if not query.choices:
        return said
    return said if any(same_words(said, choice) for choice in query.choices) else None
