"""What a curation made of the demo web: rows kept and lost by fault, as the truth tells it.

Of several copies of one picture any may be the one that stays. So where the original is gone, the copy most like it
stands in for it: an original without a fault then counts as kept, and that copy does not count as a copy that is kept.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from diptych.demo.faults import FAULTS

NO_FAULT = "none"
MOST_ALIKE_FIRST = ("exact_duplicate", "recompressed", "resized", "cropped", "mirrored")


class Kept(NamedTuple):
    """How many of the rows with one fault are kept; ``says`` is what the fault is."""

    fault: str
    rows: int
    kept: int
    says: str


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


def _likeness(faults: Sequence[str]) -> int:
    """Return how far a row is from its original: -1 for the original itself."""
    return next((MOST_ALIKE_FIRST.index(name) for name in faults if name in MOST_ALIKE_FIRST), -1)


def _urls(selected: Path) -> Iterator[str]:
    for shard in sorted((selected / "data").glob("*.parquet")):
        yield from pq.read_table(shard, columns=["url"])["url"].to_pylist()
