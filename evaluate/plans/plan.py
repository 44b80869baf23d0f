"""A plan from a pilot in a store: the spread of the differences of two models, and what settles a wanted one."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from diptych.addresses import Address
from diptych.data.column_names import find_name
from diptych.data.timings import seconds_per_image
from diptych.errors import ConfigError, DiptychError, StoreError
from diptych.evaluate.comparisons.means import DifferenceMaker
from diptych.evaluate.comparisons.pairs import ImagePairs
from diptych.evaluate.comparisons.stored_differences import pairs_between, refusal
from diptych.evaluate.comparisons.stored_models import ComparedModel
from diptych.evaluate.comparisons.stores import check_different, find_side, labels_of
from diptych.evaluate.plans.sizes import SAMPLES, PlanSize, Wanted, prompts_needed, samples_needed
from diptych.evaluate.statistics.intervals import ROUNDING
from diptych.evaluate.statistics.variances import TwoLevels, two_levels
from diptych.evaluate.terminal import printable, text_table
from diptych.progress.wording import quantity
from diptych.store.store import Store

MODEL = "model"


@dataclass(frozen=True)
class EvaluationPlan:
    """What settles a difference of two models by one metric.

    Attributes:
        metric: Its name.
        dataset: Of the pilot.
        a: Label.
        b: Label.
        wanted: What is to be found.
        spread: Of the differences of pairs in the pilot.
        is_split: Whether the pilot tells what is between prompts from what is within; else it has one pair a prompt.
        sizes: What settles it, with each number of images a prompt.
        with_prompts: With as many prompts as the pilot has; None where no number of images does.
        seconds: For a pair of images, of both models together; None where the datasets do not tell.
    """

    metric: str
    dataset: str
    a: str
    b: str
    wanted: Wanted
    spread: TwoLevels
    is_split: bool
    sizes: Sequence[PlanSize]
    with_prompts: PlanSize | None
    seconds: float | None

    @property
    def cheapest(self) -> PlanSize | None:
        """The size with the fewest images, of several the one with the fewest prompts."""
        return min(self.sizes, key=lambda size: (size.images, size.prompts), default=None)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        icc = self.spread.icc
        spread = {**self.spread._asdict(), "icc": icc if self.is_split and np.isfinite(icc) else None}
        if not self.is_split:
            spread |= {"between": None, "within": None, "variance": self.spread.between}
        known = {name: getattr(self, name) for name in ("metric", "dataset", "a", "b")}
        sizes = [self._facts(size) for size in self.sizes]
        told = {name: self._facts(getattr(self, name)) for name in ("cheapest", "with_prompts")}
        return {**known, **asdict(self.wanted), "pilot": spread, "sizes": sizes, **told}

    def _facts(self, size: PlanSize | None) -> dict[str, Any] | None:
        return None if size is None else {**size._asdict(), "images": size.images, "seconds": self._seconds(size)}

    def _seconds(self, size: PlanSize) -> float | None:
        return None if self.seconds is None else self.seconds * size.images

    def lines(self) -> Iterator[str]:
        """Yield it as a table with sentences."""
        pilot = f"{quantity(self.spread.n, 'pair')} of {quantity(self.spread.n_clusters, 'prompt')}"
        spread = f"variance of the difference {self.spread.between:.4g} over prompts of one pair each"
        if self.is_split:
            levels = f"{self.spread.between:.4g} between prompts, {self.spread.within:.4g} within"
            icc = f", ICC {self.spread.icc:.2f}" if np.isfinite(self.spread.icc) else ""
            spread = f"variance of the difference {levels}{icc}"
        yield printable(f"{self.metric}: pilot of {self.a} and {self.b}, {pilot}: {spread}.")
        what = f"a difference of {self.wanted.difference:g} with a power of {self.wanted.power:.0%}"
        if not self.sizes:
            yield f"To find {what} takes more than can be made."
            return
        header = ("images a prompt", "prompts", "images of each", *(("seconds for both",) if self.seconds else ()))
        rows = [
            (f"{size.samples:,}", f"{size.prompts:,}", f"{size.images:,}", *self._said(size)) for size in self.sizes
        ]
        yield f"To find {what}:"
        yield from text_table(header, rows)[:-1]
        best = self.cheapest
        assert best is not None
        yield f"Cheapest: {quantity(best.prompts, 'prompt')} with {quantity(best.samples, 'image')} each."
        yield self._same_prompts()

    def _said(self, size: PlanSize) -> tuple[str, ...]:
        seconds = self._seconds(size)
        return () if seconds is None else (f"{seconds:,.0f}",)

    def _same_prompts(self) -> str:
        prompts = f"the {quantity(self.spread.n_clusters, 'prompt')} of the pilot"
        if not self.is_split:
            return "The pilot has one pair a prompt, so nothing tells what more images of a prompt would do."
        if self.with_prompts is None:
            return f"With {prompts} no number of images does: what differs between prompts is too much."
        return f"With {prompts} it takes {quantity(self.with_prompts.samples, 'image')} each."


def make_plan(
    path: Address, labels: Sequence[str], *, metric: str, difference: float, power: float
) -> list[EvaluationPlan]:
    """Return what settles a difference of two models by a metric, one a dataset of the pilot.

    Args:
        path: The store with the pilot.
        labels: Two models, each ``MODEL`` or ``RUN:MODEL``; none takes those of a run that has two.
        metric: A mean of a score of images.
        difference: That is to be found, above 0.
        power: With which, in (0, 1).

    Raises:
        StoreError: If a store, a run or a model is not there, or the two cannot be compared.
        ConfigError: If an argument is none of what is said above.
    """
    _check(difference, power)
    with Store.open(path, read_only=True) as store:
        named = tuple(labels) or labels_of(store, MODEL)
        if len(named) != 2:
            raise ConfigError(f"{path}: a plan is for two models, not {len(named)} ({', '.join(named)}); name two")
        a, b = sides = [find_side(store, text, MODEL) for text in named]
        check_different(sides, named)
        maker, every = _pairs(a, b, metric)
        wanted = Wanted(difference, power)
        return [_plan(maker, pairs, (a, b), wanted) for pairs in every]


def _check(difference: float, power: float) -> None:
    if not 0.0 < difference < float("inf"):
        raise ConfigError(f"--difference: {difference:g} is no difference to be found; give a number above 0")
    if not 0.0 < power < 1.0:
        raise ConfigError(f"--power: {power:g} is no power; give a number above 0 and below 1, such as 0.8")


def _pairs(a: ComparedModel, b: ComparedModel, given: str) -> tuple[DifferenceMaker, list[ImagePairs]]:
    left, right = a.identities(), b.identities()
    metric = find_name(given, sorted({*left, *right}), what="metric", where="--metric: ")
    both = ((a, left, metric), (b, right, metric))
    if why := refusal(both):
        raise StoreError(f"{a.store.path}: {metric}: {why}")
    if "column" not in left[metric][0]:
        said = "belongs to no image, so no pilot tells how its error falls; plan a mean of a score"
        raise ConfigError(f"--metric: {metric} {said}")
    return pairs_between(both, left[metric][0])


def _plan(
    maker: DifferenceMaker, pairs: ImagePairs, sides: tuple[ComparedModel, ComparedModel], wanted: Wanted
) -> EvaluationPlan:
    gaps = _without_categories(pairs.a - pairs.b, pairs) if maker.ready.metric.by_category else pairs.a - pairs.b
    spread = two_levels(gaps, pairs.prompt)
    is_split = bool(np.isfinite(spread.within))
    pilot = f"{sides[0].store.path}: a pilot of {quantity(spread.n_clusters, 'prompt')} with numbers of both"
    if spread.n_clusters < 2:
        raise StoreError(f"{pilot} has no spread; make one of the same prompts, samples and settings for both")
    if not is_split:
        spread = spread._replace(between=float(gaps[np.isfinite(gaps)].var(ddof=1)), within=0.0)
    if spread.between + spread.within <= (ROUNDING * float(np.nanmax(np.abs([pairs.a, pairs.b])))) ** 2:
        raise StoreError(f"{pilot} whose differences are all the same tells of no spread; make a larger")
    sizes = [prompts_needed(wanted, spread, samples) for samples in (SAMPLES if is_split else SAMPLES[:1])]
    return EvaluationPlan(
        maker.ready.name,
        pairs.dataset,
        sides[0].label,
        sides[1].label,
        wanted,
        spread,
        is_split,
        [size for size in sizes if size is not None],
        samples_needed(wanted, spread, spread.n_clusters) if is_split else None,
        _seconds(sides),
    )


def _without_categories(gaps: Any, pairs: ImagePairs) -> Any:
    """Return differences without the means of their categories, which a mean over categories does not vary by."""
    names = np.array([" ".join(each) for each in pairs.category], object).astype(str)
    kinds = np.unique(names, return_inverse=True)[1]
    known = np.isfinite(gaps)
    counts = np.maximum(np.bincount(kinds[known], minlength=kinds.max(initial=0) + 1), 1)
    means = np.bincount(kinds[known], gaps[known], minlength=len(counts)) / counts
    return gaps - means[kinds]


def _seconds(sides: Sequence[ComparedModel]) -> float | None:
    """Return how long a pair of images takes, by what the datasets of the sides note; None where one does not."""
    each = [_seconds_of(side) for side in sides]
    return None if None in each else sum(second for second in each if second is not None)


def _seconds_of(side: ComparedModel) -> float | None:
    found = []
    for row in side.store.query("SELECT path FROM datasets WHERE run_id = ? ORDER BY dataset", [side.run_id]):
        try:
            timed = seconds_per_image(row["path"])
        except (DiptychError, OSError):
            continue  # it lies elsewhere by now
        found += [seconds for (model, _), seconds in timed.items() if model == side.label]
    return sum(found) / len(found) if found else None
