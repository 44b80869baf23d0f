"""The throughput of the demo's grid against the plain diffusers loop, in one run. Run by ``make bench``.

The plain loop is what people write: load each pipeline, for each image set the scheduler, call it, save a PNG, with all
threads that torch takes. Ours is ``generate`` over the same images with one and with two workers, each of one thread;
loading, and starting the workers, counts on both sides. They take turns, and medians are compared. On a machine that
does other work the plain loop suffers more, because its threads wait for each other.

    python tests/benchmarks/bench_generate.py [IMAGES_PER_SETTING [TURNS]]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import diffusers
import torch

from diptych.config.load import load
from diptych.generate.backends.diffusers.recipes import build_scheduler
from diptych.generate.config import GenerateConfig
from diptych.generate.plan import GenerationPlan, make_plan
from diptych.generate.renderers import Renderers
from diptych.generate.run import generate
from diptych.jobs.engine import Engine

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "demo" / "generate.yaml"
IMAGES = 32  # of each model and setting: all that the demo has
TURNS = 1  # of four minutes


def demo_plan(images: int) -> GenerationPlan:
    """Return the plan of the demo's grid with so many images of each model and setting at most."""
    config = load(CONFIG, GenerateConfig)
    sets = tuple(choice.model_copy(update={"limit": images}) for choice in config.prompts)
    return make_plan(config.model_copy(update={"prompts": sets}), with_weights=True, progress="none")


def plain_loop(plan: GenerationPlan, out: Path) -> float:
    """Return the seconds of load, call per image, save PNG."""
    started = time.perf_counter()
    out.mkdir(parents=True)
    loaded, pipe = "", None
    for number in range(plan.images):
        group, asked = plan.group_of(number), plan.image(number)
        resolved = group.resolved
        if group.model != loaded or pipe is None:
            loaded = group.model
            pipe = diffusers.DiffusionPipeline.from_pretrained(plan.models[loaded].folder.path, dtype=torch.float32)
            pipe.set_progress_bar_config(disable=True)
        pipe.scheduler = build_scheduler(resolved.recipe.sampler)
        timesteps = {"timesteps": list(resolved.recipe.sampler.timesteps)} if resolved.recipe.sampler.timesteps else {}
        image = pipe(
            asked.asked.text,
            num_inference_steps=resolved.steps,
            guidance_scale=resolved.guidance,
            generator=torch.Generator().manual_seed(asked.seed),
            **timesteps,
        ).images[0]
        image.save(out / f"{plan.key(group, asked)}.png")
    return time.perf_counter() - started


def ours(plan: GenerationPlan, out: Path, workers: int) -> float:
    """Return the seconds of a run of ``generate``."""
    started = time.perf_counter()
    generate(plan, out, engine=Engine(workers), progress="none")
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    images, turns = (int(text) for text in [*sys.argv[1:], *(str(IMAGES), str(TURNS))[len(sys.argv) - 1 :]])
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    plan = demo_plan(images)
    print(
        f"{plan.images} images of 64 px, {len(plan.groups)} times a model and a setting, batches of "
        f"{plan.groups[0].batch_size}; {torch.get_num_threads()} threads for the plain loop"
    )
    ways: dict[str, Callable[[Path], float]] = {
        "plain loop": lambda out: plain_loop(plan, out),
        "1 worker": lambda out: ours(plan, out, 1),
        "2 workers": lambda out: ours(plan, out, 2),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    Renderers(plan).render(plan.groups[0], [plan.image(0)])  # imports and kernels
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(turns):
            for number, (name, way) in enumerate(ways.items()):
                times[name].append(way(Path(folder) / f"{turn}-{number}"))
                print(f"turn {turn + 1}: {name}: {times[name][-1]:.1f} s", flush=True)
    plain = statistics.median(times["plain loop"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:<10}  {plan.images / median:6.2f} images/s, {plain / median:5.2f} times the plain loop")


if __name__ == "__main__":
    main()
