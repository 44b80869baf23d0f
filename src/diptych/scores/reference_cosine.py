"""How near a picture is to a reference text. The cosine of it and a text that its prompt brings.

The text is a column of the data beside the prompt, such as the answer that a picture is to give, and not its caption.
OneIG-Bench measures so, by an encoder that reads long texts; one that cuts them says so in ``reference_truncated``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED, REFERENCE_ANSWER
from diptych.encoders import Encoder
from diptych.scores import Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.clip_similarity import cosine

COLUMNS = (
    Column(
        "reference_cosine",
        "Cosine of the image's and the reference text's embedding",
        low=-1.0,
        high=1.0,
        better_for_data="higher",
        better_for_models="higher",
    ),
    Column(
        "reference_truncated",
        "Whether the reference text is longer than the text encoder's context and was cut",
        dtype="bool",
    ),
)


@dataclass(frozen=True)
class ReferenceCosine:
    """Cosine of an image and the text of a column."""

    encoder: Encoder
    column: str
    columns: tuple[Column, ...] = COLUMNS
    reads: frozenset[Reads] = frozenset({"embedding"})

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, the column and the encoder's identity."""
        own = {"score": "reference_cosine", "version": 1, "column": self.column}
        return {**own, "encoder": dict(self.encoder.identity)}

    def score(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of ``COLUMNS``, NaN and None where there is no image or no text.

        Raises:
            DataError: If the data has no such column.
        """
        texts = [str(text) if text else None for text in batch.column(self.column)]
        known = list(dict.fromkeys(text for text in texts if text is not None))  # the images of a prompt share one
        vectors = dict(zip(known, self.encoder.texts(known).astype(np.float16), strict=True)) if known else {}
        is_cut = dict(zip(known, self.encoder.truncated(known), strict=True)) if known else {}
        wanted = np.full((len(batch), self.encoder.dim), np.nan, np.float32)
        truncated, reason = (np.full(len(batch), None, object) for _ in range(2))
        for row, text in enumerate(texts):
            if text is None:
                reason[row] = NOT_ASKED
            else:
                wanted[row], truncated[row] = vectors[text], bool(is_cut[text])
        similarity = cosine(batch.embeddings(self.encoder), wanted)
        return {"reference_cosine": similarity, "reference_truncated": truncated, "reason": reason}


def reference_cosine(*, encoder: Encoder, column: str = REFERENCE_ANSWER) -> ReferenceCosine:
    """Return the score.

    Args:
        encoder: With an image and a text tower.
        column: Of the data: the text that an image is held against.
    """
    return ReferenceCosine(encoder, column)
