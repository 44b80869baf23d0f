from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from drawn import picture
from tiny_dataset import Row, make_table

from diptych.errors import ConfigError
from diptych.judges import make_judge
from diptych.judges.contract import Answer, Query
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.tables import score_table

WHO = "Who is in the picture?"
VALUES = {"woman": "a woman", "man": "a man"}


@dataclass(frozen=True)
class Told:
    """Gives the answers that it was told, one for each picture."""

    answers_told: Sequence[tuple[str, float, str]]
    asked: list[Query] = field(default_factory=list)
    identity: dict[str, Any] = field(default_factory=lambda: {"judge": "told"})

    def answers(self, images: Sequence[Any], questions: Sequence[Sequence[Query]]) -> list[list[Answer]]:
        found = []
        for (text, sure, state), (query,) in zip(self.answers_told, questions, strict=True):
            self.asked.append(query)
            likely = () if state else tuple(sure if choice == text else 0.0 for choice in query.choices)
            found.append([Answer(query.text, query.choices, likely, text, state)])
        return found


def scored(*told: tuple[str, float, str], **options: Any) -> list[tuple[str | None, float | None, str | None]]:
    """Return what is seen on a picture for each answer, and on a row without one."""
    rows = [Row(picture(0)) for _ in told]
    batch = Batch(make_table([*rows, Row(None, status="not_found", size=None)]).to_batches()[0])
    score = make_score("asked_attribute", {"judge": Told(told), "question": WHO, "values": VALUES, **options})
    records = score_table(batch, score.columns, score.score(batch)).to_pylist()
    return [(row["attribute"], row["attribute_confidence"], row["reason"]) for row in records]


def test_answer_is_a_value_or_a_state_that_is_counted() -> None:
    told = [("a woman", 0.75, ""), ("nobody", 0.9, ""), ("several people", 0.5, ""), ("cannot tell", 0.25, "")]
    assert scored(*told, ("a man", 0.5, "")) == [
        ("woman", 0.75, None),
        (None, None, "nobody"),
        (None, None, "several"),
        (None, None, "cannot_tell"),
        ("man", 0.5, None),
        (None, None, "not_found"),
    ]


def test_what_the_judge_is_not_sure_of_it_cannot_tell() -> None:
    assert scored(("a man", 0.5, ""), ("a man", 0.75, ""), threshold=0.5)[:2] == [
        (None, None, "cannot_tell"),
        ("man", 0.75, None),
    ]


def test_question_without_an_answer_keeps_its_own_state() -> None:
    assert [reason for *_, reason in scored(("", 0.0, "refused"), ("well", 0.0, "unparsed"))[:2]] == [
        "refused",
        "unparsed",
    ]


def test_values_and_states_are_asked_in_the_words_of_the_config() -> None:
    judge = Told([("an empty scene", 0.9, "")])
    states = {"nobody": "an empty scene", "several": "a crowd"}
    options = {"question": "a photo of {}", "values": VALUES, "states": states}
    score = make_score("asked_attribute", {"judge": judge, **options})
    score.score(Batch(make_table([Row(picture(0))]).to_batches()[0]))
    assert judge.asked == [Query("a photo of {}", ("a woman", "a man", "an empty scene", "a crowd"))]
    assert score.columns[0].words == ("woman", "man")
    assert score.identity["states"] == {"an empty scene": "nobody", "a crowd": "several"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"values": {"woman": "a woman"}}, "values are two or more, and each and each state has words of its own"),
        ({"states": {"nobody": "a man"}}, "has words of its own, not"),
        ({"states": {"nobody": " "}}, "has words of its own, not"),
        ({"states": {"nobodies": "no one"}}, "states"),
        ({"question": " "}, "the question is empty"),
        ({"threshold": 1.0}, "a threshold is at least 0 and below 1, not 1.0"),
    ],
)
def test_config_that_asks_for_nothing_clear_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=f"score 'asked_attribute'.*{said}"):
        scored(**options)


def test_answers_from_elsewhere_are_to_the_questions_of_the_prompts() -> None:
    judge = make_judge("imported", {"name": "pali", "content": "0" * 16})
    with pytest.raises(
        ConfigError, match="answers from elsewhere are to questions of the prompts; say asked_in: checks"
    ):
        make_score("asked_attribute", {"judge": judge, "question": WHO, "values": VALUES})


def test_detector_is_refused() -> None:
    judge = make_judge("centre_point", {"weights": "package:diptych.demo/models/detector"})
    with pytest.raises(ConfigError, match="judge 'centre_point' gives no answers; it gives boxes"):
        make_score("asked_attribute", {"judge": judge, "question": WHO, "values": VALUES})
