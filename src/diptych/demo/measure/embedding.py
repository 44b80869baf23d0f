"""Pictures and texts as an encoder sees them, rounded as a run stores their vectors."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.images import Image
from diptych.encoders import Encoder
from diptych.progress.counting import Tracker

Vectors = npt.NDArray[np.float32]

CHUNK = 256  # pictures that are encoded at once


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


def counted(tracker: Tracker, pictures: Iterable[Image]) -> Iterator[Image]:
    """Yield pictures, each counted once it has been dealt with."""
    for picture in pictures:
        yield picture
        tracker.advance()
