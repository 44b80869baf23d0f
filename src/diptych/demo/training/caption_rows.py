"""The pictures that the demo CLIP and the autoencoder are trained on, and what is true of them.

They are those of the demo web with the faults that leave something to be seen. The captions are true and silent about
the faults.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL.Image import Resampling

from diptych.demo.training.rows import kept_rows
from diptych.demo.world.captions import caption_of
from diptych.demo.world.seeds import CLIP_ROWS
from diptych.demo.world.specimens import specimen

VARIANTS = 4  # captions of each picture

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


@dataclass(frozen=True)
class CaptionKind:
    """Rows of ``CaptionRows``.

    Attributes:
        side: Of the pictures in pixels, as the model takes them.
        context: Tokens of a caption, the padding included.
    """

    side: int
    context: int

    def open(self) -> Callable[[int], Mapping[str, Any]]:
        """Load the tokenizer, and return what draws a row."""
        import open_clip

        tokenizer = open_clip.get_tokenizer("ViT-B-32", context_length=self.context)

        def draw(seed: int) -> Mapping[str, Any]:
            one = specimen(seed, FAULT_WEIGHTS, SIZES_PX)
            captions = [caption_of(one.scene, variant=variant) for variant in range(VARIANTS)]
            return {
                "pixels": np.asarray(one.image.resize((self.side, self.side), Resampling.BICUBIC)),
                "tokens": tokenizer(captions).numpy().astype(np.int32),
                "quality": np.float32(one.quality),
                "flagged": np.bool_(one.fault == "flagged"),
                "has_sides": np.bool_(one.scene.relation in ("left of", "right of")),
            }

        return draw


def draw_caption_rows(folder: Path, count: int, kind: CaptionKind, *, processes: int = 1) -> CaptionRows:
    """Return the first ``count`` training pictures; draws those that ``folder`` does not hold yet."""
    seeds = range(CLIP_ROWS, CLIP_ROWS + count)
    return CaptionRows(**kept_rows(folder, kind, seeds, processes=processes))
