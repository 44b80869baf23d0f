"""What judges saw in the pictures of a report: the evidence behind the scores that it shows.

Of each judge the boxes that are surer than the threshold of the rule over them. Evidence that is not there any more
draws nothing; a score does not need it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.data.dataset import ColumnSet, open_dataset
from diptych.data.shards import read_shard
from diptych.judges.contract import Box
from diptych.judges.evidence import BOXES, evidence_name, seen_in
from diptych.reports.read.rows import ReportRows

MAX_BOXES = 32  # of one judge in a picture, the surest


class SeenBoxes(NamedTuple):
    """What one judge saw in a picture, the surest first."""

    judge: str
    boxes: tuple[Box, ...]


def find_boxes(rows: ReportRows, identities: Iterable[Mapping[str, Any]]) -> dict[int, list[SeenBoxes]]:
    """Return what judges saw by row of the report; rows in which nobody saw anything are left out.

    Args:
        rows: The images.
        identities: Of scores; those that are rules over boxes say which evidence to look for.

    Raises:
        ShardError: If evidence is damaged.
    """
    thresholds = _thresholds(identities)
    seen: dict[int, list[SeenBoxes]] = {}
    for label, folder in rows.folders.items() if thresholds else ():
        dataset, shards = open_dataset(folder), _rows_by_shard(rows, label)
        for name, threshold in thresholds.items():
            evidence = dataset.column_set("evidence", name)
            if evidence is not None:
                evidence.check()
                for row, boxes in _boxes(evidence, shards, threshold).items():
                    seen.setdefault(row, []).append(SeenBoxes(evidence.manifest["judge"], boxes))
    return seen


def _thresholds(identities: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the least threshold of the rules over each evidence of boxes, by its name."""
    found: dict[str, float] = {}
    for identity in identities:
        is_rule = isinstance(identity.get("judge"), Mapping) and "asked" in identity
        if is_rule and identity.get("evidence") == BOXES.name:
            name, threshold = evidence_name(identity), float(identity.get("threshold", 0.0))
            found[name] = min(threshold, found.get(name, threshold))
    return found


def _rows_by_shard(rows: ReportRows, label: str) -> dict[str, list[tuple[int, int]]]:
    """Return the rows of a dataset that the report shows: by shard, the row there and the row here."""
    columns, found = rows.columns, dict[str, list[tuple[int, int]]]()
    for row, dataset in enumerate(columns["dataset"]):
        if dataset == label and columns["shard"][row] is not None:
            found.setdefault(columns["shard"][row], []).append((columns["shard_row"][row], row))
    return found


def _boxes(
    evidence: ColumnSet, shards: Mapping[str, list[tuple[int, int]]], threshold: float
) -> dict[int, tuple[Box, ...]]:
    found: dict[int, tuple[Box, ...]] = {}
    for file in evidence.files:
        pairs = shards.get(file.name, [])
        table = read_shard(file, [BOXES.name, "reason"]).take(pa.array([there for there, _ in pairs], pa.int64()))
        for (_, row), boxes in zip(pairs, seen_in(BOXES, table).records, strict=True):
            sure = sorted((box for box in boxes or () if box.score > threshold), key=lambda box: -box.score)
            if sure:
                found[row] = tuple(sure[:MAX_BOXES])
    return found
