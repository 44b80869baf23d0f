"""Numbers for rows: equal where columns are equal, and one for all prompts that have an image in common."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def codes(columns: Iterable[pa.Array], count: int) -> npt.NDArray[np.int64]:
    """Return int64 (count,): a number per row, equal where all columns are equal; null is a value of its own."""
    code = np.zeros(count, np.int64)
    for column in columns:
        encoded = pc.dictionary_encode(column, null_encoding="encode").indices.to_numpy(zero_copy_only=False)
        pairs = np.stack([code, encoded.astype(np.int64)])
        code = np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return code


def linked(prompts: npt.NDArray[np.int64], seeds: pa.Array) -> npt.NDArray[np.int64]:
    """Return the numbers (N,) of prompts, one for all that have an image in common, as its seed tells; null tells none.

    >>> linked(np.array([0, 0, 1, 2]), pa.array([7, 8, 7, None])).tolist()
    [0, 0, 0, 2]
    """
    encoded = pc.dictionary_encode(seeds).indices
    known = np.flatnonzero(encoded.is_valid().to_numpy(zero_copy_only=False))
    seed, own = encoded.take(pa.array(known)).to_numpy().astype(np.int64), prompts[known]
    first = np.full(seed.max(initial=-1) + 1, len(prompts), np.int64)
    np.minimum.at(first, seed, own)
    leader = np.arange(prompts.max(initial=-1) + 1, dtype=np.int64)
    np.minimum.at(leader, own, first[seed])
    return leader[prompts]
