from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from diptych.data.shards import read_shard, write_shard
from diptych.judges.contract import Answer, Box, Rating, TextLine, Trait
from diptych.judges.evidence import (
    ANSWERS,
    BOXES,
    KINDS,
    RATINGS,
    TEXT,
    EvidenceKind,
    Seen,
    evidence_table,
    read_evidence,
    seen_in,
)

CAR = Box("car", 1 / 3, (0.1, 1.0, 20.2, 9.0), (Trait("colour", "red", 0.7), Trait("colour", "blue", 1e-9)), (3, 4, 5))
PLAIN = Box("boat", 0.5, (0.0, 0.0, 4096.5, 1.0))
YES = Answer("Is there a car?", ("yes", "no"), (0.7, 0.1), "yes")
FREE = Answer("What is there?", (), (), "a car")
REFUSED = Answer("Who is it?", ("Ann", "Ben"), (), "I cannot say who people are.", "refused")
LINE = TextLine("OPEN ü 汉", 0.5, (0.0, 0.0, 8.0, 2.0))

RATED = Rating(10 / 3, "worker 7", "the hat is green")

EXAMPLES: dict[str, list[Any]] = {
    "answers": [YES, FREE, REFUSED],
    "boxes": [CAR, PLAIN],
    "ratings": [RATED, Rating(1.0)],
    "text": [LINE],
}


def seen(*records: list[Any] | None) -> Seen[Any]:
    return Seen(list(records), [None if some is not None else "not_found" for some in records])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_records_come_back_from_disk_to_the_last_bit(tmp_path: Path, kind: EvidenceKind[Any]) -> None:
    what = seen(EXAMPLES[kind.name], [], None)
    table = evidence_table(kind, ["a", "b", "c"], what)
    write_shard(pa.concat_tables([table.slice(0, 1), table.slice(1)]), tmp_path / "0.parquet")
    assert read_evidence(kind, tmp_path / "0.parquet") == what
    assert read_shard(tmp_path / "0.parquet")["key"].to_pylist() == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_evidence_of_no_rows_has_the_columns_of_any(kind: EvidenceKind[Any]) -> None:
    assert evidence_table(kind, [], seen()).schema == kind.schema
    assert kind.schema.names == ["key", kind.name, "reason"]
    assert seen_in(kind, kind.schema.empty_table()) == Seen([], [])


def test_sql_reads_what_a_judge_saw(tmp_path: Path) -> None:
    path = tmp_path / "0.parquet"
    write_shard(evidence_table(BOXES, ["a", "b"], seen([CAR, PLAIN], None)), path)
    found = duckdb.sql(
        f"SELECT key, box.label, box.left FROM (SELECT key, unnest(boxes) AS box FROM '{path}')"
    ).fetchall()
    assert found == [("a", "car", 0.1), ("a", "boat", 0.0)]


def test_each_ability_has_one_kind() -> None:
    assert KINDS == {"answers": ANSWERS, "boxes": BOXES, "ratings": RATINGS, "text": TEXT}
