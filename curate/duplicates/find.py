"""Dedup: which rows are the same picture, and which copy stays. Writes ``decisions/dedup``; drops nothing itself.

Copies are linked to the preferred row of a star, never to each other in chains: a row goes only if the row that stays
in its place is itself within the radius, and confirmed where the settings ask for that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.curate.config import Dedup
from diptych.curate.decisions import Decisions, find_decisions, keys_of, write_decisions
from diptych.curate.duplicates.alike_vectors import AlikeVectors
from diptych.curate.duplicates.buckets import Rows
from diptych.curate.duplicates.reading import ComparedRows, read_rows
from diptych.curate.duplicates.semantic import SemanticStars, left_behind, semantic_stars
from diptych.curate.duplicates.stars import ClusterSummary, star_clusters, summarise
from diptych.curate.duplicates.variants import confirmed_stars
from diptych.data.dataset import ColumnSet
from diptych.data.table import DatasetTable
from diptych.intervals import wilson
from diptych.progress import track
from diptych.progress.wording import quantity

STEP = "dedup"
NO_VECTORS: Mapping[str, ColumnSet] = MappingProxyType({})
REASONS = ("exact_duplicate", "near_duplicate", "semantic_duplicate")


@dataclass(frozen=True)
class DedupRun:
    """What dedup found.

    Attributes:
        decisions: The column set that says it row by row.
        facts: What is told of it: ``exact``, rows that are byte for byte the row that stays; ``near``, further rows
            within the radius of it; ``semantic``, further rows that are alike to it; ``largest``, rows in the largest
            cluster, the one that stays included; ``largest_key``, the key of that, empty where there is no cluster;
            ``alarm``, whether it is suspiciously large, as placeholders make it; and with semantic ones what
            ``SemanticStars`` has of clusters and probes.
        is_new: Whether it had to be computed.
    """

    decisions: ColumnSet
    facts: Mapping[str, Any]
    is_new: bool

    @property
    def summary(self) -> str:
        """What to tell about it."""
        exact, near, semantic = (self.facts.get(name) for name in ("exact", "near", "semantic"))
        if semantic is None:
            said = f"{exact:,} exact and {near:,} near duplicates"
        else:
            said = f"{exact:,} exact, {near:,} near and {semantic:,} semantic duplicates{self._hidden()}"
        if not self.facts["alarm"]:
            return said
        largest = f"one cluster holds {quantity(self.facts['largest'], 'row')} around {self.facts['largest_key']}"
        return f"{said}; ALARM: {largest}: look at it, placeholders look alike to a hash"

    def _hidden(self) -> str:
        """Say how many of the pairs that are alike are seen, as rows are compared within clusters alone."""
        clusters, probed, alike, within = (
            self.facts[name] for name in ("clusters", "probed", "probed_alike", "probed_within")
        )
        if clusters < 2:
            return ""
        if not probed:
            return f" within {clusters:,} clusters (no row was probed for what they hide)"
        if not alike:
            return f" within {clusters:,} clusters (none of {probed:,} probed rows is alike to another)"
        seen = wilson(within / alike, alike)
        share = f"{seen.value:.1%}, 95 % interval {seen.ci_low:.1%} to {seen.ci_high:.1%}"
        told = f"of {probed:,} probed rows {alike:,} are alike to another, {within:,} to one in their own cluster"
        return f" within {clusters:,} clusters ({told}: {share})"


def dedup(
    table: DatasetTable, settings: Dedup, vectors: Mapping[str, ColumnSet] = NO_VECTORS, *, progress: str = "none"
) -> DedupRun:
    """Find the duplicates of a dataset, or return what was found before with the same settings and data.

    Args:
        table: What the preference and the hashes look at.
        settings: What counts as a duplicate.
        vectors: Stored embeddings by the labels of their encoders, which ``settings.compared_by`` names.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If the hash column or the preference is not SQL over columns that are there.
        DataError: If there are 2**31 rows or more, or a sha256 is none.
        ShardError: If a shard is not what was written.
    """
    compared = {role: vectors[encoder] for role, encoder in settings.compared_by.items()}
    identity = _identity(table, settings, compared)
    found = find_decisions(table.dataset, STEP, identity)
    if found is not None:
        return DedupRun(found, found.manifest["found"], is_new=False)
    decisions, facts = _decide(read_rows(table, settings), settings, compared, progress)
    facts["largest_key"] = _key_of(table, facts.pop("largest_row"))
    written = write_decisions(table.dataset, STEP, identity, decisions, {"found": facts}, progress=progress)
    return DedupRun(written, facts, is_new=True)


def _identity(table: DatasetTable, settings: Dedup, compared: Mapping[str, ColumnSet]) -> Mapping[str, Any]:
    sets = {label: dict(column_set.manifest["identity"]) for label, column_set in table.sets.items()}
    said = settings.model_dump(mode="json", exclude=None if settings.semantic else {"semantic"})
    facts = {"step": STEP, "version": 4, "settings": said, "scores": sets}
    roles = {"confirm": "vectors", "semantic": "semantic_vectors"}
    return {**facts, **{roles[role]: dict(found.manifest["identity"]) for role, found in compared.items()}}


def _key_of(table: DatasetTable, row: int) -> str:
    if row < 0:
        return ""
    (key,) = keys_of(table.dataset, np.array([row])).to_pylist()
    return str(key)


def _decide(
    rows: ComparedRows, settings: Dedup, compared: Mapping[str, ColumnSet], progress: str
) -> tuple[Decisions, dict[str, Any]]:
    """Return what is a copy of what, and the facts about the clusters."""
    linked = _link(rows, settings, compared.get("confirm"), progress)
    representative, alike = linked, None
    everything = np.arange(len(linked), dtype=np.int32)
    rank = np.empty(len(rows.order), np.int32)
    rank[rows.order] = everything
    if settings.semantic is not None:
        takes_part = linked == everything
        alike = semantic_stars(
            compared["semantic"], settings.semantic, order=rows.order, takes_part=takes_part, progress=progress
        )
        left = np.zeros(len(linked), bool)  # equal bytes are alike to whatever one of them is
        if settings.perceptual is not None:
            left = left_behind(linked, alike.stands_for, compared["semantic"], settings.semantic.cosine)
        if left.any():  # by their hashes they may be copies of one another
            linked = _link_again(rows, linked, left, settings, compared.get("confirm"))
        representative = np.where(left[linked], linked, alike.stands_for[linked])
        rank = alike.rank(rank)
    # What a copy is of the row that stays: the same bytes if both have the same first of equals, near if a hash linked
    # them, else of the same content.
    is_exact = rows.first_of_equals == rows.first_of_equals[representative]
    reason = np.where(is_exact, np.int8(0), np.where(representative == linked, np.int8(1), np.int8(2)))
    reason[representative == everything] = -1
    is_copy = reason >= 0
    duplicate_of = np.where(is_copy, representative, np.int32(-1))
    decisions = Decisions(keep=~is_copy, reasons=REASONS, reason=reason, duplicate_of=duplicate_of, rank=rank)
    return decisions, _facts(reason, summarise(representative), alike)


def _facts(reason: npt.NDArray[np.int8], summary: ClusterSummary, alike: SemanticStars | None) -> dict[str, Any]:
    counts = np.bincount(reason[reason >= 0], minlength=len(REASONS)).tolist()
    facts = dict(zip(("exact", "near", "semantic"), counts, strict=True))
    largest = {"largest": summary.largest_size, "largest_row": summary.largest_representative, "alarm": summary.alarm}
    if alike is None:
        del facts["semantic"]
        return {**facts, **largest}
    names = ("clusters", "probed", "probed_alike", "probed_within")
    return {**facts, **largest, **{name: getattr(alike, name) for name in names}}


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


def _link_again(
    rows: ComparedRows, linked: Rows, left: npt.NDArray[np.bool_], settings: Dedup, vectors: ColumnSet | None
) -> Rows:
    """Return what stands for each row where some are no copies of the row that stood for them.

    Args:
        rows: All of them.
        linked: What stood for each, int32 (N,).
        left: bool (N,): the rows that lost it. Rows with equal bytes go together, so the first of them decides.
        settings: As for all.
        vectors: What confirms.
    """
    first = rows.first_of_equals if settings.exact else np.arange(len(linked), dtype=np.int32)
    stands = left & (first == np.arange(len(linked), dtype=np.int32))
    stars = _near(replace(rows, has_hash=rows.has_hash & stands), settings, vectors, lambda _done, _total: None)
    return np.where(left, stars[first], linked)


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
