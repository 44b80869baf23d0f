"""How good the demo models are, measured on scenes that nothing was trained on.

The models are loaded as any other ones are. Each figure comes with the number of examples behind it and an interval
of 95 percent. Decides nothing about what is good enough, and prints nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import floor, sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image, decode
from diptych.demo.world.captions import distinct_captions
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded, may_describe, picture_of, quality_of
from diptych.demo.world.plan import FORMATS, RECOMPRESSED_QUALITY, SIZES_PX, WebRow, plan_rows
from diptych.demo.world.scenes import Dice, Scene, scene
from diptych.demo.world.web import bytes_of
from diptych.encoders import Encoder
from diptych.encoders.open_clip import open_clip_encoder
from diptych.errors import DataError
from diptych.intervals import ShareEstimate, wilson
from diptych.progress import track
from diptych.progress.counting import Tracker
from diptych.scores.aesthetic import load_head, rate
from diptych.scores.clip_similarity import cosine

Floats = npt.NDArray[np.floating[Any]]
Vectors = npt.NDArray[np.float32]
Statistic = Callable[..., float]

STREAM = 105  # keeps the faults of specimens apart from other choices
HELD_OUT = 2_000_000_000  # nothing is trained on scenes of seeds from here on
SPECIMENS = HELD_OUT + 50_000_000
WEB_SEED = 2100  # the scenes of its web begin at 2,100,000,000

RECALL_ROWS = 500
SPECIMEN_ROWS = 3000
WEB_ROWS = 2000
RESAMPLES = 1000
CHUNK = 256  # pictures that are encoded at once

# Out of how many specimens which fault: flagged ones beside all others, and every grade of quality.
SPECIMEN_FAULTS: dict[str, int] = {
    "": 18,
    "blurred": 10,
    "cropped": 3,
    "flagged": 30,
    "low_contrast": 10,
    "noisy": 10,
    "recompressed": 3,
    "resized": 2,
    "tiny": 4,
    "watermarked": 10,
}
# What the drawn quality is compared on: faults that spoil a picture for the eye, and pictures without any. Thumbnails
# count apart: once all pictures have the size that a model takes, little tells them from others.
GRADED = frozenset({"", "blurred", "low_contrast", "noisy", "watermarked"})


class Specimen(NamedTuple):
    """A picture of a scene as the demo web would serve it, with one fault or none (the empty name)."""

    scene: Scene
    fault: str
    strength: float
    image: Image

    @property
    def quality(self) -> float:
        """Its quality in [0, 1]."""
        drawn = quality_of(self.fault, self.strength)
        assert drawn is not None, "a specimen has a picture"
        return drawn


def recall_at_1(similarities: Floats) -> float:
    """Return the share of rows whose own column is the nearest: in [0, 1].

    Args:
        similarities: (N, N), the own column of row ``i`` being column ``i``. A row with a second column as near as its
            own is no success, so that a model that tells nothing apart scores 0.

    Raises:
        DataError: If a similarity is not finite.

    >>> recall_at_1(np.array([[0.9, 0.1], [0.8, 0.7]]))
    0.5
    """
    _check_finite(similarities)
    own = np.diagonal(similarities)[:, np.newaxis]
    return float(np.mean((similarities >= own).sum(axis=1) == 1))


def roc_auc(positives: Floats, negatives: Floats) -> float:
    """Return the chance that a positive example is rated above a negative one, ties counting half: in [0, 1].

    Source: Hanley and McNeil 1982, the Mann-Whitney form of the area under the ROC curve.

    Args:
        positives: (N,) ratings, N >= 1.
        negatives: (M,) ratings, M >= 1.

    Raises:
        DataError: If a rating is not finite: it has no place among the others.

    >>> roc_auc(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
    0.875
    """
    _check_finite(positives, negatives)
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left")
    not_above = np.searchsorted(ordered, positives, side="right")
    return float((below + not_above).mean() / (2.0 * len(negatives)))


def spearman(left: Floats, right: Floats) -> float:
    """Return Spearman's rank correlation, ties having their mean rank: in [-1, 1]; NaN where one side is constant.

    Source: Spearman 1904; Pearson's correlation of mean ranks, as ``scipy.stats.spearmanr`` has it.

    Args:
        left: (N,).
        right: (N,).

    Raises:
        DataError: If a value is not finite.

    >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])), 6)
    0.5
    """
    _check_finite(left, right)
    ranks = [_mean_ranks(side) for side in (left, right)]
    a, b = (rank - rank.mean() for rank in ranks)
    length = sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / length if length else float("nan")


def recall_at_false_positive_rate(positives: Floats, negatives: Floats, rate: float) -> float:
    """Return the share of positives above the lowest threshold that at most ``rate`` of the negatives pass.

    Args:
        positives: (N,) ratings, N >= 1; higher means more likely positive.
        negatives: (M,) ratings, M >= 1.
        rate: In [0, 1].

    Raises:
        ValueError: If ``rate`` is outside [0, 1].
        DataError: If a rating is not finite.

    >>> recall_at_false_positive_rate(np.array([1.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 3.5]), 0.25)
    0.6666666666666666
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"a rate of false positives is in [0, 1], not {rate}")
    _check_finite(positives, negatives)
    allowed = floor(rate * len(negatives) + 1e-9)  # 0.02 x 50 is a little less than 1 in binary
    if allowed >= len(negatives):
        return 1.0
    threshold = np.sort(negatives)[::-1][allowed]
    return float(np.mean(positives > threshold))


