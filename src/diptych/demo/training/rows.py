"""The pictures that the demo CLIP is trained on, and what is true of them; drawn once, kept in files.

They are those of the demo web with the faults that leave something to be seen. The captions are true and silent about
the faults.
"""

import multiprocessing
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from diptych.demo.world.captions import caption_of
from diptych.demo.world.seeds import CLIP_ROWS
from diptych.demo.world.specimens import specimen
from diptych.progress import track

VARIANTS = 4  # captions of each picture
ROWS_PER_FILE = 2048

# How many of 100 training pictures have which fault.
FAULT_WEIGHTS: dict[str, int] = {
    "": 52,
    "blurred": 7,
    "cropped": 3,
    "flagged": 10,
    "low_contrast": 7,
    "noisy": 7,
    "recompressed": 2,
    "resized": 2,
    "tiny": 3,
    "watermarked": 7,
}
# Small pictures more often than on the web: they are drawn faster, and most others are shrunk to them anyway.
SIZES_PX = {64: 6, 96: 2, 128: 2, 192: 1}


class CaptionRows(NamedTuple):
    """Training pictures and what is true of them.

    Attributes:
        pixels: uint8 RGB (N, side, side, 3).
        tokens: int32 (N, VARIANTS, context).
        quality: float32 (N,) in [0, 1].
        flagged: bool (N,).
        has_sides: bool (N,), whether the captions would be false of the mirrored picture.
    """

    pixels: npt.NDArray[np.uint8]
    tokens: npt.NDArray[np.int32]
    quality: npt.NDArray[np.float32]
    flagged: npt.NDArray[np.bool_]
    has_sides: npt.NDArray[np.bool_]


def draw_rows(folder: Path, count: int, *, side: int, context: int, processes: int = 1) -> CaptionRows:
    """Return the first ``count`` training pictures; draws those that ``folder`` does not hold yet.

    Args:
        folder: Of this count, side and context; files of others would be taken for these.
        count: How many.
        side: Of the pictures in pixels, as the model takes them.
        context: Tokens of a caption, the padding included.
        processes: That draw; the pictures do not depend on it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        _CaptionDrawing(folder / f"rows-{number:04d}.npz", first, min(first + ROWS_PER_FILE, count), side, context)
        for number, first in enumerate(range(0, count, ROWS_PER_FILE))
    ]
    missing = [job for job in jobs if not job.path.is_file()]
    done = count - sum(job.stop - job.first for job in missing)
    with track("draw", count, unit="pictures", done=done) as tracker, ExitStack() as stack:
        workers = min(processes, len(missing))
        # Other processes cost seconds to start; a single one would win nothing.
        pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(workers)) if workers > 1 else None
        for written in pool.imap_unordered(_write_rows, missing) if pool else map(_write_rows, missing):
            tracker.advance(written)
    parts = [np.load(job.path) for job in jobs]
    return CaptionRows(*(np.concatenate([part[name] for part in parts]) for name in CaptionRows._fields))


class _CaptionDrawing(NamedTuple):
    """One file of rows ``first`` to ``stop``."""

    path: Path
    first: int
    stop: int
    side: int
    context: int


def _write_rows(job: _CaptionDrawing) -> int:
    """Draw one file of rows, put its captions into tokens, and return how many rows it has."""
    import open_clip

    tokenizer = open_clip.get_tokenizer("ViT-B-32", context_length=job.context)
    made: dict[str, list[Any]] = {name: [] for name in CaptionRows._fields}
    for seed in range(CLIP_ROWS + job.first, CLIP_ROWS + job.stop):
        one = specimen(seed, FAULT_WEIGHTS, SIZES_PX)
        made["pixels"].append(np.asarray(one.image.resize((job.side, job.side), Resampling.BICUBIC)))
        made["tokens"].append(tokenizer([caption_of(one.scene, variant=at) for at in range(VARIANTS)]).numpy())
        made["quality"].append(one.quality)
        made["flagged"].append(one.fault == "flagged")
        made["has_sides"].append(one.scene.relation in ("left of", "right of"))
    types = {"pixels": np.uint8, "tokens": np.int32, "quality": np.float32}
    arrays: dict[str, Any] = {name: np.array(values, types.get(name, np.bool_)) for name, values in made.items()}
    part = job.path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(job.path)
    return job.stop - job.first
