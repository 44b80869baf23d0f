"""A finished run of every recipe, of four steps each, made once for all tests here."""

from pathlib import Path

import pytest
from tiny_dataset import Row, make_dataset
from tiny_trainings import CLIP, DETECTOR, DIFFUSION, SHIPPED_CLIP, VAE, TinyRun, few_to_look_at, finished

from diptych.demo.training.caption_rows import CaptionKind, CaptionRows, draw_caption_rows
from diptych.demo.training.clip import ClipTraining, train_clip
from diptych.demo.training.detector import DetectorTraining, train_detector
from diptych.demo.training.detector_rows import DetectorKind, DetectorRows, draw_detector_rows
from diptych.demo.training.diffusion import DiffusionTraining, train_diffusion
from diptych.demo.training.sources import Sources
from diptych.demo.training.vae import VaeTraining, train_vae
from diptych.demo.world.captions import caption_of
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded
from diptych.demo.world.scenes import scene


@pytest.fixture(autouse=True)
def _few_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    few_to_look_at(monkeypatch)


@pytest.fixture(scope="session")
def clip_run(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    def train(out: Path, settings: ClipTraining) -> Path:
        return train_clip(out, settings, threads=1, check_every=2)

    return finished(tmp_path_factory.mktemp("clip"), CLIP, train, "clip/open_clip_model.safetensors")


@pytest.fixture(scope="session")
def captioned(clip_run: TinyRun) -> CaptionRows:
    return draw_caption_rows(clip_run.out / "rows", CLIP.rows, CaptionKind(64, 40))


@pytest.fixture(scope="session")
def detector_run(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    def train(out: Path, settings: DetectorTraining) -> Path:
        return train_detector(out, settings, threads=1, check_every=2)

    return finished(tmp_path_factory.mktemp("detector"), DETECTOR, train, "detector/model.safetensors")


@pytest.fixture(scope="session")
def detectable(detector_run: TinyRun) -> DetectorRows:
    return draw_detector_rows(detector_run.out / "rows", DETECTOR.rows, DetectorKind(64))


@pytest.fixture(scope="session")
def vae_run(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    def train(out: Path, settings: VaeTraining) -> Path:
        return train_vae(out, settings, threads=1, check_every=2)

    return finished(tmp_path_factory.mktemp("vae"), VAE, train, "vae/diffusion_pytorch_model.safetensors")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset directory of ten scenes, and a row that nothing can be learned from."""
    rows = [Row(encoded(draw(scene(seed)), "png", 0), caption_of(scene(seed)), size=(64, 64)) for seed in range(10)]
    return make_dataset(tmp_path_factory.mktemp("pairs"), [*rows, Row(None, "lost", "not_found", None)]).path


@pytest.fixture(scope="session")
def diffusion_run(tmp_path_factory: pytest.TempPathFactory, pairs: Path, vae_run: TinyRun) -> TinyRun:
    def train(out: Path, settings: DiffusionTraining) -> Path:
        return train_diffusion(out, Sources(pairs, vae_run.folder, SHIPPED_CLIP), settings, threads=1, check_every=2)

    weights_file = "pipeline/unet/diffusion_pytorch_model.safetensors"
    return finished(tmp_path_factory.mktemp("diffusion"), DIFFUSION, train, weights_file)


@pytest.fixture(params=["clip", "detector", "vae", "diffusion"])
def run(request: pytest.FixtureRequest) -> TinyRun:
    """The run of each recipe in turn."""
    found: TinyRun = request.getfixturevalue(f"{request.param}_run")
    return found