def bootstrap(statistic: Statistic, samples: Sequence[Floats], *, paired: bool = False, seed: int = 0) -> ShareEstimate:
    """Return a statistic of one or more samples with the interval between two percentiles of its resamples.

    Source: Efron and Tibshirani 1993, section 13.3 (percentile interval). It has no width where no resample differs,
    as at an area of exactly 1.

    Args:
        statistic: From the samples to a number.
        samples: Its arguments, each (N,).
        paired: Whether the samples describe the same examples and are drawn together; ``n`` then counts them once.
        seed: Of the resamples.
    """
    dice = np.random.default_rng((STREAM, seed))
    values = []
    for _ in range(RESAMPLES):
        picks = [dice.integers(0, len(sample), len(sample)) for sample in (samples[:1] if paired else samples)]
        values.append(
            statistic(*(s[p] for s, p in zip(samples, picks * len(samples) if paired else picks, strict=True)))
        )
    low, high = np.nanpercentile(values, (2.5, 97.5))
    n = len(samples[0]) if paired else sum(map(len, samples))
    return ShareEstimate(statistic(*samples), float(low), float(high), n)


def specimen(seed: int, faults: Mapping[str, int], sizes_px: Mapping[int, int] = SIZES_PX) -> Specimen:
    """Return the picture of the scene of a seed, spoilt and encoded as the demo web does, and decoded again.

    Args:
        seed: Of the scene, the fault, its strength and the file.
        faults: Weight of each fault of the kinds ``copy`` and ``picture``; the empty name for none.
        sizes_px: Weight of each side that the picture is drawn with.
    """
    dice = Dice(STREAM, seed)
    fault, size_px = dice.weighted(faults), dice.weighted(sizes_px)
    strength, format, quality = dice.between(0, 100) / 100.0, dice.weighted(FORMATS), dice.between(82, 95)
    if fault == "recompressed":
        format, quality = "jpeg", RECOMPRESSED_QUALITY
    shown = scene(seed)
    return Specimen(
        shown, fault, strength, decode(encoded(picture_of(shown, size_px, fault, strength), format, quality))
    )


def embed(encoder: Encoder, pictures: Iterable[Image]) -> Vectors:
    """Return the vectors of pictures as a run stores them: float32 (N, dim), rounded through float16."""
    vectors: list[Vectors] = []
    prepared: list[npt.NDArray[Any]] = []
    for picture in pictures:
        prepared.append(encoder.prepare(picture))
        if len(prepared) == CHUNK:
            vectors.append(encoder.images(prepared))
            prepared = []
    if prepared:
        vectors.append(encoder.images(prepared))
    return np.concatenate(vectors).astype(np.float16).astype(np.float32)


