"""A second opinion on what hashes take for the same picture: the cosine of stored embeddings."""

import numpy as np
import numpy.typing as npt

from diptych.curate.duplicates.buckets import Rows
from diptych.curate.duplicates.cosines import Vectors, exact_cosines, reach
from diptych.data.dataset import ColumnSet
from diptych.scores.tables import embedding_type, read_embeddings

CHUNK = 1 << 14  # vectors compared at a time


class AlikeVectors:
    """Confirms that two rows are the same picture where the cosine of their stored vectors is high enough.

    Holds the vectors of the rows that it is asked about, as precise as stored; a row without one is no copy.
    """

    def __init__(self, vectors: ColumnSet, cosine: float, rows: Rows) -> None:
        """Read the vectors of ``rows``, int32, ascending."""
        self._rows, self._cosine = rows, cosine
        parts, start, stored = [], 0, embedding_type(vectors.files[0])[0]
        for file, shard in zip(vectors.files, vectors.shards, strict=True):
            first, last = np.searchsorted(rows, [start, start + shard.rows])
            if last > first:
                parts.append(read_embeddings(file)[rows[first:last] - start].astype(stored))
            start += shard.rows
        self._vectors = np.concatenate(parts)

    def __call__(self, row: int, others: Rows) -> npt.NDArray[np.bool_]:
        """Return bool (M,): which of the rows ``others``, int32 (M,), are alike to ``row``."""
        own = self._of(np.array([row], np.int32))[0]
        parts = [
            reach(exact_cosines(own, self._of(others[at : at + CHUNK])), self._cosine)
            for at in range(0, len(others), CHUNK)
        ]
        return np.concatenate(parts)

    def _of(self, rows: Rows) -> Vectors:
        return self._vectors[np.searchsorted(self._rows, rows)]
