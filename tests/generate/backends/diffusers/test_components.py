"""Components of a pipeline: left out, put in the place of others, and the headers of their weights."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import tiny_families

from diptych.errors import ConfigError, DataError, DiptychError
from diptych.generate.backends.asked import ModelChoice
from diptych.generate.backends.diffusers.finding import find_model
from diptych.generate.backends.diffusers.loading import load_pipeline
from diptych.generate.backends.diffusers.models import ModelFolder

Models = Callable[[str], str]


def find(path: Path | str, **changes: Any) -> ModelFolder:
    return find_model("m", ModelChoice(path_or_id=str(path), **changes), with_weights=True)


def test_a_text_encoder_that_is_left_out_takes_its_tokenizer_along(models: Models) -> None:
    folder = find(models("sd3"), components={"text_encoder_3": None})
    pipe = load_pipeline(folder)
    assert (pipe.text_encoder_3, pipe.tokenizer_3) == (None, None)
    assert set(folder.tokenizers) == {"tokenizer", "tokenizer_2"}
    assert folder.identity() != find(models("sd3")).identity()


def test_a_pipeline_that_was_saved_without_a_component_loads(models: Models, tmp_path: Path) -> None:
    load_pipeline(find(models("sd3"), components={"text_encoder_3": None})).save_pretrained(tmp_path / "without")
    assert load_pipeline(find(tmp_path / "without")).text_encoder_3 is None


def test_a_component_in_the_place_of_another_is_loaded_and_known_by_its_weights(models: Models, tmp_path: Path) -> None:
    vae = load_pipeline(find(models("sd"))).vae
    vae.config["scaling_factor"] = 0.5
    vae.decoder.conv_out.bias.data += 1
    vae.save_pretrained(tmp_path / "vae")
    folder = find(models("sd"), components={"vae": str(tmp_path / "vae")})
    assert load_pipeline(folder).vae.config.scaling_factor == 0.5
    own, other = find(models("sd")).identity()["components"], folder.identity()["components"]
    assert own["unet"] == other["unet"]
    assert {key for key in own["vae"] if own["vae"][key] != other["vae"][key]} == {"config", "sha256"}


@pytest.mark.parametrize(
    ("components", "message"),
    [
        ({"vea": None}, r"models\.m\.components: unknown component 'vea'; did you mean 'vae'"),
        ({"scheduler": None}, r"models\.m\.components: unknown component 'scheduler'"),
        ({"vae": "no such"}, r"models\.m\.components\.vae: no such: no such folder"),
        (
            {"vae": "own/vae"},
            r"models\.m\.components\.vae: own/vae is not in the hub's cache whole, and downloads are off",
        ),
        ({"vae": "/etc"}, r"models\.m\.components\.vae: /etc has no config.json"),
        ({"vae": None}, r"models\.m\.components: StableDiffusionPipeline cannot do without vae; leave it in"),
        ({"text_encoder": None}, r"models\.m\.components: StableDiffusionPipeline cannot do without text_encoder"),
        ({"safety_checker": "/etc"}, r"models\.m\.components: safety_checker is never loaded; leave it out"),
    ],
)
def test_a_component_that_cannot_be_had_is_one_line(components: dict[str, Any], message: str, models: Models) -> None:
    with pytest.raises(DiptychError, match=message):
        find(models("sd"), components=components)


def test_a_component_of_which_no_class_is_known_is_not_dropped_in_silence(models: Models, tmp_path: Path) -> None:
    folder = find(models("sd3"), components={"text_encoder_3": None})
    load_pipeline(folder).save_pretrained(tmp_path / "without")
    with pytest.raises(
        ConfigError, match=r"text_encoder_3 is null in model_index\.json, so that its class is not known"
    ):
        find(tmp_path / "without", components={"text_encoder_3": f"{models('sd3')}/text_encoder_3"})


def test_a_guider_takes_the_place_of_another(tmp_path: Path) -> None:
    own = tiny_families.save("hunyuanimage", tmp_path)
    diffusers.ClassifierFreeGuidance(guidance_scale=7.0).save_pretrained(tmp_path / "guider")
    folder = find(own, components={"guider": str(tmp_path / "guider"), "ocr_guider": None})
    pipe = load_pipeline(folder)
    assert (type(pipe.guider).__name__, pipe.guider.guidance_scale, pipe.ocr_guider) == (
        "ClassifierFreeGuidance",
        7.0,
        None,
    )
    assert folder.identity()["components"]["guider"] != find(own).identity()["components"]["guider"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("scheduler", "scheduler has no scheduler_config.json"),
        ("text_encoder/config.json", "text_encoder has no config.json"),
        ("vae/config.json", "vae has no config.json"),
    ],
)
def test_what_cannot_be_loaded_without_a_config_is_refused_before(
    part: str, message: str, models: Models, tmp_path: Path
) -> None:
    shutil.copytree(models("sd"), tmp_path / "sd")
    (tmp_path / "sd" / part).rename(tmp_path / "gone")
    for with_weights in (True, False):
        with pytest.raises(DataError, match=rf"models\.m: .*/{message}; fetch the model again"):
            find_model("m", ModelChoice(path_or_id=str(tmp_path / "sd")), with_weights=with_weights)


def test_a_pipeline_of_which_the_index_lacks_a_part_is_refused(models: Models, tmp_path: Path) -> None:
    shutil.copytree(models("sd"), tmp_path / "sd")
    index = json.loads((tmp_path / "sd" / "model_index.json").read_text())
    del index["tokenizer"]
    (tmp_path / "sd" / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(DataError, match=r"names no tokenizer, which StableDiffusionPipeline needs"):
        find(tmp_path / "sd")


@pytest.fixture
def unet(models: Models, tmp_path: Path) -> Path:
    """The weights of the denoiser of a copy of a model."""
    shutil.copytree(models("sd"), tmp_path / "sd")
    return tmp_path / "sd" / "unet" / "diffusion_pytorch_model.safetensors"


def with_offset(data: bytes, value: Any) -> bytes:
    """Return a file of safetensors of which a tensor is said to end at another place."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    next(entry for name, entry in header.items() if name != "__metadata__")["data_offsets"][1] = value
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + data[8 + length :]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda data: data[: len(data) // 2],
            r"is cut: it has [\d,]+ bytes where its header says [\d,]+; fetch it again",
        ),
        (lambda data: data + b"more", "is too long"),
        (lambda data: b"", "has no whole header in its 0 bytes"),
        (lambda data: data[:3] + bytes([data[3] ^ 0xFF]) + data[4:], "has no whole header"),
        (lambda data: data[:20] + b"\x00" + data[21:], "its header is damaged"),
        (lambda data: with_offset(data, "4"), "its header is damaged: '4' is no place of a byte"),
    ],
    ids=["cut", "longer", "empty", "length", "header", "offset"],
)
def test_damaged_weights_are_found_without_loading_them(
    spoil: Callable[[bytes], bytes], message: str, unet: Path
) -> None:
    unet.write_bytes(spoil(unet.read_bytes()))
    for with_weights in (True, False):
        choice = ModelChoice(path_or_id=str(unet.parents[1]))
        with pytest.raises(DataError, match=rf"models\.m: .*unet/diffusion_pytorch_model.safetensors: .*{message}"):
            find_model("m", choice, with_weights=with_weights)


def test_a_file_that_an_index_names_and_that_is_not_there_is_found(unet: Path) -> None:
    name = "diffusion_pytorch_model-00001-of-00002.safetensors"
    unet.rename(unet.with_name(name))
    index = f'{{"weight_map": {{"a": "{name}", "b": "{name.replace("00001-", "00002-")}"}}}}'
    unet.with_name("diffusion_pytorch_model.safetensors.index.json").write_text(index)
    with pytest.raises(DataError, match=r"-00002-of-00002.safetensors: is missing, though .*index.json names it"):
        find(unet.parents[1])


def test_shards_without_the_index_that_names_them_are_refused(unet: Path) -> None:
    unet.rename(unet.with_name("diffusion_pytorch_model-00001-of-00001.safetensors"))
    with pytest.raises(DataError, match=r"-00001-of-00001.safetensors: is one of several, and the index .* is missing"):
        find(unet.parents[1])


def test_a_variant_that_no_component_has_is_refused(models: Models) -> None:
    with pytest.raises(ConfigError, match=r"models\.m: variant 'fp16': none of its components has it; leave it out"):
        find(models("sd"), variant="fp16")
