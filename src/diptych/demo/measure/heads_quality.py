"""How well the heads over a CLIP find what they are for, on pictures with the demo web's faults.

They are read as any other ones are, from scenes that nothing was trained on. Each figure comes with the number of
examples behind it and an interval of 95 percent. Decides nothing about what is good enough, and prints nothing.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from diptych.data.images import Image
from diptych.demo.measure.embedding import counted, embed
from diptych.demo.measure.ratings import bootstrap, recall_at_false_positive_rate, roc_auc, spearman
from diptych.demo.world.seeds import SPECIMENS
from diptych.demo.world.specimens import SPECIMEN_FAULTS, specimen
from diptych.encoders.open_clip import open_clip_encoder
from diptych.intervals import ShareEstimate, wilson
from diptych.progress import track
from diptych.scores.aesthetic import load_head, rate

ROWS = 3000
# What the drawn quality is compared on: faults that spoil a picture for the eye, and pictures without any. Thumbnails
# count apart: once all pictures have the size that a model takes, little tells them from others.
GRADED = frozenset({"", "blurred", "low_contrast", "noisy", "watermarked"})


def measure_heads(
    clip_folder: Path, heads_folder: Path, *, rows: int = ROWS, progress: str = "none"
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
        vectors = embed(encoder, counted(tracker, pictures()))
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
