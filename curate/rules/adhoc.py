"""What the command line can ask of a dataset directory without a config: try rules, compute scores."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from diptych.curate.conditions import Columns
from diptych.curate.config import Rule
from diptych.curate.rules.funnel import evaluate
from diptych.data.dataset import Dataset, open_dataset
from diptych.errors import ConfigError
from diptych.lookup import describe_unknown
from diptych.scores import SCORES
from diptych.scores.run import ScorePlan

RULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")

# Scores whose factory takes an encoder; named here so that asking for one imports no model code.
NEED_ENCODER = frozenset({"aesthetic", "clip_similarity", "linear_probe", "nsfw"})


def try_rules(path: Path, conditions: Sequence[str]) -> list[dict[str, Any]]:
    """Evaluate rules over a dataset with all its finished scores; return the funnel and write nothing.

    Args:
        path: The dataset directory.
        conditions: SQL conditions, each with an optional ``name:`` before it.

    Raises:
        ConfigError: If a condition is not SQL over columns that are there.
    """
    dataset = open_dataset(path)
    rules = [_rule(number, condition) for number, condition in enumerate(conditions, 1)]
    return [step._asdict() for step in evaluate(all_columns(dataset), rules).steps]


def all_columns(dataset: Dataset) -> Columns:
    """Return all finished column sets: under the name of the score where only one has it, else with its id."""
    found = dataset.column_sets("scores")
    names = [column_set.name.rpartition("-")[0] for column_set in found]
    sets = {
        name if names.count(name) == 1 else column_set.name: column_set
        for name, column_set in zip(names, found, strict=True)
    }
    dedup = dataset.column_set("decisions", "dedup")
    return Columns(dataset, {**sets, **({"dedup": dedup} if dedup else {})})


def score_plan(names: Sequence[str], encoder: str, overrides: Sequence[str]) -> ScorePlan:
    """Return the plan for scores by name, with ``encoder.key=value`` and ``score.key=value`` overrides.

    Raises:
        ConfigError: If a name or an override is wrong.
    """
    for name in names:
        if name not in SCORES:
            raise ConfigError(describe_unknown("score", name, SCORES))
    options: dict[str, dict[str, Any]] = {name: {} for name in ("encoder", *names)}
    for override in overrides:
        place, equals, text = override.partition("=")
        owner, dot, key = place.partition(".")
        if not equals or not dot or owner not in options:
            raise ConfigError(f"--set {override!r}: write it as NAME.key=value; NAME is one of {', '.join(options)}")
        options[owner][key] = yaml.safe_load(text)
    needed = any(name in NEED_ENCODER for name in names)
    scores = {
        name: (name, {**options[name], **({"encoder": "encoder"} if name in NEED_ENCODER else {})}) for name in names
    }
    return ScorePlan({"encoder": (encoder, options["encoder"])} if needed else {}, scores)


def _rule(number: int, condition: str) -> Rule:
    name, colon, where = condition.partition(":")
    if colon and RULE_NAME.fullmatch(name) and not where.startswith(":"):  # a::int is a cast, not a name
        return Rule(name=name, where=where)
    return Rule(name=f"rule_{number}", where=condition)
