"""Makes all models of the demo again, one after the other: ``make demo-models``. Stopped, it goes on where it was.

The CLIP and its heads, the detector, the autoencoder; then a demo web, curated with the CLIP and heads just made; then
the two pipelines: one learns from all that the web served, the other from what curation kept.
"""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from diptych.config.overrides import path_setting
from diptych.demo.training.clip import ClipTraining, train_clip
from diptych.demo.training.detector import DetectorTraining, train_detector
from diptych.demo.training.diffusion import DiffusionTraining, train_diffusion
from diptych.demo.training.heads import DEFAULT_ROWS, train_heads
from diptych.demo.training.sources import Sources
from diptych.demo.training.stops import stopped_by_sigterm
from diptych.demo.training.vae import VaeTraining, train_vae
from diptych.demo.world.web import DemoWeb
from diptych.demo.world.web_state import TABLE, port_of, remember
from diptych.errors import DataError
from diptych.ready_configs import config_path

WEB_ROWS = 20_000


@dataclass(frozen=True)
class TrainingPlan:
    """How much of everything: the whole for models that are shipped, little for a test of the program.

    Attributes:
        clip: How the CLIP is trained.
        head_rows: Pictures that its heads learn from.
        detector: How the detector is trained.
        vae: How the autoencoder is trained.
        diffusion: How both pipelines are trained.
        web_rows: Rows of the demo web that they learn from.
        curate: Further ``key=value`` settings of its curation.
    """

    clip: ClipTraining = field(default_factory=ClipTraining)
    head_rows: int = DEFAULT_ROWS
    detector: DetectorTraining = field(default_factory=DetectorTraining)
    vae: VaeTraining = field(default_factory=VaeTraining)
    diffusion: DiffusionTraining = field(default_factory=DiffusionTraining)
    web_rows: int = WEB_ROWS
    curate: tuple[str, ...] = ()


def make_models(out: Path, plan: TrainingPlan, *, threads: int) -> Path:
    """Train what is not trained yet and return the folder that holds all models, as ``diptych/demo/models`` does.

    Args:
        out: Working directory: pictures, checkpoints, the web and its curation; the models are in ``models``.
        plan: How much of everything.
        threads: Threads of torch, and processes that draw.

    Raises:
        ConfigError: If ``out`` belongs to other settings.
        DataError: If the curation of the web fails.
        Stopped: On SIGTERM or SIGINT; nothing is then made of what is unfinished.
    """
    clip = train_clip(out / "clip", plan.clip, threads=threads)
    heads = train_heads(out / "heads", clip, rows=plan.head_rows, threads=threads)
    made = {
        "clip": clip,
        "heads": heads,
        "detector": train_detector(out / "detector", plan.detector, threads=threads),
    }
    vae = train_vae(out / "vae", plan.vae, threads=threads)
    run = curate_web(out / "web", plan, clip, heads)
    for name, pairs in {"demo-raw": run / "pool", "demo-curated": run / "selected"}.items():
        made[name] = train_diffusion(out / name, Sources(pairs, vae, clip), plan.diffusion, threads=threads)
    models = out / "models"
    models.mkdir(exist_ok=True)
    for name, folder in made.items():
        link = models / name
        link.unlink(missing_ok=True)
        link.symlink_to(folder.resolve(), target_is_directory=True)
    return models


def curate_web(out: Path, plan: TrainingPlan, clip: Path, heads: Path) -> Path:
    """Serve a demo web, curate it with the ordinary command and the shipped config, and return the run's directory.

    Raises:
        ConfigError: If ``out`` holds a web of another number of rows, or its port is taken.
        DataError: If the curation fails.
        Stopped: On a SIGTERM; the curation ends before the web does, which it would take for a dead one.
    """
    out.mkdir(parents=True, exist_ok=True)
    with DemoWeb(plan.web_rows, port=port_of(out, plan.web_rows, whole=out)) as web:
        remember(out, web.port, plan.web_rows)
        table = out / TABLE
        if not table.is_file():
            web.write_tables(out)
        paths = {
            "source.path": table,
            "encoders.clip.options.architecture": clip,
            "scores.beauty.options.weights": heads / "aesthetic.pth",
            "scores.hazard.options.weights": heads / "flagged.pth",
        }
        settings = [path_setting(key, path) for key, path in paths.items()]
        settings += ["download.allow_private_addresses=true", *plan.curate]
        command = [sys.executable, "-m", "diptych", "curate", "run", str(config_path("demo/curate.yaml"))]
        command += ["--out", str(out / "run"), *(f"--set={setting}" for setting in settings)]
        with stopped_by_sigterm("while the web was curated"):
            ended = subprocess.run(command, check=False)
    if ended.returncode:
        raise DataError(f"{out}: the curation of the demo web ended with {ended.returncode}; run again to go on")
    return out / "run"
