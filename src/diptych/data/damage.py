"""Whether files still hold what was written: by size, by hash, and by the hash of all but the pictures.

A number is never made from bytes that changed since they were written. Sizes are compared whenever a directory is
opened; hashes before anything is computed from it. Reading the pictures of a large pool only to look at its captions
would take as long as scoring it, so each shard also has a hash of what is not pictures. In a store, where every byte is
a transfer, the footer of a shard is looked at before its columns are read, whose pages have checksums.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

from diptych.data.digests import columns_digest, footer_sha256
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError, one_line
from diptych.progress import track
from diptych.storage.location import Location

THREADS = 4
MAX_KNOWN = 1 << 18  # files whose hash a process remembers
REPAIR = "make it again with: diptych verify DATASET --repair, or restore it"

# What is looked at: everything, everything but the pictures, or the footer.
Extent = Literal["whole", "columns", "footer"]


class ShardFile(NamedTuple):
    """A file and what it must be."""

    file: Location
    info: ShardInfo


def size_problem(shard: ShardFile) -> str:
    """Return what is wrong with the size of a file; empty if nothing is."""
    size = shard.file.size()
    return "" if size == shard.info.bytes else _other_size(size, shard.info)


def _other_size(size: int | None, info: ShardInfo) -> str:
    return "is missing" if size is None else f"is damaged: it has {size:,} bytes, not {info.bytes:,}"


def size_problems(directory: Location, infos: Sequence[ShardInfo]) -> Iterator[tuple[ShardFile, str]]:
    """Yield the shards of a directory whose size is wrong, and what is; the sizes come from one listing."""
    sizes = directory.sizes() if infos else {}
    for info in infos:
        if sizes.get(info.name) != info.bytes:
            shard = ShardFile(directory / info.name, info)
            if problem := size_problem(shard):  # a listing may be behind
                yield shard, problem


def content_problem(shard: ShardFile, extent: Extent = "whole") -> str:
    """Return what is wrong with the content of a file; empty if nothing is. Looks at no file twice that did not change.

    Args:
        shard: The file.
        extent: ``whole`` looks at every byte, ``columns`` at all but the pictures, ``footer`` at what says where
            everything lies.

    Raises:
        OSError: If it is there and cannot be read: what nobody could look at is not damaged.
    """
    if extent != "footer" and (problem := size_problem(shard)):  # with another size it has another footer
        return problem
    info = shard.info
    wanted = {"whole": info.sha256, "columns": info.columns, "footer": info.footer}[extent]
    try:
        found = _sha256(shard.file, extent, info.footer, shard.file.stamp())
    except FileNotFoundError:
        return "is missing"
    except (IsADirectoryError, ValueError) as error:
        return f"is damaged: {one_line(error)}"
    return "" if found == wanted else f"is damaged: its sha256 is {found[:12]}..., not {wanted[:12]}..."


def content_problems(
    shards: Iterable[ShardFile], extent: Extent = "whole", *, what: str = "check what is there", progress: str = "none"
) -> dict[ShardFile, str]:
    """Return what is wrong with each of the files with which something is.

    Args:
        shards: The files.
        extent: ``whole`` looks at every byte, ``columns`` at all but the pictures.
        what: The name of the step that is shown.
        progress: Display mode, see ``diptych.progress``.
    """
    every, found = list(shards), {}
    with (
        track(what, len(every), mode=progress, unit="files") as tracker,
        ThreadPoolExecutor(THREADS, thread_name_prefix="check") as pool,
    ):
        for shard, problem in zip(every, pool.map(lambda one: content_problem(one, extent), every), strict=True):
            found.update({shard: problem} if problem else {})
            tracker.advance(1, {"damaged" if problem else "ok": 1})
    return found


def noted_problems(
    directory: Location, infos: Iterable[ShardInfo], extent: Extent = "whole", *, progress: str = "none"
) -> dict[str, str]:
    """Return which of the shards that were noted in a directory are not there as they were written, and why, by name.

    In a store, which gives objects whole or not at all, they are known by their sizes, from one listing.

    Args:
        directory: Where they lie.
        infos: What was noted.
        extent: On a disk, ``whole`` looks at every byte, ``columns`` at all but the pictures.
        progress: Display mode, see ``diptych.progress``.
    """
    every = list(infos)
    if directory.is_store:
        return {shard.info.name: problem for shard, problem in size_problems(directory, every)}
    shards = (ShardFile(directory / info.name, info) for info in every)
    return {shard.info.name: said for shard, said in content_problems(shards, extent, progress=progress).items()}


def affordable(extent: Extent, place: Location) -> Extent:
    """Return how much of a shard is looked at before columns of it are read: in a store the footer alone."""
    return "footer" if place.is_store else extent


def check_content(
    shards: Iterable[ShardFile], extent: Extent = "whole", *, what: str = "check", progress: str = "none"
) -> None:
    """Look at the content of files before something is computed from them; in a store at their footers.

    Args:
        shards: The files, all in one place.
        extent: ``whole`` looks at every byte, ``columns`` at all but the pictures.
        what: The name of the step that is shown.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If one is not what was written; names it.
    """
    every = list(shards)
    extent = affordable(extent, every[0].file) if every else extent
    for shard, problem in content_problems(every, extent, what=what, progress=progress).items():
        raise ShardError(f"{shard.file}: {problem}; {REPAIR}")


@contextlib.contextmanager
def sound(shard: ShardFile, extent: Extent = "whole") -> Iterator[Location]:
    """Give a place with a shard that was found to be what was written; for all of it, one of this machine.

    Args:
        shard: The file.
        extent: What is to be read: ``whole`` with the pictures, ``columns`` without.

    Raises:
        ShardError: If it is not what was written; names it.
    """
    with shard.file.at_hand() if extent == "whole" else contextlib.nullcontext(shard.file) as place:
        if problem := content_problem(ShardFile(place, shard.info), affordable(extent, place)):
            raise ShardError(f"{shard.file}: {problem}; {REPAIR}")
        yield place


@functools.lru_cache(maxsize=MAX_KNOWN)
def _sha256(file: Location, extent: Extent, footer: str, _stamp: tuple[int | str, ...]) -> str:
    """Return the hash of a file as it is at a stamp; what did not change since is not read again."""
    if extent == "whole":
        return file.sha256()
    with file.open() as opened:
        return footer_sha256(opened) if extent == "footer" else columns_digest(opened, footer).columns
