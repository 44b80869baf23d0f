"""Four scores over one encoder against one: what the further ones cost. Run by ``make bench``; asserts counts only.

The encoder is a ViT-S/32 with random weights, saved and loaded as a real one is. For a card see ``tests/gpu``.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from benchmark_data import SIDE, draw_photographs

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


def time_scoring(folder: Path, rows: int, plan: ScorePlan, batch_size: int, threads: int, side: int = SIDE) -> float:
    """Return the seconds of scoring a fresh dataset of drawn photographs."""
    with tempfile.TemporaryDirectory() as place:
        draw_photographs(Path(place), rows, side=side)
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


def main() -> None:
    """Measure what this machine can."""
    with tempfile.TemporaryDirectory() as folder:
        compare_four_with_one(Path(folder))


if __name__ == "__main__":
    main()
