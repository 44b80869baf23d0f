"""Dedup: which rows are the same picture, and which copy stays. Writes ``decisions/dedup``; drops nothing itself.

Copies are linked to the preferred row of a star, never to each other in chains: a row goes only if the row that stays
in its place is itself within the radius, and confirmed where the settings ask for that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from diptych.curate.config import Dedup
from diptych.curate.decisions import Decisions, find_decisions, keys_of, write_decisions
from diptych.curate.duplicates.alike_vectors import AlikeVectors
from diptych.curate.duplicates.buckets import Rows
from diptych.curate.duplicates.reading import ComparedRows, read_rows
from diptych.curate.duplicates.stars import ClusterSummary, star_clusters, summarise
from diptych.curate.duplicates.variants import confirmed_stars
from diptych.data.dataset import ColumnSet
from diptych.data.table import DatasetTable
from diptych.progress import track

STEP = "dedup"
REASONS = ("exact_duplicate", "near_duplicate")


@dataclass(frozen=True)
class DedupRun:
    """What dedup found.

    Attributes:
        decisions: The column set that says it row by row.
        exact: Rows that are byte for byte a preferred row.
        near: Further rows within the radius of a preferred row.
        largest: Rows in the largest cluster, the preferred one included.
        largest_key: Key of its preferred row, empty where there is no cluster.
        alarm: Whether the largest cluster is suspiciously large, as placeholders make it.
        is_new: Whether it had to be computed.
    """

    decisions: ColumnSet
    exact: int
    near: int
    largest: int
    largest_key: str
    alarm: bool
    is_new: bool


def dedup(
    table: DatasetTable, settings: Dedup, vectors: ColumnSet | None = None, *, progress: str = "none"
) -> DedupRun:
    """Find the duplicates of a dataset, or return what was found before with the same settings and data.

    Args:
        table: What the preference and the hashes look at.
        settings: What counts as a duplicate.
        vectors: Stored embeddings, which ``settings.confirm`` needs.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If the hash column or the preference is not SQL over columns that are there.
        DataError: If there are 2**31 rows or more, or a sha256 is none.
        ShardError: If a shard is not what was written.
    """
    assert settings.confirm is None or vectors is not None, "confirm needs vectors"
    identity = _identity(table, settings, vectors)
    found = find_decisions(table.dataset, STEP, identity)
    if found is not None:
        return DedupRun(found, **found.manifest["found"], is_new=False)
    decisions, summary = _decide(read_rows(table, settings), settings, vectors, progress)
    facts: dict[str, Any] = {
        "exact": int(np.count_nonzero(decisions.reason == REASONS.index("exact_duplicate"))),
        "near": int(np.count_nonzero(decisions.reason == REASONS.index("near_duplicate"))),
        "largest": summary.largest_size,
        "largest_key": _key_of(table, summary),
        "alarm": summary.alarm,
    }
    written = write_decisions(table.dataset, STEP, identity, decisions, {"found": facts}, progress=progress)
    return DedupRun(written, **facts, is_new=True)


def _identity(table: DatasetTable, settings: Dedup, vectors: ColumnSet | None) -> Mapping[str, Any]:
    sets = {label: dict(column_set.manifest["identity"]) for label, column_set in table.sets.items()}
    facts = {"step": STEP, "version": 4, "settings": settings.model_dump(mode="json"), "scores": sets}
    return {**facts, "vectors": dict(vectors.manifest["identity"])} if settings.confirm and vectors else facts


def _key_of(table: DatasetTable, summary: ClusterSummary) -> str:
    if not summary.clusters:
        return ""
    (key,) = keys_of(table.dataset, np.array([summary.largest_representative])).to_pylist()
    return str(key)


def _decide(
    rows: ComparedRows, settings: Dedup, vectors: ColumnSet | None, progress: str
) -> tuple[Decisions, ClusterSummary]:
    """Return what is a copy of what, and the facts about the clusters."""
    representative = _link(rows, settings, vectors, progress)
    everything = np.arange(len(representative), dtype=np.int32)
    is_copy = representative != everything
    # The row that stays is the first of those with its bytes, so a copy has the same bytes if they share their first.
    is_exact = rows.first_of_equals == rows.first_of_equals[representative]
    rank = np.empty(len(rows.order), np.int32)
    rank[rows.order] = everything
    decisions = Decisions(
        keep=~is_copy,
        reasons=REASONS,
        reason=np.where(is_copy, np.where(is_exact, np.int8(0), np.int8(1)), np.int8(-1)),
        duplicate_of=np.where(is_copy, representative, np.int32(-1)),
        rank=rank,
    )
    return decisions, summarise(representative)


def _link(rows: ComparedRows, settings: Dedup, vectors: ColumnSet | None, progress: str) -> Rows:
    """Return for each row the row that stands for it: int32 (N,)."""
    everything = np.arange(len(rows.order), dtype=np.int32)
    representative = rows.first_of_equals if settings.exact else everything
    if settings.perceptual is None:
        return representative
    stands = representative == everything
    with track(STEP, None, mode=progress, unit="steps") as tracker:
        report = partial(_report, tracker)
        stars = _near(replace(rows, has_hash=rows.has_hash & stands), settings, vectors, report)
    return stars[representative]


def _report(tracker: Any, _done: int, _total: int) -> None:
    tracker.advance(1, {"ok": 1})


def _near(rows: ComparedRows, settings: Dedup, vectors: ColumnSet | None, progress: Callable[[int, int], None]) -> Rows:
    """Return for each row that has a hash the row that stands for it by hash and confirmation."""
    if settings.confirm is None and not settings.variants:
        valid = rows.has_hash[0]
        return star_clusters(rows.hashes[0], settings.radius, order=rows.order, valid=valid, progress=progress)
    confirm = None
    if settings.confirm is not None and vectors is not None:
        vectors.check()
        confirm = partial(AlikeVectors, vectors, settings.confirm.cosine)
    return confirmed_stars(
        rows.hashes, rows.has_hash, settings.radius, order=rows.order, make_confirm=confirm, progress=progress
    )
