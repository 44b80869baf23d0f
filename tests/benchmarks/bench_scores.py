"""Four scores over one encoder against one: what the further ones cost. Run by ``make bench``; asserts counts only.

The encoder is a ViT-S/32 with random weights, saved and loaded as a real one is. With a CUDA device also: the whole
path from Parquet to scores with a ViT-L/14 in half precision against the bare encoder on tensors that lie ready.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmark_data import draw_photographs

from diptych.encoders.open_clip import open_clip_encoder
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

SMALL = {
    "embed_dim": 384,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 384, "patch_size": 32, "head_width": 64},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 256, "heads": 4, "layers": 4},
}


def save_random_model(folder: Path, model_cfg: dict[str, Any]) -> None:
    """Save a model with random weights as open_clip lays it out."""
    import open_clip
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": {}}))
    model = open_clip.CLIP(**model_cfg)
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, folder / "open_clip_model.safetensors"
    )


def save_random_head(path: Path, dim: int, seed: int) -> None:
    """Save an aesthetic head of one layer with random weights."""
    generator = torch.Generator().manual_seed(seed)
    torch.save({"weight": torch.randn(1, dim, generator=generator), "bias": torch.zeros(1)}, path)


def make_plan(folder: Path, dim: int, heads: int, **encoder: Any) -> ScorePlan:
    """Return a plan of CLIP similarity and ``heads`` further scores over one encoder."""
    options = {"architecture": str(folder / "model"), **encoder}
    scores: dict[str, tuple[str, dict[str, Any]]] = {"similarity": ("clip_similarity", {"encoder": "clip"})}
    for seed in range(heads):
        path = folder / f"head-{seed}.pth"
        save_random_head(path, dim, seed)
        scores[f"head_{seed}"] = ("aesthetic", {"encoder": "clip", "weights": str(path)})
    return ScorePlan({"clip": ("open_clip", options)}, scores)


def time_scoring(folder: Path, rows: int, plan: ScorePlan, batch_size: int, threads: int) -> float:
    """Return the seconds of scoring a fresh dataset of drawn photographs."""
    with tempfile.TemporaryDirectory() as place:
        draw_photographs(Path(place), rows)
        started = time.perf_counter()
        run = score_dataset(Path(place), plan, batch_size=batch_size, threads=threads, progress="none")
        seconds = time.perf_counter() - started
        assert len(run.sets) == len(plan.scores)
        assert all(sum(shard.rows for shard in found.shards) == rows for found in run.sets.values())
    return seconds


def compare_four_with_one(folder: Path) -> None:
    """Print what three further scores over the same encoder cost."""
    save_random_model(folder / "model", SMALL)
    one, four = make_plan(folder, 384, 0), make_plan(folder, 384, 3)
    time_scoring(folder, 64, four, 64, 2)  # warm
    ratios = []
    for _ in range(3):
        alone = time_scoring(folder, 512, one, 64, 2)
        ratios.append(time_scoring(folder, 512, four, 64, 2) / alone)
    print(f"four scores on one encoder cost {sorted(ratios)[1]:.3f} times one (512 pictures, ViT-S/32, median of 3)")


def measure_gpu(folder: Path, rows: int = 8192, batch_size: int = 256) -> None:
    """Print images per second of the whole path and of the bare encoder, ViT-L/14 with random weights in fp16."""
    import open_clip

    save_random_model(folder / "model", open_clip.get_model_config("ViT-L-14-quickgelu"))
    plan = make_plan(folder, 768, 3, precision="fp16", device="cuda")
    encoder = open_clip_encoder(architecture=str(folder / "model"), precision="fp16", device="cuda")
    ready = [np.zeros((3, 224, 224), np.float32)] * batch_size
    encoder.images(ready)
    started = time.perf_counter()
    for _ in range(rows // batch_size):
        encoder.images(ready)
    bare = rows / (time.perf_counter() - started)
    time_scoring(folder, batch_size, plan, batch_size, 16)
    whole = rows / time_scoring(folder, rows, plan, batch_size, 16)
    print(f"ViT-L/14 fp16: whole path {whole:,.0f} images/s, bare encoder {bare:,.0f}, ratio {whole / bare:.2f}")


def main() -> None:
    """Measure what this machine can."""
    with tempfile.TemporaryDirectory() as folder:
        compare_four_with_one(Path(folder))
    if torch.cuda.is_available():
        with tempfile.TemporaryDirectory() as folder:
            measure_gpu(Path(folder))
    else:
        print("ViT-L/14 in half precision, whole path against bare encoder: not measured: no CUDA device")


if __name__ == "__main__":
    main()
