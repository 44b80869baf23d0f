"""Select: the rules of a config over the columns of a pool, written as ``decisions/select``."""

from collections.abc import Sequence
from dataclasses import dataclass

from diptych.curate.config import Rule
from diptych.curate.decisions import Decisions, find_decisions, read_clusters, write_decisions
from diptych.curate.rules.built_in import built_in_rules
from diptych.curate.rules.funnel import FunnelStep, evaluate, keep_one_of_each
from diptych.data.dataset import ColumnSet
from diptych.data.table import DatasetTable


@dataclass(frozen=True)
class SelectRun:
    """What select decided.

    Attributes:
        decisions: The column set that says it row by row.
        steps: The funnel.
        is_new: Whether it had to be computed.
    """

    decisions: ColumnSet
    steps: tuple[FunnelStep, ...]
    is_new: bool


def select(
    table: DatasetTable,
    rules: Sequence[Rule],
    duplicates: ColumnSet | None = None,
    *,
    heic: bool = False,
    progress: str = "none",
) -> SelectRun:
    """Decide which rows to keep, or return what was decided before by the same rules over the same columns.

    Args:
        table: What the rules look at.
        rules: In order; the built-in ones come before them.
        duplicates: What dedup decided: of each cluster the most preferred row that passes the rules is kept.
        heic: Whether HEIC is kept.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a rule is not one SQL condition over columns that are there.
    """
    sets = {label: dict(column_set.manifest["identity"]) for label, column_set in table.sets.items()}
    if duplicates is not None:
        sets["duplicates"] = dict(duplicates.manifest["identity"])
    built_in = built_in_rules(table, heic=heic)  # which looks at every shard
    written = [rule.model_dump() for rule in (*built_in, *rules)]
    identity = {"step": "select", "version": 3, "rules": written, "columns": sets}
    found = find_decisions(table.dataset, "select", identity)
    if found is not None:
        return SelectRun(found, tuple(FunnelStep(**step) for step in found.manifest["funnel"]), is_new=False)
    funnel = evaluate(table, rules, built_in=built_in)
    if duplicates is not None:
        funnel = keep_one_of_each(funnel, read_clusters(duplicates))
    names = [step.rule for step in funnel.steps]
    decisions = Decisions(funnel.keep, names, funnel.first_failed)
    facts = {"funnel": [step._asdict() for step in funnel.steps]}
    return SelectRun(
        write_decisions(table.dataset, "select", identity, decisions, facts, progress=progress),
        funnel.steps,
        is_new=True,
    )
