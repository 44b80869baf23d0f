"""What a set metric is: one entry of a table, from which all else follows.

A set metric looks at whole sets of images as vectors. It is two functions, from vectors to statistics and from
statistics to numbers, and some facts about them. ``SetMetric`` is the whole of what the rest of the house knows of one:
what a config may name, what a run computes and stores, how ``diptych evaluate distance`` prints it, how two models are
compared by it and what a report warns of. So a new one is a file beside this one, a line in the table below, a test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from diptych.errors import ConfigError
from diptych.lookup import describe_unknown, resolve
from diptych.scores import Direction

if TYPE_CHECKING:  # the table below must load without numpy
    import numpy as np
    import numpy.typing as npt

    from diptych.evaluate.statistics.moments import Moments

    Vectors = npt.NDArray[np.floating[Any]]
    Texts = npt.NDArray[np.str_]

# To add one: a module with its SetMetric, a line here (alphabetical), a test.
SET_METRICS: dict[str, str] = {
    "density_coverage": "diptych.evaluate.metrics.density_coverage:DENSITY_COVERAGE",
    "frechet_distance": "diptych.evaluate.metrics.frechet_distance:FRECHET_DISTANCE",
    "frechet_infinity": "diptych.evaluate.metrics.frechet_infinity:FRECHET_INFINITY",
    "gaussian_kernel_distance": "diptych.evaluate.metrics.gaussian_kernel_distance:GAUSSIAN_KERNEL_DISTANCE",
    "inception_score": "diptych.evaluate.metrics.inception_score:INCEPTION_SCORE",
    "kernel_distance": "diptych.evaluate.metrics.kernel_distance:KERNEL_DISTANCE",
    "memorisation": "diptych.evaluate.metrics.memorisation:MEMORISATION",
    "mind": "diptych.evaluate.metrics.mind:MIND",
    "precision_recall": "diptych.evaluate.metrics.precision_recall:PRECISION_RECALL",
    "prompt_diversity": "diptych.evaluate.metrics.prompt_diversity:PROMPT_DIVERSITY",
    "prompt_vendi": "diptych.evaluate.metrics.prompt_vendi:PROMPT_VENDI",
    "subset_kernel_distance": "diptych.evaluate.metrics.subset_kernel_distance:SUBSET_KERNEL_DISTANCE",
    "vendi": "diptych.evaluate.metrics.vendi:VENDI",
}

# What papers call them, in small letters: FID and KID are these over the features of Inception.
ALIASES = {
    "authpct": "memorisation",
    "cmmd": "gaussian_kernel_distance",
    "fid": "frechet_distance",
    "fid_infinity": "frechet_infinity",
    "is": "inception_score",
    "kid": "kernel_distance",
    "mifid": "memorisation",
    "mmd": "kernel_distance",
    "prdc": "precision_recall",
    "published_kid": "subset_kernel_distance",
}

SizeBias = Literal["corrected", "uncorrected"]


class Statistics(Protocol):
    """What a set metric keeps of some images; parts that were computed apart can be put together in any order."""

    @property
    def n(self) -> int:
        """Images with a vector; 0 where nobody knows how many."""
        ...

    @property
    def units(self) -> Texts:
        """Text (n,): the unit of each image, see ``SetMetric.statistics``."""
        ...

    def merged(self, other: Any) -> Any:
        """Return the statistics of both sets of images together."""
        ...


Kept = TypeVar("Kept", bound=Statistics)


class ReportedValue(NamedTuple):
    """A number that a set metric reports.

    Attributes:
        name: Under which it is stored and shown; no two metrics share one.
        better: Which way is better; None where neither is, and then nothing is called better.
        unit: Empty for a pure number.
        low: Smallest possible value, if there is one.
        high: Largest possible value, if there is one.
        true_low: Smallest that what it estimates can be, where the estimate itself may lie below: an interval that does
            so as a whole says that what the estimate rests on does not hold.
        size_bias: Whether its expectation depends on the number of images, and if so, whether it is corrected for it.
            Two numbers that are not corrected are compared at equal n alone.
    """

    name: str
    better: Direction | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    size_bias: SizeBias | None = None
    true_low: float | None = None


@dataclass(frozen=True)
class Result:
    """A number that can be defended.

    Attributes:
        value: NaN where there is none, with a reason.
        se: Standard error; NaN where it is not known, and where there is no interval.
        ci_low: Lower end of the interval of 95 percent; NaN where it is not known.
        ci_high: Upper end.
        n: Images behind the number.
        identity: JSON-able facts that decide the number beside the images; numbers of two identities never stand in
            one column.
        reason: Why there is no value, a code: ``too_few_images``.
        note: What a reader must know, in a sentence or two; where there is no interval, why.
        caution: What it rests on less than it seems, such as images in both sets; shown wherever the number is.
    """

    value: float
    se: float
    ci_low: float
    ci_high: float
    n: int
    identity: Mapping[str, Any]
    reason: str | None = None
    note: str = ""
    caution: str = ""

    def cautioned(self, text: str) -> Result:
        """Return it with one more caution."""
        return replace(self, caution="; ".join(filter(None, (self.caution, text))))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; what is not known is null."""
        return {name: _known(value) for name, value in asdict(self).items()}


