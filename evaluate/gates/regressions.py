"""How much worse a number of a run is than that of another: over the same images where it has any, with its error.

Means are compared in pairs, as ``evaluate compare`` does. A distance belongs to no image, and what the errors of two
have in common is known to the run that computed both: its difference is taken where it is there. Between two runs the
error of the difference is at most the sum of the two errors, whatever they have in common, and that is taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

from diptych.config.identity import short_id
from diptych.evaluate.comparisons.compared_images import value_text
from diptych.evaluate.comparisons.stored_differences import Both, differences_between, first_difference
from diptych.evaluate.comparisons.stored_models import ComparedModel
from diptych.evaluate.gates.criteria import Criterion
from diptych.evaluate.gates.gated import MODEL, GatedRun, Row
from diptych.evaluate.gates.outcomes import GatedNumber, GateOutcome, Judging, without_number
from diptych.evaluate.statistics.intervals import interval
from diptych.store.store import DifferenceRow


@dataclass(frozen=True)
class Regressions:
    """Holds the numbers of one run against those of another.

    Attributes:
        run: The one.
        other: The other, which is the older or the better known.
        judging: How a number is held against a bound.
    """

    run: GatedRun
    other: GatedRun
    judging: Judging

    def is_itself(self, row: Row) -> bool:
        """Return whether a number is one of those that the others are held against."""
        return self.run.run_id == self.other.run_id and self.other.is_about(row)

    def of(self, criterion: Criterion, metric: str, of: str, row: Row) -> GateOutcome:
        """Return what a demand says of a number beside that of the other run."""
        against, why = self._counterpart(row)
        if against is None:
            return without_number(criterion, metric, of, "missing", why)
        if row["identity"] != against["identity"]:
            how = first_difference(row["identity"], against["identity"])
            return without_number(criterion, metric, of, "not comparable", f"made in two ways: {how}")
        if row["better"] is None:
            said = "neither way is better by this metric; bound it with --min or --max"
            return without_number(criterion, metric, of, "not comparable", said)
        if row["value"] is None or against["value"] is None:
            lacking = row if row["value"] is None else against
            return without_number(criterion, metric, of, "missing", f"no value: {lacking['reason']}")
        bound = criterion.bound * abs(against["value"]) if criterion.is_relative else criterion.bound
        difference = self._difference(row, against)
        if isinstance(difference, str):
            return without_number(criterion, metric, of, "not comparable", difference)
        sign = -1.0 if row["better"] == "higher" else 1.0
        low, high = sorted((sign * difference.ci_low, sign * difference.ci_high))
        worse = GatedNumber(sign * difference.value + 0.0, low + 0.0, high + 0.0)  # 0, not -0
        return self.judging.of(criterion, metric, of, worse, bound, instead=self.run.with_interval(row))

    def _counterpart(self, row: Row) -> tuple[Row | None, str]:
        """Return the number of the other run that one is held against, or None and why there is none."""
        rows = self.other.whole(row["metric"])
        if not rows:
            rows = [
                each for each in self.other.rows if each["identity"] == row["identity"] and self.other.is_about(each)
            ]
        if not rows:
            return None, f"{self.other.said} has no {row['metric']}"
        wanted = {**row["groups"], **({MODEL: self.other.label} if self.other.label and MODEL in row["groups"] else {})}
        same = [each for each in rows if _texts(each["groups"]) == _texts(wanted)]
        if not same:
            said = ", ".join(_texts(wanted).values()) or "all images"
            return None, f"run {self.other.name} has no {row['metric']} of {said}"
        of_dataset = [each for each in same if each["dataset"] == row["dataset"]] or same
        if len(of_dataset) > 1:
            return None, f"run {self.other.name} has {len(of_dataset)} of them, in several datasets"
        return of_dataset[0], ""

    def _difference(self, row: Row, against: Row) -> GatedNumber | str:
        """Return the difference of two numbers with its interval, or why they cannot be compared."""
        gap = row["value"] - against["value"]
        if self._are_same_images(row, against) and gap == 0.0 and row["groups"] == against["groups"]:
            return GatedNumber(0.0, 0.0, 0.0)
        paired = list(self._paired(row, against))
        if paired:
            (found, *more) = paired
            if more:
                return f"the images of {len(paired)} datasets make pairs; gate each dataset in a run of its own"
            if found.value is None or found.value != found.value:
                return str(found.reason)
            return GatedNumber(found.value, *_ends(found.ci_low, found.ci_high))
        if row["size_bias"] == "uncorrected" and row["n"] != against["n"]:
            return f"it depends on n, which is {row['n']:,} here and {against['n']:,} there"
        if None in (row["se"], against["se"]):
            return GatedNumber(gap, nan, nan)
        return GatedNumber(gap, *interval(gap, (row["se"] + against["se"]) ** 2, float("inf")))

    def _paired(self, row: Row, against: Row) -> Iterator[DifferenceRow]:
        """Yield the difference over pairs of images, or as the run has it; none where neither can be had."""
        if row["groups"].keys() != {MODEL}:
            return
        a, b = (
            ComparedModel(run.store, run.run_id, value_text(each["groups"][MODEL]), MODEL)
            for run, each in ((self.run, row), (self.other, against))
        )
        if (a.run_id, a.label, a.store.path) == (b.run_id, b.label, b.store.path):
            return
        both: Both = ((a, {row["metric"]: [row["identity"]]}, row["metric"]), (b, {}, against["metric"]))
        for found in differences_between(both, is_refused=False):
            if row["dataset"] in found.dataset.split("+") and found.identity_id == short_id(row["identity"]):
                yield found

    def _are_same_images(self, row: Row, against: Row) -> bool:
        sql = "SELECT fingerprint FROM datasets WHERE run_id = ? AND dataset = ?"
        found = [
            run.store.query(sql, [each["run_id"], each["dataset"]])
            for run, each in ((self.run, row), (self.other, against))
        ]
        return bool(found[0]) and found[0] == found[1]


def _texts(groups: Mapping[str, Any]) -> dict[str, str]:
    return {name: value_text(value) for name, value in sorted(groups.items())}


def _ends(low: float | None, high: float | None) -> tuple[float, float]:
    return (nan, nan) if low is None or high is None else (low, high)
