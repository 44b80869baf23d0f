import json
from pathlib import Path
from typing import Any

import own_judges
import pytest
from drawn import picture
from own_judges import ASKED, SEEN
from tiny_dataset import Row, good_rows, make_dataset, make_table

from diptych.data.shards import read_shard
from diptych.errors import ConfigError
from diptych.judges import make_judge
from diptych.judges.contract import Answer, Query
from diptych.scores import Score, make_score
from diptych.scores.batches import Batch
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.scores.tables import score_table

YES_NO = {"question": "A watermark?", "choices": ["yes", "no"]}


@pytest.fixture(autouse=True)
def _own_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def made(**options: Any) -> Score:
    return make_score("answer", {"judge": make_judge("own_answers", {}), **options})


def ask(**options: Any) -> list[tuple[Any, ...]]:
    """Ask about a picture 21 pixels high and one that is not there."""
    rows = [Row(picture(0, (30, 21)), size=(30, 21)), Row(None, status="not_found", size=None)]
    batch, score = Batch(make_table(rows).to_batches()[0]), made(**options)
    records = score_table(batch, score.columns, score.score(batch)).to_pylist()
    return [tuple(row.values())[1:] for row in records]


def test_answer_is_the_likeliest_choice_with_its_probability() -> None:
    assert ask(**YES_NO) == [("yes", 0.75, None), (None, None, "not_found")]
    assert [(Query("A watermark?", ("yes", "no")),)] == ASKED


def test_without_choices_the_judge_uses_its_own_words() -> None:
    assert ask(question="How high?") == [("21", None), (None, "not_found")]


def test_answer_of_which_the_judge_is_not_sure_enough_is_none() -> None:
    assert ask(**YES_NO, threshold=0.75) == [(None, None, "unsure"), (None, None, "not_found")]
    assert ask(**YES_NO, threshold=0.74)[0] == ("yes", 0.75, None)


def test_question_that_has_no_answer_has_the_reason_of_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Answer("A watermark?", ("yes", "no"), (), "I will not say", "refused")
    monkeypatch.setattr(own_judges.OwnAnswers, "_answer", lambda *_: refused)
    assert ask(**YES_NO) == [(None, None, "refused"), (None, None, "not_found")]
    assert ask(question="A watermark?")[0] == (None, "refused")


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (Answer("What?", (), (), "A dog? No.</think>\nA cat"), ("A cat", None)),
        (Answer("What?", (), (), "<think>A dog? No"), (None, "answer_cut")),
        (Answer("What?", (), (), "A dog, or rather", is_cut=True), (None, "answer_cut")),
    ],
)
def test_own_words_are_those_behind_the_thought_and_none_where_they_were_cut(
    monkeypatch: pytest.MonkeyPatch, said: Answer, read: tuple[str | None, str | None]
) -> None:
    monkeypatch.setattr(own_judges.OwnAnswers, "_answer", lambda *_: said)
    assert ask(question="What?")[0] == read


def test_column_says_which_words_it_can_hold() -> None:
    assert [(column.name, column.words) for column in made(**YES_NO).columns] == [
        ("answer", ("yes", "no")),
        ("answer_probability", ()),
    ]
    assert [(column.name, column.words) for column in made(question="How high?").columns] == [("answer", ())]


def test_another_threshold_asks_nobody(tmp_path: Path) -> None:
    make_dataset(tmp_path, good_rows(3))

    def plan(threshold: float) -> ScorePlan:
        scores = {"mark": ("answer", {"judge": "eye", "threshold": threshold, **YES_NO})}
        return ScorePlan({}, scores, judges={"eye": ("own_answers", {})})

    runs = [score_dataset(tmp_path, plan(threshold), progress="none") for threshold in (0.0, 0.8)]
    assert SEEN == [3]
    found = [read_shard(run.sets["mark"].files[0])["answer"].to_pylist() for run in runs]
    assert found == [["yes"] * 3, [None] * 3]


def test_everything_that_changes_an_answer_is_in_the_identity() -> None:
    options = [YES_NO, {**YES_NO, "threshold": 0.5}, {**YES_NO, "choices": ["no", "yes"]}, {"question": "A watermark?"}]
    assert len({json.dumps(made(**given).identity, sort_keys=True) for given in options}) == 4


def test_zero_shot_answers_from_the_vectors_of_its_encoder(tmp_path: Path) -> None:
    make_dataset(tmp_path, good_rows(3))
    what = ScorePlan(
        {"small": ("projection", {"dim": 8})},
        {"look": ("answer", {"judge": "near", "question": "blobs number {}", "choices": ["0", "1", "2"]})},
        judges={"near": ("zero_shot", {"encoder": "small"})},
    )
    run = score_dataset(tmp_path, what, progress="none")
    table = read_shard(run.sets["look"].files[0])
    assert set(table["answer"].to_pylist()) <= {"0", "1", "2"}
    assert all(1 / 3 <= value <= 1 for value in table["answer_probability"].to_pylist())
    assert {"embeddings", "evidence", "scores"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"question": " "}, "score 'answer': the question is empty"),
        ({"question": "?", "choices": ["yes"]}, "choices are two or more different answers, or left out, not ['yes']"),
        ({"question": "?", "choices": ["yes", "yes"]}, "choices are two or more different answers"),
        ({"question": "?", "choices": []}, "choices are two or more different answers, or left out, not []"),
        ({"question": "?", "threshold": 1.0}, "score 'answer': threshold: a threshold is at least 0 and below 1"),
    ],
)
def test_wrong_options_say_what_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(**options)
    assert message in str(caught.value)


def test_judge_that_answers_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="judge 'own_boxes' gives no answers; it gives boxes: name another one"):
        make_score("answer", {"judge": make_judge("own_boxes", {}), **YES_NO})
