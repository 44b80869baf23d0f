"""The vectors of some images and their units: what the statistics of a metric keep that looks at single images."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError
from diptych.evaluate.metrics.contract import Result, missing
from diptych.evaluate.statistics.intervals import even_clusters

Vectors = npt.NDArray[np.floating[Any]]
Texts = npt.NDArray[np.str_]

# Of its length: how far apart two vectors of one picture may be. They are stored in float16, and what a model makes of
# a picture may depend on its neighbours in the last bit.
VECTOR_ROUNDING = 2.0**-10
BLOCK_ROWS = 256

Found = TypeVar("Found")


@dataclass(frozen=True)
class KeptVectors:
    """Vectors in the parts in which they came, so that putting sets together copies nothing.

    They are the statistics of a metric as they stand; one that computes more of a set, once, adds that in a subclass.

    Attributes:
        parts: float32 (n, D) each.
        unit_parts: Text (n,) each.
    """

    parts: tuple[npt.NDArray[np.float32], ...] = ()
    unit_parts: tuple[Texts, ...] = ()

    @classmethod
    def of(cls, vectors: Vectors, units: npt.ArrayLike) -> Self:
        """Return vectors (N, D) with their units (N,), without the rows that hold a number that is not finite.

        >>> KeptVectors.of(np.array([[1.0, 2.0], [np.nan, 0.0]]), ["a", "b"]).units.tolist()
        ['a']
        """
        known = np.isfinite(vectors).all(axis=1)
        found, names = np.asarray(vectors, np.float32), np.asarray(units).astype(str, copy=False)
        return cls((found,), (names,)) if known.all() else cls((found[known],), (names[known],))

    @property
    def n(self) -> int:
        """Images with a vector."""
        return sum(map(len, self.parts))

    @cached_property
    def matrix(self) -> npt.NDArray[np.float32]:
        """All vectors, float32 (n, D)."""
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)

    @cached_property
    def units(self) -> Texts:
        """The unit of each vector, text (n,)."""
        return np.concatenate(self.unit_parts) if self.unit_parts else np.array([], np.str_)

    @cached_property
    def even_units(self) -> float:
        """How many units of one size these are worth, see ``even_clusters``; 0 without images."""
        return even_clusters(self.units) if self.n else 0.0

    @cached_property
    def has_spread(self) -> bool:
        """Whether two of the images differ by more than the rounding of a stored vector."""
        blocks = (part[at : at + BLOCK_ROWS] for part in self.parts for at in range(0, len(part), BLOCK_ROWS))
        first = next((part[:1].astype(np.float64) for part in self.parts if len(part)), np.zeros((0, 0)))
        alike = VECTOR_ROUNDING**2 * float((first**2).sum())
        return any(float(((block - first) ** 2).sum(axis=1).max()) > alike for block in blocks)

    @cached_property
    def drawing_order(self) -> npt.NDArray[np.int64]:
        """int64 (n,): the rows by a hash of their numbers, so that what is drawn does not depend on their order."""
        return np.argsort(self.vector_hashes, kind="stable")

    @cached_property
    def vector_hashes(self) -> npt.NDArray[np.uint64]:
        """uint64 (n,): a number of 64 bits for each vector, by its bytes."""
        rows = (hashlib.blake2b(row, digest_size=8).digest() for row in np.ascontiguousarray(self.matrix))
        return np.array([int.from_bytes(row, "big") for row in rows], np.uint64)

    def beside(self, other: Any, compute: Callable[[Any, Any], Found]) -> Found:
        """Return what a function computes of this set and another, once: it is known until another set is asked about.

        A number, its error, what each image adds to it and columns of the images may all need it.
        """
        found = self._beside.get(compute)
        if found is None or found[0] is not other:
            found = self._beside[compute] = other, compute(self, other)
        known: Found = found[1]
        return known

    @cached_property
    def _beside(self) -> dict[Callable[[Any, Any], Any], tuple[Any, Any]]:
        return {}

    def merged(self, other: Self) -> Self:
        """Return the vectors of both sets of images together."""
        return type(self)(self.parts + other.parts, self.unit_parts + other.unit_parts)


def hashed_groups(units: Texts, count: int) -> npt.NDArray[np.int64]:
    """Return a number below ``count`` for each of (n,) units, by a hash: the same for one unit wherever it occurs.

    So groups depend neither on the order of the images nor on how the work was cut, and two models with the same
    prompts have the same groups.

    Args:
        units: Text.
        count: Of groups, a power of two up to 256, for which they are equally likely.
    """
    return (hashes(units) % np.uint64(count)).astype(np.int64)


def hashes(units: Texts) -> npt.NDArray[np.uint64]:
    """Return a number of 64 bits for each of (n,) units, the same for one unit wherever it occurs."""
    texts = (unit.encode("utf-8", "surrogatepass") for unit in units.tolist())
    return np.array([int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") for text in texts], np.uint64)


def refused(left: KeptVectors, right: KeptVectors, least: int, identity: Mapping[str, Any]) -> Result | None:
    """Return the result where a side has fewer images than a metric needs, None where both have enough.

    Raises:
        DataError: If the vectors of the two differ in length.
    """
    if min(left.n, right.n) < least:
        return too_few_images(left.n, right.n, least, identity)
    check_dims(left.matrix.shape[1], right.matrix.shape[1])
    return None


def too_few_images(n: int, n_reference: int, least: int, identity: Mapping[str, Any]) -> Result:
    """Return the result where a side has fewer images than a metric needs."""
    note = f"needs at least {least} images on each side, not {n} and {n_reference}"
    return missing("too_few_images", n, identity, note)


def not_of_dependent(n: int, identity: Mapping[str, Any]) -> Result:
    """Return the result of a metric that takes two sets for independent, where they depend on each other."""
    return missing("sets_depend", n, identity, "it takes the two sets for independent of each other")


def check_dims(dim: int, other: int) -> None:
    """Check that the vectors of two sets have one length.

    Raises:
        DataError: If they do not.
    """
    if dim != other:
        raise DataError(f"vectors of {dim} and of {other} dimensions do not compare: use one encoder for both")
