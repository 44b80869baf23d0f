"""The rows of a pool as a report has them, with their scores and what was decided about them."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diptych.config.identity import short_id
from diptych.data.column_names import DATA
from diptych.data.table import KEY, RowNumbers, TableColumn
from diptych.reports.read.columns import SOURCE, further_names
from diptych.reports.read.pool import Pool
from diptych.reports.read.rows import Floats, Meaning, RowsPart
from diptych.store.images import image_columns

MOST_OF_ARG_MIN = 999_999  # rows that DuckDB's arg_min returns at most


def read_pool(pool: Pool, limit: int, must_show: Sequence[int]) -> RowsPart:
    """Return the rows of a pool with their scores and what was decided about them.

    Args:
        pool: The pool.
        limit: Rows at most, unless ``must_show`` has more.
        must_show: Row numbers that a page shows.
    """
    table, rows = pool.table, _sample(pool, limit, must_show)
    own = [name for name in SOURCE if name in table.columns and name != "dataset"]
    columns: dict[str, list[Any]] = table.read(own, rows).to_pydict()
    columns |= table.places(rows).to_pydict()
    columns |= {"dataset": [pool.label] * len(columns[KEY]), "decision": _decisions(pool, rows)}
    if pool.dedup is not None:
        columns["duplicate_of"] = table.column("dedup.duplicate_of", rows).to_pylist()
    part = RowsPart(columns, _further(pool, rows), total=len(table))
    for column in pool.scores:
        values = table.column(column.name, rows) if is_number(column) or _is_word(column) else None
        if values is not None and is_number(column):
            part.numbers[column.name] = as_floats(values)
        elif values is not None:
            part.words[column.name] = _as_words(values)
        if values is not None:
            part.meanings[column.name] = _meaning(column)
    _add_compared(pool, part, rows)
    return part


def _sample(pool: Pool, limit: int, must_show: Sequence[int]) -> RowNumbers | None:
    """Return row numbers in order, as many of each reason as of every other; None for all."""
    if len(pool.table) <= limit:
        return None
    found = pool.query(f'"select".reason AS reason, {_first(limit)} AS rows', "GROUP BY 1").to_pylist()
    found.sort(key=lambda group: (group["reason"] is None, group["reason"] or ""))
    turns = itertools.zip_longest(*(group["rows"] for group in found))
    drawn = [row for turn in turns for row in turn if row is not None][:limit]
    fixed = set(must_show)
    others = [row for row in drawn if row not in fixed]
    return np.array(sorted([*fixed, *others[: max(0, limit - len(fixed))]]), np.int64)


def _first(limit: int) -> str:
    """Return SQL of the first so many rows of a reason, in the order of a hash of their keys."""
    if limit <= MOST_OF_ARG_MIN:  # which holds no more rows of a reason than are drawn
        return f"arg_min(place.position, (md5(data.key), place.position), {limit})"
    return f"list(place.position ORDER BY md5(data.key), place.position)[:{limit}]"


def _decisions(pool: Pool, rows: RowNumbers | None) -> list[str]:
    found = pool.table.read(["select.keep", "select.reason"], rows)
    pairs = zip(found["select.keep"].to_pylist(), found["select.reason"].to_pylist(), strict=True)
    return ["kept" if keep else str(reason) for keep, reason in pairs]


def _further(pool: Pool, rows: RowNumbers | None) -> dict[str, list[Any]]:
    """Return the columns that the source brought along, as far as a report can show them."""
    named = [column for column in pool.table.columns.values() if column.label == DATA]
    own = set(SOURCE) - {"dataset"}  # which is no column of a dataset, but what it is called here
    names = [column.column for column in named if column.column not in own]
    if not names:
        return {}
    called = further_names(names)
    table = pool.table.read(names, rows).rename_columns([called[name] for name in names])
    found: dict[str, list[Any]] = image_columns(table).more.to_pydict()
    return found


def _add_compared(pool: Pool, part: RowsPart, rows: RowNumbers | None) -> None:
    """Add what rules compare with a number and what is no number of a score by itself, such as the shorter side."""
    for rule, thresholds in pool.thresholds.items():
        for threshold in thresholds:
            if threshold.name in part.numbers and not threshold.is_single:  # ends of ranges are not to be rounded
                part.numbers[threshold.name] = part.numbers[threshold.name].astype(np.float64)
            elif threshold.name not in part.numbers:
                values = threshold.as_compared(pool.values(threshold.expression))
                kind = np.float32 if threshold.is_single else np.float64
                part.numbers[threshold.name] = (values if rows is None else values[rows]).astype(kind)
                text = f"What the rule {rule} compares with a number"
                part.meanings[threshold.name] = Meaning(threshold.name, text, "", None, None, None, None, "")


def is_number(column: TableColumn) -> bool:
    """Whether a column is a quantity; a hash is none."""
    return bool(pa.types.is_floating(column.type) or pa.types.is_signed_integer(column.type))


def _is_word(column: TableColumn) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_boolean(column.type))


def as_floats(values: pa.ChunkedArray) -> Floats:
    """Return (N,) in the precision that the values have, NaN where there is none; whole numbers are float64."""
    kind = pa.float32() if pa.types.is_float32(values.type) else pa.float64()
    return np.asarray(values.cast(kind, safe=False).to_numpy())


def _as_words(values: pa.ChunkedArray) -> list[str | None]:
    if pa.types.is_boolean(values.type):
        values = pc.if_else(values, "yes", "no")
    words: list[str | None] = values.to_pylist()
    return words


def _meaning(column: TableColumn) -> Meaning:
    facts = column.facts
    return Meaning(
        column.name,
        str(facts.get("description", "")),
        str(facts.get("unit", "")),
        facts.get("low"),
        facts.get("high"),
        facts.get("better_for_data"),
        facts.get("better_for_models"),
        short_id(column.identity),
    )
