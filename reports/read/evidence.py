"""What judges saw in the images of a report: the evidence behind the scores that it shows.

Of boxes and texts those that are surer than the least threshold of the rules over them. Evidence that is not there any
more shows nothing; a score does not need it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.dataset import ColumnSet, open_dataset
from diptych.data.shards import read_shard
from diptych.judges.evidence import (
    ANSWERS,
    BOXES,
    COUNTING_THRESHOLD,
    KINDS,
    RATINGS,
    TEXT,
    THRESHOLD,
    EvidenceKind,
    evidence_name,
)
from diptych.reports.read.numbers import plain_name
from diptych.reports.read.rows import TOLD_APART, ReportRows
from diptych.scores.answer_reading import Reading

MAX_RECORDS = 300  # of one judge in an image; of boxes the surest
MAX_MASKS = 32  # of those, the surest
KIND_ORDER = (BOXES.name, ANSWERS.name, TEXT.name, RATINGS.name)
SURE = {BOXES.name: "score", TEXT.name: "confidence"}  # what tells how sure a judge is of a record
AS_MEANT: Reading = "meant"  # as rules read answers that say nothing of it


class RuleColumn(NamedTuple):
    """One thing that a rule says: its name in the report, and that in words."""

    name: str
    title: str


@dataclass(frozen=True)
class JudgeLook:
    """What one judge was asked, and the rules over what it saw.

    Attributes:
        evidence: The name of the evidence, ``<judge>-<id>``.
        kind: Of its records.
        asked: What was asked of each row, as the identity says it; None where nothing was.
        threshold: What it is not surer of no rule counts.
        rules: Their columns, by label.
        readings: How rules read answers in somebody's own words, and the labels of those that read them so.
    """

    evidence: str
    kind: str
    asked: Mapping[str, Any] | None
    threshold: float
    rules: Mapping[str, Sequence[RuleColumn]]
    readings: Mapping[Reading, Sequence[str]]

    @property
    def judge(self) -> str:
        """The name of the judge."""
        return self.evidence.rpartition("-")[0]


class SeenRecords(NamedTuple):
    """What one judge saw in an image.

    Attributes:
        look: The number of the look.
        records: As the judge gave them; boxes the surest first.
        left_out: How many there are beyond those.
    """

    look: int
    records: list[Any]
    left_out: int


def find_looks(identities: Mapping[str, Mapping[str, Any]]) -> list[JudgeLook]:
    """Return what judges were asked for the scores of a report: boxes, answers, texts, ratings.

    Args:
        identities: Of the score columns, by their names in the report; those that are no rules are passed over.
    """
    of_rules = {name: identity for name, identity in identities.items() if _is_rule(identity)}
    by_evidence: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, identity in of_rules.items():
        by_evidence.setdefault(evidence_name(identity), {})[name] = identity
    return sorted(map(_look, by_evidence, by_evidence.values()), key=lambda look: KIND_ORDER.index(look.kind))


def find_evidence(rows: ReportRows, looks: Sequence[JudgeLook]) -> dict[int, list[SeenRecords]]:
    """Return what judges saw by row of the report; rows at which nobody looked are left out.

    Raises:
        ShardError: If evidence is damaged.
    """
    seen: dict[int, list[SeenRecords]] = {}
    for label, folder in rows.folders.items() if looks else ():
        dataset, shards = open_dataset(folder), _rows_by_shard(rows, label)
        for number, look in enumerate(looks):
            evidence = dataset.column_set("evidence", look.evidence)
            if evidence is not None:
                evidence.check()
                for row, records, left_out in _records(evidence, shards, look):
                    seen.setdefault(row, []).append(SeenRecords(number, records, left_out))
    return seen


def _is_rule(identity: Mapping[str, Any]) -> bool:
    return isinstance(identity.get("judge"), Mapping) and "asked" in identity and identity.get("evidence") in KINDS


def _look(evidence: str, rules: Mapping[str, Mapping[str, Any]]) -> JudgeLook:
    columns: dict[str, list[RuleColumn]] = {}
    readings: dict[Reading, dict[str, None]] = {}
    for name, rule in rules.items():
        label, _, own = TOLD_APART.sub("", name).rpartition(".")
        apart = TOLD_APART.search(name)
        label += apart[0] if apart else ""
        columns.setdefault(label, []).append(RuleColumn(name, plain_name(own)))
        readings.setdefault(rule.get("reading", AS_MEANT), {})[label] = None
    (first, *_) = rules.values()
    thresholds = [
        min((float(rule[key]) for key in (THRESHOLD, COUNTING_THRESHOLD) if key in rule), default=0.0)
        for rule in rules.values()
    ]
    by_reading = {reading: tuple(labels) for reading, labels in readings.items()}
    return JudgeLook(evidence, first["evidence"], first["asked"], min(thresholds), columns, by_reading)


def _rows_by_shard(rows: ReportRows, label: str) -> dict[str, list[tuple[int, int]]]:
    """Return the rows of a dataset that the report shows: by shard, the row there and the row here."""
    columns, found = rows.columns, dict[str, list[tuple[int, int]]]()
    for row, dataset in enumerate(columns["dataset"]):
        if dataset == label and columns["shard"][row] is not None:
            found.setdefault(columns["shard"][row], []).append((columns["shard_row"][row], row))
    return found


def _records(
    evidence: ColumnSet, shards: Mapping[str, list[tuple[int, int]]], look: JudgeLook
) -> Iterator[tuple[int, list[Any], int]]:
    """Yield the rows of the report that a judge looked at, what it saw there, and how many records are left out."""
    kind = KINDS[look.kind]
    for file in evidence.files:
        pairs = shards.get(file.name, [])
        if pairs:
            places = pa.array([there for there, _ in pairs], pa.int64())
            column = read_shard(file, [kind.name])[kind.name].combine_chunks().take(places)
            unpacked, counts = _unpacked(kind, column, look.threshold)
            for number, (_, row) in enumerate(pairs):
                if column[number].is_valid:
                    yield row, unpacked[number], max(counts[number] - MAX_RECORDS, 0)


def _unpacked(kind: EvidenceKind[Any], column: pa.ListArray, threshold: float) -> tuple[list[list[Any]], list[int]]:
    """Return the records of each row that are sure enough, and how many there are; what is left out is not unpacked."""
    flat, parents = column.flatten(), pc.list_parent_indices(column).to_numpy()
    order = np.arange(len(flat))
    if kind.name in SURE:
        sure = pc.struct_field(flat, SURE[kind.name]).to_numpy()
        order = np.lexsort((order, -sure, parents)) if kind is BOXES else order
        order = order[sure[order] > threshold]
    counts = np.bincount(parents[order], minlength=len(column))
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    order, place = order[place < MAX_RECORDS], place[place < MAX_RECORDS]
    found: list[list[Any]] = [[] for _ in range(len(column))]
    taken = flat.take(pa.array(order, pa.int64()))
    for parent, record in zip(parents[order], _without_masks(taken, place >= MAX_MASKS).to_pylist(), strict=True):
        found[parent].append(kind.unpack(record))
    return found, counts.tolist()


def _without_masks(records: pa.StructArray, is_left_out: Any) -> pa.StructArray:
    """Return records of which some have no mask any more: one of a crowd is thousands of numbers."""
    fields = list(records.type)
    arrays = [pc.struct_field(records, field.name) for field in fields]
    for number, field in enumerate(fields):
        if field.name == "mask":
            arrays[number] = pc.if_else(pa.array(is_left_out), pa.scalar(None, field.type), arrays[number])
    return pa.StructArray.from_arrays(arrays, fields=fields)
