"""Length and repetition of the caption. As DataComp's basic filter counts: words by ``split()``, characters."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.scores import Column, Reads
from diptych.scores.batches import Batch, without_caption

COLUMNS = (
    Column("caption_characters", "Unicode code points after stripping", dtype="int32", low=0),
    Column("caption_words", "Words by str.split()", dtype="int32", low=0),
    Column(
        "caption_letter_share",
        "Share of letters among non-space characters; low in file names and SKU lists",
        low=0,
        high=1,
        better_for_data="higher",
    ),
    Column(
        "caption_repetition",
        "1 - distinct words / words, case folded; high in keyword stuffing",
        low=0,
        high=1,
        better_for_data="lower",
    ),
    Column(
        "caption_is_filename", "Looks like a file name or URL, e.g. IMG_1234.jpg", dtype="bool", better_for_data="lower"
    ),
)

# A single token that ends in an image extension, a camera's default name, or a bare URL.
FILENAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|bmp|tiff?|heic|avif|svg|pdf|php|html?)|(?:img|dsc|dscn|image|photo|pict?)[-_ ]?\d+|https?://\S+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CaptionStats:
    """Counts over one text each."""

    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"caption"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name and version."""
        return {"score": "caption_stats", "version": 1}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the counts; None and NaN without a caption."""
        rows = [_measure(caption) if caption is not None else _MISSING for caption in batch.captions]
        reason = without_caption(batch.captions)
        kinds = {"float32": np.float32}
        measured = {
            column.name: np.array([row[index] for row in rows], kinds.get(column.dtype, object))
            for index, column in enumerate(COLUMNS)
        }
        return {**measured, "reason": reason}


_MISSING = (None, None, float("nan"), float("nan"), None)


def caption_stats() -> CaptionStats:
    """Return the score."""
    return CaptionStats()


def _measure(caption: str) -> tuple[int, int, float, float, bool]:
    text = caption.strip()
    words = text.casefold().split()
    visible = [character for character in text if not character.isspace()]
    letters = sum(unicodedata.category(character)[0] in "LM" for character in visible)
    repetition = 1 - len(Counter(words)) / len(words) if words else 0.0
    return (
        len(text),
        len(words),
        letters / len(visible) if visible else 0.0,
        repetition,
        FILENAME.fullmatch(text) is not None,
    )
