"""A file of which no row can be read, as a download that was broken off leaves it: one row that says so."""

from pathlib import Path

import pyarrow as pa

from diptych.curate.sources.contract import BYTES, NAME, PROBLEM
from diptych.data.folder_walk import valid_name
from diptych.storage.store_path import listed_path

EMPTY = "a file of 0 bytes"


def is_empty(file: str) -> bool:
    """Return whether a file has no byte.

    Raises:
        OSError: If it is not there.
    """
    return listed_path(file).stat().st_size == 0


def row_of_unread_file(file: str, why: str, *, has_pictures: bool) -> pa.Table:
    """Return the table of a file of which no row, or none behind those before, can be read.

    Args:
        file: Its path.
        why: None can be.
        has_pictures: Whether the tables of the source hold pictures.
    """
    nothing = {"caption": pa.nulls(1, pa.string()), "url": pa.nulls(1, pa.string())}
    said = {PROBLEM: [f"bad_row: {why}"], NAME: [valid_name(Path(file).name)]}
    return pa.table({**nothing, **said, **({BYTES: pa.nulls(1, pa.binary())} if has_pictures else {})})
