"""What scoring takes of a processor beside the model. Run by ``make bench``; asserts equal pixels, never a time.

Decoding and preparing a picture for a ViT-L/14, in one thread, is beside a bare loop over Pillow and open_clip's own
transform. The whole path, from Parquet to written vectors and scores, runs with an encoder that returns zeros, and says
where the time goes. Seconds are those of the processor.
"""

import functools
import io
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import PIL.Image
import torch

sys.path.insert(0, str(Path(__file__).parent))

from benchmark_data import draw_photographs, photograph
from zero_encoder import SETTINGS, ZeroEncoder

from diptych.data import damage, images
from diptych.encoders import ENCODERS
from diptych.encoders.clip_pixels import clip_preprocessing
from diptych.scores import job, loading
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

SIDES = ((512, 512), (640, 480), (1024, 683), (1600, 1200))
COUNT, ROUNDS = 16, 7
ROWS, SIDE, THREADS = 2_048, 512, 2
# Where the time goes: what is said of a function, and where it lies.
STAGES: dict[str, tuple[Any, str]] = {
    "decode": (images, "decode"),
    "resize, crop, normalise": (ZeroEncoder, "prepare"),
    "put a batch together": (ZeroEncoder, "images"),
    "check the sha256 of the shard": (damage, "content_problem"),
    "write vectors and scores": (job, "write_shard"),
}


def pictures(size: tuple[int, int]) -> list[bytes]:
    """Return photographs of a size."""
    found = []
    for seed in range(COUNT):
        buffer = io.BytesIO()
        images.decode(photograph(seed, max(size))).crop((0, 0, *size)).save(buffer, "JPEG", quality=85)
        found.append(buffer.getvalue())
    return found


def rate(work: Callable[[bytes], object], bodies: list[bytes]) -> float:
    """Return pictures per second of this thread's time, the best of some rounds."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for body in bodies:
            work(body)
        seconds.append(time.thread_time() - began)
    return len(bodies) / min(seconds)


def compare_with_pillow() -> None:
    """Print images per second and core of decoding and preparing, beside a bare loop."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    torch.set_num_threads(1)
    transform = image_transform_v2(PreprocessCfg(**SETTINGS), is_train=False)
    prepare = clip_preprocessing(SETTINGS)

    def bare(body: bytes) -> Any:
        return transform(PIL.Image.open(io.BytesIO(body)).convert("RGB")).numpy()

    def ours(body: bytes) -> Any:
        return prepare(images.decode(body))

    for size in SIDES:
        bodies = pictures(size)
        assert all(np.array_equal(ours(body), bare(body)) for body in bodies)
        one, other = rate(ours, bodies), rate(bare, bodies)
        print(
            f"decode and prepare, {size[0]} x {size[1]}: {one:,.0f} images/s and core, a bare loop over Pillow "
            f"{other:,.0f}, ratio {one / other:.2f}; decode alone {rate(images.decode, bodies):,.0f}"
        )


class Clock:
    """Seconds of the processor by stage, of whichever thread."""

    def __init__(self) -> None:
        """Begin with none."""
        self.seconds: Counter[str] = Counter()
        self._lock = threading.Lock()

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is timed."""

        @functools.wraps(work)
        def run(*args: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return work(*args, **options)
            finally:
                with self._lock:
                    self.seconds[stage] += time.thread_time() - began

        return run


def break_down() -> None:
    """Print where the time of the whole path goes with the encoder taken out."""
    plan = ScorePlan({"zero": ("zero", {})}, {"similarity": ("clip_similarity", {"encoder": "zero"})})
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(ENCODERS, {"zero": "zero_encoder:zero_encoder"}):
        dataset = draw_photographs(Path(folder) / "data", ROWS, 512, SIDE)
        clock = Clock()
        with ExitStack() as patches:
            for stage, (place, name) in STAGES.items():
                patches.enter_context(mock.patch.object(place, name, clock.timed(stage, getattr(place, name))))
            began, processor = time.perf_counter(), time.process_time()
            run = score_dataset(Path(folder) / "data", plan, batch_size=64, threads=THREADS, progress="none")
            whole, elapsed = time.process_time() - processor, time.perf_counter() - began
        assert sum(shard.rows for shard in run.sets["similarity"].shards) == dataset.rows
    print(f"the whole path without its encoder, {ROWS} pictures of {SIDE} x {SIDE}, {THREADS} decode threads:")
    print(f"  {ROWS / whole:,.0f} images/s and core ({ROWS / elapsed:,.0f} images/s in {elapsed:.1f} s)")
    parts = {**clock.seconds, "read Parquet, rows, scores": whole - clock.seconds.total()}
    for stage, seconds in parts.items():
        print(f"  {stage:<32} {seconds / ROWS * 1e3:6.3f} ms an image, {seconds / whole:5.1%}")


def main() -> None:
    """Measure both."""
    assert loading.images is images  # whose ``decode`` is timed
    compare_with_pillow()
    break_down()


if __name__ == "__main__":
    main()
