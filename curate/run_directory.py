"""The directory of a run: what it must not be, so that a run changes nothing but its own pool and export."""

import os
from pathlib import Path

from diptych.addresses import COLUMNS_DIR, Address, local_path
from diptych.curate.delivery.parquet import STEP as EXPORT
from diptych.curate.ingest.run import STEP as INGEST
from diptych.data.claims import OTHER, check_apart, check_claim, check_writable, is_report, owner_of
from diptych.data.folder_walk import links_below
from diptych.errors import ShardError
from diptych.storage.location import Location
from diptych.storage.store_memory import remembering

POOL, SELECTED = "pool", "selected"


def check_run_directory(out: Address, source: Address) -> None:
    """Refuse a directory that is something else; writes nothing.

    Args:
        out: The directory.
        source: What the run reads: a file, a folder or a glob.

    Raises:
        ShardError: If it is a dataset or a report, or lies in one; if it lies in the folder that is read or a link
            there leads to it, or what is read lies in what is written; if the place for column sets lies in that
            folder; or if its pool or its export is something else.
    """
    with remembering():
        _check_run_directory(Location.at(out), out, source)


def _check_run_directory(place: Location, out: Address, source: Address) -> None:
    check_writable(place)
    owner = owner_of(place)
    if owner is not None:
        raise ShardError(f"{out}: is itself a dataset that {owner} made; {OTHER}")
    if is_report(place):
        raise ShardError(f"{out}: is a report; {OTHER}")
    check_apart(place)
    read = Location.at(source)
    if not place.is_store and not read.is_store:
        _check_apart_from_source(Path(place), Path(source))
    elif place.is_store and read.is_store:
        _check_apart_in_store(place, read)
    check_claim(place / POOL, INGEST)
    check_claim(place / SELECTED, EXPORT)


def _check_apart_in_store(out: Location, source: Location) -> None:
    if source in (out, *out.above()):
        raise ShardError(f"{out}: lies in the source, {source}, which would change as it is read; {OTHER}")
    for place_of_step in (out / POOL, out / SELECTED):
        if place_of_step in (source, *source.above()):
            raise ShardError(f"{source}: the source lies in {place_of_step}, which the run writes; {OTHER}")


def _check_apart_from_source(out: Path, source: Path) -> None:
    written, read = out.resolve(), source.resolve()
    own = [written / name for name in (POOL, SELECTED)]
    columns = os.environ.get(COLUMNS_DIR)
    if Location.at(read).is_directory():
        changed = f"lies in the source, {source}, which would change as it is read"
        if written.is_relative_to(read):
            raise ShardError(f"{out}: {changed}; {OTHER}")
        for link in links_below(read):
            target = link.resolve()
            if written.is_relative_to(target) or any(map(target.is_relative_to, own)):
                raise ShardError(f"{out}: is read through a link in the source, {link}; take the link away, or {OTHER}")
        if columns and local_path(columns, COLUMNS_DIR).resolve().is_relative_to(read):
            raise ShardError(f"{columns}: the place for columns {changed}; give another --columns-dir")
    for place_of_step in own:
        if read.is_relative_to(place_of_step):
            raise ShardError(f"{source}: the source lies in {out / place_of_step.name}, which the run writes; {OTHER}")
