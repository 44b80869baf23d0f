"""Vision-language models through the product's own path: tiny ones of random weights, saved and loaded again."""

import pickle
from collections.abc import Callable
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
from tiny_judges import save_dpt, save_mask2former, save_rt_detr_v2
from tiny_vlms import FAMILIES, save_llava, save_qwen3_vl

from diptych.data.dataset import open_dataset
from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge
from diptych.judges.answers import asked
from diptych.judges.answers import vision_language as module
from diptych.judges.answers.vision_language import VisionLanguage
from diptych.judges.contract import Query

YES_NO = ("yes", "no")
QUESTIONS = (
    (Query("Is there a red cat?", YES_NO), Query("what is it?"), Query("two black dogs?", ("yes", "no", "two"))),
    (),
    (Query("Is there a red cat?", YES_NO), Query("what is it?")),
    (Query("what, yes? Is there a black dog, two red cats?", YES_NO), Query("Is there a red dog?", YES_NO)),
)
SIZES = ((64, 64), (50, 100), (90, 70), (64, 64))
SHORT = {"max_new_tokens": 6}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    return {name: save(tmp_path_factory.mktemp(name)) for name, save in FAMILIES.items()}


@pytest.fixture(autouse=True)
def _any_probability_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights find everything of the vocabulary about as likely."""
    monkeypatch.setattr(asked, "LEAST_TOGETHER", 0.0)


def pictures() -> list[Image.Image]:
    return noise(*SIZES)


def made(folder: Path, **options: Any) -> VisionLanguage:
    judge = make_judge("vision_language", {"weights": str(folder), "limits": SHORT, "device": "cpu", **options})
    assert isinstance(judge, VisionLanguage)
    return judge


def by_hand(folder: Path, question: str, picture: Image.Image) -> tuple[Any, Any, str]:
    """Return tokenizer, first-token probabilities and generated text of the library itself, pixels and all."""
    processor = transformers.AutoProcessor.from_pretrained(folder)
    processor.image_processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    network = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    prompt = f"{processor.image_token}{question}"
    if processor.chat_template:
        content = [{"type": "image"}, {"type": "text", "text": question}]
        prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    given = processor(images=picture, text=prompt, return_tensors="pt")
    given.pop("labels", None)
    with torch.inference_mode():
        likely = network(**given).logits[0, -1].softmax(-1)
        said = network.generate(**given, max_new_tokens=6, do_sample=False)[0, given["input_ids"].shape[1] :]
    return processor.tokenizer, likely, processor.tokenizer.decode(said, skip_special_tokens=True).strip()


@pytest.mark.reference
@pytest.mark.parametrize("name", FAMILIES)
def test_answers_are_those_of_the_library_called_by_hand(folders: dict[str, Path], name: str) -> None:
    question, picture = "two black dogs?", pictures()[2]
    (told,) = made(folders[name]).answers([picture], [[Query(question, ("yes", "no", "two")), Query(question)]])
    assert told is not None
    tokenizer, likely, text = by_hand(folders[name], question, picture)
    for choice, probability in zip(("yes", "no", "two"), told[0].probabilities, strict=True):
        ways = [choice, choice.capitalize(), f" {choice}", f" {choice.capitalize()}"]
        ways += ["2", " 2"] if choice == "two" else []
        ids = {tokenizer(way, add_special_tokens=False).input_ids[0] for way in ways}
        wanted = sum(likely[one].item() for one in ids if tokenizer.decode([one]).strip())
        assert probability == pytest.approx(wanted, rel=1e-4)
    assert told[1].text == text


@pytest.mark.parametrize("name", FAMILIES)
def test_neither_neighbour_nor_batch_changes_an_answer(
    folders: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, shown = made(folders[name]), pictures()
    together = judge.answers(shown, QUESTIONS)
    assert [len(some or ()) for some in together] == [3, 0, 2, 2]
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 1)
    monkeypatch.setattr(module, "CHUNK", 1)
    alone = [judge.answers([picture], [some])[0] for picture, some in zip(shown, QUESTIONS, strict=True)]
    check_same(together, alone, rtol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_picture_is_seen_once_for_all_its_questions(folders: dict[str, Path], name: str) -> None:
    judge = made(folders[name])
    assert judge.why_not_shared is None
    passes: list[int] = []
    network = judge._network.base_model
    tower = getattr(network, "visual", None) or network.vision_tower
    tower.register_forward_hook(lambda *_: passes.append(1))
    judge.answers(pictures(), QUESTIONS)
    assert len(passes) == 3, "of four pictures one is asked nothing"


def test_model_that_cannot_share_a_picture_says_why_and_answers_the_same(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = made(folders["qwen3_vl"]).answers(pictures(), QUESTIONS)
    monkeypatch.setattr(module, "why_not_shared", lambda network: "it takes no mm_encoder_outputs")
    judge = made(folders["qwen3_vl"])
    assert judge.why_not_shared == "it takes no mm_encoder_outputs"
    check_same(shared, judge.answers(pictures(), QUESTIONS), rtol=1e-4)


def test_prompt_as_it_is_sent_is_part_of_the_identity(folders: dict[str, Path]) -> None:
    told = made(folders["llava"], system="Be brief.").identity["prompt"]
    assert told == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n<|image_pad|>{question}<|im_end|>\n"
        "<|im_start|>assistant"
    )
    assert made(folders["paligemma"], system="Be brief.").identity["prompt"] == "<|image_pad|>Be brief.\n{question}"


def test_limits_of_pixels_change_what_is_seen_and_the_identity(folders: dict[str, Path]) -> None:
    few = made(folders["qwen3_vl"], limits={"max_pixels": 64 * 64})
    many = made(folders["qwen3_vl"])
    asked = [[Query("a cat?", YES_NO)]]
    large = [Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8))]
    assert numbers(few.answers(large, asked)[0]) != numbers(many.answers(large, asked)[0])
    assert few.identity["pixels"] == {"min_pixels": None, "max_pixels": 4096}
    with pytest.raises(ConfigError, match=r"CLIPImageProcessorPil of .* has no limits of pixels; leave out max_pixels"):
        made(folders["llava"], limits={"max_pixels": 4096}).answers(large, asked)


def test_picture_that_the_model_cannot_take_is_not_judged(folders: dict[str, Path]) -> None:
    strip, asked = Image.new("RGB", (2000, 3)), [Query("a cat?", YES_NO)]
    found = made(folders["qwen3_vl"]).answers([strip, pictures()[0], strip], [asked, asked, []])
    assert (found[0], found[2]) == (None, [])
    assert found[1]


def test_question_that_is_longer_than_the_model_has_no_answer(folders: dict[str, Path]) -> None:
    (answers,) = made(folders["llava"]).answers(pictures()[:1], [[Query("zq " * 300, YES_NO), Query("a?", YES_NO)]])
    assert [answer.state for answer in answers or ()] == ["too_long", ""]


def test_a_sum_of_probabilities_with_doubles_is_another_judge(folders: dict[str, Path]) -> None:
    distinct, official = (made(folders["llava"], summation=how) for how in ("distinct", "official"))
    assert distinct.identity != official.identity
    asked = [[Query("Is there a cat?", ("one", "no"))]]
    shown = pictures()[:1]
    assert all(
        most >= least
        for most, least in zip(
            numbers(official.answers(shown, asked)[0]), numbers(distinct.answers(shown, asked)[0]), strict=True
        )
    )


def test_choices_that_are_hardly_likely_are_no_answer_but_in_the_official_sum(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    put = [[Query("Is there a cat?", YES_NO)]]
    for how, state in (("distinct", "unparsed"), ("official", "")):
        ((answer,),) = made(folders["llava"], summation=how).answers(pictures()[:1], put)  # type: ignore[misc]
        assert (answer.state, len(answer.probabilities)) == (state, 0 if state else 2)


def test_template_that_breaks_is_one_line(tmp_path: Path) -> None:
    folder = save_llava(tmp_path)
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no system,\nplease') }}", "utf-8")
    with pytest.raises(DataError, match="its chat template breaks: no system, please; give another model"):
        made(folder).answers(pictures()[:1], [[Query("a cat?")]])


@pytest.mark.parametrize("save", [save_dpt, save_mask2former, save_rt_detr_v2])
def test_model_of_another_kind_is_one_line(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    other = made(save(tmp_path / "other"))
    with pytest.raises(
        DataError, match=r"other is of a model that takes no text \(\w+ImageProcessor\w*\); give one that"
    ):
        other.answers(pictures()[:1], [[Query("A cat?", ("yes", "no"))]])


def test_model_that_does_not_fit_says_so_before_it_is_loaded(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diptych.pretrained.memory.free_memory", lambda device: 1000)
    with pytest.raises(
        DataError, match=r"judge 'vision_language': weights: .*cpu has 0.0 GB free; take a smaller model"
    ):
        made(folders["llava"]).answers(pictures()[:1], [[Query("a cat?", YES_NO)]])


def test_identity_says_no_place_and_follows_from_what_decides_an_answer(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    same, other = save_qwen3_vl(tmp_path / "same"), save_qwen3_vl(tmp_path / "other", 1)
    first = made(folders["qwen3_vl"]).identity
    assert made(same).identity == first != made(other).identity
    options: tuple[dict[str, Any], ...] = (
        {"limits": {}},
        {"limits": {"min_pixels": 4096, **SHORT}},
        {"system": "Be brief."},
        {"precision": "bf16"},
    )
    assert all(made(same, **one).identity != first for one in options)


def test_making_one_loads_no_weights_and_it_can_be_sent_to_a_worker(folders: dict[str, Path]) -> None:
    judge = made(folders["llava"])
    again = pickle.loads(pickle.dumps(judge))
    assert again.identity == judge.identity
    assert "_network" not in vars(judge)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_says_much_the_same(folders: dict[str, Path], precision: str) -> None:
    asked = [[Query("Is there a red cat?", YES_NO)]] * 4
    full, half = (made(folders["llava"], precision=one).answers(pictures(), asked) for one in ("fp32", precision))
    check_near(full, half, atol=0.05)


def test_limit_below_one_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="limits: max_new_tokens is at least 1, not 0"):
        made(folders["llava"], limits={"max_new_tokens": 0})
    with pytest.raises(ConfigError, match="option 'limits'"):
        made(folders["llava"], limits={"most_pixels": 5})


@pytest.mark.slow  # the same machinery is killed for BLIP
def test_killed_run_of_two_workers_over_photographs_leaves_the_same_evidence(
    folders: dict[str, Path], tmp_path: Path, shared: Path
) -> None:
    options = {
        "weights": str(folders["qwen3_vl"]),
        "device": "cpu",
        "limits": {"max_text_tokens": 6},
        "summation": "official",
    }
    answers = run_killed_and_resumed(tmp_path, shared, "vision_language", options, reads=True)
    assert len({answer.probabilities for answer in answers}) == 7
    looked = open_dataset(tmp_path / "killed").column_sets("evidence")
    assert {one.manifest["identity"]["evidence"] for one in looked} == {"answers", "text"}
