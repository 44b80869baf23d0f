"""What lies below a folder, links to folders followed: every entry that somebody may take for a picture.

Also links that lead nowhere, pipes, and folders that cannot be opened: their rows say so. Left out is what has a name
that begins with a dot, or lies below such a folder, what macOS put into an archive, and the picture of pictures that
GenEval's layout has.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from diptych.storage.store_path import ReadPath, StorePath

GRID, SAMPLES = "grid.png", "samples"  # GenEval: one picture of all those in the folder beside it
OF_MACOS = "__MACOSX"  # a folder in zips that macOS made, of what is no content of a file


def everything_below(folder: ReadPath) -> list[ReadPath]:
    """Return the entries below a folder that are no folders, and the folders that cannot be opened; sorted.

    Raises:
        OSError: If the folder itself cannot be opened.
    """
    if isinstance(folder, StorePath):
        return sorted(_objects_below(folder))
    os.scandir(folder).close()
    return sorted(_below(folder))


def links_below(folder: Path) -> Iterator[Path]:
    """Yield the links below a folder that ``everything_below`` follows, to folders and to files."""
    for _, entries in _folders(folder):
        yield from (Path(entry.path) for entry in entries or () if entry.is_symlink())


def valid_name(name: str) -> str:
    """Return the name of a file with replacement characters for what in it is no UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def _objects_below(root: StorePath) -> Iterator[StorePath]:
    found = list(root.everything_below())
    folders = {above for path in found for above in path.parents}
    for path in found:
        names = path.relative_to(root).parts
        is_left_out = any(name.startswith(".") or name == OF_MACOS for name in names)
        if not is_left_out and not (path.name == GRID and path.parent / SAMPLES in folders):
            yield path


def _below(root: Path) -> Iterator[Path]:
    for folder, entries in _folders(root):
        if entries is None:
            yield folder
            continue
        folders = {entry.name for entry in entries if _is_folder(entry)}
        left_out = {*folders, *([GRID] if SAMPLES in folders else [])}
        yield from (Path(entry.path) for entry in entries if entry.name not in left_out)


def _folders(root: Path) -> Iterator[tuple[Path, "list[os.DirEntry[str]] | None"]]:
    """Yield the folders to look into, each with its entries, or with None where it cannot be opened."""
    waiting: list[tuple[Path, tuple[tuple[int, int], ...]]] = [(root, ())]
    while waiting:
        folder, above = waiting.pop()
        try:
            seen = os.stat(folder)
            with os.scandir(folder) as found:
                entries = [entry for entry in found if not entry.name.startswith(".") and entry.name != OF_MACOS]
        except OSError:
            yield folder, None
            continue
        here = (seen.st_dev, seen.st_ino)
        if here in above:  # a link back to where it lies
            continue
        waiting += [(Path(entry.path), (*above, here)) for entry in entries if _is_folder(entry)]
        yield folder, entries


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False
