"""The seal of a store: the hash of its file as diptych closed it, beside it, in the form that ``sha256sum -c`` reads.

DuckDB reads most of what changed on a disk as it is. So the seal is compared whenever a store is opened; it is taken
away while somebody writes, and set again when the file is closed.
"""

from diptych.data.manifests import DATASET
from diptych.errors import StoreError
from diptych.storage.location import Location

ENDING = ".sha256"
MAGIC = slice(8, 12), b"DUCK"  # which bytes of a DuckDB file say what it is


def seal_of(store: Location) -> Location:
    """Return where the seal of a store lies."""
    return store.parent / f"{store.name}{ENDING}"


def is_duckdb(place: Location) -> bool:
    """Return whether a file begins as a DuckDB file does: DuckDB itself opens tables of text too, and keeps nothing.

    Raises:
        StoreError: If it cannot be read.
    """
    at, magic = MAGIC
    try:
        with place.open() as file:
            return file.read(at.stop)[at] == magic
    except OSError as error:
        raise StoreError(f"{place}: cannot be read: {error}") from error


def refuse_folder(place: Location) -> None:
    """Refuse a folder where a store is to be.

    Raises:
        StoreError: If it is one.
    """
    if place.is_directory():
        what = "a dataset" if (place / DATASET).is_file() else "a folder"
        raise StoreError(f"{place}: {what}, not a store; give the .duckdb file of: diptych evaluate run CONFIG")


def is_store(place: Location) -> bool:
    """Return whether a file is a DuckDB file, or something else than what was sealed, as one whose beginning changed.

    Raises:
        StoreError: If it cannot be read.
    """
    seal = seal_of(place)
    return is_duckdb(place) or (seal.is_file() and _read(seal) != _line(place))


def seal_problem(store: Location) -> str:
    """Return what is wrong with a store; empty if it is, byte for byte, what was closed.

    Raises:
        StoreError: If it cannot be read.
    """
    seal = seal_of(store)
    if not store.is_file():
        return "is missing"
    if not seal.is_file():
        return f"has no {seal.name}: whoever wrote it last was stopped; run again: diptych evaluate run CONFIG"
    return "" if _read(seal) == _line(store) else _changed(seal)


def check_seal(store: Location) -> None:
    """Refuse a store that changed since it was closed; one without a seal, which a kill leaves, is let through.

    Raises:
        StoreError: If it changed, or cannot be read.
    """
    seal = seal_of(store)
    if store.is_file() and seal.is_file() and _read(seal) != _line(store):
        raise StoreError(f"{store}: {_changed(seal)}")


def break_seal(store: Location) -> None:
    """Take the seal away, before something is written.

    Raises:
        ShardError: If the disk refuses.
    """
    seal_of(store).remove()


def set_seal(store: Location) -> None:
    """Set the seal of a store that was closed.

    Raises:
        StoreError: If it cannot be read.
        ShardError: If the disk refuses.
    """
    seal_of(store).write(_line(store))


def _changed(seal: Location) -> str:
    return (
        f"is damaged, or {seal.name} is: it is not what diptych closed; restore it, or evaluate again into another "
        f"store (if you changed it yourself, delete {seal.name})"
    )


def _line(store: Location) -> bytes:
    try:
        return f"{store.sha256()}  {store.name}\n".encode()
    except OSError as error:
        raise StoreError(f"{store}: cannot be read: {error}") from error


def _read(seal: Location) -> bytes:
    try:
        return seal.read()
    except OSError as error:
        raise StoreError(f"{seal}: cannot be read: {error}") from error
