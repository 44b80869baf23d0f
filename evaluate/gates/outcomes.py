"""What a gate says of a number: a verdict from a closed list with its reason, and whether it lets pass."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from diptych.evaluate.gates.criteria import Criterion

Verdict = Literal["passed", "failed", "not resolved", "missing", "not comparable"]


class GatedNumber(NamedTuple):
    """A number with its interval, NaN where there is none."""

    value: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class GateOutcome:
    """One demand, held against one number.

    Attributes:
        criterion: The demand, as it is written.
        metric: Full name in the store; as it was given where the store has none.
        of: Which images the number is of, in words.
        verdict: What became of it.
        reason: Why, in words.
        is_accepted: Whether it lets pass.
        number: The number that is held against the bound; of a regression how much worse it is.
        bound: The bound in the unit of the number; NaN where it is a share of a number that is not there.
    """

    criterion: str
    metric: str
    of: str
    verdict: Verdict
    reason: str
    is_accepted: bool
    number: GatedNumber
    bound: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; what is not known is null."""
        flat = {**asdict(self), "bound": _known(self.bound)}
        del flat["number"]
        return {**flat, **{name: _known(value) for name, value in self.number._asdict().items()}}


NOTHING = GatedNumber(math.nan, math.nan, math.nan)


def without_number(criterion: Criterion, metric: str, of: str, verdict: Verdict, reason: str) -> GateOutcome:
    """Return the outcome of a demand on a number that is not there, or that cannot be compared: it never passes."""
    return GateOutcome(str(criterion), metric, of, verdict, reason, False, NOTHING, math.nan)


@dataclass(frozen=True)
class Judging:
    """How numbers are held against bounds.

    Attributes:
        allows_unresolved: Whether a number lets pass whose interval holds the bound, where it is itself on the right
            side; it is then said to be not resolved all the same.
    """

    allows_unresolved: bool = False

    def of(
        self,
        criterion: Criterion,
        metric: str,
        of: str,
        number: GatedNumber,
        bound: float,
        *,
        instead: Sequence[str] = (),
    ) -> GateOutcome:
        """Return what a bound says of a number: only an interval that lies on one side of it settles anything.

        Where there is no interval the reason says what to bound ``instead``.
        """
        sign = -1.0 if criterion.kind == "min" else 1.0
        low, high = sorted((sign * number.ci_low, sign * number.ci_high))
        is_right = sign * number.value <= sign * bound
        said = f"{number.value:.5g} against {'at least' if criterion.kind == 'min' else 'at most'} {bound:.5g}"
        what = f"worse by {said}" if criterion.kind == "max-regress" else said
        if not math.isfinite(low) or not math.isfinite(high):
            verdict: Verdict = "not resolved" if is_right else "failed"
            advice = (
                f"bound {' or '.join(instead)}, which has one" if instead else "only --allow-unresolved lets it pass"
            )
            reason = f"{what}; it has no interval{'' if verdict == 'failed' else f': {advice}'}"
        else:
            verdict = "passed" if high <= sign * bound else "failed" if low > sign * bound else "not resolved"
            where = " holds the bound" if verdict == "not resolved" else ""
            reason = f"{what}; 95 % interval {number.ci_low:.5g} to {number.ci_high:.5g}{where}"
        is_accepted = verdict == "passed" or (verdict == "not resolved" and is_right and self.allows_unresolved)
        return GateOutcome(str(criterion), metric, of, verdict, reason, is_accepted, number, bound)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
