"""The numbers of an agreement over each dataset and over all together, and on which images the two split."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.data.column_names import full_name
from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.agreements.ranks import ModelRanks, model_ranks
from diptych.evaluate.agreements.verdicts import BothVerdicts, both_verdicts
from diptych.evaluate.collected import Findings, ImageColumn, ImageValues
from diptych.evaluate.inputs.asked_rows import is_asked_for
from diptych.evaluate.inputs.cautions import share_caution
from diptych.evaluate.inputs.pooled_rows import pooled_rows
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.metrics.means import AskedMean, MeasuredMean, why_no_interval
from diptych.evaluate.protocols.pools import QUESTION_KIND
from diptych.evaluate.statistics.agreement import clustered_kappa, is_said
from diptych.evaluate.statistics.intervals import ClusteredMean
from diptych.evaluate.statistics.macro_shares import clustered_share, mean_of_shares
from diptych.store.agreements import (
    AGREEMENT,
    BALANCED,
    BOTH,
    FIRST_SPLIT,
    IN_TWO,
    KAPPA,
    RANK_CHANGE,
    RANK_CORRELATION,
    SPLITS,
)
from diptych.store.store import ResultRow

VERSION = 1
RANKS = (RANK_CHANGE, RANK_CORRELATION)
NOTHING, NO_SPREAD = "nothing_scored", "no_spread"
NOT_BOTH = "not_judged_by_both"  # the reason of an image of which one of the two says nothing


@dataclass(frozen=True)
class _Agreement:
    """Two judges over one dataset, or over several as one, and what decides their numbers.

    Attributes:
        choice: Of the two.
        rows: The dataset.
        means: What the mean of a column is, where it is the number of a protocol.
        found: Where identities are noted.
        apart: Which datasets its numbers are not over, though the same was asked of them; empty where there are none.
    """

    choice: AgreementChoice
    rows: ScoredRows
    means: Mapping[str, AskedMean]
    found: Findings
    apart: str

    @cached_property
    def both(self) -> BothVerdicts:
        """What both say of the images that somebody asked for.

        Raises:
            ConfigError: If what one says cannot be held against the other.
        """
        return both_verdicts(self.choice, self.rows).among(np.flatnonzero(is_asked_for(self.rows, None)))

    @cached_property
    def sides(self) -> Mapping[str, MeasuredMean]:
        """What is averaged of each, where models are put in order by it."""
        named = {"a": self.choice.a, "b": self.choice.b}
        return {side: self.means.get(name, AskedMean(name)).of(self.rows) for side, name in named.items()}

    def result(
        self, metric: str, groups: Mapping[str, Any], number: ClusteredMean, note: str, caution: str | None = None
    ) -> ResultRow:
        """Return a number as the store has it."""
        reason = None if np.isfinite(number.value) else NO_SPREAD if number.n else NOTHING
        return ResultRow(
            self.found.run_id,
            full_name(self.choice.label, metric),
            self.rows.label,
            groups,
            number.value,
            number.se if np.isfinite(number.ci_low) else float("nan"),
            number.ci_low,
            number.ci_high,
            number.n,
            number.n_unscored,
            "" if metric in (KAPPA, *RANKS) else f"share of {self.both.of}",
            None,
            self.found.identify(self.identity(metric)),
            reason,
            note if reason is None else None,
            caution=self._caution(groups, caution) if reason is None else None,
        )

    def _caution(self, groups: Mapping[str, Any], own: str | None) -> str | None:
        return "; ".join(filter(None, (own, None if groups else self.apart))) or None

    def identity(self, metric: str) -> dict[str, Any]:
        """Return what decides a number: both judges' own, how it is averaged for ranks, what makes words of theirs."""
        choice = self.choice
        sides = {name: self.rows.score(column).source for name, column in (("a", choice.a), ("b", choice.b))}
        if metric in RANKS:
            sides = {name: dict(side.identity) for name, side in self.sides.items()}
        lines = {"at_least_a": choice.at_least_a, "at_least_b": choice.at_least_b}
        told = {"of": self.both.of, **{name: line for name, line in lines.items() if line is not None}}
        return {"metric": metric, "version": VERSION, BOTH: {**sides, **told}, "column": SPLITS}


def agreement_rows(
    choice: AgreementChoice, judged: Sequence[ScoredRows], means: Mapping[str, AskedMean], found: Findings
) -> Iterator[ResultRow]:
    """Yield how far two judges agree over each dataset, and where there are several of one role over these together.

    Args:
        choice: Of the two.
        judged: The datasets.
        means: What the mean of a column is, where it is the number of a protocol, see ``own_means``.
        found: Where identities are noted.

    Raises:
        ConfigError: If what one says cannot be held against the other.
    """
    for rows in judged:
        agreement = _Agreement(choice, rows, means, found, _apart_note(judged, rows.role))
        found.image_columns += _split_columns(agreement)
        yield from _numbers(agreement)
    for role in dict.fromkeys(rows.role for rows in judged):
        of_role = [rows for rows in judged if rows.role == role]
        if len(of_role) > 1:
            yield from _numbers(_Agreement(choice, pooled_rows(of_role), means, found, _apart_note(judged, role)))


def _apart_note(judged: Sequence[ScoredRows], role: str) -> str:
    """Return which of some datasets have another role, so that a number is not over them; empty where none has."""
    others = [f"{rows.label} ({rows.role})" for rows in judged if rows.role != role]
    return f"not with {', '.join(others)}: datasets of different roles are not one" if others else ""


