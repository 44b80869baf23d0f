"""Dedup: which rows are the same picture, and which copy stays. Writes ``decisions/dedup``; drops nothing itself.

Copies are linked to the preferred row of a star, never to each other in chains: a row goes only if the row that stays
in its place is itself within the radius, and confirmed where the settings ask for that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.curate.conditions import Columns, check_expression, check_order, check_query
from diptych.curate.config import Dedup
from diptych.curate.decisions import Decisions, find_decisions, write_decisions
from diptych.curate.duplicates.hamming import Rows
from diptych.curate.duplicates.stars import star_clusters, summarise
from diptych.curate.duplicates.variants import confirmed_stars
from diptych.data.dataset import ColumnSet
from diptych.errors import ConfigError, first_line
from diptych.progress import track
from diptych.scores.run import read_embeddings
from diptych.store.sql import connect

REASONS = ("exact_duplicate", "near_duplicate")
CHUNK = 1 << 14  # vectors compared at a time


@dataclass(frozen=True)
class DedupRun:
    """What dedup found.

    Attributes:
        decisions: The column set that says it row by row.
        exact: Rows that are byte for byte a preferred row.
        near: Further rows within the radius of a preferred row.
        largest: Rows in the largest cluster, the preferred one included.
        largest_key: Key of its preferred row, empty where there is no cluster.
        alarm: Whether the largest cluster is suspiciously large, as blank pictures and placeholders make it.
        is_new: Whether it had to be computed.
    """

    decisions: ColumnSet
    exact: int
    near: int
    largest: int
    largest_key: str
    alarm: bool
    is_new: bool


def dedup(columns: Columns, settings: Dedup, vectors: ColumnSet | None = None, *, progress: str = "none") -> DedupRun:
    """Find the duplicates of a dataset, or return what was found before with the same settings and data.

    Args:
        columns: What the preference and the hashes look at.
        settings: What counts as a duplicate.
        vectors: Stored embeddings, which ``settings.confirm`` needs.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If the hash column or the preference is not SQL over columns that are there.
    """
    assert settings.confirm is None or vectors is not None, "confirm needs vectors"
    identity = _identity(columns, settings, vectors)
    found = find_decisions(columns.dataset, "dedup", identity)
    if found is not None:
        facts = found.manifest["found"]
        return DedupRun(found, **facts, is_new=False)
    rows = _read(columns, settings)
    representative, is_exact = _link(rows, settings, vectors, progress)
    row_numbers = np.arange(len(representative))
    is_copy = representative != row_numbers
    rank = np.empty(len(rows.order), np.int64)
    rank[rows.order] = row_numbers
    decisions = Decisions(
        rank=rank,
        keep=~is_copy,
        reasons=REASONS,
        reason=np.where(is_copy, np.where(is_exact, 0, 1), -1),
        duplicate_of=np.where(is_copy, representative, -1),
    )
    summary = summarise(representative)
    facts = {
        "exact": int((is_copy & is_exact).sum()),
        "near": int((is_copy & ~is_exact).sum()),
        "largest": summary.largest_size,
        "largest_key": str(rows.keys[summary.largest_representative]) if summary.clusters else "",
        "alarm": summary.alarm,
    }
    written = write_decisions(columns.dataset, "dedup", identity, decisions, {"found": facts}, progress=progress)
    return DedupRun(written, **facts, is_new=True)


@dataclass(frozen=True)
class _Rows:
    """Columns that dedup looks at, one entry per row, and the rows in order of preference."""

    keys: pa.ChunkedArray
    sha256: npt.NDArray[np.int64]  # number of the distinct value, -1 for none
    hashes: npt.NDArray[np.uint64]  # (V, N): the picture's own, then its variants'
    has_hash: npt.NDArray[np.bool_]
    order: npt.NDArray[np.int64]


def _identity(columns: Columns, settings: Dedup, vectors: ColumnSet | None) -> Mapping[str, Any]:
    sets = {label: dict(column_set.manifest["identity"]) for label, column_set in columns.sets.items()}
    facts = {"step": "dedup", "version": 3, "settings": settings.model_dump(mode="json"), "scores": sets}
    return {**facts, "vectors": dict(vectors.manifest["identity"])} if settings.confirm and vectors else facts


def _read(columns: Columns, settings: Dedup) -> _Rows:
    import duckdb

    con, relation = connect(columns.dataset.path), columns.relation()
    check_settings(con, columns.relation(shards=1), settings, list(columns.sets))
    # Rows that cannot be read take no part: their bytes say nothing about a picture.
    casts = [f"CAST({sql} AS UBIGINT) AS hash_{number}" for number, sql in enumerate(_hashes_sql(settings))]
    select = ", ".join(["key", "CASE WHEN status = 'ok' THEN sha256 END AS sha256", *casts])
    ranked = f"SELECT row_number() OVER () - 1 AS row_ FROM {relation} ORDER BY {settings.prefer}\n, row_"
    try:
        table = con.cursor().sql(f"SELECT {select} FROM {relation}").to_arrow_table()
        order = con.cursor().execute(ranked).fetchnumpy()["row_"]
    except duckdb.Error as error:  # what only shows on values, such as a cast that does not fit
        named = ", ".join(_hashes_sql(settings))
        raise ConfigError(f"dedup: {first_line(error)} (perceptual, variants: {named})") from error
    digest = table["sha256"].combine_chunks().dictionary_encode()
    hashes = [table[f"hash_{number}"].combine_chunks() for number in range(len(casts))]
    return _Rows(
        keys=table["key"],
        sha256=digest.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64),
        hashes=np.stack([each.fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint64) for each in hashes]),
        has_hash=np.stack([each.is_valid().to_numpy(zero_copy_only=False).astype(bool) for each in hashes]),
        order=np.asarray(order, np.int64),
    )


def check_settings(con: Any, relation: str, settings: Dedup, labels: Sequence[str]) -> None:
    """Try the hash columns and the order of preference on no rows.

    Raises:
        ConfigError: If one of them is not SQL over columns of the relation.
    """
    for number, sql in enumerate(_hashes_sql(settings)):
        where = f"dedup: {'variants' if number else 'perceptual'}: {sql!r}"
        check_expression(con, sql, where=where)
        check_query(con, f"SELECT CAST({sql} AS UBIGINT) FROM {relation} LIMIT 0", where=where, labels=labels)
    where = f"dedup: prefer: {settings.prefer!r}"
    check_order(con, settings.prefer, where=where)
    check_query(con, f"SELECT 1 FROM {relation} ORDER BY\n{settings.prefer}\nLIMIT 0", where=where, labels=labels)


def _hashes_sql(settings: Dedup) -> tuple[str, ...]:
    return (settings.perceptual or "NULL", *settings.variants)


def _link(
    rows: _Rows, settings: Dedup, vectors: ColumnSet | None, progress: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return for each row the row that stands for it, and whether their bytes are equal."""
    representative = np.arange(len(rows.order))
    if settings.exact:
        representative = first_of_equals(rows.sha256, rows.order)
    if settings.perceptual is not None:
        stands = representative == np.arange(len(representative))
        with track("dedup", None, mode=progress, unit="steps") as tracker:
            report = partial(_report, tracker)
            stars = _near(replace(rows, has_hash=rows.has_hash & stands), settings, vectors, report)
        representative = stars[representative].astype(np.int64)
    is_exact = (rows.sha256 == rows.sha256[representative]) & (rows.sha256 >= 0)
    return representative, is_exact