def bare(value: float, n: int, identity: Mapping[str, Any], note: str) -> Result:
    """Return a result without an error; the note says why there is none."""
    nothing = float("nan")
    return Result(value, nothing, nothing, nothing, n, identity, None, note)


def missing(reason: str, n: int, identity: Mapping[str, Any], note: str = "") -> Result:
    """Return a result without a value and the reason for it."""
    nothing = float("nan")
    return Result(nothing, nothing, nothing, nothing, n, identity, reason, note)


class Influence(NamedTuple):
    """What each part of two sets adds to a number (influence function): its error, and that of a difference, follow.

    Parts are images, or groups of units where only those can be left out; units that two models share, such as prompts,
    have the same name for both, so that what they have in common cancels in a difference.

    Attributes:
        images: float64 (N,), of the set that is judged, mean 0.
        units: Text (N,): parts of one unit depend on each other.
        reference: float64 (M,), of the reference, mean 0; none where the metric looks at one set.
        reference_units: Text (M,).
    """

    images: npt.NDArray[np.float64]
    units: Texts
    reference: npt.NDArray[np.float64]
    reference_units: Texts


class ImageNumbers(NamedTuple):
    """A number of each image, beside what a metric says of their set: a column of the images in the store.

    Attributes:
        name: Of the column, behind the label of the encoder; no two metrics share one.
        description: What it is, a sentence.
        numbers: float64 (N,) of the images with a vector, in their order; NaN where there is none.
        reason: Why there is none, a code.
        nearest: int64 (N,): which image of the reference, of those with a vector, it is about; None where of none. Its
            key is a column of its own, with ``_key`` behind the name.
    """

    name: str
    description: str
    numbers: npt.NDArray[np.float64]
    reason: str
    nearest: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class SetMetric(Generic[Kept]):
    """The entry of a set metric: what it needs, what it reports, how it is computed and compared.

    Attributes:
        name: Under which a config names it: its key in the table, and that of its file.
        values: What it reports: each of them, or the first alone where the others rest on conditions which do not hold.
        statistics: (vectors, units) -> statistics of some images. ``vectors`` (N, D) of any float type; rows with a NaN
            (images that cannot be decoded) are left out. ``units`` (N,) text: images of one unit depend on each other
            (images of one prompt, equal files), different units do not.
        results: (statistics, reference, identity) -> a result for each of ``values``, by name; one that rests on
            conditions which do not hold is left out. ``identity`` is what is known of encoder and reference; the
            metric adds its own name and version. Raises DataError where the vectors of the two have different lengths.
        of_dependent: The same where the two sets depend on each other, as versions of the same pictures do; what is
            estimated in another way then is a value of its own, there alone. None where the values of ``results`` do
            not rest on their independence; errors are left out in any case.
        influences: (statistics, reference) -> what each image adds to a value, by name: how two models are compared.
            None, or a value left out, where nobody knows; a difference then has no interval.
        of_images: (statistics, reference) -> numbers of each image, which a run stores: of its group, as the first
            entry of a config that asks for the metric forms them. None where there are none.
        from_moments: (moments, is_size_known) -> statistics of a set of which only mean and covariance are known, as
            other programs save them. None where vectors are needed.
        names: Identity of an encoder -> what values are called in its space, where the field has a name for that, by
            their own names. None where it has none.
        needs_reference: Whether it compares two sets; else it looks at one, and ``reference`` is None above.
    """

    name: str
    values: tuple[ReportedValue, ...]
    statistics: Callable[[Vectors, Texts], Kept]
    results: Callable[[Kept, Any, Mapping[str, Any]], Mapping[str, Result]]
    of_dependent: Callable[[Kept, Any, Mapping[str, Any]], Mapping[str, Result]] | None = None
    influences: Callable[[Kept, Any], Mapping[str, Influence]] | None = None
    of_images: Callable[[Kept, Any], tuple[ImageNumbers, ...]] | None = None
    from_moments: Callable[[Moments, bool], Kept] | None = None
    names: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None
    needs_reference: bool = True

    def names_in(self, encoder: Mapping[str, Any] | None) -> dict[str, str]:
        """Return what each value is called in the space of an encoder, None if nobody knows which: by its own name."""
        known = {} if self.names is None or encoder is None else self.names(encoder)
        return {value.name: known.get(value.name, value.name) for value in self.values}


def metric_name(name: str) -> str:
    """Return the name of a set metric, also for what papers call it.

    >>> metric_name("FID"), metric_name("sharpness")
    ('frechet_distance', 'sharpness')
    """
    return ALIASES.get(name.lower(), name)


def known_metric(given: str) -> str:
    """Return the name of a set metric that is there, also for what papers call it.

    Raises:
        ConfigError: If there is none; what papers call them is among the nearest names.
    """
    name = metric_name(given)
    if name not in SET_METRICS:
        raise ConfigError(describe_unknown("metric", given, [*SET_METRICS, *ALIASES]))
    return name


def set_metric(name: str) -> SetMetric[Any]:
    """Return the set metric of a name.

    Raises:
        ConfigError: If there is none.
    """
    metric: SetMetric[Any] = resolve(SET_METRICS, "metric", name)
    return metric


def _known(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _known(part) for name, part in value.items()}
    return value
