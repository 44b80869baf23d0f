"""What lies below a folder, links to folders followed: every entry that somebody may take for a picture.

Also links that lead nowhere, pipes, and folders that cannot be opened: their rows say so. Left out is what has a name
that begins with a dot, or lies below such a folder, and the picture of pictures that GenEval's layout has.
"""

import os
from collections.abc import Iterator
from pathlib import Path

GRID, SAMPLES = "grid.png", "samples"  # GenEval: one picture of all those in the folder beside it


def everything_below(folder: Path) -> list[Path]:
    """Return the entries below a folder that are no folders, and the folders that cannot be opened; sorted.

    Raises:
        OSError: If the folder itself cannot be opened.
    """
    os.scandir(folder).close()
    return sorted(_below(folder))


def valid_name(name: str) -> str:
    """Return the name of a file with replacement characters for what in it is no UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def _below(root: Path) -> Iterator[Path]:
    waiting: list[tuple[Path, tuple[tuple[int, int], ...]]] = [(root, ())]
    while waiting:
        folder, above = waiting.pop()
        try:
            seen = os.stat(folder)
            with os.scandir(folder) as found:
                entries = [entry for entry in found if not entry.name.startswith(".")]
        except OSError:
            yield folder
            continue
        here = (seen.st_dev, seen.st_ino)
        if here in above:  # a link back to where it lies
            continue
        folders = {entry.name: Path(entry.path) for entry in entries if _is_folder(entry)}
        waiting += [(path, (*above, here)) for path in folders.values()]
        left_out = {*folders, *([GRID] if SAMPLES in folders else [])}
        yield from (Path(entry.path) for entry in entries if entry.name not in left_out)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False
