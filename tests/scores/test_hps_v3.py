"""HPSv3 from a tiny checkpoint with the published keys, against transformers' network called by hand."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from drawn import picture
from safetensors.torch import load_file, save_file
from tiny_dataset import Row, good_rows, make_table
from tiny_hps_v3 import REWARD, head_by_hand, save_hps_v3

from diptych.data.images import decode
from diptych.errors import ConfigError, DataError
from diptych.pretrained import memory
from diptych.scores import hps_v3, make_score
from diptych.scores.batches import Batch
from diptych.scores.hps_v3 import PROMPT, HpsV3

SHA256 = "f6ee57479d4e9eee76b49c00dc962e1e696a5a2b3cc32cebd9b1fa76fe27502c"
SMALL = 16 * 28 * 28  # pixels, so that the tests are fast


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    torch.set_num_threads(1)
    return save_hps_v3(tmp_path_factory.mktemp("hps"))


@pytest.fixture(autouse=True)
def _few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hps_v3, "PIXELS", SMALL)


def made(options: dict[str, str], **changes: Any) -> HpsV3:
    score = make_score("hps_v3", {**options, **changes})
    assert isinstance(score, HpsV3)
    return score


def batch_of(rows: list[Row]) -> Batch:
    return Batch(make_table(rows).to_batches()[0])


def rows_of(*captions: str | None) -> list[Row]:
    """Return rows of pictures of different shapes."""
    sizes = ((48, 32), (32, 48), (48, 32), (64, 64))
    return [Row(picture(n, sizes[n % 4]), text, size=sizes[n % 4]) for n, text in enumerate(captions)]


def test_instruction_is_the_published_one() -> None:
    text = PROMPT.read_text("utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() == SHA256
    assert text.startswith("\nYou are tasked with evaluating a generated image based on Visual Quality")
    assert text.endswith(
        "Textual prompt - {text_prompt}\n\n\n\nPlease provide the overall ratings of this image: <|Reward|>\n\nEND\n"
    )


@pytest.mark.reference
def test_score_is_that_of_the_networks_called_by_hand(options: dict[str, str]) -> None:
    (row,) = rows_of("a red cat {one}")
    assert row.data is not None
    processor = transformers.Qwen2VLProcessor.from_pretrained(options["model"])
    processor.image_processor = transformers.Qwen2VLImageProcessorPil.from_pretrained(options["model"])
    processor.image_processor.size = {"shortest_edge": SMALL, "longest_edge": SMALL}
    processor.tokenizer.add_tokens([REWARD], special_tokens=True)
    said = PROMPT.read_text("utf-8").replace("{text_prompt}", "a red cat {one}")
    whole = f"<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>{said}<|im_end|>\n<|im_start|>assistant\n"
    given = processor(text=whole, images=decode(row.data), return_tensors="pt")
    state = load_file(options["weights"])
    config = transformers.AutoConfig.from_pretrained(options["model"])
    config.text_config.vocab_size += 1
    network = transformers.Qwen2VLForConditionalGeneration(config).eval()
    renamed = {
        name.replace("visual.", "model.visual.") if name.startswith("visual.") else name: value
        for name, value in state.items()
        if not name.startswith("rm_head.")
    }
    renamed = {
        name.replace("model.", "model.language_model.", 1)
        if name.startswith("model.") and "visual" not in name
        else name: value
        for name, value in renamed.items()
    }
    network.load_state_dict(renamed)
    count = given["input_ids"].shape[1]
    with torch.inference_mode():
        places = torch.arange(count).view(1, 1, -1).expand(3, 1, -1)  # one by one, those of the picture too
        output = network(**given, position_ids=places, output_hidden_states=True)
    at = given["input_ids"][0].tolist().index(processor.tokenizer.convert_tokens_to_ids(REWARD))
    mean, _ = head_by_hand(state, output.hidden_states[-1][0, at]).tolist()
    (found,) = made(options).score(batch_of([row]))["hps_v3"]
    assert found == pytest.approx(mean, abs=1e-4)
    with torch.inference_mode():
        other = network(**given, output_hidden_states=True).hidden_states[-1][0, at]
    assert head_by_hand(state, other)[0].item() != pytest.approx(mean, abs=1e-3), "places in the picture would count"


def test_no_neighbour_changes_a_score(options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of("a cat", "a dog", "a red cat", "what is it? one", "a cat")
    together = made(options).score(batch_of(rows))["hps_v3"]
    assert len(set(together.round(4).tolist())) == 5
    monkeypatch.setattr(hps_v3, "CHUNK", 1)
    np.testing.assert_allclose(made(options).score(batch_of(rows))["hps_v3"], together, atol=1e-4)


def test_row_without_image_or_caption_or_of_what_cannot_be_read_has_none(options: dict[str, str]) -> None:
    strip = Row(picture(1, (900, 3)), "a cat", size=(900, 3))
    rows = [*rows_of("a cat", None, f"a {REWARD}", "the <|image_pad|>"), strip, Row(None, "a cat", "not_found", None)]
    found = made(options).score(batch_of(rows))
    assert np.isnan(found["hps_v3"]).tolist() == [False, True, True, True, True, True]
    assert found["reason"].tolist() == [None, "no_caption", "judge_failed", "judge_failed", "judge_failed", None]


def test_half_precision_scores_much_the_same(options: dict[str, str]) -> None:
    full, half = (made(options, precision=one).score(batch_of(rows_of("a cat")))["hps_v3"] for one in ("fp32", "bf16"))
    assert half == pytest.approx(full, rel=0.1, abs=0.5)


def test_identity_is_that_of_the_files_and_nothing_is_loaded_for_it(options: dict[str, str], tmp_path: Path) -> None:
    again = pickle.loads(pickle.dumps(made(options)))
    assert again.identity == made(save_hps_v3(tmp_path / "same")).identity
    assert "_network" not in vars(again)
    assert made(save_hps_v3(tmp_path / "other", seed=1)).identity != again.identity
    assert made(options, precision="bf16").identity != again.identity


def test_files_of_another_kind_are_refused(options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"score 'hps_v3': weights: no file 'nowhere'; give HPSv3\.safetensors"):
        made(options, weights="nowhere")
    (tmp_path / "config.json").write_text('{"model_type": "clip"}', "utf-8")
    with pytest.raises(ConfigError, match="is a clip, not a qwen2_vl"):
        made(options, model=str(tmp_path))
    state = load_file(options["weights"])
    save_file({name: value for name, value in state.items() if "rm_head" not in name}, tmp_path / "plain.safetensors")
    save_file({name: value for name, value in state.items() if "layers.1" not in name}, tmp_path / "part.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights at all", "utf-8")
    for name, said in (
        ("plain", "is no checkpoint of HPSv3"),
        ("part", "lacks 12 weights"),
        ("text", "is no checkpoi"),
    ):
        with pytest.raises(DataError, match=rf"{name}\.safetensors: {said}"):
            made(options, weights=str(tmp_path / f"{name}.safetensors")).score(batch_of(rows_of("a cat")))


def test_checkpoint_that_does_not_fit_says_so_before_it_is_read(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = memory.count_weights([Path(options["weights"])])
    monkeypatch.setattr(memory, "free_memory", lambda device: weights * 3)
    with pytest.raises(DataError, match=r"score 'hps_v3': .*HPSv3\.safetensors needs about .* say precision: bf16"):
        made(options).score(batch_of(good_rows(1)))
