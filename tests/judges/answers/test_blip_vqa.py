"""BLIP-VQA through the product's own path: a tiny one of random weights, saved and loaded again."""

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
from same_answers import check_near, check_same
from tiny_vqa import QUESTIONS, YES_NO, save_blip_vqa

from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge
from diptych.judges.answers.blip_vqa import BlipVqa
from diptych.judges.contract import Query


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_blip_vqa(tmp_path_factory.mktemp("blip"))


def pictures(count: int = 4) -> list[Image.Image]:
    return noise(*((60, 40 + 9 * number) for number in range(count)))


def made(folder: Path, **options: Any) -> BlipVqa:
    judge = make_judge("blip_vqa", {"weights": str(folder), **options})
    assert isinstance(judge, BlipVqa)
    return judge


def by_hand(folder: Path, question: str, choice: str | None) -> Any:
    """Return transformers' own loss of an answer, or without one its generated tokens, for the first picture."""
    processor = transformers.BlipImageProcessorPil.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.BlipForQuestionAnswering.from_pretrained(folder).eval()
    given = {**processor(pictures()[0], return_tensors="pt"), **tokenizer(question, return_tensors="pt")}
    del given["token_type_ids"]
    with torch.inference_mode():
        if choice is None:
            return tokenizer.decode(network.generate(**given, max_new_tokens=20)[0], skip_special_tokens=True)
        labels = tokenizer(choice, return_tensors="pt").input_ids
        labels[0, 0] = network.config.text_config.bos_token_id
        return float(network(**given, labels=labels).loss) * (labels.shape[1] - 1)


