"""The rules that nobody writes: what has no picture goes, and HEIC, which many programs cannot open."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.compute as pc

from diptych.curate.config import Rule
from diptych.data.column_names import full_name
from diptych.data.shards import reading
from diptych.data.table import DatasetTable
from diptych.scores import decoded
from diptych.storage.location import Location

READABLE, HEIC = "readable", "heic"
FORMAT = "format"
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
    return any(map(_has_heic, table.dataset.files))


def _has_heic(file: Location) -> bool:
    """Return whether a shard has HEIC; where the least and greatest format of its rows tell, no row is read."""
    with reading(file) as parquet:
        for number in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(number)
            chunks = (group.column(leaf) for leaf in range(group.num_columns))
            told = next(chunk.statistics for chunk in chunks if chunk.path_in_schema == FORMAT)
            if told is not None and told.has_min_max and not told.min <= HEIC <= told.max:
                continue
            if pc.any(pc.equal(parquet.read_row_group(number, columns=[FORMAT])[FORMAT], HEIC)).as_py():
                return True
    return False
