"""ViLT through the product's own path: a tiny one of random weights, saved and loaded again."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from noise import noise
from photo_runs import run_killed_and_resumed
from PIL import Image
from same_answers import check_near, check_same, numbers
from tiny_vqa import ANSWERS, QUESTIONS, YES_NO, save_vilt_vqa

from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge
from diptych.judges.answers.vilt_vqa import ViltVqa
from diptych.judges.contract import Query


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_vilt_vqa(tmp_path_factory.mktemp("vilt"))


def pictures(count: int = 4) -> list[Image.Image]:
    return noise(*((60, 40 + 20 * number) for number in range(count)))


def made(folder: Path, **options: Any) -> ViltVqa:
    judge = make_judge("vilt_vqa", {"weights": str(folder), **options})
    assert isinstance(judge, ViltVqa)
    return judge


def test_neither_neighbour_nor_batch_changes_an_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge, shown = made(folder), pictures()
    together = judge.answers(shown, QUESTIONS)
    assert [len(some or ()) for some in together] == [3, 0, 1, 2]
    monkeypatch.setattr("diptych.judges.answers.vilt_vqa.ASKED_AT_ONCE", 1)
    alone = [judge.answers([picture], [some])[0] for picture, some in zip(shown, QUESTIONS, strict=True)]
    check_same(together, alone, rtol=1e-5)


@pytest.mark.reference
def test_answers_are_those_of_the_librarys_own_pipeline(folder: Path) -> None:
    processor = transformers.ViltImageProcessorPil.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.ViltForQuestionAnswering.from_pretrained(folder).eval()
    given = processor(pictures()[2], return_tensors="pt")
    with torch.inference_mode():
        likely = network(**given, **tokenizer("a red cat?", return_tensors="pt")).logits[0].sigmoid().tolist()
    (told,) = made(folder).answers(pictures()[2:3], [[Query("a red cat?", ANSWERS), Query("a red cat?")]])
    assert told is not None
    assert told[0].probabilities == pytest.approx(likely, rel=1e-4)
    assert told[0].text == told[1].text == ANSWERS[int(np.argmax(likely))]


def test_chance_by_which_the_library_drops_patches_is_the_same_for_every_picture(tmp_path: Path) -> None:
    judge, (picture,) = made(save_vilt_vqa(tmp_path, most_patches=4)), pictures(1)
    asked = [[Query("a red cat?", YES_NO)]]
    first = judge.answers([picture], asked)
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    assert judge.answers([picture], asked) == first
    assert torch.equal(torch.random.get_rng_state(), state), "nor does it use up anybody else's chance"
    two = judge.answers([*pictures(2), picture], asked * 3)
    assert numbers(two[2]) == pytest.approx(numbers(first[0]), rel=1e-5)


def test_choice_that_it_does_not_know_is_refused_before_anything_is_loaded(folder: Path) -> None:
    judge = made(folder)
    with pytest.raises(ConfigError, match=r"'blak cat' is none of the 5 answers that .* such as 'black cat'"):
        judge.answers(pictures(1), [[Query("what?", ("yes", "blak cat"))]])
    assert "_network" not in vars(judge)


def test_question_that_is_longer_than_the_network_has_no_answer(folder: Path) -> None:
    (answers,) = made(folder).answers(pictures(1), [[Query("a red cat " * 13, YES_NO), Query("a cat?", YES_NO)]])
    assert answers is not None
    assert [answer.state for answer in answers] == ["too_long", ""]


def test_picture_of_which_the_network_would_see_nothing_is_not_judged(folder: Path) -> None:
    strip = Image.new("RGB", (2000, 3))
    asked = [Query("a cat?", YES_NO)]
    assert made(folder).answers([strip, strip], [asked, []]) == [None, []]


def test_model_that_names_no_answers_is_refused(tmp_path: Path) -> None:
    config = save_vilt_vqa(tmp_path) / "config.json"
    config.write_text(config.read_text("utf-8").replace("id2label", "labels"), "utf-8")
    with pytest.raises(DataError, match="names no classes"):
        made(tmp_path)


def test_identity_says_no_place_and_follows_from_what_decides_an_answer(tmp_path: Path, folder: Path) -> None:
    same, other = save_vilt_vqa(tmp_path / "same"), save_vilt_vqa(tmp_path / "other", 1)
    assert made(same).identity == made(folder).identity != made(other).identity
    assert made(folder, precision="fp16").identity != made(folder).identity


def test_making_one_loads_no_weights_and_it_can_be_sent_to_a_worker(folder: Path) -> None:
    judge = made(folder)
    assert pickle.loads(pickle.dumps(judge)).identity == judge.identity
    assert "_network" not in vars(judge)


def test_half_precision_says_much_the_same(folder: Path) -> None:
    full, half = (made(folder, precision=one).answers(pictures(), QUESTIONS) for one in ("fp32", "bf16"))
    check_near(full, half, atol=0.05)


@pytest.mark.slow  # the same machinery is killed for BLIP
def test_killed_run_of_two_workers_over_photographs_leaves_the_same_evidence(
    folder: Path, tmp_path: Path, shared: Path
) -> None:
    answers = run_killed_and_resumed(tmp_path, shared, "vilt_vqa", {"weights": str(folder), "device": "cpu"})
    assert len({answer.probabilities for answer in answers}) == 7