@pytest.mark.parametrize("choices_by", ["first_token", "answer"])
def test_neither_neighbour_nor_batch_changes_an_answer(
    folder: Path, choices_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, shown = made(folder, choices_by=choices_by), pictures()
    together = judge.answers(shown, QUESTIONS)
    assert [len(some or ()) for some in together] == [3, 0, 1, 2]
    monkeypatch.setattr("diptych.judges.answers.blip_vqa.CHUNK", 1)
    monkeypatch.setattr("diptych.judges.answers.blip_vqa.ASKED_AT_ONCE", 1)
    alone = [judge.answers([picture], [some])[0] for picture, some in zip(shown, QUESTIONS, strict=True)]
    check_same(together, alone, rtol=1e-5)


@pytest.mark.reference
def test_whole_answers_are_as_likely_as_by_the_librarys_own_loss(folder: Path) -> None:
    judge = made(folder, choices_by="answer", question_start="cls")
    ((answer,),) = judge.answers(pictures(1), [[Query("How many dogs?", ("two", "black cat", "red"))]])  # type: ignore[misc]
    losses = [by_hand(folder, "how many dogs?", choice) for choice in answer.choices]
    np.testing.assert_allclose(answer.probabilities, np.exp(-np.array(losses)), rtol=1e-4)
    assert answer.text == answer.choices[int(np.argmin(losses))]


@pytest.mark.reference
def test_own_words_are_those_that_the_library_generates(folder: Path) -> None:
    ((answer,),) = made(folder, question_start="cls").answers(pictures(1), [[Query("What is there?")]])  # type: ignore[misc]
    assert answer.text == by_hand(folder, "what is there?", None)
    ((short,),) = made(folder, question_start="cls", max_new_tokens=1).answers(  # type: ignore[misc]
        pictures(1), [[Query("What is there?")]]
    )
    assert answer.text.startswith(short.text)
    assert len(short.text) < len(answer.text)


def test_first_tokens_are_as_likely_as_in_the_procedure_of_comp_bench(folder: Path) -> None:
    """The softmax over the whole vocabulary after [DEC], the question beginning with [ENC]."""
    ((answer,),) = made(folder).answers(pictures(1), [[Query("A (Red) cat?", YES_NO)]])  # type: ignore[misc]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.BlipForQuestionAnswering.from_pretrained(folder).eval()
    processor = transformers.BlipImageProcessorPil.from_pretrained(folder)
    asked = tokenizer("a red cat?", return_tensors="pt").input_ids
    asked[0, 0] = tokenizer.convert_tokens_to_ids("[ENC]")
    start = torch.tensor([[tokenizer.convert_tokens_to_ids("[DEC]")]])
    with torch.inference_mode():
        seen = network.vision_model(processor(pictures()[0], return_tensors="pt").pixel_values).last_hidden_state
        states = network.text_encoder(asked, encoder_hidden_states=seen).last_hidden_state
        likely = network.text_decoder(start, encoder_hidden_states=states).logits[0, 0].softmax(-1)
    wanted = [likely[tokenizer.convert_tokens_to_ids(word)].item() for word in YES_NO]
    assert answer.probabilities == pytest.approx(wanted, rel=1e-5)


def test_a_picture_is_encoded_once_for_all_its_questions(folder: Path) -> None:
    judge, seen = made(folder), []
    judge._network.vision_model.register_forward_hook(lambda _, given, __: seen.append(len(given[0] if given else [])))
    judge.answers(pictures(), QUESTIONS)
    assert len(seen) == 1, "three pictures of one prepared size, of which one has three questions"


def test_choices_that_begin_alike_are_told_apart_by_the_whole_of_them_alone(folder: Path) -> None:
    alike = Query("what?", ("black cat", "black dog"))
    with pytest.raises(ConfigError, match=r"'black cat' and 'black dog' begin with one token.*choices_by: answer"):
        made(folder).answers(pictures(1), [[alike]])
    ((answer,),) = made(folder, choices_by="answer").answers(pictures(1), [[alike]])  # type: ignore[misc]
    assert answer.probabilities[0] != answer.probabilities[1]


def test_question_of_which_the_network_would_not_see_the_end_has_no_answer(folder: Path) -> None:
    asked = [Query("a red cat " * 11 + "?", YES_NO), Query("a red cat " * 10 + "?", YES_NO)]
    (answers,) = made(folder).answers(pictures(1), [asked])
    assert answers is not None
    assert [answer.state for answer in answers] == ["too_long", ""]
    assert answers[0].probabilities == ()


def test_model_without_the_token_of_a_question_says_what_to_do(tmp_path: Path) -> None:
    folder = save_blip_vqa(tmp_path, encodes=False)
    with pytest.raises(ConfigError, match=r"has no token \[ENC\]; say question_start: cls"):
        made(folder).answers(pictures(1), [[Query("a cat?", YES_NO)]])
    assert made(folder, question_start="cls").answers(pictures(1), [[Query("a cat?", YES_NO)]])[0]


def test_identity_says_no_place_and_follows_from_what_decides_an_answer(tmp_path: Path, folder: Path) -> None:
    same, other = save_blip_vqa(tmp_path / "same"), save_blip_vqa(tmp_path / "other", 1)
    assert made(same).identity == made(folder).identity != made(other).identity
    options: list[dict[str, Any]] = [
        {"choices_by": "answer"},
        {"question_start": "cls"},
        {"max_new_tokens": 3},
        {"precision": "bf16"},
    ]
    assert all(made(folder, **one).identity != made(folder).identity for one in options)


def test_making_one_loads_no_weights_and_it_can_be_sent_to_a_worker(folder: Path) -> None:
    judge = made(folder)
    assert pickle.loads(pickle.dumps(judge)).identity == judge.identity
    assert "_network" not in vars(judge)


def test_half_precision_says_much_the_same(folder: Path) -> None:
    full, half = (made(folder, precision=one).answers(pictures(), QUESTIONS) for one in ("fp32", "bf16"))
    check_near(full, half, atol=0.05)


def test_wrong_options_and_models_of_another_kind_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="judge 'blip_vqa': max_new_tokens is at least 1, not 0"):
        made(folder, max_new_tokens=0)
    config = (save_blip_vqa(tmp_path) / "config.json").read_text("utf-8")
    (tmp_path / "config.json").write_text(config.replace('"num_hidden_layers": 1', '"num_hidden_layers": 2'), "utf-8")
    with pytest.raises(DataError, match="weights that BlipForQuestionAnswering needs are missing"):
        made(tmp_path).answers(pictures(1), [[Query("a cat?")]])


def test_killed_run_of_two_workers_over_photographs_leaves_the_same_evidence(
    folder: Path, tmp_path: Path, shared: Path
) -> None:
    answers = run_killed_and_resumed(tmp_path, shared, "blip_vqa", {"weights": str(folder), "device": "cpu"})
    assert len(answers) == 7
    assert len({answer.probabilities for answer in answers}) == 7
