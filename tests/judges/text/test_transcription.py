"""Judges that answer, asked for the text of a picture: a tiny model of random weights, and an endpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from chat_server import ChatServer, Reply, completion, question_of
from noise import noise
from PIL import Image
from tiny_vlms import save_qwen2_5_vl

from diptych.judges import make_judge
from diptych.judges.answers import vision_language as module
from diptych.judges.answers.chat_endpoint import ChatEndpoint
from diptych.judges.answers.vision_language import VisionLanguage
from diptych.judges.contract import Answer, Query, TextLine
from diptych.judges.text.transcription import NEW_TOKENS, QUESTION, lines_of

SIZES = ((64, 64), (50, 100), (90, 70), (64, 64))
SHORT = {"max_text_tokens": 12, "max_new_tokens": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_qwen2_5_vl(tmp_path_factory.mktemp("qwen2_5_vl"))


def made(folder: Path, **options: Any) -> VisionLanguage:
    judge = make_judge("vision_language", {"weights": str(folder), "limits": SHORT, "device": "cpu", **options})
    assert isinstance(judge, VisionLanguage)
    return judge


def words(found: list[list[TextLine] | None]) -> list[list[str]]:
    return [[line.text for line in some or ()] for some in found]


def by_hand(folder: Path, picture: Image.Image) -> str:
    """Return what the library itself generates, asked as upstream asks."""
    processor = transformers.AutoProcessor.from_pretrained(folder)
    processor.image_processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    network = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    content = [{"type": "image"}, {"type": "text", "text": QUESTION}]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    given = processor(images=picture, text=prompt, return_tensors="pt")
    said = network.generate(**given, max_new_tokens=12, do_sample=False)[0, given["input_ids"].shape[1] :]
    return str(processor.tokenizer.decode(said, skip_special_tokens=True))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Is it SHUT?</think>\nOPEN", [("OPEN", False)]),
        ("<think>No text?</think>\nNo text recognized.", []),
        ("<think>It says SHUT", [("", True)]),
    ],
)
def test_thought_is_no_text_of_the_picture(text: str, lines: list[tuple[str, bool]]) -> None:
    found = lines_of(Answer(QUESTION, (), (), text), (64, 32))
    assert [(line.text, line.is_cut) for line in found or ()] == lines


@pytest.mark.reference
def test_lines_are_those_of_the_library_called_by_hand(folder: Path) -> None:
    picture = noise(*SIZES)[1]
    (found,) = made(folder).text([picture])
    wanted = [line.strip() for line in by_hand(folder, picture).splitlines() if line.strip()]
    assert words([found]) == [wanted]
    assert wanted, "random weights may say nothing"
    assert found is not None
    assert {line.corners for line in found} == {(0.0, 0.0, 50.0, 100.0)}


def test_no_neighbour_changes_what_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge, shown = made(folder), noise(*SIZES)
    together = judge.text(shown)
    assert any(words(together))
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 1)
    monkeypatch.setattr(module, "CHUNK", 1)
    assert [judge.text([picture])[0] for picture in shown] == together


def test_text_that_goes_on_beyond_the_limit_is_cut_and_one_that_ends_is_not(folder: Path) -> None:
    judge, (picture,) = made(folder), noise((64, 64))
    (found,) = judge.text([picture])
    assert found
    assert [line.is_cut for line in found] == [False] * (len(found) - 1) + [True]
    (answers,) = judge.answers([picture], [[Query(QUESTION)]])
    assert answers is not None
    assert answers[0].is_cut, "of three tokens: the limit of answers is another one"
    tokenizer = judge._processor.tokenizer
    said = tokenizer(answers[0].text, add_special_tokens=False).input_ids
    judge._network.generation_config.eos_token_id = [said[-1], tokenizer.eos_token_id]
    (ended,) = judge.text([picture])
    assert ended is not None
    assert not any(line.is_cut for line in ended)
    assert len("".join(line.text for line in ended)) < len("".join(line.text for line in found))


def test_one_model_in_memory_answers_and_reads(folder: Path) -> None:
    judge, (picture,) = made(folder), noise((64, 64))
    judge.answers([picture], [[Query("a cat?", ("yes", "no"))]])
    network = judge._network
    judge.text([picture])
    assert judge._network is network


def test_picture_that_the_model_cannot_take_is_not_read(folder: Path) -> None:
    strip = Image.new("RGB", (2000, 3))
    found = made(folder).text([strip, *noise((64, 64))])
    assert found[0] is None
    assert found[1]


def test_limit_of_a_text_is_part_of_the_identity(folder: Path) -> None:
    told = made(folder, limits={}).identity["reading"]
    assert (told["question"], told["max_text_tokens"]) == (QUESTION, NEW_TOKENS)
    assert made(folder).identity != made(folder, limits={**SHORT, "max_text_tokens": 13}).identity


@pytest.mark.parametrize("said", ["No text recognized", "'No text recognized.'", "no text recognized\n", "", "  \n "])
def test_judge_that_says_that_there_is_none_reads_no_line(said: str) -> None:
    assert lines_of(Answer(QUESTION, (), (), said), (9, 9)) == []


def test_phrase_among_other_words_is_text() -> None:
    found = lines_of(Answer(QUESTION, (), (), "ERROR\nNo text recognized"), (9, 9))
    assert words([found]) == [["ERROR", "No text recognized"]]


def test_text_cut_before_its_first_word_is_no_empty_picture() -> None:
    assert lines_of(Answer(QUESTION, (), (), "", is_cut=True), (9, 9)) == [TextLine("", 1.0, (0, 0, 9, 9), True)]


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        (completion("OPEN\n\nall day "), [("OPEN", False), ("all day", False)]),
        (completion("OPEN\nall d", finish_reason="length"), [("OPEN", False), ("all d", True)]),
        (completion("No text recognized."), []),
        (completion(""), []),
        (completion(None, refusal="I would rather not."), None),
    ],
    ids=["read", "cut", "none", "empty", "refused"],
)
def test_endpoint_reads_in_one_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Any, wanted: list[tuple[str, bool]] | None
) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path))
    with ChatServer(lambda body: Reply(reply)) as server:
        judge = make_judge("chat_endpoint", {"base_url": server.url, "model": "tiny"})
        assert isinstance(judge, ChatEndpoint)
        (found,) = judge.text(noise((30, 20)))
    assert (None if found is None else [(line.text, line.is_cut) for line in found]) == wanted
    (request,) = server.requests
    assert (question_of(request), request["max_tokens"]) == (QUESTION, NEW_TOKENS)
    assert "logprobs" not in request
