"""What a card does with pictures that are there: CLIP scores from Parquet, Inception features, a judge's answers."""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu.shapes import Scale, clip_shape, save_vlm
from inception_weights import save_random_weights

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from bench_scores import make_plan, save_random_model, time_scoring
from benchmark_data import DISTINCT, photograph

from diptych.data import images
from diptych.encoders import Encoder
from diptych.encoders.inception import inception_encoder
from diptych.encoders.open_clip import open_clip_encoder
from diptych.judges.answers.vision_language import vision_language
from diptych.judges.contract import Query
from diptych.torch_threads import compute_alone

Figures = dict[str, float]
HEADS = 3


def matrix_rate(scale: Scale, dtype: str) -> float:
    """Return the multiplications and additions per second of a product of large matrices."""
    left = torch.randn(scale.matrix, scale.matrix, device=scale.device).to(getattr(torch, dtype))
    times = 1 if scale.is_tiny else 20

    def multiply() -> None:
        for _ in range(times):
            left @ left

    multiply()
    return 2.0 * times * scale.matrix**3 / seconds_of(multiply, scale)


def seconds_of(work: Callable[[], object], scale: Scale) -> float:
    """Return how long something takes, until the card is through with it."""
    _wait(scale)
    began = time.perf_counter()
    work()
    _wait(scale)
    return time.perf_counter() - began


def _wait(scale: Scale) -> None:
    if scale.device != "cpu":
        torch.cuda.synchronize()


def scoring(scale: Scale) -> Figures:
    """Return pictures per second of a ViT-L/14 and of what is around it, each alone and all together."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_random_model(folder / "model", clip_shape(scale))
        dim = clip_shape(scale)["embed_dim"]
        options = {"precision": scale.precision, "device": scale.device}
        plan = make_plan(folder, dim, HEADS, **options)
        encoder = open_clip_encoder(architecture=str(folder / "model"), **options)  # type: ignore[arg-type]
        bodies = [photograph(seed, scale.side) for seed in range(min(DISTINCT, scale.rows))]
        found = _beside(bodies, encoder, scale)
        found["heads and cosines alone"] = _heads(plan.build(), scale)
        shape = {"batch_size": scale.scored_at_once, "threads": scale.threads, "side": scale.side}
        time_scoring(folder, scale.scored_at_once, plan, **shape)  # loads, and makes kernels
        found["from Parquet to scores"] = scale.rows / time_scoring(folder, scale.rows, plan, **shape)
    found["share of the encoder alone"] = found["from Parquet to scores"] / found["encoder alone"]
    return found


def _beside(bodies: Sequence[bytes], encoder: Encoder, scale: Scale) -> Figures:
    """Return the rates of decoding, of preparing and of the encoder, each alone."""
    times = max(1, min(scale.rows, 4096) // len(bodies))
    with ThreadPoolExecutor(scale.threads, initializer=compute_alone) as pool:
        pictures = list(pool.map(images.decode, bodies))
        decode = seconds_of(lambda: list(pool.map(images.decode, [*bodies] * times)), scale)
        prepare = seconds_of(lambda: list(pool.map(encoder.prepare, pictures * times)), scale)
    ready = [encoder.prepare(pictures[row % len(pictures)]) for row in range(scale.scored_at_once)]
    encoder.images(ready)
    batches = max(1, scale.rows // scale.scored_at_once // 2)
    seen = seconds_of(lambda: [encoder.images(ready) for _ in range(batches)], scale)
    return {
        "decode alone": len(bodies) * times / decode,
        "prepare alone": len(bodies) * times / prepare,
        "encoder alone": batches * scale.scored_at_once / seen,
    }


def _heads(scorers: Any, scale: Scale) -> float:
    """Return the rate of all scores over vectors that are there."""
    import pyarrow as pa

    from diptych.scores.batches import Batch

    (encoder,) = scorers.encoders.values()
    count = scale.scored_at_once
    texts = [f"a photograph of the thing number {row}" for row in range(count)]
    rows = pa.table(
        {"key": texts, "caption": texts, "status": ["ok"] * count, "width": [64] * count, "height": [64] * count}
    )
    vectors = np.random.default_rng(0).normal(size=(count, encoder.dim)).astype(np.float32)

    def score() -> None:
        batch = Batch(rows)
        batch.provide_embeddings(encoder, vectors)
        for one in scorers.scores.values():
            one.score(batch)

    score()
    return count / seconds_of(score, scale)


def inception(scale: Scale) -> Figures:
    """Return pictures per second of Inception's features, in float32 as FID has them."""
    with tempfile.TemporaryDirectory() as name:
        encoder = inception_encoder(weights=str(save_random_weights(Path(name) / "w.pth")), device=scale.device)
        picture = encoder.prepare(images.decode(photograph(0, scale.side)))
        ready = [picture] * min(scale.scored_at_once, 64 if not scale.is_tiny else 2)
        encoder.images(ready)
        times = 1 if scale.is_tiny else 40
        seconds = seconds_of(lambda: [encoder.images(ready) for _ in range(times)], scale)
    return {"features alone": times * len(ready) / seconds}


def judging(scale: Scale) -> Figures:
    """Return the questions per second that a vision-language judge answers."""
    rng = np.random.default_rng(0)
    shown = [_noise(rng, scale.side) for _ in range(scale.pictures)]
    asked = [Query(f"Is there a cat, number {number}?", ("yes", "no")) for number in range(scale.questions)]
    with tempfile.TemporaryDirectory() as name:
        judge = vision_language(
            weights=str(save_vlm(Path(name) / "vlm", scale)),
            device=scale.device,
            precision="fp32" if scale.is_tiny else "bf16",
            limits={"min_pixels": scale.side**2, "max_pixels": scale.side**2},
        )
        judge.answers(shown[:1], [asked[:1]])
        seconds = seconds_of(lambda: judge.answers(shown, [asked] * len(shown)), scale)
    return {"questions answered": len(shown) * len(asked) / seconds}


def _noise(rng: np.random.Generator, side: int) -> Any:
    import PIL.Image

    return PIL.Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))
