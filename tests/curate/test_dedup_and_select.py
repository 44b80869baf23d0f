"""Dedup and select together, row by row, against a reference that compares all rows with all, in Python's own types."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed import seal_dataset

from diptych.curate.config import Dedup, Rule
from diptych.curate.duplicates.find import DedupRun, dedup
from diptych.curate.rules.select import SelectRun, select
from diptych.data.dataset import ColumnSet
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.data.table import DatasetTable

CENTRES = (0, 0xFFFF_FFFF_0000_0000, 0x00FF_00FF_00FF_00FF)
RULES = [
    Rule(name="wide", where="width >= 2"),
    Rule(name="told", where="caption = 'a'"),
    Rule(name="hashed", where="phash IS NOT NULL"),
]


@dataclass(frozen=True)
class PoolRow:
    """A row before it is written; one without a digest was not downloaded."""

    sha256: str | None
    phash: int | None
    width: int | None
    caption: str


pool_rows = st.builds(
    PoolRow,
    sha256=st.none()
    | st.sampled_from(["0" * 16, "1" * 16]).flatmap(lambda head: st.sampled_from([head + "a" * 48, head + "b" * 48])),
    phash=st.none()
    | st.tuples(st.sampled_from(CENTRES), st.sets(st.integers(0, 5), max_size=3)).map(
        lambda parts: parts[0] ^ sum(1 << bit for bit in parts[1])
    ),
    width=st.none() | st.integers(1, 3),
    caption=st.sampled_from("ab"),
)
dedup_settings = st.builds(
    Dedup,
    exact=st.booleans(),
    perceptual=st.sampled_from([None, "phash"]),
    radius=st.integers(0, 3),
    prefer=st.sampled_from(["width DESC", "width", "caption COLLATE C, width DESC"]),
)


def preference(rows: Sequence[PoolRow], settings_: Dedup) -> list[int]:
    """Return the rows in the order of preference; a missing width comes last, ties go to the earlier row."""

    def by_width(row: PoolRow, sign: int) -> tuple[bool, int]:
        return row.width is None, sign * (row.width or 0)

    keys: dict[str, Any] = {
        "width DESC": lambda row: by_width(row, -1),
        "width": lambda row: by_width(row, 1),
        "caption COLLATE C, width DESC": lambda row: (row.caption, by_width(row, -1)),
    }
    return sorted(range(len(rows)), key=lambda number: keys[settings_.prefer](rows[number]))


def link_one_by_one(rows: Sequence[PoolRow], settings_: Dedup) -> list[int]:
    """Return for each row the row that stands for it: by equal bytes, then each unclaimed row claims its near ones."""
    order = preference(rows, settings_)
    stands_for = list(range(len(rows)))
    if settings_.exact:
        for number, row in enumerate(rows):
            if row.sha256 is not None:
                stands_for[number] = next(other for other in order if rows[other].sha256 == row.sha256)
    if settings_.perceptual is None:
        return stands_for
    unclaimed = [number for number in order if stands_for[number] == number and rows[number].phash is not None]
    stars = list(range(len(rows)))
    while unclaimed:
        star, *rest = unclaimed
        for number in rest:
            if (int(rows[star].phash or 0) ^ int(rows[number].phash or 0)).bit_count() <= settings_.radius:
                stars[number] = star
        unclaimed = [number for number in rest if stars[number] == number]
    return [stars[number] for number in stands_for]


def decide_one_by_one(rows: Sequence[PoolRow], settings_: Dedup) -> list[dict[str, Any]]:
    """Return what dedup has to say about each row."""
    rank = {number: place for place, number in enumerate(preference(rows, settings_))}
    decided = []
    for number, star in enumerate(link_one_by_one(rows, settings_)):
        is_exact = rows[number].sha256 is not None and rows[number].sha256 == rows[star].sha256
        reason = None if star == number else "exact_duplicate" if is_exact else "near_duplicate"
        copy_of = None if star == number else star
        decided.append({"keep": star == number, "reason": reason, "duplicate_of": copy_of, "rank": rank[number]})
    return decided


def select_one_by_one(rows: Sequence[PoolRow], decided: Sequence[dict[str, Any]]) -> list[str | None]:
    """Return the reason why each row is not selected."""
    reasons: list[str | None] = []
    for row in rows:
        holds = [row.sha256 is not None, (row.width or 0) >= 2, row.caption == "a", row.phash is not None]
        names = ["readable", "wide", "told", "hashed"]
        reasons.append(next((name for name, held in zip(names, holds, strict=True) if not held), None))
    cluster = [number if one["keep"] else one["duplicate_of"] for number, one in enumerate(decided)]
    passing = sorted(
        (number for number in range(len(rows)) if reasons[number] is None), key=lambda n: decided[n]["rank"]
    )
    seen = set()
    for number in passing:
        if cluster[number] in seen:
            reasons[number] = "duplicate"
        seen.add(cluster[number])
    return reasons


def write_pool(path: Path, rows: Sequence[PoolRow], rows_per_shard: int) -> DatasetTable:
    schema = data_schema()
    records = [
        {
            "key": f"k{number}",
            "sha256": row.sha256,
            "width": row.width,
            "caption": row.caption,
            "status": "not_found" if row.sha256 is None else "ok",
        }
        for number, row in enumerate(rows)
    ]
    starts = range(0, len(rows), rows_per_shard)
    infos = [
        write_shard(
            pa.Table.from_pylist(records[start : start + rows_per_shard], schema=schema),
            path / "data" / shard_name(index),
        )
        for index, start in enumerate(starts)
    ]
    dataset = seal_dataset(path, infos, {"kind": "pairs", "name": "test"})
    growing = GrowingSet(dataset, "scores", "hashes-0", {"score": "hashes"})
    growing.begin()
    for start, shard in zip(starts, dataset.shards, strict=True):
        part = range(start, start + shard.rows)
        hashes = pa.array([rows[number].phash for number in part], pa.uint64())
        table = pa.table({"key": [f"k{number}" for number in part], "phash": hashes})
        growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
    return DatasetTable(dataset, {"hashes": growing.seal({"columns": [{"name": "phash", "dtype": "uint64"}]})})


def written_rows(decisions: ColumnSet) -> list[dict[str, Any]]:
    return [row for file in decisions.files for row in read_shard(file).to_pylist()]


def run_both(path: Path, rows: Sequence[PoolRow], settings_: Dedup, rows_per_shard: int) -> tuple[DedupRun, SelectRun]:
    columns = write_pool(path, rows, rows_per_shard)
    found = dedup(columns, settings_)
    return found, select(columns, RULES, found.decisions)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(pool_rows, min_size=1, max_size=20), chosen=dedup_settings, rows_per_shard=st.integers(1, 24))
def test_every_row_is_decided_as_by_comparing_all_with_all_however_the_shards_are_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: list[PoolRow], chosen: Dedup, rows_per_shard: int
) -> None:
    found, selected = run_both(tmp_path_factory.mktemp("pool"), rows, chosen, rows_per_shard)
    expected = decide_one_by_one(rows, chosen)
    names = ("keep", "reason", "rank")
    written = written_rows(found.decisions)
    assert [{name: row[name] for name in names} for row in written] == [
        {name: row[name] for name in names} for row in expected
    ]
    assert [row["duplicate_of_row"] for row in written] == [row["duplicate_of"] for row in expected]
    assert [row["duplicate_of"] for row in written] == [
        None if row["duplicate_of"] is None else f"k{row['duplicate_of']}" for row in expected
    ]
    reasons = [row["reason"] for row in expected]
    assert (found.facts["exact"], found.facts["near"]) == (
        reasons.count("exact_duplicate"),
        reasons.count("near_duplicate"),
    )
    lost = select_one_by_one(rows, expected)
    assert [row["reason"] for row in written_rows(selected.decisions)] == lost
    assert [step.rows_in - step.rows_out for step in selected.steps] == [
        lost.count(step.rule) for step in selected.steps
    ]
