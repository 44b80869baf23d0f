"""What identifies an input file: its size and the sha256 of its bytes, not where it lies or when it was written.

A sha256 is remembered in the user's cache directory, so that a file is read for it once: by path, size, inode, and the
times when its content and its status last changed, of which programs that copy set the first at will, and nobody the
second; that of an object of a store by address, size and the version that the store names. Nothing depends on what is
remembered there but the time it takes; it may be deleted whenever nobody runs.
"""

import contextlib
import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from diptych.addresses import store_of
from diptych.assets import cache_dir
from diptych.config.identity import fingerprint
from diptych.curate.sources.contract import Part, leads_out
from diptych.errors import DataError
from diptych.storage.store_path import listed_path

THREADS = 4
BATCH_FILES = 500
SETTLED_NS = 2 * 10**9  # a file that was just written may change again within one tick of its clock
COLUMNS = "path, bytes, inode, mtime_ns, ctime_ns, sha256"
TABLE = f"CREATE TABLE IF NOT EXISTS digests ({COLUMNS}, PRIMARY KEY (path)) WITHOUT ROWID"


class FileDigest(NamedTuple):
    """Size and sha256 (hex) of a file."""

    bytes: int
    sha256: str


class _SeenFile(NamedTuple):
    path: bytes
    bytes: int
    inode: int
    mtime_ns: int
    ctime_ns: int


class IdentifiedPart(NamedTuple):
    """A part and what identifies its content.

    Attributes:
        part: The part.
        content: ``name``, ``bytes`` and ``sha256``.
        digests: Of its files.
    """

    part: Part
    content: dict[str, Any]
    digests: Sequence[FileDigest | None]


def inputs_cache() -> Path:
    """Return the folder of what is remembered about input files."""
    return cache_dir() / "inputs"


def identify_part(part: Part, on_files: Callable[[int], None] = lambda _: None) -> IdentifiedPart:
    """Return what identifies the content of a part. The files of a folder are known by their names within it, too.

    Args:
        part: The part.
        on_files: Called with the number of files that are done further.

    Raises:
        DataError: If a file of rows cannot be read; a picture may be unreadable, which is its row's fault.
    """
    # "" is the name of no file
    files = ["" if leads_out(file, part.root) else file for file in part.files] if part.one_each else part.files
    digests = digest_files(files, on_files)
    if not part.one_each:
        if digests[0] is None:
            raise DataError(f"{part.files[0]}: cannot be read")
        return IdentifiedPart(part, {"name": part.name, **digests[0]._asdict()}, digests)
    every = [*digests, *digest_files(part.beside, on_files)]
    whole = hashlib.sha256()
    for file, digest in zip((*part.files, *part.beside), every, strict=True):
        whole.update(f"{fingerprint([part.shown(file), digest])}\n".encode())
    total = sum(digest.bytes for digest in every if digest)
    content = {"name": part.name, "files": len(every), "bytes": total, "sha256": whole.hexdigest()}
    return IdentifiedPart(part, content, digests)


def digest_files(files: Sequence[str], on_files: Callable[[int], None] = lambda _: None) -> list[FileDigest | None]:
    """Return size and sha256 of each file; None where one cannot be read."""
    digests: list[FileDigest | None] = []
    for start in range(0, len(files), BATCH_FILES):
        seen = [_look(file) for file in files[start : start + BATCH_FILES]]
        known = _find([one for one in seen if one is not None])
        unknown = [one for one in seen if one is not None and one not in known]
        with ThreadPoolExecutor(THREADS, thread_name_prefix="digest") as pool:
            fresh = {one: digest for one, digest in zip(unknown, pool.map(_digest, unknown), strict=True) if digest}
        _note(fresh.items())
        digests += [None if one is None else known.get(one) or fresh.get(one) for one in seen]
        on_files(len(seen))
    return digests


def _look(file: str) -> _SeenFile | None:
    try:
        seen = listed_path(file).stat()
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return None
    if not stat.S_ISREG(seen.st_mode):  # a pipe would never end
        return None
    path = os.fsencode(file if store_of(file) else os.path.abspath(file))
    inode = seen.st_ino % 2**63  # SQLite has no larger numbers
    return _SeenFile(path, seen.st_size, inode, seen.st_mtime_ns, seen.st_ctime_ns)


def _digest(seen: _SeenFile) -> FileDigest | None:
    try:
        with listed_path(os.fsdecode(seen.path)).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return FileDigest(file.tell(), digest)
    except OSError:
        return None


def _find(files: Sequence[_SeenFile]) -> dict[_SeenFile, FileDigest]:
    """Return what is remembered of those of the files that did not change since."""
    paths = [file.path for file in files]
    select = f"SELECT {COLUMNS} FROM digests WHERE path IN ({','.join('?' * len(paths))})"
    rows = _ask(lambda con: con.execute(select, paths).fetchall())
    remembered = {(seen := _SeenFile(*row[:-1])): FileDigest(seen.bytes, row[-1]) for row in rows}
    return {file: remembered[file] for file in files if file in remembered}


def _note(found: Iterable[tuple[_SeenFile, FileDigest]]) -> None:
    """Remember files that have not changed for a while."""
    settled = time.time_ns() - SETTLED_NS
    new = [(*file, digest.sha256) for file, digest in found if file.ctime_ns < settled and file.bytes == digest.bytes]
    if new:
        insert = f"INSERT OR REPLACE INTO digests VALUES ({','.join('?' * len(new[0]))})"
        _ask(lambda con: con.executemany(insert, new).fetchall())


def _ask(work: Callable[[sqlite3.Connection], list[Any]]) -> list[Any]:
    place = inputs_cache() / "files.sqlite"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(place)) as con, con:
            con.execute(TABLE)
            return work(con)
    except (OSError, sqlite3.OperationalError):  # read-only, full, or locked by others for long
        return []
    except sqlite3.DatabaseError:  # no database any more
        place.unlink(missing_ok=True)
        return []
