"""From the store and the pools to the rows of a report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from diptych.data.checks import asked_class
from diptych.data.dataset import open_dataset
from diptych.data.sql import quoted
from diptych.errors import ConfigError, DataError
from diptych.lookup import describe_unknown
from diptych.reports.read.columns import DECIDED, row_columns
from diptych.reports.read.pool import NUMERIC, WORDS, Pool, PoolColumn
from diptych.reports.read.rows import Meaning, ReportRows, RowsPart
from diptych.store.store import Store

DATA = ("key", "caption", "url", "width", "height", "sha256", "status")
JUDGED, UNJUDGED = "judged", "unjudged"
# Every group gets as many images as every other; the same prompts in each, so that they can be compared.
SAMPLE = """
SELECT * EXCLUDE (turn) FROM (
    SELECT *, row_number() OVER (
        PARTITION BY dataset, model, setting
        ORDER BY md5(coalesce(prompt_id, key)), prompt_id, sample, key
    ) AS turn
    FROM images WHERE run_id = ?
) ORDER BY turn, dataset, model, setting LIMIT ?
"""
# Generated images first, then what they are compared with; within a dataset as the rows lie there.
ORDER = "ORDER BY model IS NULL, dataset, shard, shard_row, key"


def choose_run(store: Store, wanted: str | None) -> dict[str, Any]:
    """Return the row of the run that a report is about.

    Raises:
        ConfigError: If there is none, or several and none is named.
    """
    runs = store.query("SELECT * FROM runs ORDER BY name, run_id")
    names = [str(run["name"]) for run in runs]
    if not runs:
        raise ConfigError(f"{store.path}: the store holds no run; make one with: diptych evaluate run CONFIG")
    if wanted is None and len(runs) > 1:
        raise ConfigError(f"{store.path}: the store holds {len(runs)} runs; name one with run: {', '.join(names)}")
    found = [run for run in runs if wanted in (None, run["name"], run["run_id"])]
    if not found:
        raise ConfigError(f"{store.path}: {describe_unknown('run', str(wanted), names)}")
    return found[0]


def find_folders(store: Store, run_id: str, moved: Mapping[str, Path]) -> dict[str, Path]:
    """Return where the datasets of a run lie, by label.

    Raises:
        ConfigError: If one that ``moved`` names is not in the run.
        DataError: If one is gone or has another content than when it was evaluated.
    """
    datasets = store.query("SELECT * FROM datasets WHERE run_id = ? ORDER BY dataset", [run_id])
    labels = [str(row["dataset"]) for row in datasets]
    for label in moved:
        if label not in labels:
            raise ConfigError(f"datasets: {describe_unknown('dataset', label, labels)}")
    folders = {}
    for row in datasets:
        label, path = row["dataset"], moved.get(row["dataset"]) or Path(row["path"])
        if not path.is_dir():
            raise DataError(f"{path}: the dataset {label!r} is gone; if it was moved, say where with datasets: {label}")
        if open_dataset(path).fingerprint != row["fingerprint"]:
            raise DataError(f"{path}: changed since it was evaluated; run again: diptych evaluate run CONFIG")
        folders[label] = path
    return folders


def read_store(store: Store, run_id: str, limit: int) -> RowsPart:
    """Return the images of a run with their scores, a sample of ``limit`` if there are more."""
    total = store.query("SELECT count(*) AS n FROM images WHERE run_id = ?", [run_id])[0]["n"]
    listed = ", ".join(f"{store.image_sql(name)} AS {quoted(name)}" for name in row_columns() if name not in DECIDED)
    if total > limit:
        images = store.arrow(f"SELECT {listed} FROM ({SAMPLE}) AS images {ORDER}", [run_id, limit])
    else:
        images = store.arrow(f"SELECT {listed} FROM images WHERE run_id = ? {ORDER}", [run_id])
    columns = {name: images[name].to_pylist() for name in images.column_names}
    part = RowsPart(columns, total=total)
    for row in store.query("SELECT * FROM score_columns WHERE run_id = ? ORDER BY score", [run_id]):
        part.meanings[row["score"]] = Meaning(
            row["score"],
            row["description"] or "",
            row["unit"] or "",
            row["low"],
            row["high"],
            row["better_for_data"],
            row["better_for_models"],
            row["identity_id"],
        )
    index = {pair: row for row, pair in enumerate(zip(columns["dataset"], columns["key"], strict=True))}
    for name in part.meanings:
        _read_score(store, run_id, name, part, index)
    return part


def _read_score(store: Store, run_id: str, name: str, part: RowsPart, index: Mapping[tuple[str, str], int]) -> None:
    sql = "SELECT dataset, key, value, text, reason FROM scores WHERE run_id = ? AND score = ? ORDER BY dataset, key"
    table = store.arrow(sql, [run_id, name])
    numbers = np.full(len(part), np.nan, np.float32)
    words: list[str | None] = [None] * len(part)
    reasons: dict[int, str] = {}
    for dataset, key, value, text, reason in zip(*(column.to_pylist() for column in table.columns), strict=True):
        row = index.get((dataset, key))
        if row is None:
            continue
        if value is not None:
            numbers[row] = value
        words[row] = text
        if value is None and text is None:
            reasons[row] = reason or "not_scorable"
    if table["text"].null_count < len(table):
        part.words[name] = words
    if table["value"].null_count < len(table) or name not in part.words:
        part.numbers[name] = numbers
    part.reasons[name] = reasons


def read_column(rows: ReportRows, name: str) -> list[Any] | None:
    """Return a column of the data that rows do not carry, such as ``format``; None where no dataset has it."""
    by_shard: dict[Path, list[int]] = {}
    for row, (dataset, shard) in enumerate(zip(rows.columns["dataset"], rows.columns["shard"], strict=True)):
        if shard is not None and dataset in rows.folders:
            by_shard.setdefault(rows.folders[dataset] / "data" / shard, []).append(row)
    found: list[Any] = [None] * len(rows)
    is_known = False
    for path, own in by_shard.items():
        with path.open("rb") as file:
            parquet = pq.ParquetFile(file)
            if name not in parquet.schema_arrow.names:
                continue
            values = parquet.read(columns=[name])[name].to_pylist()
        is_known = True
        for row in own:
            found[row] = values[rows.columns["shard_row"][row]]
    return found if is_known else None


def audited(
    rows: ReportRows,
    audit: Mapping[str, Any],
    datasets: set[str],
    texts: Sequence[str | None],
    classes: Sequence[Sequence[str | None]],
) -> list[str | None]:
    """Return for each row ``judged`` or ``unjudged`` as the audit counted it; None where it is not about the row.

    An image belongs to the class that its prompt asks for; one on which another is seen is not judged, nor is one
    without the attribute. Without a category, prompts that ask for what is no class are not in question.

    Args:
        rows: The images.
        audit: What the run's config says of it.
        datasets: Those that it is about.
        texts: For each row the value that is seen.
        classes: The columns of the class that is seen which make its groups; none if it is not by class.
    """
    columns = rows.columns
    asked = [asked_class(checks) for checks in columns["checks"]]
    known = {pair for seen in classes for pair in zip(columns["dataset"], seen, strict=True)}
    known |= {(dataset, name) for dataset in datasets for name in audit.get("reference") or ()}
    category = audit.get("category")
    found: list[str | None] = [None] * len(rows)
    for row, dataset in enumerate(columns["dataset"]):
        seen = [column[row] for column in classes]
        wanted = [one if asked[row] is None else asked[row] for one in seen]
        is_class = category is not None or all(one is None or (dataset, one) in known for one in wanted)
        if dataset in datasets and category in (None, columns["category"][row]) and is_class:
            is_misread = any(one not in (None, other) for one, other in zip(seen, wanted, strict=True))
            found[row] = UNJUDGED if is_misread or texts[row] is None else JUDGED
    return found


def read_pool(pool: Pool, limit: int, must_show: Sequence[int]) -> RowsPart:
    """Return the rows of a pool with their scores and what was decided about them.

    Args:
        pool: The pool.
        limit: Rows at most, unless ``must_show`` has more.
        must_show: Row numbers that a page shows.
    """
    positions = _sample(pool, limit, must_show)
    numeric, words = pool.columns(NUMERIC), pool.columns(WORDS)
    derived = _derived(pool, {column.name for column in numeric})
    wanted = [*(f"data.{name} AS {name}" for name in DATA), '"select".keep AS keep', '"select".reason AS reason']
    wanted += ["dedup.duplicate_of AS duplicate_of"] if pool.dedup is not None else []
    wanted += [f"TRY_CAST({column.sql} AS FLOAT) AS number_{i}" for i, column in enumerate([*numeric, *derived])]
    wanted += [f"CAST({column.sql} AS VARCHAR) AS word_{i}" for i, column in enumerate(words)]
    table = pool.query(", ".join(wanted))
    if positions is not None:
        table = table.take(pa.array(positions))
    columns: dict[str, list[Any]] = {name: table[name].to_pylist() for name in DATA}
    columns |= {"dataset": [pool.label] * len(table), "decision": _decisions(table)}
    if pool.dedup is not None:
        columns["duplicate_of"] = table["duplicate_of"].to_pylist()
    columns |= _places(pool, positions)
    part = RowsPart(columns, total=pool.dataset.rows)
    for i, column in enumerate([*numeric, *derived]):
        part.numbers[column.name] = _as_floats(table[f"number_{i}"])
    for i, column in enumerate(words):
        part.words[column.name] = _as_words(table[f"word_{i}"], str(column.facts["dtype"]))
    for column in [*numeric, *derived, *words]:
        part.meanings[column.name] = _meaning(column)
    return part


def _decisions(table: pa.Table) -> list[str]:
    pairs = zip(table["keep"].to_pylist(), table["reason"].to_pylist(), strict=True)
    return ["kept" if keep else str(reason) for keep, reason in pairs]


def _sample(pool: Pool, limit: int, must_show: Sequence[int]) -> list[int] | None:
    """Return row numbers in order, as many of each reason as of every other; None for all."""
    if pool.dataset.rows <= limit:
        return None
    turn = 'row_number() OVER (PARTITION BY "select".reason ORDER BY md5(data.key), place.position)'
    table = pool.query("place.position AS position", f'ORDER BY {turn}, "select".reason LIMIT {limit}')
    fixed = set(must_show)
    drawn = [row for row in table["position"].to_pylist() if row not in fixed]
    return sorted([*fixed, *drawn[: max(0, limit - len(fixed))]])


def _derived(pool: Pool, names: set[str]) -> list[PoolColumn]:
    """Return the expressions that rules compare with a number and that are no column by themselves."""
    found = {}
    for rule, thresholds in pool.thresholds.items():
        for threshold in thresholds:
            if threshold.name.rpartition(".")[2] not in names and threshold.name not in found:
                facts = {"name": threshold.name, "description": f"What the rule {rule} compares with a number"}
                found[threshold.name] = PoolColumn(threshold.name, f"({threshold.expression})", facts, "")
    return list(found.values())


def _places(pool: Pool, positions: Sequence[int] | None) -> dict[str, list[Any]]:
    """Return for each row the shard and the row in it."""
    shards = [shard.name for shard in pool.dataset.shards for _ in range(shard.rows)]
    rows = [row for shard in pool.dataset.shards for row in range(shard.rows)]
    if positions is not None:
        shards, rows = [shards[position] for position in positions], [rows[position] for position in positions]
    return {"shard": shards, "shard_row": rows}


def _as_floats(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)


def _as_words(column: pa.ChunkedArray, dtype: str) -> list[str | None]:
    values: list[str | None] = column.to_pylist()
    said = {"true": "yes", "false": "no"} if dtype == "bool" else {}
    return [said.get(value, value) if value is not None else None for value in values]


def _meaning(column: PoolColumn) -> Meaning:
    facts = column.facts
    return Meaning(
        column.name,
        str(facts.get("description", "")),
        str(facts.get("unit", "")),
        facts.get("low"),
        facts.get("high"),
        facts.get("better_for_data"),
        facts.get("better_for_models"),
        column.identity_id,
    )
