"""How many rows of a pool have a caption, and the warning where captions are missing, damaged or could not be read."""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.dataset import Dataset
from diptych.data.schema import FILE, MEMBER
from diptych.data.shards import read_shard, reading
from diptych.progress.wording import quantity

TABLES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
CALLED = "metadata.csv, .tsv, .jsonl or .parquet"
MOST_SHOWN = 3
REPLACED = "\N{REPLACEMENT CHARACTER}"


class CaptionCounts(NamedTuple):
    """Pictures of a dataset, and what was wrong beside them.

    Attributes:
        images: All of them; a caption without a picture counts for nothing.
        there: Those with a caption.
        damaged: Those of them whose caption has bytes that are no UTF-8, each shown as U+FFFD.
        first_damaged: The picture that the first of these belongs to; empty without one.
        unread: Those with a picture beside which something could not be read.
        reason: Of the first of these; empty without one.
        tables: Files that are no pictures and may be tables about some, the first ones.
    """

    images: int
    there: int
    damaged: int = 0
    first_damaged: str = ""
    unread: int = 0
    reason: str = ""
    tables: tuple[str, ...] = ()


def caption_counts(dataset: Dataset) -> CaptionCounts:
    """Count the captions of the pictures of a dataset."""
    images = there = damaged = unread = 0
    first_damaged, reason, tables, names = "", "", list[str](), _names_of_pictures(dataset)
    for file in dataset.files:
        table = read_shard(file, ["key", "caption", "status", "error", *names])
        is_image = pc.equal(table["status"], "ok")
        tables += _tables_among(table.filter(pc.invert(is_image))[FILE]) if FILE in names else []
        table = table.filter(is_image)
        images += len(table)
        there += len(table) - table["caption"].null_count
        torn = table.filter(pc.fill_null(pc.match_substring(table["caption"], REPLACED), False))
        damaged += len(torn)
        first_damaged = first_damaged or (torn[[*names, "key"][0]][0].as_py() if len(torn) else "")
        notes = table["error"].drop_null()
        unread += len(notes)
        reason = reason or (notes[0].as_py() if len(notes) else "")
    return CaptionCounts(images, there, damaged, first_damaged, unread, reason, tuple(tables[:MOST_SHOWN]))


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
        places = f"looked for in {sought}{_lying(captions)}"
        said.append(f"none of {quantity(captions.images, 'image')} has a caption ({places})")
    if captions.damaged:
        damaged, remedy = quantity(captions.damaged, "caption"), "save such texts as UTF-8"
        first = f"the first: that of {captions.first_damaged}; {remedy}"
        said.append(f"bytes that are no UTF-8 in {damaged}, replaced by {REPLACED} ({first})")
    if captions.unread:
        first = f"the first: {captions.reason}; the column error has each"
        said.append(f"what lies beside {quantity(captions.unread, 'image')} could not be used ({first})")
    return "; ".join(said)


def _lying(captions: CaptionCounts) -> str:
    if not captions.tables:
        return ""
    return f"; {', '.join(captions.tables)} may hold them: call a table with file_name and caption {CALLED}"


def _names_of_pictures(dataset: Dataset) -> list[str]:
    """Return the column with the names of files or members; none of a source that has pictures elsewhere."""
    for file in dataset.files[:1]:
        with reading(file) as parquet:
            fields = {field.name: field.type for field in parquet.schema_arrow}
        return [name for name in (FILE, MEMBER) if fields.get(name) == pa.string()][:1]
    return []


def _tables_among(files: pa.ChunkedArray) -> list[str]:
    """Return those of some files that may be tables about pictures."""
    return [name for name in files.drop_null().to_pylist() if name.lower().endswith(TABLES)]
