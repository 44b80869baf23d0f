from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diptych.demo.world.drawing import draw
from diptych.demo.world.figures import HATS
from diptych.demo.world.scenes import scene
from diptych.encoders import make_encoder
from diptych.errors import ConfigError
from diptych.judges import judge_takes, make_judge
from diptych.judges.answers.zero_shot import ZeroShot, zero_shot
from diptych.judges.contract import Query

HAT = Query("a figure with an {} hat", ("orange", "purple"))


class Axes:
    """An encoder of three dimensions, one for each first letter of a text."""

    identity = {"encoder": "axes"}  # noqa: RUF012
    dim = 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def texts(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        return np.stack([2.0 * np.eye(3, dtype=np.float32)["abc".index(text[0])] for text in texts])


def judge(scale: float = 100.0, *prompts: str) -> ZeroShot:
    return ZeroShot(Axes(), scale, prompts or ("{}",))  # type: ignore[arg-type]


def test_probabilities_are_the_softmax_of_scaled_cosines() -> None:
    question = Query("{} thing", ("a", "b", "c"))
    vector = np.array([3.0, 4.0, 0.0], np.float32)
    ((answer,),) = judge(2.0).answers([vector], [[question]])
    expected = np.exp(2.0 * np.array([0.6, 0.8, 0.0]))
    assert answer.probabilities == pytest.approx(expected / expected.sum())
    assert (answer.text, answer.choices, answer.question) == ("b", ("a", "b", "c"), "{} thing")


def test_several_prompts_are_compared_by_the_mean_of_their_vectors() -> None:
    question = Query("{}", ("a", "b"))
    vector = np.array([1.0, 0.0, 1.0], np.float32)
    ((answer,),) = judge(2.0, "{} thing", "c of {}").answers([vector], [[question]])
    first = (1 + 1) / 2  # of "a thing" and "c of a", as long as the diagonal
    expected = np.exp(2.0 * np.array([first, 0.5]))
    assert answer.probabilities == pytest.approx(expected / expected.sum())
    assert judge(2.0, "{} thing", "c of {}").identity["prompts"] == ["{} thing", "c of {}"]


@pytest.mark.parametrize("prompts", [[], ["a photo"]])
def test_prompt_without_a_gap_is_refused(prompts: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"prompts are one or more texts with a gap \{\}, not \["):
        make_judge("zero_shot", {"encoder": Axes(), "prompts": prompts})


def test_length_of_a_vector_and_its_neighbours_change_nothing() -> None:
    question = Query("{}", ("a", "b"))
    vectors = [np.array(values, np.float32) for values in ([1, 0, 0], [3, 0, 0], [0, 0.5, 0])]
    together = judge().answers(vectors, [[question]] * 3)
    assert together[0] == together[1] == judge().answers(vectors[:1], [[question]])[0]
    assert [answer.text for (answer,) in together] == ["a", "a", "b"]


def test_each_question_is_embedded_once() -> None:
    made = judge()
    vector = np.ones(3, np.float32)
    for _ in range(2):
        assert [len(some) for some in made.answers([vector, vector], [[Query("{}", ("a", "b"))], []])] == [1, 0]
    assert made.encoder.asked == ["a", "b"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("question", [Query("Is there a car?", ("yes", "no")), Query("a {} car")])
def test_what_is_no_description_with_a_gap_is_refused(question: Query) -> None:
    with pytest.raises(ConfigError, match=r"is no description with a gap \{\} and choices for it"):
        judge().answers([np.ones(3, np.float32)], [[question]])


def test_identity_is_that_of_the_encoder_and_the_scale() -> None:
    facts = {"scale": 100.0, "prompts": ["{}"], "encoder": {"encoder": "axes"}}
    assert judge().identity == {"judge": "zero_shot", "version": 1, **facts}
    assert judge_takes("zero_shot", "encoder")
    with pytest.raises(ConfigError, match="scale is above 0, not 0"):
        make_judge("zero_shot", {"encoder": Axes(), "scale": 0})


def test_hats_of_the_drawn_world_are_told_apart() -> None:
    encoder = make_encoder("open_clip", {"architecture": "package:diptych.demo/models/clip", "device": "cpu"})
    figures = [scene(seed, layout="figure").figure for seed in range(2_070_500_000, 2_070_500_040)]
    shown = [draw(scene(seed, layout="figure"), 64) for seed in range(2_070_500_000, 2_070_500_040)]
    vectors = encoder.images([encoder.prepare(Image.fromarray(pixels)) for pixels in shown])
    said = zero_shot(encoder=encoder).answers(list(vectors), [[HAT]] * len(vectors))
    hats = [figure.hat for figure in figures if figure is not None]
    right = [answer.text == hat for (answer,), hat in zip(said, hats, strict=True) if hat in HATS]
    assert len(right) >= 20
    assert sum(right) >= 0.95 * len(right)  # of 300 others all are
