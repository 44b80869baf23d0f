"""The program that trains the demo's text-to-image pipelines, at a size that takes no time."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_dataset import Row, make_dataset, mixed_rows

from diptych.demo.training import diffusion, linear_start, vae
from diptych.demo.training.clip import scaled
from diptych.demo.training.diffusion import (
    CONTEXT,
    DiffusionTrainer,
    DiffusionTraining,
    default_model,
    kept_examples,
    load_vae,
    train_diffusion,
)
from diptych.demo.training.pairs import fitted, read_pairs
from diptych.demo.training.sources import Sources
from diptych.demo.training.stops import Stopped
from diptych.demo.training.tokenizer import make_text_model, make_tokenizer
from diptych.demo.training.vae import VaeTrainer, VaeTraining, train_vae
from diptych.demo.world.captions import caption_of
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.held_out import write_held_out
from diptych.demo.world.scenes import scene
from diptych.encoders.open_clip import open_clip_encoder
from diptych.errors import ConfigError, DataError

CLIP = Path(__file__).parents[2] / "src" / "diptych" / "demo" / "models" / "clip"
VAE = VaeTraining(steps=2, decoder_steps=2, batch=4, rows=12, warm_up=1)
UNET = {**default_model(), "block_out_channels": [16, 16]}
DIFFUSION = DiffusionTraining(steps=4, batch=4, warm_up=2, model=UNET)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an autoencoder of two steps, and two of its decoder."""
    out = tmp_path_factory.mktemp("vae")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae, "CHECK_ROWS", 4)
        return train_vae(out, VAE, threads=1, check_every=2)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset directory of ten scenes, and rows that nothing can be learned from."""
    rows = [Row(encoded(draw(scene(seed)), "png", 0), caption_of(scene(seed)), size=(64, 64)) for seed in range(10)]
    return make_dataset(tmp_path_factory.mktemp("pairs"), [*rows, Row(None, "lost", "not_found", None)]).path


def train(out: Path, pairs: Path, autoencoder: Path, training: DiffusionTraining = DIFFUSION) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae, "CHECK_ROWS", 4)
        return train_diffusion(out, Sources(pairs, autoencoder, CLIP), training, threads=1, check_every=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, pairs: Path, autoencoder: Path) -> Path:
    """The folder of a pipeline of four steps."""
    return train(tmp_path_factory.mktemp("diffusion"), pairs, autoencoder)


def weights(folder: Path) -> bytes:
    return (folder / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()


def test_tokenizer_cuts_captions_as_the_standard_one_does() -> None:
    from open_clip.tokenizer import SimpleTokenizer

    small, whole = make_tokenizer(CONTEXT), SimpleTokenizer()
    for seed in range(5000, 5100):
        caption = caption_of(scene(seed))
        tokens = small.convert_ids_to_tokens(small(caption)["input_ids"])
        assert tokens[1:-1] == [whole.decoder[number] for number in whole.encode(caption)]
        assert len(tokens) <= CONTEXT
    assert len(small) < 1100


def test_words_from_elsewhere_fall_into_letters_and_an_end_in_the_text_is_an_end() -> None:
    tokenizer = make_tokenizer(CONTEXT)
    assert len(tokenizer("Zündkerze 汉")["input_ids"]) > 6
    assert tokenizer.eos_token_id == len(tokenizer) - 1


def test_text_model_says_what_the_text_tower_of_the_clip_says() -> None:
    tokenizer = make_tokenizer(CONTEXT)
    model = make_text_model(CLIP, tokenizer).eval()
    captions = [caption_of(scene(seed)) for seed in range(8)]
    tokens = tokenizer(captions, padding="max_length", return_tensors="pt")["input_ids"]
    from safetensors.torch import load_file

    projection = load_file(CLIP / "open_clip_model.safetensors")["text_projection"].float()
    with torch.inference_mode():
        vectors = model(tokens).pooler_output @ projection
    vectors = torch.nn.functional.normalize(vectors, dim=-1).numpy()
    encoder = open_clip_encoder(architecture=str(CLIP), device="cpu")
    np.testing.assert_allclose(vectors, encoder.texts(captions), atol=2e-3)


def test_autoencoder_begins_as_the_linear_code_and_keeps_colours() -> None:
    from diffusers import AutoencoderKL

    pixels = torch.from_numpy(np.stack([draw(scene(seed)) for seed in range(48)]))
    model = AutoencoderKL(**vae.default_model()).eval()
    linear_start.begin_linear(model, pixels)
    basis, middle = linear_start.patch_components(pixels)
    with torch.inference_mode():
        latents = model.encode(scaled(pixels)).latent_dist.mode()
        drawn = model.decode(latents).sample
    patches = scaled(pixels).permute(0, 2, 3, 1).reshape(48, 16, 4, 16, 4, 3).permute(0, 1, 3, 2, 4, 5)
    code = ((patches.reshape(-1, 48) - middle) @ basis.T)[:, : linear_start.LATENTS]
    found = latents.permute(0, 2, 3, 1).reshape(-1, linear_start.LATENTS)
    for number in range(linear_start.LATENTS):
        assert np.corrcoef(code[:, number], found[:, number])[0, 1] > 0.99
    shrunk = [torch.nn.functional.avg_pool2d(some, 16) for some in (drawn, scaled(pixels))]
    assert np.corrcoef(shrunk[0].flatten(), shrunk[1].flatten())[0, 1] > 0.95


def test_decoder_alone_learns_once_the_encoder_is_fixed(tmp_path: Path, autoencoder: Path) -> None:
    from diffusers import AutoencoderKL

    out = tmp_path / "short"
    out.mkdir()
    (out / "rows").symlink_to(autoencoder.parent / "rows")
    short = train_vae(out, replace(VAE, decoder_steps=0), threads=1, check_every=2)
    before, after = (AutoencoderKL.from_pretrained(folder).state_dict() for folder in (short, autoencoder))
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"decoder", "post_quant_conv"}
    assert before["encoder.conv_in.weight"].isfinite().all()


def test_pairs_have_a_picture_and_a_caption(tmp_path: Path) -> None:
    read = read_pairs(make_dataset(tmp_path / "mixed", mixed_rows()).path, 32)
    assert read.captions == ["the first", ("a drawing " * 60), "the fifth", "the seventh ü 汉"]
    assert read.pixels.shape == (4, 32, 32, 3)
    with pytest.raises(DataError, match="nothing can be learned"):
        read_pairs(make_dataset(tmp_path / "empty", mixed_rows()[1:2]).path, 32)


def test_sides_are_named_by_their_words(tmp_path: Path) -> None:
    data = encoded(draw(scene(0)), "png", 0)
    captions = ["a fish left of a car", "a bright fish", "A boat on the right and a fish on the left"]
    read = read_pairs(make_dataset(tmp_path / "sides", [Row(data, caption) for caption in captions]).path, 64)
    assert read.has_sides.tolist() == [True, False, True]


def test_pictures_are_cut_to_their_middle() -> None:
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, 32:64] = 255
    assert fitted(Image.fromarray(wide), 16)[2:-2, 2:-2].min() > 250
    assert fitted(Image.fromarray(wide).rotate(90, expand=True), 16).shape == (16, 16, 3)


def test_diffusers_loads_and_runs_what_was_saved(trained: Path) -> None:
    from diffusers import DiffusionPipeline, StableDiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(trained, dtype=torch.float32)
    assert isinstance(pipeline, StableDiffusionPipeline)
    pipeline.set_progress_bar_config(disable=True)
    call = {"prompt": ["a red car", "two fish"], "num_inference_steps": 3, "output_type": "np"}
    images = pipeline(generator=[torch.Generator().manual_seed(seed) for seed in (0, 1)], **call).images
    assert images.shape == (2, 64, 64, 3)
    assert np.isfinite(images).all()
    assert pipeline.scheduler.config.prediction_type == "v_prediction"


def test_stopped_run_goes_on_to_the_same_weights(
    trained: Path, pairs: Path, autoencoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step: Callable[[DiffusionTrainer], dict[str, float]] = DiffusionTrainer.take_step

    def stop_after_three(self: DiffusionTrainer) -> dict[str, float]:
        losses = take_step(self)
        if self.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return losses

    out = tmp_path / "stopped"
    monkeypatch.setattr(DiffusionTrainer, "take_step", stop_after_three)
    with pytest.raises(Stopped, match="at step 3 of 4"):
        train(out, pairs, autoencoder)
    assert not (out / "pipeline").exists()
    curve = [json.loads(line)["step"] for line in (out / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
    assert curve == [2, 3]
    assert weights(train(out, pairs, autoencoder)) == weights(trained)


def test_other_settings_need_another_directory(tmp_path: Path, pairs: Path, autoencoder: Path, trained: Path) -> None:
    with pytest.raises(ConfigError, match="another batch"):
        train(trained.parent, pairs, autoencoder, replace(DIFFUSION, batch=2))
    other = train(tmp_path / "other", pairs, autoencoder, replace(DIFFUSION, seed=1))
    assert weights(other) != weights(trained)


def test_other_sources_need_another_directory(tmp_path: Path, pairs: Path, autoencoder: Path, trained: Path) -> None:
    other_vae = changed(shutil.copytree(autoencoder, tmp_path / "vae"))
    sources = Sources(pairs, other_vae, CLIP, begin=trained)
    with pytest.raises(ConfigError, match="another begin, vae"):
        train_diffusion(trained.parent, sources, DIFFUSION, threads=1)
    rows = [Row(encoded(draw(scene(seed)), "png", 0), caption_of(scene(seed)), size=(64, 64)) for seed in range(9)]
    with pytest.raises(ConfigError, match="another pairs;"):
        train(trained.parent, make_dataset(tmp_path / "pairs", rows).path, autoencoder)
    moved = shutil.copytree(pairs, tmp_path / "moved")
    assert train(trained.parent, moved, autoencoder) == trained  # the content counts, not where it lies
    note = trained.parent / "training.json"
    before = note.read_text(encoding="utf-8")
    note.write_text(json.dumps({k: v for k, v in json.loads(before).items() if k != "vae"}), encoding="utf-8")
    with pytest.raises(ConfigError, match="another vae;"):  # written by a version that did not note it
        train(trained.parent, pairs, autoencoder)
    note.write_text(before, encoding="utf-8")


def changed(folder: Path) -> Path:
    from safetensors.torch import load_file, save_file

    path = folder / "diffusion_pytorch_model.safetensors"
    state = load_file(path)
    save_file({name: value * 1.5 for name, value in state.items()}, path)
    return folder


def test_kept_examples_are_made_again_where_their_sources_differ(
    tmp_path: Path, pairs: Path, autoencoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import AutoencoderKL

    def examples(folder: Path) -> torch.Tensor:
        model = AutoencoderKL.from_pretrained(folder, dtype=torch.float32).eval()
        hashes = Sources(pairs, folder, CLIP).hashes()
        return kept_examples(tmp_path / "examples.pt", pairs, model, make_tokenizer(CONTEXT), hashes).latents

    other = changed(shutil.copytree(autoencoder, tmp_path / "vae"))
    first, second = examples(autoencoder), examples(other)
    assert not torch.allclose(first, second)
    assert torch.equal(examples(autoencoder), first)
    kept = torch.load(tmp_path / "examples.pt", weights_only=True)
    del kept["fingerprint"]
    torch.save({**kept, "latents": kept["latents"] * 0.0}, tmp_path / "examples.pt")  # as earlier versions left it
    assert torch.equal(examples(autoencoder), first)
    monkeypatch.setattr(diffusion, "encode_pairs", lambda *_: pytest.fail("was encoded again"))
    assert torch.equal(examples(autoencoder), first)


def test_stopped_autoencoder_goes_on_to_the_same_weights(
    tmp_path: Path, autoencoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vae, "CHECK_ROWS", 4)
    take_step: Callable[[VaeTrainer], dict[str, float]] = VaeTrainer.take_step

    def stop_after_three(self: VaeTrainer) -> dict[str, float]:
        losses = take_step(self)
        if self.step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return losses

    (tmp_path / "rows").symlink_to(autoencoder.parent / "rows")
    monkeypatch.setattr(VaeTrainer, "take_step", stop_after_three)
    with pytest.raises(Stopped, match="at step 3 of 4") as stopped:
        train_vae(tmp_path, VAE, threads=1, check_every=2)
    assert stopped.value.exit_code == 130
    assert not (tmp_path / "vae").exists()
    for name in ("diffusion_pytorch_model.safetensors", "config.json"):
        assert (train_vae(tmp_path, VAE, threads=1) / name).read_bytes() == (autoencoder / name).read_bytes()


@pytest.mark.parametrize("lacks", ["vae", "clip", "begin"])
def test_source_without_its_model_is_refused(tmp_path: Path, pairs: Path, autoencoder: Path, lacks: str) -> None:
    sources = replace(Sources(pairs, autoencoder, CLIP), **{lacks: tmp_path})
    with pytest.raises(ConfigError, match=f"{tmp_path}: there is no .*; give the folder that holds"):
        train_diffusion(tmp_path / "out", sources, DIFFUSION, threads=1)
    assert not (tmp_path / "out").exists()


def test_batches_larger_than_what_there_is_are_refused(tmp_path: Path, pairs: Path, autoencoder: Path) -> None:
    with pytest.raises(DataError, match="batches of 11 need as many pairs; it has 10"):
        train(tmp_path / "few", pairs, autoencoder, replace(DIFFUSION, batch=11))
    with pytest.raises(ConfigError, match="batches of 13 need as many pictures; there are 12"):
        train_vae(tmp_path / "vae", replace(VAE, batch=13), threads=1)


def test_training_goes_on_from_the_weights_of_a_pipeline(
    tmp_path: Path, pairs: Path, autoencoder: Path, trained: Path
) -> None:
    still = replace(DIFFUSION, steps=1, learning_rate=0.0)
    sources = Sources(pairs, autoencoder, CLIP, begin=trained)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae, "CHECK_ROWS", 4)
        same = train_diffusion(tmp_path / "same", sources, still, threads=1)
    assert weights(same) == weights(trained)


def test_held_out_pictures_are_there_once(tmp_path: Path) -> None:
    write_held_out(tmp_path / "pictures", 3, progress="none")
    files = sorted((tmp_path / "pictures").iterdir())
    assert [file.name for file in files] == [f"0000{n}.{kind}" for n in range(3) for kind in ("png", "txt")]
    before = [file.read_bytes() for file in files]
    times = [file.stat().st_mtime_ns for file in files]
    write_held_out(tmp_path / "pictures", 3, progress="none")
    assert [file.read_bytes() for file in files] == before
    assert [file.stat().st_mtime_ns for file in files] == times


def test_what_is_no_autoencoder_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds a UNet2DConditionModel, not an AutoencoderKL"):
        load_vae(CLIP.parent / "demo-raw" / "unet")
    with pytest.raises(DataError, match="cannot be loaded as an autoencoder") as caught:
        load_vae(tmp_path)
    assert "\n" not in str(caught.value)
