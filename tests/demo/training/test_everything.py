"""All models of the demo made again, shortened: what comes out loads and runs through the code of the product."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.demo.training import everything
from diptych.demo.training.clip import ClipTraining
from diptych.demo.training.detector import DetectorTraining
from diptych.demo.training.diffusion import DiffusionTraining
from diptych.demo.training.everything import TrainingPlan, curate_web, make_models
from diptych.demo.training.stops import Stopped
from diptych.demo.training.trainer import Trainer
from diptych.demo.training.vae import VaeTraining
from diptych.demo.world.web import DemoWeb
from diptych.demo.world.web_state import STATE, port_of
from diptych.encoders import make_encoder
from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge

PLAN = TrainingPlan(
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
    assert "car" in make_judge("centre_point", {"weights": str(models / "detector")}).labels
    config = tmp_path / "generate.yaml"
    config.write_text(GENERATE.replace("MODELS", str(models)))
    made = CliRunner().invoke(main, ["generate", "run", str(config), "--out", str(tmp_path / "images")])
    assert made.exit_code == 0, (made.output, made.exception)
    dataset = open_dataset(tmp_path / "images")
    images = [row for file in dataset.files for row in read_shard(file, ["image", "model", "status"]).to_pylist()]
    assert [row["status"] for row in images] == ["ok"] * 4
    assert len({row["image"]["bytes"] for row in images}) == 4
    assert make_models(tmp_path / "out", PLAN, threads=1) == models


def test_stopped_models_are_not_built_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_step: Callable[[Trainer], dict[str, float]] = Trainer.take_step

    def stop_after_three(self: Trainer) -> dict[str, float]:
        losses = take_step(self)
        if self.step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return losses

    later: list[bytes] = []

    def heads(out: Path, model: Path, **_: int) -> Path:
        later.append((model / "open_clip_model.safetensors").read_bytes())
        raise DataError("far enough")

    monkeypatch.setattr(everything, "train_heads", heads)
    with pytest.raises(DataError, match="far enough"):
        make_models(tmp_path / "whole", PLAN, threads=1)
    monkeypatch.setattr(Trainer, "take_step", stop_after_three)
    with pytest.raises(Stopped, match="at step 3 of 6"):
        make_models(tmp_path / "stopped", PLAN, threads=1)
    assert len(later) == 1
    with pytest.raises(DataError, match="far enough"):
        make_models(tmp_path / "stopped", PLAN, threads=1)
    assert later[0] == later[1]


def test_sigterm_ends_the_curation_before_its_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], *, check: bool) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(Stopped, match="stopped while the web was curated") as stopped:
        curate_web(tmp_path, PLAN, tmp_path, tmp_path)
    assert stopped.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with pytest.raises(ConfigError, match="is a demo web of 120 rows, not 140; give another --out, or 120 rows"):
        curate_web(tmp_path, replace(PLAN, web_rows=140), tmp_path, tmp_path)
    known = json.loads((tmp_path / STATE).read_text(encoding="utf-8"))
    assert port_of(tmp_path, 120, whole=tmp_path) == known["port"] > 0


@pytest.mark.parametrize("port", [65_536, 99_999, -1])
def test_port_that_does_not_exist_is_refused(port: int) -> None:
    with (
        pytest.raises(ConfigError, match=f"there is no port {port} to serve on, only 0 to 65535"),
        DemoWeb(100, port=port),
    ):
        pass
