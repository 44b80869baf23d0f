"""All models of the demo made again, shortened: what comes out loads and runs through the code of the product."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from diptych.cli import main
from diptych.dataset import open_dataset
from diptych.demo.training.clip import ClipTraining
from diptych.demo.training.detector import DetectorTraining
from diptych.demo.training.diffusion import DiffusionTraining
from diptych.demo.training.everything import Plan, make_models
from diptych.demo.training.vae import VaeTraining
from diptych.detectors import make_detector
from diptych.encoders import make_encoder
from diptych.shards import read_shard

PLAN = Plan(
    clip=replace(ClipTraining(), steps=6, batch=16, rows=64, warm_up=2),
    head_rows=60,
    detector=replace(DetectorTraining(), steps=6, batch=16, rows=64, warm_up=2),
    vae=replace(VaeTraining(), steps=4, decoder_steps=2, batch=8, rows=64, warm_up=2),
    diffusion=replace(DiffusionTraining(), steps=6, batch=8, warm_up=2),
    web_rows=120,
    curate=("select=[]", "download.deadline_s=1.5"),  # thresholds are for a CLIP that has learned something
)
GENERATE = """
job: generate
prompts: [{kind: demo, options: {per_category: 2, categories: [single]}}]
models: {raw: {path_or_id: MODELS/demo-raw}, curated: {path_or_id: MODELS/demo-curated}}
settings: [{sampler: ddim, steps: 3}]
batch_size: 4
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_retrained_models_load_and_run_through_the_same_code(tmp_path: Path) -> None:
    models = make_models(tmp_path / "out", PLAN, threads=1)
    assert sorted(path.name for path in models.iterdir()) == ["clip", "demo-curated", "demo-raw", "detector", "heads"]
    encoder = make_encoder("open_clip", {"architecture": str(models / "clip")})
    assert encoder.texts(["a red car"]).shape == (1, 128)
    assert "car" in make_detector("centre_point", {"weights": str(models / "detector")}).labels
    config = tmp_path / "generate.yaml"
    config.write_text(GENERATE.replace("MODELS", str(models)))
    made = CliRunner().invoke(main, ["generate", "run", str(config), "--out", str(tmp_path / "images")])
    assert made.exit_code == 0, (made.output, made.exception)
    dataset = open_dataset(tmp_path / "images")
    images = [row for file in dataset.files for row in read_shard(file, ["image", "model", "status"]).to_pylist()]
    assert [row["status"] for row in images] == ["ok"] * 4
    assert len({row["image"]["bytes"] for row in images}) == 4
    assert make_models(tmp_path / "out", PLAN, threads=1) == models
