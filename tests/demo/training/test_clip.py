"""The recipe of the demo CLIP, at a size that takes no time."""

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL.Image import Resampling
from tiny_trainings import CLIP, TinyRun

from diptych.demo.training import clip
from diptych.demo.training.caption_rows import CaptionRows
from diptych.demo.training.clip import ClipRecipe, ClipTraining, contrastive_loss, encode_texts, train_clip
from diptych.demo.training.pictures import scaled
from diptych.demo.training.trainer import Trainer, draw_step
from diptych.demo.world.captions import caption_of
from diptych.demo.world.plan import plan_rows
from diptych.demo.world.specimens import specimen
from diptych.encoders.open_clip import open_clip_encoder


def test_product_loads_what_was_saved(clip_run: TinyRun) -> None:
    encoder = open_clip_encoder(architecture=str(clip_run.folder), device="cpu")
    picture = specimen(1, {"": 1}).image
    assert encoder.images([encoder.prepare(picture)]).shape == (1, 16)
    assert encoder.texts(["a red car"]).shape == (1, 16)
    assert encoder.identity["context_length"] == 40
    assert not encoder.truncated([caption_of(row.scene) for row in plan_rows(100)]).any()


def test_product_computes_what_was_trained(clip_run: TinyRun, captioned: CaptionRows) -> None:
    recipe = ClipRecipe(CLIP, captioned)
    Trainer(recipe, CLIP).load(clip_run.out)
    model = recipe.model.eval().cpu()
    encoder = open_clip_encoder(architecture=str(clip_run.folder), device="cpu")
    picture = specimen(1, {"": 1}).image
    pixels = np.asarray(picture.resize((64, 64), Resampling.BICUBIC))[np.newaxis].copy()
    tokens = open_clip.get_tokenizer("ViT-B-32", context_length=40)(["a red car"])
    with torch.inference_mode():
        image = model.encode_image(scaled(torch.from_numpy(pixels)), normalize=True).numpy()
        text = model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(encoder.images([encoder.prepare(picture)]), image, atol=5e-3)
    np.testing.assert_allclose(encoder.texts(["a red car"]), text, atol=5e-3)


def test_pictures_are_mirrored_only_where_captions_stay_true(captioned: CaptionRows) -> None:
    recipe = ClipRecipe(CLIP, captioned)
    as_drawn = scaled(torch.from_numpy(captioned.pixels)).to(recipe.device)
    mirrored = 0
    for step in range(12):
        draw = draw_step(recipe, CLIP, step)
        pixels, _ = recipe.batch_of(draw)
        for picture, row in zip(pixels, draw.at, strict=True):
            if not torch.equal(picture, as_drawn[row]):
                mirrored += 1
                assert torch.equal(picture.flip(2), as_drawn[row])
                assert not captioned.has_sides[row]
    assert captioned.has_sides.any()
    assert 12 * 8 / 4 < mirrored < 12 * 8 * 3 / 4


def test_texts_are_encoded_as_the_model_encodes_them(captioned: CaptionRows) -> None:
    model = ClipRecipe(CLIP, captioned).model.cpu()
    tokens = open_clip.get_tokenizer("ViT-B-32", context_length=40)(
        ["a red car", "two green fish on a plain background"]
    )
    with torch.inference_mode():
        torch.testing.assert_close(encode_texts(model, tokens), model.encode_text(tokens))


def test_words_of_no_caption_are_zeros_and_stay_so(clip_run: TinyRun) -> None:
    from safetensors.numpy import load_file

    embedding = load_file(clip_run.folder / "open_clip_model.safetensors")["token_embedding.weight"]
    filled = np.flatnonzero(np.abs(embedding).sum(axis=1))
    assert embedding.dtype == np.float16
    assert 20 < len(filled) < 400


def test_loss_of_a_model_that_tells_nothing_apart_is_the_logarithm_of_the_batch() -> None:
    same, tokens = torch.ones(4, 2) / 2**0.5, torch.arange(4)[:, None]
    assert contrastive_loss(same, same, tokens, torch.tensor(3.0)).item() == pytest.approx(np.log(4))


def test_equal_captions_are_no_negatives_of_each_other() -> None:
    images, tokens = torch.eye(2), torch.tensor([[7], [7]])
    texts = torch.eye(2).flip(0)  # as wrong as can be
    assert contrastive_loss(images, texts, tokens, torch.tensor(3.0)).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.reference
def test_loss_agrees_with_that_of_open_clip() -> None:
    generator = torch.Generator().manual_seed(0)
    images, texts = (torch.nn.functional.normalize(torch.randn(6, 5, generator=generator), dim=1) for _ in range(2))
    expected = open_clip.ClipLoss()(images, texts, torch.tensor(2.5).exp())
    found = contrastive_loss(images, texts, torch.arange(6)[:, None], torch.tensor(2.5))
    torch.testing.assert_close(found, expected)


@pytest.mark.slow
def test_150_steps_beat_chance_by_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "CHECK_ROWS", 500)
    train_clip(tmp_path, ClipTraining(steps=150, batch=128, rows=8192, warm_up=50), threads=1, check_every=150)
    last = json.loads((tmp_path / "curve.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["recall_at_1"] > 0.1  # chance is 0.002
