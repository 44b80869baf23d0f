"""Pipelines that are driven by their signature: what is always passed, and which options take part."""

from pathlib import Path
from typing import Any

import pytest

from diptych.errors import ConfigError
from diptych.generate.backends.asked import ModelChoice, ResolvedSetting, Setting
from diptych.generate.backends.diffusers.families import family_of
from diptych.generate.backends.diffusers.models import ModelFolder

NONE = Setting()


def resolved(
    pipeline: str, folder: Path, setting: Setting = NONE, *, said: dict[str, Any] | None = None, **options: Any
) -> ResolvedSetting:
    """Return a setting as a pipeline takes it of which only the class and the class of its scheduler are known."""
    index = {"_class_name": pipeline, "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"], **(said or {})}
    choice = ModelChoice(path_or_id=str(folder), options=options)
    return family_of(pipeline).resolve(ModelFolder("m", choice, folder, index), setting)


@pytest.mark.parametrize(
    ("pipeline", "name"),
    [("LattePipeline", "video_length"), ("LTXPipeline", "num_frames"), ("SanaVideoPipeline", "frames")],
)
def test_of_a_film_one_frame_is_made_by_whichever_name_it_calls_their_number(
    pipeline: str, name: str, tmp_path: Path
) -> None:
    assert resolved(pipeline, tmp_path).recipe.fixed[name] == 1
    assert name not in resolved(pipeline, tmp_path, **{name: 9}).recipe.fixed, "an option says otherwise"


@pytest.mark.parametrize(
    ("pipeline", "options", "setting", "message"),
    [
        (
            "QwenImagePipeline",
            {"true_cfg_scale": 7.0},
            Setting(),
            "guidance 7 takes part only beside a negative prompt",
        ),
        ("FluxPipeline", {"true_cfg_scale": 1.0}, Setting(), "true_cfg_scale takes part only above 1, not with 1"),
        ("Lumina2Pipeline", {"cfg_trunc_ratio": 0.5}, Setting(guidance=1), "cfg_trunc_ratio takes part only in guided"),
        ("ZImagePipeline", {"cfg_normalization": True}, Setting(guidance=0), "and with guidance 0 there are none"),
        ("ChromaPipeline", {"joint_attention_kwargs": {"scale": 0.3}}, Setting(), "is for adapters, of which none"),
        ("OmniGenPipeline", {"img_guidance_scale": 5.0}, Setting(), "is for input images, of which there are none"),
        ("StableCascadeCombinedPipeline", {"decoder_guidance_scale": 1}, Setting(), "takes part only above 1"),
    ],
)
def test_an_option_that_changes_no_picture_is_refused(
    pipeline: str, options: dict[str, Any], setting: Setting, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        resolved(pipeline, tmp_path, setting, **options)


def test_options_of_guidance_are_taken_beside_guidance(tmp_path: Path) -> None:
    asked = Setting(guidance=4, negative="grey")
    assert resolved("QwenImagePipeline", tmp_path, asked).guides
    assert resolved("QwenImagePipeline", tmp_path, Setting(negative=""), true_cfg_scale=1.0).negative == "off"
    assert resolved("Lumina2Pipeline", tmp_path, asked, cfg_trunc_ratio=0.5).guides


def test_a_checkpoint_with_guidance_built_in_is_asked_once_a_step(tmp_path: Path) -> None:
    once = resolved("Flux2KleinPipeline", tmp_path, Setting(steps=4), said={"is_distilled": True})
    twice = resolved("Flux2KleinPipeline", tmp_path, Setting(steps=4))
    assert (once.nfe_in_all, twice.nfe_in_all) == (4, 8)


@pytest.mark.parametrize("can", [True, False])
def test_captions_are_cleaned_or_not_and_the_key_of_an_image_knows(
    can: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("any_pipeline", "options"):
        monkeypatch.setattr(f"diptych.generate.backends.diffusers.{module}.can_clean", lambda: can)
    assert resolved("LuminaPipeline", tmp_path).recipe.fixed.get("clean_caption", True) is can
    if can:
        assert resolved("LuminaPipeline", tmp_path, clean_caption=True).recipe.fixed.get("clean_caption") is None
    else:
        with pytest.raises(ConfigError, match=r"clean_caption needs two packages, .*pip install beautifulsoup4 ftfy"):
            resolved("LuminaPipeline", tmp_path, clean_caption=True)
