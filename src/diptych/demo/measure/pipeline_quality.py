"""How often a demo pipeline draws what it is asked for, and how long it takes.

The pipeline is loaded and called as any other one of diffusers is; the judge is a detector, which knows nothing of the
CLIP that the training data was filtered with. Prints nothing and decides nothing about what is good enough.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diptych.data.checks import Checks
from diptych.data.images import Image
from diptych.demo.world.captions import Captioned, distinct_captions, prompt_of
from diptych.demo.world.scenes import Layout
from diptych.demo.world.seeds import PIPELINE_PROMPTS
from diptych.demo.world.truth import truth_of
from diptych.intervals import ShareEstimate, wilson
from diptych.judges.boxes.centre_point import centre_point
from diptych.judges.contract import Box
from diptych.pretrained.libraries import import_library
from diptych.progress import track
from diptych.scores.geneval_rule import THRESHOLD, judge

ROWS = 200  # there are as many kinds of things in as many colours
STEPS = 25
GUIDANCE = 3.0
BATCH = 8
TIMED = 5
LAYOUTS: tuple[Layout, ...] = ("single", "count", "pair", "relation")


def measure_pipeline(
    folder: Path, detector: Path, *, rows: int = ROWS, progress: str = "none"
) -> dict[str, ShareEstimate]:
    """Return how often a pipeline draws what prompts ask for, with intervals of 95 percent.

    Args:
        folder: The pipeline, as diffusers saves it.
        detector: Holds ``config.json`` and ``model.safetensors``; its classes are those of the drawn world.
        rows: Prompts of each layout.
        progress: Display mode, see ``diptych.progress``.

    Returns:
        ``single_object``: the right object in the right colour; ``count``, ``pair``, ``relation``: everything that
        those prompts ask for; with the pipeline's own sampler at 25 steps. ``seconds_per_image``: median, least and
        most of five single images of the pipeline's own size on one thread.
    """
    pipeline, judge_of = _load(folder), centre_point(weights=str(detector))
    asked = {
        layout: distinct_captions(rows, start=PIPELINE_PROMPTS, words=prompt_of, layout=layout) for layout in LAYOUTS
    }
    figures = {}
    title = f"draw with {folder.name}"
    with track(title, rows * len(LAYOUTS), mode=progress, unit="pictures") as tracker:
        for layout, prompts in asked.items():
            right = 0
            for start in range(0, rows, BATCH):
                some = prompts[start : start + BATCH]
                found = judge_of.boxes(draw_prompts(pipeline, [one.caption for one in some], first_seed=start))
                right += sum(map(_is_right, some, found))
                tracker.advance(len(some))
            figures["single_object" if layout == "single" else layout] = wilson(right / rows, rows)
    return figures | {"seconds_per_image": _timed(pipeline, asked["single"][0].caption)}


def draw_prompts(pipeline: Any, prompts: Sequence[str], *, first_seed: int) -> list[Image]:
    """Return one image of each prompt, each from a seed of its own."""
    import torch

    noise = [torch.Generator().manual_seed(first_seed + number) for number in range(len(prompts))]
    images: list[Image] = pipeline(
        prompt=list(prompts), generator=noise, num_inference_steps=STEPS, guidance_scale=GUIDANCE
    ).images
    return images


def _load(folder: Path) -> Any:
    import torch

    import_library("transformers")
    pipeline = import_library("diffusers").DiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda" if torch.cuda.is_available() else "cpu")


def _is_right(one: Captioned, found: Sequence[Box]) -> bool:
    truth = truth_of(one.scene)
    include: list[dict[str, Any]] = [
        {"class": group.kind, "count": group.count, "color": group.colour} for group in truth.counts
    ]
    if truth.relation:
        include[truth.relation.subject]["position"] = [truth.relation.name, truth.relation.object]
    exclude = [{"class": group.kind, "count": group.count + 1} for group in truth.counts]
    return not judge(found, Checks.model_validate({"include": include, "exclude": exclude}), threshold=THRESHOLD).reason


def _timed(pipeline: Any, prompt: str) -> ShareEstimate:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = list(_seconds(pipeline, prompt))[1:]  # the first call makes what later ones find
    finally:
        torch.set_num_threads(threads)
    return ShareEstimate(float(np.median(seconds)), min(seconds), max(seconds), len(seconds))


def _seconds(pipeline: Any, prompt: str) -> Iterator[float]:
    for seed in range(TIMED + 1):
        start = time.perf_counter()
        draw_prompts(pipeline, [prompt], first_seed=seed)
        yield time.perf_counter() - start
