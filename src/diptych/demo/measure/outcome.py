"""What a curation made of the demo web, as the truth tells it: rows kept and lost by fault, and how right it was.

Of several copies of one picture any may be the one that stays. So where the original is gone, the copy most like it
stands in for it: an original without a fault then counts as kept, and that copy does not count as a copy that is kept.

How right a rule is, is asked of the rows that arrive at it, those that no rule before it took away. Precision: of those
that it took, how many have its fault. Recall: of those that have its fault, how many it took. Duplicates are asked of
all pictures that can be read. Precision: of the rows linked to a preferred copy, how many show its picture. Recall: of
the rows too many, all but one of each picture, how many are linked to a row that shows their picture.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.data.dataset import ColumnSet, Dataset, open_dataset
from diptych.data.shards import read_shard
from diptych.demo.world.faults import FAULTS
from diptych.errors import DataError
from diptych.intervals import ShareEstimate, wilson

NO_FAULT = "none"
DUPLICATES = "duplicates"
RULE_FOR = {"mismatched": "caption_fits", "flagged": "not_flagged"}  # fault -> rule of the demo's config
MOST_ALIKE_FIRST = ("exact_duplicate", "recompressed", "resized", "cropped", "mirrored")


class Kept(NamedTuple):
    """How many of the rows with one fault are kept; ``says`` is what the fault is."""

    fault: str
    rows: int
    kept: int
    says: str


class OutcomeTarget(NamedTuple):
    """How right a step is about what it is for; a figure is None where there is no row to judge it by."""

    name: str
    precision: ShareEstimate | None
    recall: ShareEstimate | None


def targets(truth: Path, pool: Path) -> list[OutcomeTarget]:
    """Return how right the rules of ``RULE_FOR`` and dedup are; what the run did not do is left out.

    Args:
        truth: ``truth.parquet`` of the demo web.
        pool: The dataset directory of everything, decided on.

    Raises:
        DataError: If the pool is not of this web.
    """
    dataset = open_dataset(pool)
    rows = _rows_of(dataset, truth)
    found = []
    decided = dataset.column_set("decisions", "select")
    if decided is not None:
        reasons = _column(decided, "reason")
        rules = [step["rule"] for step in decided.manifest["funnel"]]
        found = [_of_rule(fault, rule, rows, reasons, rules) for fault, rule in RULE_FOR.items() if rule in rules]
    linked = dataset.column_set("decisions", "dedup")
    return found if linked is None else [*found, _of_duplicates(rows, _column(linked, "duplicate_of"))]


def target_lines(found: Sequence[OutcomeTarget]) -> list[str]:
    """Return the targets as lines of text: value, interval of 95 percent and number of rows behind each figure."""
    lines = [f"{'removed':<16} {'precision':<31} {'recall':<31}"]
    return [*lines, *(f"{one.name:<16} {_shown(one.precision):<31} {_shown(one.recall):<31}" for one in found)]


def kept_by_fault(truth: Path, selected: Path) -> list[Kept]:
    """Return how many rows with each fault count as kept in a selection, rows without any first.

    Args:
        truth: ``truth.parquet`` of the demo web.
        selected: The dataset directory that was exported.
    """
    table = pq.read_table(truth, columns=["url", "faults", "group"])
    urls, faults, groups = (table[name].to_pylist() for name in table.column_names)
    stays = set(_urls(selected))
    is_kept = [url in stays for url in urls]
    members: dict[int, list[int]] = {}
    for number, group in enumerate(groups):
        members.setdefault(group, []).append(number)
    stand_ins = dict(pair for numbers in members.values() for pair in _stand_ins(numbers, faults, is_kept))
    counts: dict[str, list[bool]] = {NO_FAULT: [], **{name: [] for name in FAULTS}}
    for number, names in enumerate(faults):
        for name in names:
            stands_in = FAULTS[name].where == "copy" and number in stand_ins.values()
            counts[name].append(is_kept[number] and not stands_in)
        if not names:
            counts[NO_FAULT].append(is_kept[number] or number in stand_ins)
    says = {NO_FAULT: "nothing wrong", **{name: fault.says for name, fault in FAULTS.items()}}
    return [Kept(name, len(kept), sum(kept), says[name]) for name, kept in counts.items() if kept]


def _stand_ins(
    numbers: Sequence[int], faults: Sequence[list[str]], is_kept: Sequence[bool]
) -> Iterator[tuple[int, int]]:
    """Yield the original among the rows of one picture and its stand-in, where it is gone and a copy is kept."""
    original = min(numbers, key=lambda number: _likeness(faults[number]))
    copies = [number for number in numbers if is_kept[number]]
    if copies and not is_kept[original]:
        yield original, min(copies, key=lambda number: _likeness(faults[number]))


class _Row(NamedTuple):
    """What is true of a row of the pool, and whether its picture could be read."""

    key: str
    faults: list[str]
    group: int
    is_readable: bool


def _rows_of(dataset: Dataset, truth: Path) -> list[_Row]:
    dataset.check("columns")
    answers = {row["url"]: row for row in pq.read_table(truth, columns=["url", "faults", "group"]).to_pylist()}
    table = pa.concat_tables([read_shard(file, ["key", "url", "status"]) for file in dataset.files])
    rows = []
    for row in table.to_pylist():
        if row["url"] not in answers:
            raise DataError(f"{dataset.location}: {row['url']} is not in {truth}; it was made from another demo web")
        answer = answers[row["url"]]
        rows.append(_Row(row["key"], answer["faults"], answer["group"], row["status"] == "ok"))
    return rows


def _column(decisions: ColumnSet, name: str) -> list[Any]:
    decisions.check()
    return [value for file in decisions.files for value in read_shard(file, [name])[name].to_pylist()]


def _of_rule(
    fault: str, rule: str, rows: Sequence[_Row], reasons: Sequence[str | None], rules: Sequence[str]
) -> OutcomeTarget:
    before = set(rules[: rules.index(rule)])
    arrived = [(fault in row.faults, reason == rule) for row, reason in zip(rows, reasons, strict=True)]
    arrived = [pair for pair, reason in zip(arrived, reasons, strict=True) if reason not in before]
    right = sum(is_faulty and is_taken for is_faulty, is_taken in arrived)
    taken, faulty = sum(is_taken for _, is_taken in arrived), sum(is_faulty for is_faulty, _ in arrived)
    return OutcomeTarget(fault, _share(right, taken), _share(right, faulty))


def _of_duplicates(rows: Sequence[_Row], duplicate_of: Sequence[str | None]) -> OutcomeTarget:
    group_of = {row.key: row.group for row in rows}
    links = [(row.group, group_of[key]) for row, key in zip(rows, duplicate_of, strict=True) if key is not None]
    right = sum(own == other for own, other in links)
    readable = [row.group for row in rows if row.is_readable]
    return OutcomeTarget(DUPLICATES, _share(right, len(links)), _share(right, len(readable) - len(set(readable))))


def _share(part: int, whole: int) -> ShareEstimate | None:
    return wilson(part / whole, whole) if whole else None


def _shown(figure: ShareEstimate | None) -> str:
    if figure is None:
        return "nothing to judge by"
    return f"{figure.value:.3f} ({figure.ci_low:.3f} to {figure.ci_high:.3f}, n {figure.n:,})"


def _likeness(faults: Sequence[str]) -> int:
    """Return how far a row is from its original: -1 for the original itself."""
    return next((MOST_ALIKE_FIRST.index(name) for name in faults if name in MOST_ALIKE_FIRST), -1)


def _urls(selected: Path) -> Iterator[str]:
    dataset = open_dataset(selected)
    dataset.check("columns")
    for file in dataset.files:
        yield from read_shard(file, ["url"])["url"].to_pylist()
