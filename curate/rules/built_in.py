"""The rules that nobody writes: what has no picture goes, and HEIC, which many programs cannot open."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.compute as pc

from diptych.curate.config import Rule
from diptych.data.column_names import full_name
from diptych.data.shards import read_shard
from diptych.data.table import DatasetTable
from diptych.scores import decoded

READABLE, HEIC = "readable", "heic"
IS_TRUNCATED = full_name(decoded.NAME, decoded.COLUMN)


def built_in_rules(table: DatasetTable, *, heic: bool = False) -> list[Rule]:
    """Return the rules that stand before those of a config.

    ``readable`` is always there: a picture is one that has been decoded, where the score ``decoded`` has tried.
    ``heic`` is there where it takes something: programs that have no more than Pillow do not read HEIC.

    Args:
        table: What the rules look at.
        heic: Whether HEIC is kept.
    """
    terms = ["status = 'ok'", *([f"{IS_TRUNCATED} IS NOT NULL"] if IS_TRUNCATED in table.columns else [])]
    rules = [Rule(name=READABLE, where=" AND ".join(terms))]
    if not heic and _holds_heic(table):
        rules.append(Rule(name=HEIC, where="format IS DISTINCT FROM 'heic'"))
    return rules


def heic_left_out(funnel: Iterable[Mapping[str, Any]]) -> str:
    """Return how many pictures the rule ``heic`` takes and how they are kept; empty where it takes none.

    Args:
        funnel: Its steps.

    >>> heic_left_out([{"rule": "heic", "rows_in": 9, "rows_out": 3}])
    'heic, left out: 6; export.heic: true keeps them'
    """
    lost = sum(step["rows_in"] - step["rows_out"] for step in funnel if step["rule"] == HEIC)
    return f"heic, left out: {lost:,}; export.heic: true keeps them" if lost else ""


def _holds_heic(table: DatasetTable) -> bool:
    return any(pc.any(pc.equal(read_shard(file, ["format"])["format"], "heic")).as_py() for file in table.dataset.files)
