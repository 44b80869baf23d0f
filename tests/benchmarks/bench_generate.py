"""The throughput of a demo-like grid against the plain diffusers loop, in one run.

The plain loop is what people write: load the pipeline, for each image set the scheduler, call it, save a PNG. Ours is
`generate` over the same images. Both use the demo's own pipeline where it is shipped, else a stand-in of its shape with
random weights. Each is measured in turn, three times; the medians are compared.

Run by ``make bench``, or directly: python tests/benchmarks/bench_generate.py [IMAGES_PER_SETTING]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import diffusers
import torch

import diptych.demo
from diptych.generate.config import GenerateConfig
from diptych.generate.plan import Plan, make_plan
from diptych.generate.render import Renderer
from diptych.generate.run import generate
from diptych.generate.samplers import build_scheduler

REPEATS = 3
IMAGES = 32  # of each setting
SHIPPED = Path(diptych.demo.__file__).parent / "models" / "demo-curated"
SETTINGS = [{"sampler": ["ddim", "dpmpp_2m"], "steps": [10, 20], "guidance": 4}]


def stand_in(folder: Path) -> Path:
    """Save a pipeline of the demo's shape and size: 64 px, a 16 x 16 latent, a U-Net of a few million weights."""
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    import tiny_pipelines

    pipe = tiny_pipelines.sd()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = diffusers.UNet2DConditionModel(
            sample_size=16,
            block_out_channels=(64, 128),
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            norm_num_groups=16,
            attention_head_dim=4,
            cross_attention_dim=tiny_pipelines.WIDTH,
        )
        vae = diffusers.AutoencoderKL(
            block_out_channels=(32, 64, 64),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            norm_num_groups=16,
            sample_size=64,
            latent_channels=4,
        )
    pipe.register_modules(unet=unet.eval(), vae=vae.eval())
    pipe.save_pretrained(folder)
    return folder


def plan_of(model: Path, images: int, size: int) -> Plan:
    config = GenerateConfig.model_validate(
        {
            "job": "generate",
            "prompts": [{"kind": "demo", "per_category": 8, "limit": max(1, images // 2)}],
            "models": {"model": {"path_or_id": str(model)}},
            "settings": [setting | {"size": size} for setting in SETTINGS],
            "samples": 2,
            "batch_size": 16,
            "rows_per_shard": 64,
        }
    )
    return make_plan(config, with_weights=True, progress="none")


def plain_loop(model: Path, plan: Plan, out: Path) -> float:
    """Return the seconds of load, call per image, save PNG, with torch's default number of threads."""
    started = time.perf_counter()
    out.mkdir(parents=True)
    pipe = diffusers.DiffusionPipeline.from_pretrained(model, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    for shard in range(plan.shards):
        for part in plan.parts(shard):
            resolved = plan.groups[part.group].resolved
            pipe.scheduler = build_scheduler(resolved.recipe)
            timesteps = {"timesteps": list(resolved.recipe.timesteps)} if resolved.recipe.timesteps else {}
            for row in plan.rows(part):
                image = pipe(
                    row.asked.prompt.text,
                    num_inference_steps=resolved.steps,
                    guidance_scale=resolved.guidance,
                    width=resolved.size.width,
                    height=resolved.size.height,
                    generator=torch.Generator().manual_seed(row.seed),
                    **timesteps,
                ).images[0]
                image.save(out / f"{plan.key(plan.groups[part.group], row)}.png")
    return time.perf_counter() - started


def ours(plan: Plan, out: Path, workers: int) -> float:
    started = time.perf_counter()
    generate(plan, out, workers=workers, progress="none")
    return time.perf_counter() - started


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    diffusers.utils.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        model = SHIPPED if SHIPPED.is_dir() else stand_in(Path(folder) / "model")
        plan = plan_of(model, images, 64)
        weights = sum(file.stat().st_size for file in model.rglob("*.safetensors")) / 1e6
        print(
            f"{model.name}: {weights:.1f} MB of weights, {plan.images} images of 64 px, {len(plan.groups)} settings, "
            f"{torch.get_num_threads()} threads for the plain loop, 1 for each worker of ours"
        )
        Renderer(plan).render(plan.groups[0], list(plan.rows(plan.parts(0)[0]))[:1])  # imports and kernels
        times: dict[str, list[float]] = {"plain loop": [], "1 worker": [], "2 workers": []}
        for turn in range(REPEATS):
            times["plain loop"].append(plain_loop(model, plan, Path(folder) / f"plain-{turn}"))
            times["1 worker"].append(ours(plan, Path(folder) / f"one-{turn}", 1))
            times["2 workers"].append(ours(plan, Path(folder) / f"two-{turn}", 2))
            print(
                f"turn {turn + 1}: " + ", ".join(f"{name} {seconds[-1]:.1f} s" for name, seconds in times.items()),
                flush=True,
            )
        plain = statistics.median(times["plain loop"])
        for name, seconds in times.items():
            median = statistics.median(seconds)
            every = ", ".join(f"{one:.1f}" for one in seconds)
            rate = f"{plan.images / median:7.2f} images/s, {plain / median:5.2f} times the plain loop"
            print(f"{name:<10}  {rate} ({every} s)")


if __name__ == "__main__":
    main()
