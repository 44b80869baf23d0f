"""What a card does where pictures are made: images per second, beside diffusers and the floor, and the same bytes."""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu.seeing import Figures, matrix_rate, seconds_of
from gpu.shapes import Family, Scale, save_pipeline

from diptych.generate.backends.asked import ImageGroup, PlannedImage
from diptych.generate.config import GenerateConfig
from diptych.generate.pictures import Pixels
from diptych.generate.plan import GenerationPlan, make_plan
from diptych.generate.renderers import Renderers

PROMPTS = ("a red cube on a blue ball", "two cats", "a street in the rain", "a portrait of a gardener")
GUIDANCE = {"sdxl": 5.0, "flux": 3.5}
FEW_STEPS = 2  # decide bytes as many do
SAME = {
    "again": "made again",
    "alone": "made alone",
    "others": "made among others, in another place of the batch",
}


def plan_of(family: Family, folder: Path, scale: Scale, steps: int) -> GenerationPlan:
    """Return the plan of as many images as are timed, and a batch before them."""
    (folder / "prompts.txt").write_text("\n".join(PROMPTS))
    count = scale.made_at_once * (scale.batches + 1)
    config = GenerateConfig.model_validate(
        {
            "job": "generate",
            "prompts": [{"kind": "txt", "path": folder / "prompts.txt"}],
            "models": {family: {"path_or_id": str(folder / family), "dtype": scale.dtypes[family]}},
            "settings": [{"steps": steps, "guidance": GUIDANCE[family], "size": scale.size}],
            "samples": -(-count // len(PROMPTS)),
            "batch_size": scale.made_at_once,
            "device": scale.device,
        }
    )
    return make_plan(config, with_weights=False, progress="none")


def batches_of(plan: GenerationPlan, scale: Scale) -> tuple[ImageGroup, list[list[PlannedImage]]]:
    """Return the group of a plan, and its images in batches."""
    size = scale.made_at_once
    every = [plan.image(number) for number in range(size * (scale.batches + 1))]
    return plan.groups[0], [every[start : start + size] for start in range(0, len(every), size)]


def generation(family: Family, scale: Scale) -> Figures:
    """Return images per second of ours, of diffusers called in two ways, and what the card could do at most."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_pipeline(family, folder, scale)
        found = {"diptych": _ours(plan_of(family, folder, scale, scale.steps), scale)}
        pipe = _load(folder / family, family, scale)
        found["diffusers, an image a call"] = 1 / _called(pipe, PROMPTS[:1], family, scale)
        operations = _operations(pipe, family, scale)
        denoiser = "unet" if family == "sdxl" else "transformer"
        setattr(pipe, denoiser, torch.compile(getattr(pipe, denoiser), disable=scale.is_tiny))
        texts = [PROMPTS[row % len(PROMPTS)] for row in range(scale.made_at_once)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the compiler, about what it cannot see through
            found["diffusers, batched and compiled"] = len(texts) / _called(pipe, texts, family, scale)
    found["at most, by the rate of matrices"] = matrix_rate(scale, scale.dtypes[family]) / operations
    return found


def _ours(plan: GenerationPlan, scale: Scale) -> float:
    renderers = Renderers(plan)
    group, (first, *others) = batches_of(plan, scale)
    renderers.render(group, first)  # loads, and makes kernels
    seconds = seconds_of(lambda: [renderers.render(group, batch) for batch in others], scale)
    return sum(map(len, others)) / seconds


def _load(path: Path, family: Family, scale: Scale) -> Any:
    import diffusers

    pipe = diffusers.DiffusionPipeline.from_pretrained(path, dtype=getattr(torch, scale.dtypes[family]))
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(scale.device)


def _call(pipe: Any, texts: Sequence[str], family: Family, scale: Scale) -> Any:
    shape = {"height": scale.size, "width": scale.size, "num_inference_steps": scale.steps}
    seeds = [torch.Generator().manual_seed(row) for row in range(len(texts))]
    return pipe(list(texts), guidance_scale=GUIDANCE[family], generator=seeds, **shape)


def _called(pipe: Any, texts: Sequence[str], family: Family, scale: Scale) -> float:
    """Return the seconds of a call, once it has been made before."""
    _call(pipe, texts, family, scale)
    return seconds_of(lambda: _call(pipe, texts, family, scale), scale)


def _operations(pipe: Any, family: Family, scale: Scale) -> float:
    """Return the multiplications and additions that an image takes."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        _call(pipe, PROMPTS[:1], family, scale)
    return float(counter.get_total_flops())


def determinism(family: Family, scale: Scale) -> dict[str, bool]:
    """Return which promises of docs/generate.md about the bytes of an image hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_pipeline(family, folder, scale)
        plan = plan_of(family, folder, scale, FEW_STEPS)
        group, (first, second, *_) = batches_of(plan, scale)
        renderers = Renderers(plan)
        expected = renderers.render(group, first)
        found = {
            "again": all(map(_same, Renderers(plan).render(group, first), expected)),
            "alone": _same(renderers.render(group, first[:1])[0], expected[0]),
            "others": _same(renderers.render(group, [*second[:-1], first[0]])[-1], expected[0]),
        }
    return {SAME[name]: is_so for name, is_so in found.items()}


def _same(one: Pixels | None, other: Pixels | None) -> bool:
    return one is not None and other is not None and np.array_equal(one, other)
