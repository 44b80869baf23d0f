"""How many rows of a pool have a caption, and the warning where captions are missing, damaged or could not be read."""

from typing import NamedTuple

import pyarrow.compute as pc

from diptych.data.dataset import Dataset
from diptych.data.shards import read_shard
from diptych.progress.wording import quantity

REPLACED = "\N{REPLACEMENT CHARACTER}"


class CaptionCounts(NamedTuple):
    """Rows of a dataset, and what was wrong beside their pictures.

    Attributes:
        rows: All of them.
        there: Those with a caption.
        damaged: Those of them whose caption has bytes that are no UTF-8, each shown as U+FFFD.
        unread: Those with a picture beside which something could not be read.
        reason: Of the first of these; empty without one.
    """

    rows: int
    there: int
    damaged: int = 0
    unread: int = 0
    reason: str = ""


def caption_counts(dataset: Dataset) -> CaptionCounts:
    """Count the captions of a dataset."""
    there = damaged = unread = 0
    reason = ""
    for file in dataset.files:
        table = read_shard(file, ["caption", "status", "error"])
        captions = table["caption"]
        there += len(captions) - captions.null_count
        damaged += pc.sum(pc.match_substring(captions, REPLACED)).as_py() or 0
        notes = table["error"].filter(pc.equal(table["status"], "ok")).drop_null()
        unread += len(notes)
        reason = reason or (notes[0].as_py() if len(notes) else "")
    return CaptionCounts(dataset.rows, there, damaged, unread, reason)


def caption_warning(captions: CaptionCounts, sought: str | None) -> str:
    """Return what there is to say, in one line; empty where all is well.

    Args:
        captions: Of a dataset.
        sought: Where captions are looked for; None where there need be none.

    >>> caption_warning(CaptionCounts(9, 8, unread=1, reason="7.json is no JSON"), "sidecars")
    'what lies beside 1 image could not be used (the first: 7.json is no JSON; the column error has each)'
    """
    said = []
    if sought and not captions.there:
        said.append(f"none of {quantity(captions.rows, 'row')} has a caption (looked for in {sought})")
    if captions.damaged:
        said.append(f"bytes that are no UTF-8 in {quantity(captions.damaged, 'caption')}, replaced by {REPLACED}")
    if captions.unread:
        first = f"the first: {captions.reason}; the column error has each"
        said.append(f"what lies beside {quantity(captions.unread, 'image')} could not be used ({first})")
    return "; ".join(said)
