"""Which images of two models, or of two settings, make a pair: same prompt, same sample and everything else equal."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.generated_columns import equal_in_pairs
from diptych.evaluate.comparisons.compared_images import Images, Texts, as_objects
from diptych.evaluate.inputs.row_codes import codes
from diptych.evaluate.inputs.scored_rows import Index
from diptych.evaluate.statistics.nested_means import even_weights
from diptych.store.rows import SETTING_A, SETTING_B


class ImagePairs(NamedTuple):
    """The units that both sides have, with what each says.

    ``note`` says how the two are not quite the same, ``wanted`` has all categories of the sets that a prompt is of.
    """

    a: npt.NDArray[np.float64]
    b: npt.NDArray[np.float64]
    prompt: Index
    asked: Index
    category: Texts
    wanted: Texts
    rest: Texts
    weights: npt.NDArray[np.float64]
    dataset: str
    note: Mapping[str, Any]

    @property
    def categories(self) -> frozenset[str]:
        """All categories of the sets of prompts that the pairs are of."""
        return frozenset[str]().union(*set(self.wanted))

    @property
    def prompt_weights(self) -> npt.NDArray[np.float64]:
        """float64 (N,): how much each counts in a mean over prompts, in each over its pairs that have both numbers."""
        scored = np.isfinite(self.a) & np.isfinite(self.b)
        return even_weights(codes([pa.array(self.asked), pa.array(self.rest, pa.string())], len(self.a)), scored)

    def take(self, mask: npt.NDArray[np.bool_]) -> "ImagePairs":
        """Return some of the pairs."""
        return self._replace(
            a=self.a[mask],
            b=self.b[mask],
            prompt=self.prompt[mask],
            asked=self.asked[mask],
            category=self.category[mask],
            wanted=self.wanted[mask],
            rest=self.rest[mask],
            weights=self.weights[mask],
        )

    def of_category(self, category: str) -> "ImagePairs":
        """Return the pairs of one category, whatever others they have."""
        part = self.take(np.array([category in names for names in self.category], bool))
        count = len(part.a)
        return part._replace(
            category=as_objects([(category,)] * count), wanted=as_objects([frozenset([category])] * count)
        )

    def below(self, kind: str) -> "ImagePairs":
        """Return the pairs of one kind, with the kinds that lie below it."""
        part = self.take(np.array([kind in names for names in self.category], bool))
        return part._replace(category=as_objects([names[names.index(kind) + 1 :] for names in part.category]))


class MatchedImages(NamedTuple):
    """The images of two sides, and a number for each, equal for images that can be held against each other.

    ``note`` says how the two sides are not quite the same.
    """

    a: Images
    b: Images
    units_a: Index
    units_b: Index
    note: Mapping[str, Any]


def matched(a: Images, b: Images, *, by: str) -> MatchedImages:
    """Return which images of two sides are of the same prompt, sample and rest.

    Models that were run with one setting each, and not the same one, are paired all the same; ``note`` says so. What
    is compared by anything but the model is equal in all the rest, or no pair.
    """
    note: Mapping[str, Any] = {}
    settings = sorted(set(a.rest)), sorted(set(b.rest))
    if by == "model" and settings[0] != settings[1] and len(settings[0]) == len(settings[1]) == 1:
        note = {SETTING_A: settings[0][0], SETTING_B: settings[1][0]}
        a, b = (replace(side, rest=as_objects([""] * len(side.rest))) for side in (a, b))
    rests = np.concatenate([a.rest, b.rest])
    units = codes([pa.array(np.concatenate([a.unit, b.unit])), pa.array(rests, pa.string())], len(rests))
    return MatchedImages(a, b, units[: len(a.unit)], units[len(a.unit) :], note)


def couples(images: Images, baseline: str | None) -> list[tuple[str, str]]:
    """Return which two sides are compared: each with the baseline, or each with each where there is none."""
    sides = sorted(set(map(str, images.side)))
    if baseline is None:
        return list(combinations(sides, 2))
    return [(side, baseline) for side in sides if side != baseline]


def sides_by_dataset(images: Images, a: str, b: str) -> list[tuple[Images, Images]]:
    """Return the images of two sides, apart by dataset: those of two datasets are not pooled.

    That is in each dataset that has both sides; where none has, in each of the one against each of the other.
    """
    sides = images.side == a, images.side == b
    own = [sorted(set(images.dataset[side])) or [""] for side in sides]
    together = [(label, label) for label in own[0] if label in own[1]]
    return [
        (images.take(sides[0] & (images.dataset == first)), images.take(sides[1] & (images.dataset == last)))
        for first, last in together or product(*own)
    ]


def pairs_by_dataset(images: Images, a: str, b: str, *, by: str) -> list[ImagePairs]:
    """Return what both sides have, apart by dataset, see ``sides_by_dataset``."""
    return [paired(*sides, by=by) for sides in sides_by_dataset(images, a, b)]


def parts_of(
    pairs: ImagePairs, cut: str, by: str, *, of_kinds: bool = False
) -> Iterator[tuple[Mapping[str, Any], ImagePairs]]:
    """Yield the pairs of each category, and those of what pairs share, such as the setting; where there are several.

    Args:
        pairs: To be cut.
        cut: What their categories are called among the groups of a number.
        by: The column that is compared.
        of_kinds: Whether their categories are kinds of which one lies below another.
    """
    for category in _several(name for names in pairs.category for name in names):
        yield {cut: category or None}, pairs.below(category) if of_kinds else pairs.of_category(category)
    shared = equal_in_pairs(by)
    for rest in _several(pairs.rest) if len(shared) == 1 else ():
        yield {shared[0]: rest}, pairs.take(pairs.rest == rest)


def _several(texts: Iterable[str]) -> list[str]:
    """Return the different texts in order; none if there is but one."""
    different = sorted(set(texts))
    return different if len(different) > 1 else []


def paired(a: Images, b: Images, *, by: str) -> ImagePairs:
    """Return what both sides have. Where one side has several images for one unit, their mean stands for them."""
    left, right, of_left, of_right, note = matched(a, b, by=by)
    common = np.intersect1d(of_left, of_right)
    first = np.searchsorted(np.sort(of_left), common)
    first = np.argsort(of_left, kind="stable")[first]
    return ImagePairs(
        _mean_by(of_left, left.values, common),
        _mean_by(of_right, right.values, common),
        left.prompt[first],
        left.asked[first],
        left.category[first],
        _wanted_by(np.concatenate([of_left, of_right]), np.concatenate([left.wanted, right.wanted]), common),
        left.rest[first],
        left.weights[first],
        "+".join(sorted({*left.dataset, *right.dataset})),
        note,
    )


def _mean_by(units: Index, values: npt.NDArray[np.float64], wanted: Index) -> npt.NDArray[np.float64]:
    """Return the mean of the values of each wanted unit; NaN where one of them is missing."""
    place = np.searchsorted(wanted, units)
    known = (place < len(wanted)) & (
        wanted[np.minimum(place, max(len(wanted) - 1, 0))] == units if len(wanted) else False
    )
    sums = np.bincount(place[known], values[known], minlength=len(wanted))
    with np.errstate(invalid="ignore"):
        means: npt.NDArray[np.float64] = sums / np.bincount(place[known], minlength=len(wanted))
    return means


def _wanted_by(units: Index, wanted: Texts, common: Index) -> Texts:
    """Return all categories of the sets that the images of each common unit are of, on either side."""
    found = as_objects([frozenset()] * len(common))
    paired = np.isin(units, common)
    for place, names in zip(np.searchsorted(common, units[paired]), wanted[paired], strict=True):
        found[place] = names if found[place] <= names else found[place] | names
    return found
