"""A gate: every demand held against every number of a run that it is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.addresses import Address
from diptych.errors import ConfigError
from diptych.evaluate.comparisons.compared_images import value_text
from diptych.evaluate.gates.criteria import Criterion
from diptych.evaluate.gates.gated import GatedRun, Row, find_gated
from diptych.evaluate.gates.outcomes import GatedNumber, GateOutcome, Judging, without_number
from diptych.evaluate.gates.regressions import Regressions
from diptych.evaluate.terminal import printable
from diptych.progress.wording import quantity
from diptych.store.store import Store


@dataclass(frozen=True)
class AskedGate:
    """What is asked of a run.

    Attributes:
        criteria: The demands.
        run: ``RUN``, ``MODEL`` or ``RUN:MODEL``; None is the only run.
        against: The same, of what it must not be worse than; None where nothing is held against another.
        allows_unresolved: See ``Judging``.
    """

    criteria: Sequence[Criterion]
    run: str | None = None
    against: str | None = None
    allows_unresolved: bool = False


@dataclass(frozen=True)
class GateReport:
    """What a gate found.

    Attributes:
        run: Name of the run.
        against: Name of the other; None where there is none.
        outcomes: In the order of the demands.
    """

    run: str
    against: str | None
    outcomes: Sequence[GateOutcome]

    @property
    def is_passed(self) -> bool:
        """Whether every demand lets pass."""
        return all(each.is_accepted for each in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        checks = [each.to_json() for each in self.outcomes]
        return {"run": self.run, "against": self.against, "passed": self.is_passed, "checks": checks}

    def lines(self) -> Iterator[str]:
        """Yield a line for each check, and what follows from all."""
        for each in self.outcomes:
            let = " (allowed)" if each.is_accepted and each.verdict != "passed" else ""
            yield printable(f"{each.verdict}{let}: {each.criterion}: {each.of}: {each.reason}")
        count = sum(not each.is_accepted for each in self.outcomes)
        checks = quantity(len(self.outcomes), "check")
        yield f"{checks}: the gate is passed" if not count else f"{count} of {checks} not passed: the gate is closed"


def gate(path: Address, asked: AskedGate) -> GateReport:
    """Hold the numbers of a run against what is asked of them.

    Raises:
        StoreError: If there is no such store or run.
        ConfigError: If nothing is asked, a name is that of several metrics, or what to hold it against is missing.
    """
    if not asked.criteria:
        raise ConfigError(f"{path}: a gate without a demand; give --min, --max or --max-regress METRIC=NUMBER")
    is_regress = any(each.kind == "max-regress" for each in asked.criteria)
    if is_regress != (asked.against is not None):
        said = "--max-regress needs --against RUN" if is_regress else "--against needs --max-regress METRIC=NUMBER"
        raise ConfigError(f"{path}: {said}")
    with Store.open(path, read_only=True) as store:
        run = find_gated(store, asked.run)
        judging = Judging(asked.allows_unresolved)
        regressions = None
        if asked.against is not None:
            other = find_gated(store, asked.against)
            _check_other(path, run, other)
            regressions = Regressions(run, other, judging)
        outcomes = [one for each in asked.criteria for one in _outcomes(each, run, judging, regressions)]
    return GateReport(run.name, None if regressions is None else regressions.other.name, outcomes)


def _check_other(path: Address, run: GatedRun, other: GatedRun) -> None:
    """Refuse what holds every number against itself, so that nothing could ever be worse."""
    if run.run_id == other.run_id and other.label in (None, run.label):
        what = "itself" if run.label == other.label else f"its own run {other.said}"
        raise ConfigError(f"{path}: {run.said} cannot be held against {what}; name another with --run or --against")


def _outcomes(
    criterion: Criterion, run: GatedRun, judging: Judging, regressions: Regressions | None
) -> Iterator[GateOutcome]:
    try:
        metrics = run.named(criterion.metric)
    except ConfigError as error:
        if "labels have it" in str(error):
            raise ConfigError(f"--{criterion.kind}: {error}") from error
        yield without_number(criterion, criterion.metric, run.name, "missing", f"{error}")
        return
    for metric in metrics:
        rows, but = run.whole(metric), ""
        if criterion.kind == "max-regress" and regressions is not None:
            others = [row for row in rows if not regressions.is_itself(row)]
            rows, but = others, f" but that of {regressions.other.label} itself" if len(others) < len(rows) else ""
        if not rows:
            yield without_number(criterion, metric, run.label or run.name, "missing", f"{run.said} has none of it{but}")
        for row in rows:
            of = _of(row, rows)
            if criterion.kind == "max-regress" and regressions is not None:
                yield regressions.of(criterion, metric, of, row)
            elif row["value"] is None:
                yield without_number(criterion, metric, of, "missing", f"no value: {row['reason']}")
            else:
                ends = (row["ci_low"], row["ci_high"])
                number = GatedNumber(row["value"], *(float("nan") if end is None else end for end in ends))
                yield judging.of(criterion, metric, of, number, criterion.bound, instead=run.with_interval(row))


def _of(row: Row, rows: Sequence[Row]) -> str:
    """Return which images a number is of: metric, dataset where there are several, groups."""
    several = len({each["dataset"] for each in rows}) > 1 or not row["groups"]
    parts = [row["metric"], *([row["dataset"]] if several else []), *map(value_text, row["groups"].values())]
    return " of ".join([parts[0], ", ".join(parts[1:])])
