"""What a set metric is and what it returns: a number that knows its error, its n and how it was made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from diptych.lookup import resolve
from diptych.scores import Direction

if TYPE_CHECKING:  # the table below must load without numpy
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.floating[Any]]
    Units = npt.ArrayLike

# Of a set of images against a reference set. To add one: a module with a SetMetric class, a line here (alphabetical),
# a test.
SET_METRICS: dict[str, str] = {
    "frechet_distance": "diptych.evaluate.metrics.frechet:FrechetDistance",
    "kernel_distance": "diptych.evaluate.metrics.kernel:KernelDistance",
}


@dataclass(frozen=True)
class Result:
    """A number that can be defended.

    Attributes:
        value: NaN where there is none, with a reason.
        se: Standard error; NaN where it is not known.
        ci_low: Lower end of the interval of 95 percent; NaN where it is not known.
        ci_high: Upper end.
        n: Images behind the number.
        identity: JSON-able facts that decide the number beside the images; numbers of two identities never stand in
            one column.
        reason: Why there is no value, a code: ``too_few_images``.
        note: What a reader must know, in a sentence or two.
        details: Further numbers by name, such as ``uncorrected`` and ``n_reference``.
    """

    value: float
    se: float
    ci_low: float
    ci_high: float
    n: int
    identity: Mapping[str, Any]
    reason: str | None = None
    note: str = ""
    details: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; what is not known is null."""
        return {name: _known(value) for name, value in asdict(self).items()}


def missing(reason: str, n: int, identity: Mapping[str, Any], note: str = "") -> Result:
    """Return a result without a value and the reason for it."""
    nothing = float("nan")
    return Result(nothing, nothing, nothing, nothing, n, identity, reason, note)


class Statistics(Protocol):
    """What a set metric keeps of some images; parts that were computed apart can be put together in any order."""

    @property
    def n(self) -> int:
        """Images behind it."""
        ...

    def merged(self, other: Any) -> Any:
        """Return the statistics of both sets of images together."""
        ...


class SetMetric(Protocol):
    """Two pure functions: from vectors to statistics, from two statistics to a result."""

    @property
    def name(self) -> str:
        """Its registered name."""
        ...

    @property
    def unit(self) -> str:
        """Empty for a pure number."""
        ...

    @property
    def better(self) -> Direction:
        """Which way is better."""
        ...

    def statistics(self, vectors: Vectors, units: Units) -> Any:
        """Return the statistics of some images.

        Args:
            vectors: (N, D), of any float type; rows with a NaN (images that cannot be decoded) are left out.
            units: (N,) strings or integers: images of one unit depend on each other (images of one prompt, equal
                files), different units do not. The sha256 of the file where nothing else is known. Also decides into
                which subset an image falls, so that no number depends on order or on how the work was cut.
        """
        ...

    def result(self, statistics: Any, reference: Any, identity: Mapping[str, Any]) -> Result:
        """Return the number with its error.

        Args:
            statistics: Of the images to judge.
            reference: Of those to compare them with.
            identity: What is known of encoder and reference; the metric adds its own name and version.

        Raises:
            DataError: If the two sets have vectors of different lengths.
        """
        ...


def set_metric(name: str) -> SetMetric:
    """Return the set metric of a name.

    Raises:
        ConfigError: If there is none.
    """
    metric: SetMetric = resolve(SET_METRICS, "metric", name)()
    return metric


def _known(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _known(part) for name, part in value.items()}
    return value