def embed_texts(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Return the vectors of texts as a run stores them: float32 (N, dim), rounded through float16."""
    vectors = np.concatenate([encoder.texts(texts[at : at + CHUNK]) for at in range(0, len(texts), CHUNK)])
    return vectors.astype(np.float16).astype(np.float32)


def measure_clip(
    folder: Path, *, rows: int = RECALL_ROWS, web_rows: int = WEB_ROWS, progress: str = "none"
) -> dict[str, ShareEstimate]:
    """Return how well a CLIP tells scenes apart by captions and captions by scenes.

    Args:
        folder: The model in open_clip's layout.
        rows: Held-out scenes with captions of their own.
        web_rows: Rows of a held-out demo web, of which those with a picture and an English caption count.
        progress: Display mode, see ``diptych.progress``.

    Returns:
        ``image_to_text_recall_at_1`` and ``text_to_image_recall_at_1`` on pictures of 64 pixels, ``..._web`` on files
        of the demo web's sizes and formats; ``matched_auc``: the cosine of matched against mismatched captions on the
        pictures of 64 pixels, ``matched_auc_web``: on a whole demo web with all its faults.
    """
    encoder = open_clip_encoder(architecture=str(folder))
    chosen = distinct_captions(rows, start=HELD_OUT)
    texts = embed_texts(encoder, [one.caption for one in chosen])
    web = _matchable(web_rows)
    with track("measure the CLIP", 2 * rows + len(web), mode=progress, unit="pictures") as tracker:
        drawn = embed(encoder, _counted(tracker, (decode(encoded(draw(one.scene), "png", 0)) for one in chosen)))
        served = embed(encoder, _counted(tracker, (specimen(one.scene.seed, {"": 1}).image for one in chosen)))
        on_web = embed(encoder, _counted(tracker, (decode(bytes_of(row)) for row in web)))
    others = _other_captions([one.scene for one in chosen])
    matched, mismatched = cosine(drawn, texts), cosine(drawn[others[:, 0]], texts[others[:, 1]])
    return {
        "image_to_text_recall_at_1": wilson(recall_at_1(drawn @ texts.T), rows),
        "text_to_image_recall_at_1": wilson(recall_at_1(texts @ drawn.T), rows),
        "image_to_text_recall_at_1_web": wilson(recall_at_1(served @ texts.T), rows),
        "matched_auc": bootstrap(roc_auc, (matched, mismatched)),
        "matched_auc_web": _matched_auc_on_web(encoder, web, on_web),
    }


def measure_heads(
    clip_folder: Path, heads_folder: Path, *, rows: int = SPECIMEN_ROWS, progress: str = "none"
) -> dict[str, ShareEstimate]:
    """Return how well the heads over a CLIP find what they are for, on held-out pictures with the demo web's faults.

    Args:
        clip_folder: The model that the heads were trained on, in open_clip's layout.
        heads_folder: Holds ``aesthetic.pth`` and ``flagged.pth``.
        rows: Pictures, of which 30 % are flagged and 58 % count for the quality.
        progress: Display mode, see ``diptych.progress``.

    Returns:
        ``flagged_recall_at_2_percent``: the share of flagged pictures found where 2 % of the others, spoilt ones among
        them, are taken for flagged (its interval takes that threshold as given); ``flagged_auc``;
        ``aesthetic_spearman``: with the drawn quality, and the same ``_with_tiny`` pictures among them.
    """
    encoder = open_clip_encoder(architecture=str(clip_folder))
    faults, qualities = [], []

    def pictures() -> Iterable[Image]:
        for seed in range(SPECIMENS, SPECIMENS + rows):
            one = specimen(seed, SPECIMEN_FAULTS)
            faults.append(one.fault)
            qualities.append(one.quality)
            yield one.image

    with track("measure the heads", rows, mode=progress, unit="pictures") as tracker:
        vectors = embed(encoder, _counted(tracker, pictures()))
    flagged = np.array([fault == "flagged" for fault in faults])
    graded = np.array([fault in GRADED for fault in faults])
    with_tiny, drawn = graded | np.array([fault == "tiny" for fault in faults]), np.array(qualities)
    hazard = rate(vectors, load_head(heads_folder / "flagged.pth"))
    beauty = rate(vectors, load_head(heads_folder / "aesthetic.pth"))
    found = (hazard[flagged], hazard[~flagged])
    return {
        "flagged_recall_at_2_percent": wilson(recall_at_false_positive_rate(*found, 0.02), int(flagged.sum())),
        "flagged_auc": bootstrap(roc_auc, found),
        "aesthetic_spearman": bootstrap(spearman, (beauty[graded], drawn[graded]), paired=True),
        "aesthetic_spearman_with_tiny": bootstrap(spearman, (beauty[with_tiny], drawn[with_tiny]), paired=True),
    }


def _check_finite(*samples: Floats) -> None:
    """Refuse ratings that have no place among others: sorting puts NaN above all numbers."""
    for sample in samples:
        bad = int(np.size(sample) - np.isfinite(sample).sum())
        if bad:
            raise DataError(
                f"{bad} of {np.size(sample)} ratings are not finite numbers; the model they are of is broken"
            )


def _counted(tracker: Tracker, pictures: Iterable[Image]) -> Iterator[Image]:
    for picture in pictures:
        yield picture
        tracker.advance(1)


def _mean_ranks(values: Floats) -> npt.NDArray[np.float64]:
    """Return the rank of each value from 1 on, equal values having their mean rank."""
    ordered = np.sort(values)
    first, last = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    ranks: npt.NDArray[np.float64] = (first + last + 1) / 2.0
    return ranks


def _other_captions(scenes: Sequence[Scene]) -> npt.NDArray[np.int64]:
    """Return for each scene the number of the next one whose words cannot be true of it: int64 (N, 2)."""
    pairs = []
    for number, shown in enumerate(scenes):
        following = (other % len(scenes) for other in range(number + 1, number + len(scenes)))
        pairs += [(number, next(other for other in following if not may_describe(scenes[other], shown)))]
    return np.array(pairs)


def _matchable(count: int) -> list[WebRow]:
    """Return the rows of a held-out web that have a picture and an English caption, fitting or not."""
    return [
        row
        for row in plan_rows(count, seed=WEB_SEED)
        if row.status == "ok" and row.caption is not None and row.caption_fault in ("", "mismatched")
    ]


def _matched_auc_on_web(encoder: Encoder, rows: Sequence[WebRow], pictures: Vectors) -> ShareEstimate:
    similarity = cosine(pictures, embed_texts(encoder, [str(row.caption) for row in rows]))
    mismatched = np.array([row.caption_fault == "mismatched" for row in rows])
    return bootstrap(roc_auc, (similarity[~mismatched], similarity[mismatched]))
