"""The recipe of the demo's text-to-image pipelines, at a size that takes no time."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_dataset import Row, make_dataset
from tiny_trainings import DIFFUSION, SHIPPED_CLIP, TinyRun, with_other_weights

from diptych.demo.training.diffusion import train_diffusion
from diptych.demo.training.sources import Sources
from diptych.demo.world.captions import caption_of
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.scenes import scene
from diptych.errors import ConfigError, DataError


def test_diffusers_loads_and_runs_what_was_saved(diffusion_run: TinyRun) -> None:
    from diffusers import DiffusionPipeline, StableDiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(diffusion_run.folder, dtype=torch.float32)
    assert isinstance(pipeline, StableDiffusionPipeline)
    pipeline.set_progress_bar_config(disable=True)
    call = {"prompt": ["a red car", "two fish"], "num_inference_steps": 3, "output_type": "np"}
    images = pipeline(generator=[torch.Generator().manual_seed(seed) for seed in (0, 1)], **call).images
    assert images.shape == (2, 64, 64, 3)
    assert np.isfinite(images).all()
    assert pipeline.scheduler.config.prediction_type == "v_prediction"


def test_other_sources_need_another_directory(
    tmp_path: Path, pairs: Path, vae_run: TinyRun, diffusion_run: TinyRun
) -> None:
    def goes_on(pairs: Path, **changed: Path) -> Path:
        sources = replace(Sources(pairs, vae_run.folder, SHIPPED_CLIP), **changed)
        return train_diffusion(diffusion_run.out, sources, DIFFUSION, threads=1)

    other_vae = with_other_weights(shutil.copytree(vae_run.folder, tmp_path / "vae"))
    with pytest.raises(ConfigError, match="another begin, vae;"):
        goes_on(pairs, vae=other_vae, begin=diffusion_run.folder)
    rows = [Row(encoded(draw(scene(seed)), "png", 0), caption_of(scene(seed)), size=(64, 64)) for seed in range(9)]
    with pytest.raises(ConfigError, match="another pairs;"):
        goes_on(make_dataset(tmp_path / "pairs", rows).path)
    moved = shutil.copytree(pairs, tmp_path / "moved")
    assert goes_on(moved) == diffusion_run.folder  # the content counts, not where it lies


@pytest.mark.parametrize("lacks", ["vae", "clip", "begin"])
def test_source_without_its_model_is_refused(tmp_path: Path, pairs: Path, vae_run: TinyRun, lacks: str) -> None:
    sources = replace(Sources(pairs, vae_run.folder, SHIPPED_CLIP), **{lacks: tmp_path})
    with pytest.raises(ConfigError, match=f"{tmp_path}: there is no .*; give the folder that holds"):
        train_diffusion(tmp_path / "out", sources, DIFFUSION, threads=1)
    assert not (tmp_path / "out").exists()


def test_batches_larger_than_all_pairs_are_refused(diffusion_run: TinyRun, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="batches of 11 need as many pairs; it has 10"):
        diffusion_run.train(tmp_path, replace(DIFFUSION, batch=11))


def test_training_goes_on_from_the_weights_of_a_pipeline(
    tmp_path: Path, pairs: Path, vae_run: TinyRun, diffusion_run: TinyRun
) -> None:
    still = replace(DIFFUSION, steps=1, learning_rate=0.0)
    sources = Sources(pairs, vae_run.folder, SHIPPED_CLIP, begin=diffusion_run.folder)
    train_diffusion(tmp_path, sources, still, threads=1)
    assert diffusion_run.weights(tmp_path) == diffusion_run.weights()
