"""Markers: an object for each finished shard of a directory, made exclusively, where no journal can be written to.

That is where nothing is added to an object, as in a store, and where several write at once, each a part of the shards.
A marker holds the line that a journal would have. Whoever finishes the directory writes them into its journal.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from diptych.errors import ShardError
from diptych.storage.location import Location

MARKERS = "_finished"  # the folder, beside the shards
ENDING = ".json"
THREADS = 16


def read_markers(directory: Location) -> Iterator[tuple[Location, bytes]]:
    """Yield the markers of a directory, by name: where each lies, and its line.

    One that another writer takes out meanwhile is left out.

    Raises:
        ShardError: If one cannot be read.
    """
    places = (directory / MARKERS).children(f"*{ENDING}")
    if places:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="markers") as pool:
            for place, line in zip(places, pool.map(_read, places), strict=True):
                if line is not None:
                    yield place, line


def mark(directory: Location, name: str, line: bytes) -> None:
    """Note a shard as finished.

    Raises:
        ShardError: If another writer has noted it otherwise.
    """
    place = _marker(directory, name)
    try:
        place.create(line)
    except FileExistsError as error:
        if place.read() != line:  # the same: an answer was lost, or two did the same part
            said = "another run has made this shard otherwise; give another place, or remove what lies here"
            raise ShardError(f"{directory / name}: {said}") from error


def unmark(directory: Location, names: Iterable[str]) -> None:
    """Take the markers of shards out, so that they are made again."""
    for name in names:
        _marker(directory, name).remove()


def remove_markers(directory: Location) -> None:
    """Remove the markers of a directory, once its journal has them all."""
    (directory / MARKERS).remove_everything()


def _read(place: Location) -> bytes | None:
    try:
        return place.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ShardError(f"{place}: cannot be read: {error}") from error


def _marker(directory: Location, name: str) -> Location:
    return directory / MARKERS / f"{name}{ENDING}"
