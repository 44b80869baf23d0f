"""Models as folders: finding them, their identity, and damaged ones."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.utils import logging

from diptych.errors import ConfigError, DataError, DiptychError
from diptych.generate.backends.asked import ModelChoice, Size
from diptych.generate.backends.diffusers.families import FAMILIES, family_of
from diptych.generate.backends.diffusers.finding import find_model
from diptych.generate.backends.diffusers.loading import choose_device, load_pipeline
from diptych.generate.backends.diffusers.models import ModelFolder, pipeline_class

Models = Callable[[str], str]


def find(path: Path | str, **changes: Any) -> ModelFolder:
    return find_model("m", ModelChoice(path_or_id=str(path), **changes), with_weights=True)


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture
def copied(models: Models, tmp_path: Path) -> Path:
    shutil.copytree(models("sd"), tmp_path / "sd")
    return tmp_path / "sd"


def test_the_identity_is_the_sha256_of_each_component_that_decides_pixels(models: Models) -> None:
    folder = find(models("sdxl"))
    identity = folder.identity()
    assert set(identity["components"]) == {"unet", "vae", "text_encoder", "text_encoder_2"}
    weights = Path(models("sdxl")) / "unet" / "diffusion_pytorch_model.safetensors"
    assert identity["components"]["unet"]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert identity["components"]["unet"]["class"] == "UNet2DConditionModel"
    assert identity["switches"] == {"force_zeros_for_empty_prompt": True}
    assert (identity["pipeline"], identity["dtype"]) == ("StableDiffusionXLPipeline", "float32")
    assert json.loads(json.dumps(identity)) == identity


def test_weights_in_several_files_and_variants_are_told_apart(copied: Path) -> None:
    unet = copied / "unet"
    whole = unet / "diffusion_pytorch_model.safetensors"
    before = find(copied).identity()["components"]["unet"]["sha256"]
    shutil.copy(whole, unet / "diffusion_pytorch_model.fp16.safetensors")
    shutil.copy(whole, unet / "notes.safetensors")
    assert find(copied).identity()["components"]["unet"]["sha256"] == before
    assert [file.name for file in find(copied, variant="fp16").weight_files("unet")] == [
        "diffusion_pytorch_model.fp16.safetensors"
    ]
    assert [file.name for file in find(copied, variant="fp16").weight_files("vae")] == [
        "diffusion_pytorch_model.safetensors"
    ], "as diffusers does: a component without the variant is taken without it"
    whole.rename(unet / "diffusion_pytorch_model-00001-of-00002.safetensors")
    shutil.copy(copied / "vae" / whole.name, unet / "diffusion_pytorch_model-00002-of-00002.safetensors")
    names = [f"diffusion_pytorch_model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = {"weight_map": dict(zip("ab", names, strict=True))}
    (unet / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    assert [file.name for file in find(copied).weight_files("unet")] == names
    assert find(copied).identity()["components"]["unet"]["sha256"] != before


@pytest.mark.parametrize("name", ["sd", "sdxl", "sd3", "flux"])
def test_default_sizes_are_those_of_the_pipelines(name: str, models: Models) -> None:
    folder = find(models(name))
    family = family_of(folder.pipeline)
    assert folder.pipeline in FAMILIES
    pipe = load_pipeline(folder)
    side = getattr(pipe, "default_sample_size", None) or pipe.unet.config.sample_size
    assert family.default_size(folder) == Size(*[side * pipe.vae_scale_factor] * 2)  # type: ignore[attr-defined]
    assert family.vae_scale(folder) == pipe.vae_scale_factor  # type: ignore[attr-defined]


def test_a_pipeline_is_loaded_without_safety_checker_and_watermark_in_its_dtype(models: Models) -> None:
    pipe = load_pipeline(find(models("sd"), dtype="bfloat16"))
    assert pipe.safety_checker is None
    assert pipe.unet.dtype == pipe.text_encoder.dtype == torch.bfloat16
    assert load_pipeline(find(models("sdxl"))).watermark is None


def test_another_pipeline_class_can_be_named(models: Models) -> None:
    assert find(models("sd"), pipeline="StableDiffusionImg2ImgPipeline").pipeline == "StableDiffusionImg2ImgPipeline"
    with pytest.raises(ConfigError, match=r"models\.m: diffusers .* has no pipeline 'UNet2DConditionModel'"):
        pipeline_class(find(models("sd"), pipeline="UNet2DConditionModel"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no-such-folder", r"models\.m: no folder 'no-such-folder'; give the folder of a diffusers pipeline"),
        ("/etc/hostname", r"models\.m: no folder '/etc/hostname'"),
        ("/etc", r"models\.m: /etc has no model_index.json"),
        (
            "nobody/nothing-there",
            r"models\.m: nobody/nothing-there is not in the hub's cache whole, and downloads are off",
        ),
    ],
)
def test_a_model_that_is_not_there_is_one_line(path: str, message: str) -> None:
    for with_weights in (True, False):
        with pytest.raises(DiptychError, match=message) as caught:
            find_model("m", ModelChoice(path_or_id=path), with_weights=with_weights)
        assert "\n" not in str(caught.value)


def test_a_shipped_model_is_named_by_its_package() -> None:
    folder = find("package:diptych.demo/models/demo-curated")
    assert folder.pipeline == "StableDiffusionPipeline"
    assert set(folder.identity()["components"]) == {"text_encoder", "unet", "vae"}
    with pytest.raises(ConfigError, match=r"models\.m: no folder 'package:diptych.demo/models/none'"):
        find("package:diptych.demo/models/none")


def test_a_revision_belongs_to_the_hub(models: Models) -> None:
    with pytest.raises(ConfigError, match="a revision belongs to a model on the hub"):
        find(models("sd"), revision="main")


@pytest.mark.parametrize("with_weights", [True, False])
def test_a_model_in_the_cache_of_the_hub_is_found_offline(
    with_weights: bool, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import diffusers.pipelines.pipeline_utils as pipeline_utils
    import huggingface_hub.constants

    revision = "0123456789abcdef0123456789abcdef01234567"
    cache = tmp_path / "hub"
    snapshot = cache / "models--own--tiny" / "snapshots" / revision
    shutil.copytree(models("sd"), snapshot)
    (cache / "models--own--tiny" / "refs").mkdir()
    (cache / "models--own--tiny" / "refs" / "main").write_text(revision)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(pipeline_utils, "HF_HUB_CACHE", str(cache), raising=False)
    for wanted in (None, revision):
        folder = find_model("m", ModelChoice(path_or_id="own/tiny", revision=wanted), with_weights=with_weights)
        assert folder.path.resolve() == snapshot.resolve()
        assert folder.pipeline == "StableDiffusionPipeline"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / "model_index.json").write_text("{"), "model_index.json: damaged"),
        (
            lambda path: (path / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text("[" * 99_999),
            "damaged",
        ),
        (lambda path: (path / "model_index.json").write_text("[]"), "holds no JSON object"),
        (lambda path: (path / "model_index.json").write_text("{}"), "names no pipeline class"),
        (lambda path: (path / "vae" / "config.json").write_text("x"), "vae/config.json: damaged"),
        (lambda path: shutil.rmtree(path / "unet"), "no safetensors weights in .*unet"),
        (
            lambda path: (path / "unet" / "diffusion_pytorch_model.safetensors").rename(
                path / "unet" / "diffusion_pytorch_model.fp16.safetensors"
            ),
            "it has the variants fp16: name one",
        ),
        (
            lambda path: (path / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"garbage" * 9),
            r"models\.m: .*unet/diffusion_pytorch_model.safetensors: has no whole header in its 63 bytes",
        ),
        (
            lambda path: shutil.copy(
                path / "vae" / "diffusion_pytorch_model.safetensors",
                path / "unet" / "diffusion_pytorch_model.safetensors",
            ),
            r"models\.m: .*unet lacks \d+ of the weights of UNet2DConditionModel",
        ),
        (lambda path: (path / "tokenizer" / "tokenizer.json").write_text("{"), r"models\.m: .* cannot be loaded"),
        (
            lambda path: replace_in(path / "model_index.json", '"CLIPTokenizer"', '"NopeTokenizer"'),
            r"models\.m: no installed library has NopeTokenizer, the class of its tokenizer; update diffusers",
        ),
        (lambda path: shutil.rmtree(path / "tokenizer"), r"models\.m: .* cannot be loaded"),
    ],
)
def test_a_damaged_model_is_one_line_that_names_it(spoil: Callable[[Path], Any], message: str, copied: Path) -> None:
    def use() -> None:
        folder = find(copied)
        folder.identity()
        folder.load_tokenizers()
        load_pipeline(folder)

    spoil(copied)
    with pytest.raises(DataError, match=message) as caught:
        use()
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_named() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in {"cpu", "cuda", "mps"}
    with pytest.raises(ConfigError, match=r"device: cuda:99, but torch sees \d+ GPUs; write auto or cpu"):
        choose_device("cuda:99")


def test_loading_draws_no_bar_where_nobody_has_switched_them_off(
    models: Models, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = find(models("sd"))
    logging.enable_progress_bar()  # as they are in a worker
    try:
        load_pipeline(folder)
    finally:
        logging.disable_progress_bar()
    assert capfd.readouterr() == ("", "")
