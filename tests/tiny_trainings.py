"""The training of every demo model at a size that takes no time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import diptych.demo
from diptych.demo.training import clip, detector, diffusion, vae
from diptych.demo.training.clip import ClipTraining
from diptych.demo.training.detector import DetectorTraining
from diptych.demo.training.diffusion import DiffusionTraining
from diptych.demo.training.trainer import TrainingSettings
from diptych.demo.training.vae import VaeTraining

SHIPPED_CLIP = Path(diptych.demo.__file__).parent / "models" / "clip"

CLIP = ClipTraining(
    steps=4,
    batch=8,
    rows=48,
    warm_up=2,
    model={
        "embed_dim": 16,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 4, "head_width": 32},
        "text_cfg": {"context_length": 40, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1},
    },
)
DETECTOR = DetectorTraining(
    steps=4, batch=8, rows=40, warm_up=2, model={**detector.default_model(), "widths": [4, 4, 8, 8], "blocks": 0}
)
VAE = VaeTraining(steps=2, decoder_steps=2, batch=4, rows=12, warm_up=1)
DIFFUSION = DiffusionTraining(
    steps=4, batch=4, warm_up=2, model={**diffusion.default_model(), "block_out_channels": [16, 16]}
)

Train = Callable[[Path, Any], Path]


class TinyRun(NamedTuple):
    """The directory of a finished run, how it was trained, and the file of its weights."""

    out: Path
    settings: TrainingSettings
    train: Train
    weights_file: str

    @property
    def folder(self) -> Path:
        """That of the finished model."""
        return self.out / Path(self.weights_file).parts[0]

    def weights(self, out: Path | None = None) -> bytes:
        """Return the weights of this run, or of one of its kind in another directory."""
        return ((out or self.out) / self.weights_file).read_bytes()

    def sharing(self, out: Path) -> Path:
        """Make a directory that has the drawn pictures of this run."""
        out.mkdir()
        if (self.out / "rows").exists():
            (out / "rows").symlink_to(self.out / "rows")
        return out


def few_to_look_at(patch: pytest.MonkeyPatch) -> None:
    for module, count in ((clip, 20), (detector, 8), (vae, 4), (diffusion, 4)):
        patch.setattr(module, "CHECK_ROWS", count)


def finished(out: Path, settings: TrainingSettings, train: Train, weights_file: str) -> TinyRun:
    """Train, and return the run."""
    with pytest.MonkeyPatch.context() as patch:
        few_to_look_at(patch)
        train(out, settings)
    return TinyRun(out, settings, train, weights_file)


def with_other_weights(folder: Path) -> Path:
    """Change the weights of an autoencoder and return its folder."""
    from safetensors.torch import load_file, save_file

    path = folder / "diffusion_pytorch_model.safetensors"
    save_file({name: value * 1.5 for name, value in load_file(path).items()}, path)
    return folder
