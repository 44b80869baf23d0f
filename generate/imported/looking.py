"""A look at each file of an import: its sha256 and what it says of its making, or why it cannot be read.

Holds one file at a time for each thread.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from diptych.data.picture_files import read_picture_file
from diptych.generate.imported.found_images import SourceFolder
from diptych.generate.imported.tools import NOTHING, ToolReading, read_tool
from diptych.progress import track

THREADS = 2  # hashing leaves the interpreter's lock
MISSING_FILE = "missing: the file is not there"
OUTSIDE = "the file lies outside the folder of the table, in which alone files are read"
ABOVE = 2  # folders above that of a table to which its paths may be relative, as those of a run are to the run's


class LookedFile(NamedTuple):
    """A file that was looked at: its sha256, or a status and why it cannot be read; and what it says of its making."""

    sha256: str
    problem: str = ""
    tool: ToolReading = NOTHING


def look_at_files(source: SourceFolder, names: Sequence[str], *, progress: str) -> dict[str, LookedFile]:
    """Return what each of some files of a folder is."""
    with track("look at the files", len(names), mode=progress, unit="files") as tracker:
        look = _counting(source, tracker.advance)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="look") as pool:
            try:
                return dict(zip(names, pool.map(look, names), strict=True))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def read_picture(source: SourceFolder, name: str) -> bytes | str:
    """Return the bytes of a file, or why there are none: a status, a colon and the detail."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return _not_there(source, name)  # a table may name anything; nothing outside the folder is read
    path = source.path(name)
    try:
        path.lstat()
        return read_picture_file(path)
    except FileNotFoundError:
        return _not_there(source, name)
    except (OSError, ValueError) as error:  # ValueError: lstat's of a name with a zero byte, from a table
        return f"unreadable: {getattr(error, 'strerror', None) or error}"


def _not_there(source: SourceFolder, name: str) -> str:
    """Return why a file is not read that is not in the folder: it is nowhere, or outside, where nothing is read."""
    if not isinstance(source.root, Path):
        return MISSING_FILE
    root = source.root.resolve()
    for above in (root, *root.parents[:ABOVE]):
        with suppress(OSError, ValueError):  # of a name that no file can have
            if (file := Path(os.path.normpath(above / name))).is_file() and not file.is_relative_to(root):
                common = Path(os.path.commonpath([file, root]))
                return f"missing: {OUTSIDE}; copy the table to {common}, and give it there"
    return MISSING_FILE


def _counting(source: SourceFolder, advance: Callable[[], None]) -> Callable[[str], LookedFile]:
    def look(name: str) -> LookedFile:
        data = read_picture(source, name)
        advance()
        if isinstance(data, str):
            return LookedFile("", data)
        return LookedFile(hashlib.sha256(data).hexdigest(), tool=read_tool(data, name))

    return look
