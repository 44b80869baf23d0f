"""What the command line can ask of a dataset directory without a config: to try rules."""

import re
from collections.abc import Sequence
from typing import Any

from diptych.addresses import Address
from diptych.curate.config import Rule
from diptych.curate.decisions import read_clusters
from diptych.curate.duplicates.find import STEP as DEDUP
from diptych.curate.rules.funnel import evaluate, keep_one_of_each
from diptych.data.dataset import open_dataset
from diptych.data.table import open_table

RULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


def try_rules(address: Address, conditions: Sequence[str]) -> list[dict[str, Any]]:
    """Evaluate rules over a dataset with all its finished scores; return the funnel and write nothing.

    Where dedup has decided, one row of each cluster is kept, as a run would keep it.

    Args:
        address: The dataset directory.
        conditions: SQL conditions, each with an optional ``name:`` before it.

    Raises:
        ConfigError: If a condition is not SQL over columns that are there.
    """
    dataset = open_dataset(address)
    table, duplicates = open_table(dataset), dataset.column_set("decisions", DEDUP)
    rules = [_rule(number, condition) for number, condition in enumerate(conditions, 1)]
    funnel = evaluate(table, rules)
    if duplicates is not None:
        funnel = keep_one_of_each(funnel, read_clusters(duplicates))
    return [step._asdict() for step in funnel.steps]


def _rule(number: int, condition: str) -> Rule:
    name, colon, where = condition.partition(":")
    if colon and RULE_NAME.fullmatch(name) and not where.startswith(":"):  # a::int is a cast, not a name
        return Rule(name=name, where=where.strip())
    return Rule(name=f"rule_{number}", where=condition)
