"""How far apart the two pictures of each pair are, in the space of an encoder.

It says what changes in the pictures where a model is quantised, drawn by another sampler or run by another backend: the
same prompt and seed, before and after. It is the squared distance of the vectors of the two: LPIPS over the encoder
``lpips``, DreamSim over ``dreamsim``, 2 - 2 cos over vectors of length 1. Which of the two is better it does not say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED
from diptych.data.column_names import full_name
from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.collected import Findings, ImageColumn, ImageValues
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.comparisons.compared_images import Images, gather
from diptych.evaluate.comparisons.pairs import ImagePairs, couples, matched, paired, parts_of, sides_by_dataset
from diptych.evaluate.inputs.asked_rows import is_asked_for
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.metrics.distances import encoder_identity
from diptych.evaluate.metrics.means import why_no_interval
from diptych.evaluate.metrics.prompt_diversity import PERCEIVED
from diptych.evaluate.statistics.intervals import clustered_mean
from diptych.store.how_compared import how_compared
from diptych.store.rows import LEFT_OUT_A, LEFT_OUT_B, OTHER_SIDE, SIDE
from diptych.store.store import ResultRow

Distances = npt.NDArray[np.float64]

NAME, VERSION, UNIT = "pair_distance", 1, "squared distance"
UNPAIRED, NOT_BOTH = "unpaired", "no_picture_of_both"  # why an image has no distance
BLOCK_PAIRS = 16  # whose vectors are held as float64 at once


@dataclass(frozen=True, eq=False)
class PairSpace:
    """The vectors of some datasets by one encoder, the rows of one dataset behind those of the other.

    Attributes:
        judged: The datasets.
        encoder: Label.
    """

    judged: Sequence[ScoredRows]
    encoder: str

    def distances(self, left: Index, right: Index) -> Distances:
        """Return float64 (N,): how far the pictures of each two rows are apart, NaN where one has none.

        Equal files are 0 apart, whatever the last bit of a vector owes to its neighbours in a batch.
        """
        found = np.empty(len(left))
        for at in range(0, len(left), BLOCK_PAIRS):
            block = slice(at, at + BLOCK_PAIRS)
            found[block] = ((self._take(left[block]) - self._take(right[block])) ** 2).sum(axis=1)
        found[(self._contents[left] == self._contents[right]) & np.isfinite(found)] = 0.0
        return found

    def _take(self, rows: Index) -> Distances:
        """Return float64 (N, D); rows of one dataset come together, so that nothing is copied twice."""
        place = np.searchsorted(self.starts, rows, side="right") - 1
        found = np.empty((len(rows), self._vectors[0].shape[1]))
        for number in np.unique(place).tolist():
            own = place == number
            found[own] = self._vectors[number][rows[own] - self.starts[number]]
        return found

    @cached_property
    def starts(self) -> Index:
        """int64 (datasets,): the number of each one's first row."""
        return np.array([0, *accumulate(map(len, self.judged))][:-1], np.int64)

    @cached_property
    def _vectors(self) -> list[npt.NDArray[np.float32]]:
        return [each.vectors(self.encoder) for each in self.judged]

    @cached_property
    def _contents(self) -> npt.NDArray[np.str_]:
        return np.array([text or "" for each in self.judged for text in each.values("sha256").to_pylist()], np.str_)


class _Apart(NamedTuple):
    """Two sides of a dataset, or of two.

    Attributes:
        pairs: Their pairs, ``a`` of which has the distances.
        a: int64 (A,): rows of the one side.
        b: int64 (B,): rows of the other one.
        of_a: float64 (A,): how far each is from its partner, or on the mean from its partners; NaN where nobody knows.
        is_paired_a: Bool (A,): whether it has a partner.
        is_paired_b: Bool (B,): the same of the other side.
        is_known_b: Bool (B,): whether it is known how far it is from a partner.
    """

    pairs: ImagePairs
    a: Index
    b: Index
    of_a: Distances
    is_paired_a: npt.NDArray[np.bool_]
    is_paired_b: npt.NDArray[np.bool_]
    is_known_b: npt.NDArray[np.bool_]