def _report(tracker: Any, _done: int, _total: int) -> None:
    tracker.advance(1, {"ok": 1})


def _near(rows: _Rows, settings: Dedup, vectors: ColumnSet | None, progress: Callable[[int, int], None]) -> Rows:
    """Return for each row that has a hash the row that stands for it by hash and confirmation."""
    if settings.confirm is None and not settings.variants:
        valid = rows.has_hash[0]
        return star_clusters(rows.hashes[0], settings.radius, order=rows.order, valid=valid, progress=progress)
    confirm = None
    if settings.confirm is not None and vectors is not None:
        confirm = partial(AlikeVectors, vectors, settings.confirm.cosine)
    return confirmed_stars(
        rows.hashes, rows.has_hash, settings.radius, order=rows.order, make_confirm=confirm, progress=progress
    )


class AlikeVectors:
    """Confirms that two rows are the same picture where the cosine of their stored vectors is high enough.

    Holds the vectors of the rows that it is asked about, in half precision as stored; a row without one is no copy.
    """

    def __init__(self, vectors: ColumnSet, cosine: float, rows: Rows) -> None:
        """Read the vectors of ``rows``, int32, ascending."""
        self._rows, self._cosine = rows, cosine
        parts, start = [], 0
        for file, shard in zip(vectors.files, vectors.shards, strict=True):
            first, last = np.searchsorted(rows, [start, start + shard.rows])
            if last > first:
                parts.append(read_embeddings(file)[rows[first:last] - start].astype(np.float16))
            start += shard.rows
        self._vectors = np.concatenate(parts)

    def __call__(self, row: int, others: Rows) -> npt.NDArray[np.bool_]:
        """Return bool (M,): which of the rows ``others``, int32 (M,), are alike to ``row``."""
        own = self._unit(np.array([row], np.int32))[0]
        parts = [
            # einsum, not a matrix product: each row rounds alike whatever its neighbours.
            np.einsum("nd,d->n", self._unit(others[at : at + CHUNK]), own) >= self._cosine
            for at in range(0, len(others), CHUNK)
        ]
        return np.concatenate(parts)

    def _unit(self, rows: Rows) -> npt.NDArray[np.float64]:
        vectors = self._vectors[np.searchsorted(self._rows, rows)].astype(np.float64)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(length == 0, 1.0, length)


def first_of_equals(values: npt.NDArray[np.int64], order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return for each row the row of equal value that comes first in ``order``; itself where the value is negative.

    >>> first_of_equals(np.array([7, 5, 7, -1, -1]), np.array([4, 3, 2, 1, 0])).tolist()
    [2, 1, 2, 3, 4]
    """
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    by_value = np.lexsort((rank, values))
    starts = np.ones(len(values), bool)
    starts[1:] = values[by_value][1:] != values[by_value][:-1]
    starts |= values[by_value] < 0
    first = by_value[np.maximum.accumulate(np.where(starts, np.arange(len(values)), 0))]
    result = np.empty(len(values), np.int64)
    result[by_value] = first
    return result