def _numbers(agreement: _Agreement) -> Iterator[ResultRow]:
    """Yield how far they agree over all images, by category, by the groups that are asked for, and on models."""
    rows, both, by = agreement.rows, agreement.both, agreement.choice.by
    known = all(rows.has(name) or name in rows.scored for name in by)
    cuts = dict.fromkeys([(), *([(CATEGORY,)] if rows.has(CATEGORY) else []), *([by] if known else [])])
    for cut in cuts:
        for group in rows.groups(cut):
            yield from _group_rows(agreement, group.values, both.among(group.rows))
    for kind in sorted(set(both.kinds) - {""}):
        yield from _group_rows(agreement, {QUESTION_KIND: kind}, both.where(both.kinds == kind))
    yield from _rank_rows(agreement, model_ranks(agreement.choice, rows, [*agreement.sides.values()]))


def _group_rows(agreement: _Agreement, groups: Mapping[str, Any], both: BothVerdicts) -> Iterator[ResultRow]:
    if not len(both.rows):
        return
    prompts, draws = agreement.rows.prompts[both.rows], agreement.rows.draws[both.rows]
    said = is_said(both.a, both.b)
    same = np.where(said, ~both.splits, np.nan)
    units = agreement.rows.units_text(both.rows[said])
    kappa = clustered_kappa(both.a, both.b, prompts)
    how = f"Cohen's kappa; interval clustered by {units} (delta method)"
    if not np.isfinite(kappa.ci_low):
        how = why_no_interval(kappa)
        if not both.splits.any():
            how = f"no interval: they say the same of all {kappa.n:,}, and nothing tells how often they would not"
    yield agreement.result(KAPPA, groups, kappa, how)
    share, caution = clustered_share(same, prompts, draws), share_caution(agreement.rows, both.rows[said])
    yield agreement.result(AGREEMENT, groups, share, f"interval clustered by {units} (Wilson, effective n)", caution)
    if agreement.choice.truth:
        truths = np.array([word or "" for word in both.b], np.str_)
        balanced = mean_of_shares(same[said], prompts[said], truths[said], draws[said]) if said.any() else share
        balanced = balanced._replace(n=int(said.sum()), n_unscored=int((~said).sum()))
        if len(np.unique(truths[said])) < 2:
            balanced = balanced._replace(value=float("nan"), ci_low=float("nan"), ci_high=float("nan"))
        note = f"mean share right over {_truths_text(truths[said])} by b; interval from theirs (MOVER), {units}"
        yield agreement.result(BALANCED, groups, balanced, note, caution)


def _truths_text(truths: npt.NDArray[np.str_]) -> str:
    words, counts = np.unique(truths, return_counts=True)
    return " and ".join(f"{count:,} {word}" for word, count in zip(words, counts, strict=True))


def _rank_rows(agreement: _Agreement, ranks: ModelRanks | None) -> Iterator[ResultRow]:
    """Yield by how many places each model stands lower by b than by a, and how alike the orders are."""
    if ranks is None:
        return
    count = len(ranks.models)
    for place, model in enumerate(ranks.models):
        (a, b), (first, second) = ranks.numbers[:, place], ranks.places[:, place]
        change = _drawn_number(ranks.changes[place], ranks.change_ends[:, place], int(ranks.n[place]))
        note = f"place {first:g} of {count} by a ({a:.4g}), {second:g} by b ({b:.4g}); {_how_drawn(change, ranks)}"
        yield agreement.result(RANK_CHANGE, {"model": model}, change, note)
    correlation = _drawn_number(ranks.correlation, ranks.correlation_ends, int(ranks.n.sum()))
    note = f"Kendall's tau-b of the two orders of {count} models; {_how_drawn(correlation, ranks)}"
    yield agreement.result(RANK_CORRELATION, {}, correlation, note)


def _how_drawn(number: ClusteredMean, ranks: ModelRanks) -> str:
    if np.isfinite(number.ci_low):
        return f"interval from {ranks.drawn.shape[2]:,} draws of the prompts"
    why = "in some draws a judge puts all in one place" if ranks.drawn.shape[2] else "too few prompts to draw from"
    return f"no interval: {'in some draws a model has no image' if ranks.lacks_draws else why}"


def _drawn_number(value: float, ends: Sequence[float] | npt.NDArray[np.float64], n: int) -> ClusteredMean:
    """Return a number whose interval, but no standard error, is known."""
    low, high = map(float, ends)
    return ClusteredMean(float(value), float("nan"), low, high, n, 0, 0.0, 0)


def _split_columns(agreement: _Agreement) -> list[ImageColumn]:
    """Return for each image on how many things the two split, and what they say of the first of them."""
    both, choice, count = agreement.both, agreement.choice, len(agreement.rows)
    said = is_said(both.a, both.b)
    splits = np.where(np.bincount(both.rows[said], minlength=count) > 0, 0.0, np.nan)
    first: list[str | None] = [None if np.isnan(one) else "" for one in splits]
    for thing in np.flatnonzero(both.splits)[::-1].tolist():
        row = int(both.rows[thing])
        splits[row] = np.nansum([splits[row], 1.0])
        first[row] = f"{both.texts[thing]} {both.a[thing]}{IN_TWO}{both.b[thing]}".strip()
    reasons = [NOT_BOTH if np.isnan(one) else None for one in splits]
    identity = agreement.identity(SPLITS)
    what = f"{choice.a} and {choice.b}"
    many = f"Number of {both.of} on which {what} split"
    words = f"What {what} say of the first thing on which they split; empty if they agree"
    label, nothing = agreement.rows.label, np.full(count, np.nan)
    numbers, texts = ImageValues(splits, None, reasons), ImageValues(nothing, first, reasons)
    return [
        ImageColumn(label, full_name(choice.label, SPLITS), many, identity, numbers),
        ImageColumn(label, full_name(choice.label, FIRST_SPLIT), words, identity, texts),
    ]
