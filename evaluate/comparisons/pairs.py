"""Which images of two models, or of two settings, make a pair: same prompt, same sample and everything else equal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.generated_columns import BENCHMARK, CATEGORY, SEED, columns_of, equal_in_pairs
from diptych.evaluate.inputs.category_sets import AskedSet, categories_by_set, kind_of
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows, codes, linked
from diptych.evaluate.statistics.nested_means import even_weights
from diptych.store.rows import SETTING_A, SETTING_B

NO_SEED = ("", "none")  # as text: no such column, or null

Texts = npt.NDArray[np.object_]  # not of fixed width: one prompt of a megabyte would make them all that wide


@dataclass(frozen=True)
class Images:
    """The images of some datasets that a metric is about, side by side.

    Attributes:
        side: Text (N,): the value that is compared, such as the model.
        prompt: int64 (N,): a number per prompt; prompts that share a seed are one, as what depends on each other.
        asked: int64 (N,): a number per prompt, whatever seeds it shares.
        unit: int64 (N,): a number per prompt and sample.
        rest: Text (N,): what must be equal beside the unit, such as the setting.
        category: Tuples of texts (N,): the categories of the prompt.
        wanted: Frozensets of texts (N,): all categories of the set that the prompt is of.
        dataset: Text (N,): label.
        values: float64 (N,).
        weights: float64 (N,): how much each counts.
    """

    side: Texts
    prompt: Index
    asked: Index
    unit: Index
    rest: Texts
    category: Texts
    wanted: Texts
    dataset: Texts
    values: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    def take(self, rows: npt.NDArray[np.bool_] | Index) -> "Images":
        """Return some of the images, by a mask or by their numbers."""
        return Images(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


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
        return part._replace(category=_objects([(category,)] * count), wanted=_objects([frozenset([category])] * count))

    def below(self, kind: str) -> "ImagePairs":
        """Return the pairs of one kind, with the kinds that lie below it."""
        part = self.take(np.array([kind in names for names in self.category], bool))
        return part._replace(category=_objects([names[names.index(kind) + 1 :] for names in part.category]))


def sides_of(rows: Sequence[ScoredRows], by: str) -> list[str]:
    """Return the values that can be compared, in order."""
    return sorted({text for each in rows for text in _texts(each, by)})


def gather(
    rows: Sequence[ScoredRows], values: npt.NDArray[np.float64], asked: npt.NDArray[np.bool_], by: str
) -> Images:
    """Return the images of some datasets of which a number was asked, ready to be paired by a column."""
    columns = {name: [text for each in rows for text in _texts(each, name)] for name in needed_columns(by)}
    columns[BENCHMARK] = [text for each in rows for text in _prompt_sets(each)]
    columns["dataset"] = [each.label for each in rows for _ in range(len(each))]
    categories = [category_names(value) for each in rows for value in _categories(each)]
    sets = [
        AskedSet(each.label, text, kind_of(text, each.prompt_kinds))
        for each in rows
        for text in _texts(each, BENCHMARK)
    ]
    known = categories_by_set(compress(sets, asked), compress(categories, asked))
    wanted = [known.get(each, frozenset()) for each in sets]
    return images_of(columns, categories, wanted, values, by).take(asked)


def needed_columns(by: str) -> tuple[str, ...]:
    """Return the columns that decide which images make a pair."""
    return (*columns_of("prompt", "sample"), SEED, *equal_in_pairs(by), by)


def images_of(
    columns: Mapping[str, Sequence[str]],
    categories: Sequence[tuple[str, ...]],
    wanted: Sequence[frozenset[str]],
    values: npt.NDArray[np.float64],
    by: str,
) -> Images:
    """Return images from the text of ``needed_columns`` and ``dataset``, and from what ``Images`` has of each."""
    prompt, sample = (
        [pa.array(columns[name], pa.string()) for name in names]
        for names in (columns_of("prompt"), columns_of("sample"))
    )
    seeds = pa.array([None if text in NO_SEED else text for text in columns[SEED]], pa.string())
    rest = zip(*(columns[name] for name in equal_in_pairs(by)), strict=True)
    asked = codes(prompt, len(values))
    return Images(
        _objects(columns[by]),
        linked(asked, seeds),
        asked,
        codes([*prompt, *sample], len(values)),
        _objects([" ".join(parts) for parts in rest]),
        _objects(categories),
        _objects(wanted),
        _objects(columns["dataset"]),
        values,
        np.ones(len(values)),
    )


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
        a, b = (replace(side, rest=_objects([""] * len(side.rest))) for side in (a, b))
    rests = np.concatenate([a.rest, b.rest])
    units = codes([pa.array(np.concatenate([a.unit, b.unit])), pa.array(rests, pa.string())], len(rests))
    return MatchedImages(a, b, units[: len(a.unit)], units[len(a.unit) :], note)


def pairs_by_dataset(images: Images, a: str, b: str, *, by: str) -> list[ImagePairs]:
    """Return what both sides have, apart by dataset: numbers of two datasets are not pooled.

    That is in each dataset that has both sides; where none has, in each of the one against each of the other.
    """
    sides = images.side == a, images.side == b
    own = [sorted(set(images.dataset[side])) or [""] for side in sides]
    together = [(label, label) for label in own[0] if label in own[1]]
    return [
        _pair(
            *(images.take(side & (images.dataset == label)) for side, label in zip(sides, labels, strict=True)), by=by
        )
        for labels in together or product(*own)
    ]


def _pair(a: Images, b: Images, *, by: str) -> ImagePairs:
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
    found = _objects([frozenset()] * len(common))
    paired = np.isin(units, common)
    for place, names in zip(np.searchsorted(common, units[paired]), wanted[paired], strict=True):
        found[place] = names if found[place] <= names else found[place] | names
    return found


def _texts(rows: ScoredRows, name: str) -> list[str]:
    """Return a column as text; a column that the dataset does not have is empty text, so that rows are equal in it."""
    if not rows.has(name):
        return [""] * len(rows)
    return [value_text(value) for value in rows.values(name).to_pylist()]


def _prompt_sets(rows: ScoredRows) -> list[str]:
    """Return the label of each row's prompt set, with the prompt's text where the name alone would say too little."""
    both = zip(_texts(rows, BENCHMARK), rows.texts_apart, strict=True)
    return [repr((label, *text)) if text else label for label, text in both]


def _categories(rows: ScoredRows) -> list[Any]:
    return rows.values(CATEGORY).to_pylist() if rows.has(CATEGORY) else [""] * len(rows)


def category_names(value: Any) -> tuple[str, ...]:
    """Return the categories that a value of the column names: several, one, or the empty one where there is none.

    >>> category_names(["pair", "colour"]), category_names([]), category_names("pair"), category_names(None)
    (('pair', 'colour'), ('',), ('pair',), ('',))
    """
    if isinstance(value, list):
        return tuple(value) or ("",)
    return (value_text(value) if value is not None else "",)


def value_text(value: Any) -> str:
    """Return a value as it is written in a config and shown in a report.

    >>> value_text(7.0), value_text(-0.0), value_text(None), value_text("")
    ('7', '0', 'none', '')
    """
    if value is None:
        return "none"
    return f"{value:zg}" if isinstance(value, float) else str(value)


def _objects(texts: Sequence[Any]) -> Texts:
    array = np.empty(len(texts), object)
    array[:] = texts
    return array
