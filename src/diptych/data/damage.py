"""Whether files still hold what was written: by size, by hash, and by the hash of all but the pictures.

A number is never made from bytes that changed since they were written. Sizes are compared whenever a directory is
opened; hashes before anything is computed from it. Reading the pictures of a large pool only to look at its captions
would take as long as scoring it, so each shard also has a hash of what is not pictures.
"""

import functools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

from diptych.data.digests import columns_digest
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError, one_line
from diptych.progress import track
from diptych.storage.location import Location

THREADS = 4
MAX_KNOWN = 1 << 18  # files whose hash a process remembers
REPAIR = "make it again with: diptych verify DATASET --repair, or restore it"

# What is looked at: everything, or everything but the pictures.
Extent = Literal["whole", "columns"]


class ShardFile(NamedTuple):
    """A file and what it must be."""

    file: Location
    info: ShardInfo


def size_problem(shard: ShardFile) -> str:
    """Return what is wrong with the size of a file; empty if nothing is."""
    size = shard.file.size()
    if size is None:
        return "is missing"
    return "" if size == shard.info.bytes else f"is damaged: it has {size:,} bytes, not {shard.info.bytes:,}"


def content_problem(shard: ShardFile, extent: Extent = "whole") -> str:
    """Return what is wrong with the content of a file; empty if nothing is. Looks at no file twice that did not change.

    Args:
        shard: The file.
        extent: ``whole`` looks at every byte, ``columns`` at all but the pictures.

    Raises:
        OSError: If it is there and cannot be read: what nobody could look at is not damaged.
    """
    problem = size_problem(shard)
    if problem:
        return problem
    info = shard.info
    wanted = info.sha256 if extent == "whole" else info.columns
    try:
        found = _sha256(shard.file, extent, info.footer, shard.file.stamp())
    except (FileNotFoundError, IsADirectoryError, ValueError) as error:
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


def check_content(
    shards: Iterable[ShardFile], extent: Extent = "whole", *, what: str = "check", progress: str = "none"
) -> None:
    """Look at the content of files before something is computed from them.

    Args:
        shards: The files.
        extent: ``whole`` looks at every byte, ``columns`` at all but the pictures.
        what: The name of the step that is shown.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If one is not what was written; names it.
    """
    for shard, problem in content_problems(shards, extent, what=what, progress=progress).items():
        raise ShardError(f"{shard.file}: {problem}; {REPAIR}")


@functools.lru_cache(maxsize=MAX_KNOWN)
def _sha256(file: Location, extent: Extent, footer: str, _stamp: tuple[int, ...]) -> str:
    """Return the hash of a file as it is at a stamp; what did not change since is not read again."""
    if extent == "whole":
        return file.sha256()
    with file.open() as opened:
        return columns_digest(opened, footer).columns