def pair_distance_names(encoders: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what the distance is called by each encoder: as the field calls it, by the label of one of several.

    Args:
        encoders: The identity of each by its label.

    >>> pair_distance_names({"alex": {"encoder": "lpips"}})
    {'alex': 'lpips_pair_distance'}
    >>> pair_distance_names({"alex": {"encoder": "lpips"}, "clip": {"encoder": "open_clip"}})
    {'alex': 'alex.lpips_pair_distance', 'clip': 'clip.pair_distance'}
    """
    kinds = {label: identity.get("encoder") for label, identity in encoders.items()}
    own = {label: f"{kind}_{NAME}" if kind in PERCEIVED else NAME for label, kind in kinds.items()}
    return {label: full_name(label, name) for label, name in own.items()} if len(own) > 1 else own


def pair_distance_rows(
    judged: Sequence[ScoredRows], encoder: str, name: str, compare: Compare, found: Findings
) -> Iterator[ResultRow]:
    """Yield how far the pictures of two sides are apart: their mean over pairs, apart by dataset, category and setting.

    Where all are held against one side, each image has its own distance, too, as a column of the images.

    Args:
        judged: The datasets.
        encoder: Label.
        name: Of the number.
        compare: What is held against what.
        found: Where identities and the column are noted.
    """
    asked = np.concatenate([is_asked_for(each, None) for each in judged])
    images = gather(judged, np.arange(len(asked), dtype=np.float64), asked, compare.by)
    space, identity = PairSpace(judged, encoder), encoder_identity(judged[0], encoder)
    identity = {"metric": NAME, "version": VERSION, "by": compare.by, "encoder": identity}
    sides = couples(images, compare.baseline)
    each = [(a, b, _apart(space, *two, by=compare.by)) for a, b in sides for two in sides_by_dataset(images, a, b)]
    for a, b, apart in each:
        maker = _PairResults(found.run_id, name, a, b, found.identify(identity))
        yield maker.row({}, apart.pairs, _caution(apart, a, b))
        for groups, part in parts_of(apart.pairs, CATEGORY, compare.by):
            yield maker.row(groups, part)
    if len({b for _, b in sides}) == 1:
        values = _by_image([apart for *_, apart in each], asked)
        found.image_columns += _columns(judged, encoder, sides[0][1], {**identity, "against": sides[0][1]}, values)


def _apart(space: PairSpace, a: Images, b: Images, *, by: str) -> _Apart:
    """Return how far two sides are apart; ``values`` of an image is the number of its row."""
    found = matched(a, b, by=by)
    order = np.argsort(found.units_b, kind="stable")
    first, last = (np.searchsorted(found.units_b[order], found.units_a, side=side) for side in ("left", "right"))
    counts = last - first
    of_a = np.repeat(np.arange(len(counts)), counts)
    of_b = order[np.arange(len(of_a)) + np.repeat(first - np.cumsum(counts) + counts, counts)]
    rows_a, rows_b = a.values.astype(np.int64), b.values.astype(np.int64)
    sums = np.bincount(of_a, space.distances(rows_a[of_a], rows_b[of_b]), minlength=len(counts))
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    pairs = paired(replace(a, values=means), replace(b, values=np.zeros(len(rows_b))), by=by)
    is_paired, is_known = (np.isin(found.units_b, units) for units in (found.units_a, found.units_a[~np.isnan(means)]))
    return _Apart(pairs, rows_a, rows_b, means, counts > 0, is_paired, is_known)


def _caution(apart: _Apart, a: str, b: str) -> str | None:
    """Return how the two sides are not quite what their labels say."""
    lone = {LEFT_OUT_A: int((~apart.is_paired_a).sum()), LEFT_OUT_B: int((~apart.is_paired_b).sum())}
    told = {**apart.pairs.note, **{name: count for name, count in lone.items() if count}}
    return "; ".join(how_compared(told, a, b)) or None


@dataclass(frozen=True)
class _PairResults:
    """Makes the rows of two sides."""

    run_id: str
    name: str
    a: str
    b: str
    identity_id: str

    def row(self, groups: Mapping[str, Any], pairs: ImagePairs, caution: str | None = None) -> ResultRow:
        """Return the mean distance of some pairs."""
        mean = clustered_mean(pairs.a, pairs.prompt)
        has_interval = bool(np.isfinite(mean.ci_low))
        note = f"mean over pairs; interval clustered by {mean.n_clusters:,} prompts (Student)"
        return ResultRow(
            self.run_id,
            self.name,
            pairs.dataset,
            {SIDE: self.a, OTHER_SIDE: self.b, **groups},
            mean.value,
            mean.se if has_interval else float("nan"),
            max(0.0, mean.ci_low) if has_interval else float("nan"),
            mean.ci_high,
            mean.n,
            mean.n_unscored,
            UNIT,
            None,
            self.identity_id,
            None if mean.n else NOT_BOTH if len(pairs.a) else "no_common_images",
            (note if has_interval else why_no_interval(mean)) if mean.n else None,
            caution=caution,
        )


def _by_image(each: Sequence[_Apart], asked: npt.NDArray[np.bool_]) -> tuple[Distances, list[str | None]]:
    """Return for each row how far it is from its partner, 0 for what it is held against, and why there is nothing."""
    numbers, is_paired = np.full(len(asked), np.nan), np.zeros(len(asked), bool)
    for apart in each:
        is_paired[apart.a[apart.is_paired_a]] = True
        is_paired[apart.b[apart.is_paired_b]] = True
        open_rows = np.isnan(numbers[apart.a])
        numbers[apart.a[open_rows]] = apart.of_a[open_rows]
        numbers[apart.b[apart.is_known_b]] = 0.0
    reasons = np.where(is_paired, NOT_BOTH, np.where(asked, UNPAIRED, NOT_ASKED)).tolist()
    return numbers, [None if np.isfinite(one) else why for one, why in zip(numbers, reasons, strict=True)]


def _columns(
    judged: Sequence[ScoredRows],
    encoder: str,
    against: str,
    identity: Mapping[str, Any],
    values: tuple[Distances, list[str | None]],
) -> Iterator[ImageColumn]:
    """Yield the column of each dataset."""
    numbers, reasons = values
    what = f"Squared distance of the picture from that of {against} for the same prompt and sample; 0 for its own"
    start = 0
    for rows in judged:
        own = slice(start, start := start + len(rows))
        found = ImageValues(numbers[own], None, reasons[own])
        yield ImageColumn(rows.label, full_name(encoder, NAME), what, identity, found)
