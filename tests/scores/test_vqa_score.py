"""How likely a judge says yes to a caption: by a judge that says what it is told to, and by a tiny BLIP."""

from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pytest
import torch
from drawn import picture
from own_judges import ASKED
from tiny_dataset import Row, make_table
from tiny_vqa import save_blip_vqa

from diptych.data.images import decode
from diptych.errors import ConfigError
from diptych.judges import make_judge
from diptych.judges.contract import Answer, Query
from diptych.scores import Score, make_score
from diptych.scores.batches import Batch

ROWS = (
    Row(picture(0, (30, 21)), "a cat", size=(30, 21)),
    Row(picture(1, (30, 22)), 'two "dogs"', size=(30, 22)),
    Row(picture(2, (30, 23)), None, size=(30, 23)),
    Row(None, "lost", "not_found", None),
)


@pytest.fixture(autouse=True)
def _own_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


def made(**options: Any) -> Score:
    return make_score("vqa_score", {"judge": make_judge("own_answers", {}), **options})


def batch() -> Batch:
    return Batch(make_table(list(ROWS)).to_batches()[0])


def test_caption_is_put_into_the_published_question_and_yes_is_what_counts() -> None:
    found = made().score(batch())
    np.testing.assert_array_equal(found["vqa_score"], np.float32([0.75, 0.75, np.nan, np.nan]))
    assert found["reason"].tolist() == [None, None, "no_caption", None]
    texts = ("a cat", 'two "dogs"')
    asked = [Query(f'Does this figure show "{text}"? Please answer Yes or No.', ("Yes", "No")) for text in texts]
    assert [query for some in ASKED for query in some] == asked


def test_first_of_own_choices_is_the_one_that_agrees() -> None:
    score = made(question="Is this {}?", choices=["no", "yes"])
    assert score.score(batch())["vqa_score"][:2].tolist() == [0.75, 0.75], "the judge says 0.75 to the first"
    assert ASKED[0] == (Query("Is this a cat?", ("no", "yes")),)
    assert score.identity != made().identity


def test_caption_that_has_no_answer_has_the_reason_of_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Answer("?", ("Yes", "No"), (), "I will not say", "refused")
    monkeypatch.setattr(own_judges.OwnAnswers, "_answer", lambda *_: refused)
    found = made().score(batch())
    assert found["reason"].tolist() == ["refused", "refused", "no_caption", None]
    assert np.isnan(found["vqa_score"]).all()


def test_score_is_the_probability_that_a_network_gives_to_yes(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    judge: Any = make_judge("blip_vqa", {"weights": str(save_blip_vqa(tmp_path))})
    found = make_score("vqa_score", {"judge": judge, "choices": ["yes", "no"]}).score(batch())["vqa_score"]
    question = Query('Does this figure show "a cat"? Please answer Yes or No.', ("yes", "no"))
    assert ROWS[0].data is not None
    ((answer,),) = judge.answers([decode(ROWS[0].data)], [[question]])
    assert found[0] == pytest.approx(answer.probabilities[0], rel=1e-4)
    assert found[0] + answer.probabilities[1] < 1, "of the whole vocabulary"


def test_question_without_a_gap_or_one_choice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"score 'vqa_score': question: 'A cat\?' has no gap \{\} for the caption"):
        made(question="A cat?")
    with pytest.raises(ConfigError, match=r"score 'vqa_score': choices are two or more different answers"):
        made(choices=["yes"])
