"""Whether two sets of images depend on each other: the same pictures, or versions of the same pictures, in both.

A set against its own recompressed, resized or decoded images is no sample of its own. What takes the two sides for
independent, as the correction of a distance for size and every error do, is then wrong by more than it corrects. Five
things tell: equal bytes, equal vectors (but for rounding, as of equal pixels), equal keys of images that are more
alike than others, equal units, such as the same prompts, and pictures that are far nearer to one of the other set than
to any of their own. That the sets are versions of each other can also be said.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.evaluate.inputs.set_images import SHADOW_DIM, SetImages, Texts
from diptych.evaluate.metrics.kept_vectors import VECTOR_ROUNDING
from diptych.evaluate.metrics.near_pictures import near_pictures

# Of the smaller set: with fewer images in both, what they change is far below the error.
SHARE = 0.01
# Vectors of fewer numbers are near each other by chance.
MIN_DIM = 8
SLACK = 4.0  # a shadow is longer than what throws it by at most this, but for once in a hundred million
# Numbers such as 00001 are the same in any two folders. So images of one key are versions of one picture if they are
# much nearer, in squares, than the neighbours of the key are, and more of them than chance has it; or if all together
# are nearer by this share of the distance at least, and by so many standard errors.
MUCH_NEARER, ALIKE, CERTAIN = 0.5, 0.1, 5.0
MIN_PAIRS = 8
BLOCK_ROWS = 4096
DECLARED = "declared"

Index = npt.NDArray[np.int64]


class Overlap(NamedTuple):
    """How two sets depend on each other.

    Attributes:
        shared: Images, or units, in both; of what is equal in bytes or vectors, different ones: of a blank picture that
            both have many times, there is one.
        smallest: Of how many such in the smaller set.
        how: What is equal.
    """

    shared: int
    smallest: int
    how: str

    @property
    def is_large(self) -> bool:
        """Whether the sets cannot be taken for independent."""
        return self.how == DECLARED or self.shared >= SHARE * self.smallest

    def __str__(self) -> str:
        """Return it in words.

        >>> str(Overlap(3, 40, "equal bytes"))
        '3 of 40 different images are in both sets (equal bytes)'
        """
        if self.how == DECLARED:
            return "declared to be versions of the same pictures"
        what = {BYTES: "different images", VECTORS: "different images", PROMPTS: "prompts"}.get(self.how, "images")
        return f"{self.shared:,} of {self.smallest:,} {what} are in both sets ({self.how})"


BYTES, VECTORS, KEYS, PROMPTS = "equal bytes", "equal vectors", "equal keys, and alike", "equal prompts"
NEAR = "far nearer to each other than to any of their own set"


def overlap(a: SetImages, b: SetImages) -> Overlap | None:
    """Return how two sets depend on each other, by what tells most of it; None where nothing does.

    Whatever names and files say is exact, so that alike pictures are looked for only where those say little.
    """
    a, b = a.known, b.known
    if not min(len(a.vectors), len(b.vectors)):
        return None
    found: list[Overlap] = []
    for how, check in CHECKS:
        most = max(found, key=_share, default=None)
        if most is not None and most.is_large and (how == NEAR or most.shared == most.smallest):
            return most
        shared, smallest = check(a, b)
        found += [Overlap(shared, smallest, how)] if shared else []
    return max(found, key=_share, default=None)


def _share(found: Overlap) -> float:
    return found.shared / found.smallest


def _common(a: Texts, b: Texts) -> tuple[int, int]:
    """Return how many different texts are in both, and of how many in the smaller of the two."""
    left, right = ({*each.tolist()} - {""} for each in (a, b))
    return len(left & right), min(len(left), len(right))


def _equal_vectors(a: SetImages, b: SetImages) -> tuple[int, int]:
    """Return how many vectors of the one set have an equal one in the other, each of which counts once."""
    few, many = (a, b) if len(a.vectors) <= len(b.vectors) else (b, a)
    smallest = min(_different(a), _different(b))
    if a.vectors.shape[1] != b.vectors.shape[1] or a.vectors.shape[1] < MIN_DIM:
        return 0, smallest
    near = VECTOR_ROUNDING * np.linalg.norm(few.vectors, axis=1)
    reach = SLACK * SHADOW_DIM**0.5 * near
    partners = many.tree.query(few.shadows, distance_upper_bound=float(reach.max(initial=0.0)) * (1.0 + 1e-9))[1]
    rows = np.flatnonzero(partners < len(many.vectors))
    apart = np.linalg.norm(few.vectors[rows] - many.vectors[partners[rows]], axis=1)
    return len(np.unique(partners[rows[apart <= near[rows]]])), smallest


def _different(images: SetImages) -> int:
    """Return how many files a set has that differ in their bytes; one of which nobody knows them is one."""
    return len({*images.contents.tolist()} - {""}) + int((images.contents == "").sum())


def _alike(a: SetImages, b: SetImages) -> tuple[int, int]:
    """Return how many images are more like the one of their key in the other set than like its neighbours there.

    The neighbours in the order of the keys are what folders of one class, or frames of one film, are alike by as well:
    two samples of a thousand classes have equal keys and pictures of one class under each, and nothing in common.
    """
    smallest = min(len(a.keys), len(b.keys))
    common, left, right = np.intersect1d(a.keys, b.keys, return_indices=True)
    if len(common) < MIN_PAIRS or a.vectors.shape[1] != b.vectors.shape[1]:
        return 0, smallest
    own, before, after = (_squares(a, b, left, np.roll(right, places)) for places in (0, 1, -1))
    surely = _much_nearer(own, before, after)
    by_chance = (_much_nearer(before, own, after) + _much_nearer(after, own, before)) / 2.0
    found = surely - by_chance if surely - by_chance > CERTAIN * (surely + by_chance) ** 0.5 else 0.0
    strangers = np.minimum(before, after)
    nearer = strangers - own
    error = nearer.std(ddof=1) / len(nearer) ** 0.5
    if nearer.mean() > max(ALIKE * strangers.mean(), CERTAIN * error):
        found = max(found, len(common) * float(((nearer > 0.0).mean() - 1.0 / 3.0) * 1.5))
    return round(found), smallest


def _near(a: SetImages, b: SetImages) -> tuple[int, int]:
    """Return about how many images have a version in the other set, whatever their names."""
    few, many = (a, b) if len(a.vectors) <= len(b.vectors) else (b, a)
    comparable = a.vectors.shape[1] == b.vectors.shape[1] >= MIN_DIM and len(few.vectors) > 1
    return near_pictures(few, many) if comparable else 0, len(few.vectors)


def _squares(a: SetImages, b: SetImages, left: Index, right: Index) -> npt.NDArray[np.float64]:
    """Return the squared distances of some vectors of one set from some of the other, one by one."""
    found = np.empty(len(left))
    for start in range(0, len(left), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        apart = a.vectors[left[rows]].astype(np.float64) - b.vectors[right[rows]]
        found[rows] = np.einsum("nd,nd->n", apart, apart)
    return found


def _much_nearer(one: npt.NDArray[np.float64], *others: npt.NDArray[np.float64]) -> float:
    return float((one < MUCH_NEARER * np.minimum(*others)).sum())


# In the order in which they are tried: what is exact before what is estimated.
CHECKS: tuple[tuple[str, Callable[[SetImages, SetImages], tuple[int, int]]], ...] = (
    (BYTES, lambda a, b: _common(a.contents, b.contents)),
    (VECTORS, _equal_vectors),
    (KEYS, _alike),
    (PROMPTS, lambda a, b: _common(a.units, b.units)),
    (NEAR, _near),
)
