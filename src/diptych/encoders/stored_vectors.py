"""In which precision the vectors of an encoder are stored: half of it, unless its option ``vectors`` says otherwise.

Half precision halves what a dataset's vectors take, and moves a cosine by less than 0.001. It moves a Fréchet distance
by about 2e-4 of itself, and logits by more, so those who need more digits say ``vectors: float32``, which is another
identity.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

StoredVectors = Literal["float16", "float32"]


def stored_type(encoder: Any) -> type[np.floating[Any]]:
    """Return the type in which the vectors of an encoder are stored, NumPy's float16 or float32."""
    return np.float32 if getattr(encoder, "vectors", "float16") == "float32" else np.float16


def as_stored(encoder: Any, vectors: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return vectors as they come back from where they are stored, float32.

    >>> as_stored(None, np.array([0.1], np.float32)).tolist()
    [0.0999755859375]
    """
    return vectors.astype(stored_type(encoder)).astype(np.float32)


def stored_facts(vectors: StoredVectors) -> dict[str, str]:
    """Return what the identity of an encoder says of it: nothing where it is half precision, as ever.

    >>> stored_facts("float16"), stored_facts("float32")
    ({}, {'vectors': 'float32'})
    """
    return {} if vectors == "float16" else {"vectors": vectors}
