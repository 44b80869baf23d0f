"""How many prompts and images of each a test needs, from the variance on two levels of a pilot.

The test is the paired one of ``evaluate compare``: Student's over the prompts, at 5 %.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from diptych.evaluate.statistics.power import power_of
from diptych.evaluate.statistics.variances import TwoLevels
from diptych.intervals import SIGNIFICANCE

MOST = 10_000_000  # prompts, or images of one; what takes more is not settled
SAMPLES = (1, 2, 4, 8)


class PlanSize(NamedTuple):
    """A size that settles a difference: so many prompts with so many images each."""

    prompts: int
    samples: int

    @property
    def images(self) -> int:
        """Images of each side."""
        return self.prompts * self.samples


@dataclass(frozen=True)
class Wanted:
    """What is to be found.

    Attributes:
        difference: The true difference, above 0, in the unit of the metric.
        power: The probability with which it is found.
    """

    difference: float
    power: float

    def is_found(self, spread: TwoLevels, size: PlanSize) -> bool:
        """Return whether a size finds it; where nothing varies any two prompts do."""
        if size.prompts < 2:
            return False
        variance = spread.of_mean(size.prompts, size.samples)
        return (
            variance == 0.0 or power_of(self.difference, variance**0.5, size.prompts - 1.0, SIGNIFICANCE) >= self.power
        )


def prompts_needed(wanted: Wanted, spread: TwoLevels, samples: int) -> PlanSize | None:
    """Return the fewest prompts with so many images each that settle it; None where more than ``MOST`` do not."""
    found = _fewest(lambda prompts: wanted.is_found(spread, PlanSize(prompts, samples)))
    return None if found is None else PlanSize(found, samples)


def samples_needed(wanted: Wanted, spread: TwoLevels, prompts: int) -> PlanSize | None:
    """Return the fewest images of each of so many prompts that settle it; None where no number does.

    More images of a prompt leave the variance between prompts as it is.
    """
    found = _fewest(lambda samples: wanted.is_found(spread, PlanSize(prompts, samples)))
    return None if found is None else PlanSize(prompts, found)


def _fewest(is_enough: Callable[[int], bool]) -> int | None:
    """Return the least number from 1 that is enough, where every larger one is, too."""
    high = 1
    while not is_enough(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
