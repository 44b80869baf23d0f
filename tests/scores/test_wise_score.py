"""WISE's grades in a judge's words, as upstream reads them and where they can be read one way."""

import json

import own_judges
import pyarrow as pa
import pytest
from drawn import picture
from tiny_dataset import Row, make_table

from diptych.judges import make_judge
from diptych.judges.contract import Answer
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.tables import score_table
from diptych.scores.wise_score import wise_grade

IN_NUMBERS = '{{"consistency": {}, "realism": {}, "aesthetic_quality": {}}}'
THREE = "Consistency: {}\nRealism: {}\nAesthetic Quality: {}"


@pytest.mark.parametrize(
    ("text", "upstream", "whole"),
    [
        ("Score: 1", 1.0, 1.0),
        ("**Score**: 0", 0.0, 0.0),
        ("score 1.", 1.0, 1.0),
        ("\n1\n", 1.0, 1.0),
        ("Score: 0.5", 0.0, None),
        ("Score: 0 or Score: 1", 0.0, None),
        ("Score: 0 or 1", 0.0, None),
        ("Score: 1/1", 1.0, 1.0),
        ("Score: 1/10", 1.0, None),
        ("**Score:** **1**", None, 1.0),
        ("Score\uff1a1", None, 1.0),
        ("Score: 2", None, None),
        ("1\n0", None, None),
        ("It shows a mooncake.", None, None),
        ('{"score": 0.5}', None, None),
        ('{"score": 1.0}', 1.0, 1.0),
        ('{"score": -1.0}', None, None),
        ('{"score": "1"}', None, None),
    ],
)
def test_one_grade_is_read_from_words(text: str, upstream: float | None, whole: float | None) -> None:
    assert (wise_grade(text, "verified", "upstream"), wise_grade(text, "verified", "whole")) == (upstream, whole)


@pytest.mark.parametrize(
    ("text", "upstream", "whole"),
    [
        (THREE.format(2, 1, 0), 0.8, 0.8),
        (THREE.format(0, 2, 2), 0.3, 0.3),
        ("2\n1\n0", 0.8, 0.8),
        ("2\n1", None, None),
        (THREE.format("2/2", "1/2", "0/2"), 0.8, 0.8),
        (THREE.format(2, 5, 0), 1.2, None),
        (THREE.format(2, 10, 0), 0.8, None),
        (THREE.format(2, 1, 0) + "\nConsistency: 0", 0.1, None),
        ("Consistency: 2\nRealism: 1", None, None),
        (IN_NUMBERS.format(1.6666667, 1.5, 2), 0.83333335, 0.83333335),
        (IN_NUMBERS.format(2, 2.5, 0), 0.95, None),
    ],
)
def test_three_grades_are_weighted(text: str, upstream: float | None, whole: float | None) -> None:
    assert wise_grade(text, "legacy", "upstream") == pytest.approx(upstream)
    assert wise_grade(text, "legacy", "whole") == pytest.approx(whole)


@pytest.mark.parametrize(
    ("text", "is_cut", "told"),
    [
        ("Score: 0 where it is missing. It is there.</think>\n1", False, (1.0, None)),
        ("<think>Score: 0 where it is missing. Here", False, (None, "answer_cut")),
        ("Score: 0 where it is missing. Here", True, (None, "answer_cut")),
    ],
)
def test_grade_is_not_read_from_a_thought_or_from_words_that_were_cut(
    monkeypatch: pytest.MonkeyPatch, text: str, is_cut: bool, told: tuple[float | None, str | None]
) -> None:
    own_judges.install(monkeypatch)
    monkeypatch.setattr(own_judges.OwnAnswers, "_answer", lambda *_: Answer("?", (), (), text, is_cut=is_cut))
    checks = json.dumps({"questions": [{"id": "1", "question": "?", "choices": [], "answer": "Score: 1"}]})
    rows = make_table([Row(picture(0))]).append_column("checks", pa.array([checks]))
    batch, score = Batch(rows.to_batches()[0]), make_score("wise_score", {"judge": make_judge("own_answers", {})})
    (row,) = score_table(batch, score.columns, score.score(batch)).to_pylist()
    assert (row["wise_score"], row["reason"]) == told
