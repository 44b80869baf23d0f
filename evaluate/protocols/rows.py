"""The numbers of a protocol over one dataset: means over images, by category and at worst, and those over questions."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.metrics.means import AskedMean, categories_of, mean_rows_of_group
from diptych.evaluate.protocols.blocks import spread_note
from diptych.evaluate.protocols.coverage import coverage_note, prompt_set_columns
from diptych.evaluate.protocols.image_cautions import ImageCautions, pictures_note, told_counts
from diptych.evaluate.protocols.means import CountedRule
from diptych.evaluate.protocols.nothing_found import nothing_found
from diptych.evaluate.protocols.pools import RulePool
from diptych.progress.wording import quantity
from diptych.store.store import ResultRow


def protocol_rows(rule: CountedRule, rows: ScoredRows, found: Findings, told: str = "") -> Iterator[ResultRow]:
    """Yield the results of one rule over the groups of a dataset, of which each is of one set of prompts.

    What rests on fewer than all prompts, or on others than upstream's, says so in its caution.

    Args:
        rule: The rule.
        rows: The dataset.
        found: Where identities are noted.
        told: What there is to say of the judge.
    """
    sets = prompt_set_columns(rule.protocol, rows)
    groupings = [tuple(dict.fromkeys((*sets, *by))) for by in rule.groupings]
    for by in groupings:
        if rule.mean is not None:
            yield from rule_mean_rows(rule, replace(rule.mean, by=by), rows, found, told)
    if (pool := RulePool.of(rule, rows)) is not None:
        for by in groupings:
            yield from _pool_rows(pool, by, rows, found, told)


def rule_mean_rows(
    rule: CountedRule, asked: AskedMean, rows: ScoredRows, found: Findings, told: str = ""
) -> Iterator[ResultRow]:
    """Yield a mean of a rule over the groups of a dataset; where something lacks an answer, what it is at worst too."""
    if CATEGORY in asked.by and not rows.has(CATEGORY):
        return
    ready, reasons = asked.of(rows), rows.score(asked.score).reasons
    covered = replace(asked, with_category=False).of(rows).is_asked  # what a rule leaves out by itself is no gap
    has_worst = rule.worst is not None and not asked.counts_unscored and ready.metric.low is not None
    at_worst = rule.worst.of(rows) if rule.worst is not None and has_worst else None
    images = ImageCautions(rule, rows)

    def cautioned(row: ResultRow, about: Index, others: Iterable[str]) -> ResultRow:
        known = np.isfinite(ready.values[about])
        lacking = [reasons[number] or "" for number in about[~known]]
        nothing = nothing_found(rule, rows, about[known])
        return _cautioned(row, lacking, "image", [nothing, *images.of(about[known]), *others])

    for group in rows.groups(asked.by):
        about = group.rows[ready.is_asked[group.rows]]
        if not len(about) and CATEGORY in asked.by:
            continue  # of another set of prompts
        of_all = [coverage_note(rule.protocol, rows, group.rows[covered[group.rows]]), told]
        every = list(mean_rows_of_group(rows, ready, group, found))
        if CATEGORY in asked.by:
            if rule.rule.block is not None:
                every = [_noted(row, spread_note(rows, about, ready.values, rule.rule.block)) for row in every]
            yield from (cautioned(row, about, ()) for row in every)
            continue
        whole, *parts = every
        yield cautioned(whole, about, of_all)
        yield from (cautioned(row, _in_category(rows, about, row.groups[CATEGORY]), ()) for row in parts)
        if at_worst is not None and len(about):
            worst = next(mean_rows_of_group(rows, at_worst, group, found))
            if worst.reason is None and worst.value != whole.value:
                yield cautioned(worst, about, of_all)


def _in_category(rows: ScoredRows, about: Index, category: str | None) -> Index:
    """Return those of some rows that are of a category; None are those of none."""
    each = categories_of(rows, about)
    own: Index = about[each.positions[each.names == (category or "")]]
    return own


def _pool_rows(
    pool: RulePool, by: tuple[str, ...], rows: ScoredRows, found: Findings, told: str
) -> Iterator[ResultRow]:
    if CATEGORY in by and not rows.has(CATEGORY):
        return
    for group in rows.groups(by):
        inside = np.zeros(len(rows), bool)
        inside[group.rows] = True
        of_group = pool.among(inside)
        if not len(of_group.items.rows) and CATEGORY in by:
            continue
        of_all = [coverage_note(pool.rule.protocol, rows, np.unique(of_group.items.rows)), told]
        for part in of_group.parts(with_kinds=CATEGORY not in by):
            pictures = "" if part.kind else pictures_note(rows, np.unique(part.items.rows))
            cautions = [pictures, *([] if part.kind or CATEGORY in by else of_all)]
            made = part.rows(group.values, found, with_worst=CATEGORY not in by)
            noun = pool.noun.removesuffix("s")
            yield from (_cautioned(row, part.lacking, noun, cautions) for row in made)


def _noted(row: ResultRow, note: str) -> ResultRow:
    return replace(row, note="; ".join(filter(None, (row.note, note))) or None)


def _cautioned(row: ResultRow, lacking: Iterable[str], noun: str, cautions: Iterable[str]) -> ResultRow:
    every = states_note(lacking, noun, row.n_unscored), *cautions, row.caution
    return replace(row, caution="; ".join(filter(None, every)) or None)


def states_note(states: Iterable[str], noun: str, unscored: int) -> str:
    """Return why some have no answer, and how many those are where n does not tell; empty where all have one.

    >>> states_note(["unparsed", "failed", "unparsed"], "question", 0)
    '3 questions without an answer (2 unparsed, 1 failed)'
    >>> states_note(["unparsed", "failed", "unparsed"], "question", 3)
    'unscored: 2 unparsed, 1 failed'
    """
    counts = Counter(state or "unknown" for state in states)
    if not counts:
        return ""
    if counts.total() == unscored:
        return f"unscored: {told_counts(counts)}"
    return f"{quantity(counts.total(), noun)} without an answer ({told_counts(counts)})"
