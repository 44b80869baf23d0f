"""Trains the two linear heads over the demo CLIP: a rating of quality, and the chance that a picture is flagged.

Both are one linear layer over the L2-normalised, stored embedding, saved as a torch state dict of ``weight`` (1, D) and
``bias`` (1,), float32, the form of the LAION aesthetic predictor of version 1. The score ``aesthetic`` reads the rating
(1 for a picture that cannot be worse, 10 for one without fault); the other head gives a logit.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from diptych.demo.measure.embedding import CHUNK, embed
from diptych.demo.training.sources import CLIP_FILES, check_folder
from diptych.demo.world.seeds import HEAD_ROWS
from diptych.demo.world.specimens import SPECIMEN_FAULTS, specimen
from diptych.encoders import Encoder
from diptych.encoders.open_clip import open_clip_encoder
from diptych.progress import track
from diptych.scores.aesthetic import LinearHead

Floats = npt.NDArray[np.floating]

DEFAULT_ROWS = 8000
WORST, BEST = 1.0, 10.0  # the scale of the published ratings
RIDGE = 0.1  # sums of squares of an embedding's coordinate over the rows are about 100
DECAY = 0.01
MAX_ITERATIONS = 500


class RatedExamples(NamedTuple):
    """What heads learn from: float32 (N, D) L2-normalised vectors, float64 (N,) in [0, 1], bool (N,)."""

    vectors: npt.NDArray[np.float32]
    quality: npt.NDArray[np.float64]
    flagged: npt.NDArray[np.bool_]


def train_heads(out: Path, clip_folder: Path, *, rows: int = DEFAULT_ROWS, threads: int = 1) -> Path:
    """Fit both heads over the CLIP in ``clip_folder`` and return their folder, ``out / "heads"``.

    Raises:
        ConfigError: If ``clip_folder`` lacks a file of the model.
    """
    check_folder(clip_folder, CLIP_FILES)
    torch.set_num_threads(threads)
    examples = draw_examples(open_clip_encoder(architecture=str(clip_folder)), rows)
    folder = out / "heads"
    folder.mkdir(parents=True, exist_ok=True)
    rating = WORST + (BEST - WORST) * examples.quality
    save_head(fit_ridge(examples.vectors, rating, penalty=RIDGE), folder / "aesthetic.pth")
    save_head(fit_logistic(examples.vectors, examples.flagged, penalty=DECAY), folder / "flagged.pth")
    return folder


def draw_examples(encoder: Encoder, rows: int, *, start: int = HEAD_ROWS) -> RatedExamples:
    """Draw and encode so many pictures, in the mixture of faults that heads are measured on, other scenes."""
    quality, flagged, vectors = [], [], []
    with track("encode", rows, unit="pictures") as tracker:
        for first in range(start, start + rows, CHUNK):
            drawn = [specimen(seed, SPECIMEN_FAULTS) for seed in range(first, min(first + CHUNK, start + rows))]
            vectors.append(embed(encoder, (one.image for one in drawn)))
            quality += [one.quality for one in drawn]
            flagged += [one.fault == "flagged" for one in drawn]
            tracker.advance(len(drawn))
    return RatedExamples(np.concatenate(vectors), np.array(quality), np.array(flagged))


def fit_ridge(vectors: Floats, targets: Floats, *, penalty: float) -> LinearHead:
    """Return the head of the least squared error plus ``penalty`` times the squared weights; the bias goes free.

    Source: Hoerl and Kennard 1970, equation (2.1), on centred data.

    Args:
        vectors: (N, D).
        targets: (N,).
        penalty: At least 0; with 0 the vectors have to span all D dimensions.
    """
    centre, middle = vectors.mean(axis=0, dtype=np.float64), targets.mean(dtype=np.float64)
    centred = vectors.astype(np.float64) - centre
    gram = centred.T @ centred + penalty * np.eye(vectors.shape[1])
    weight = np.linalg.solve(gram, centred.T @ (targets - middle))
    return LinearHead(weight, float(middle - centre @ weight))


def fit_logistic(vectors: Floats, labels: npt.NDArray[np.bool_], *, penalty: float) -> LinearHead:
    """Return the head of the least summed log loss plus half of ``penalty`` times the squared weights; a free bias.

    Args:
        vectors: (N, D).
        labels: bool (N,).
        penalty: Above 0, or a head that separates the labels has no finite weights.
    """
    inputs, wanted = torch.from_numpy(vectors).double(), torch.from_numpy(labels).double()
    weight = torch.zeros(inputs.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [weight, bias], max_iter=MAX_ITERATIONS, tolerance_grad=1e-8, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        search.zero_grad()
        logits = inputs @ weight + bias
        total = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="sum")
        total = total + 0.5 * penalty * (weight @ weight)
        torch.autograd.backward(total)
        return total

    search.step(loss)  # type: ignore[no-untyped-call]  # torch does not annotate LBFGS
    return LinearHead(weight.detach().numpy(), float(bias.detach()))


def save_head(head: LinearHead, path: Path) -> None:
    """Write a head as a torch state dict under a temporary name and rename it."""
    part = path.with_suffix(".part")
    state = {"weight": torch.from_numpy(head.weight).float()[None], "bias": torch.tensor([head.bias]).float()}
    torch.save(state, part)
    part.replace(path)
