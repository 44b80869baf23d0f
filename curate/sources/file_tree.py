"""Where the files lie that say something of many pictures: in a folder, or among the members of a tar.

Decides nothing about what is in them.
"""

import errno
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

from diptych.storage.store_path import ReadPath, StorePath

# Of a path that somebody wrote, and that leads to nothing, or not to us: the row of its picture says so.
NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENAMETOOLONG, errno.ELOOP)


class FileTree(Protocol):
    """Files by their paths, all of them below one root."""

    @property
    def root(self) -> PurePath:
        """The path that all begin with."""
        ...

    def is_file(self, path: PurePath) -> bool:
        """Return whether there is a file of this path."""
        ...

    def read(self, path: PurePath) -> bytes:
        """Return the content of a file that is there.

        Raises:
            OSError: If it cannot be read.
        """
        ...

    def files_in(self, folder: PurePath) -> Iterable[PurePath]:
        """Return the files in a folder itself; none where it is not there."""
        ...

    def names_in(self, folder: PurePath) -> Iterable[PurePath]:
        """Return the files in a folder itself, also those that cannot be read here."""
        ...

    def folders_in(self, folder: PurePath) -> Iterable[PurePath]:
        """Return the folders in a folder itself."""
        ...

    def whole(self, folder: PurePath) -> str:
        """Return the path by which files outside of the tree may call a folder of it; empty where there is none."""
        ...


@dataclass(frozen=True)
class DiskTree:
    """A folder of the disk."""

    root: Path

    def is_file(self, path: PurePath) -> bool:
        """See ``FileTree``."""
        return stat.S_ISREG(_mode(path))

    def read(self, path: PurePath) -> bytes:
        """See ``FileTree``."""
        return Path(path).read_bytes()

    def files_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``."""
        there = Path(folder)
        return (path for path in there.iterdir() if path.is_file()) if stat.S_ISDIR(_mode(there)) else iter(())

    def names_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``."""
        return self.files_in(folder)

    def folders_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``."""
        return (path for path in Path(folder).iterdir() if path.is_dir())

    def whole(self, folder: PurePath) -> str:
        """See ``FileTree``."""
        return Path(folder).resolve().as_posix()


class StoreTree:
    """A folder of a store, of which each folder is listed once."""

    def __init__(self, root: StorePath) -> None:
        """List nothing yet."""
        self.root = root
        self._in = lru_cache(maxsize=1024)(lambda folder: {path.name: path for path in folder.iterdir()})

    def is_file(self, path: PurePath) -> bool:
        """See ``FileTree``."""
        found = self._listed(path.parent).get(path.name)
        return found is not None and found.is_file()

    def read(self, path: PurePath) -> bytes:
        """See ``FileTree``."""
        return StorePath(path).read_bytes()

    def files_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``."""
        return (path for path in self._listed(folder).values() if path.is_file())

    def names_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``."""
        return self.files_in(folder)

    def folders_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``."""
        return (path for path in self._listed(folder).values() if not path.is_file())

    def whole(self, folder: PurePath) -> str:
        """See ``FileTree``."""
        return str(folder)

    def _listed(self, folder: PurePath) -> Mapping[str, StorePath]:
        """Return what lies in a folder, by name; nothing of one that is none of the tree, as others may name."""
        if folder == self.root:
            return self._in(folder)
        if ".." in folder.parts or not folder.is_relative_to(self.root):
            return {}
        found = self._listed(folder.parent).get(folder.name)
        return {} if found is None or found.is_file() else self._in(folder)


def tree_of(folder: ReadPath) -> FileTree:
    """Return the tree of a folder."""
    return StoreTree(folder) if isinstance(folder, StorePath) else DiskTree(folder)


def _mode(path: PurePath) -> int:
    """Return what stat says of the kind of a path; 0 where it leads to nothing.

    Raises:
        OSError: If the disk does not say it.
    """
    try:
        return os.stat(path).st_mode
    except ValueError:  # a name with a zero byte
        return 0
    except OSError as error:
        if error.errno not in NOT_THERE:
            raise
        return 0


@dataclass(frozen=True)
class TarTree:
    """A tar, as if it were the folder in which it is unpacked.

    Attributes:
        root: The path of the tar.
        contents: Of those members that were read, by their paths.
        names: Of all members.
    """

    root: PurePosixPath
    contents: Mapping[PurePath, bytes]
    names: Iterable[str]

    def path(self, name: str) -> PurePosixPath:
        """Return the path of a member."""
        return self.root / unpacked_name(name)

    def is_file(self, path: PurePath) -> bool:
        """See ``FileTree``."""
        return path in self.contents

    def read(self, path: PurePath) -> bytes:
        """See ``FileTree``."""
        return self.contents[path]

    def files_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``; those that were read."""
        return (path for path in self.contents if path.parent == folder)

    def names_in(self, folder: PurePath) -> Iterable[PurePath]:
        """See ``FileTree``."""
        return self._by_folder.get(folder, ())

    def folders_in(self, folder: PurePath) -> Iterator[PurePath]:
        """See ``FileTree``."""
        return (path for path in self._folders if path.parent == folder)

    def whole(self, folder: PurePath) -> str:
        """See ``FileTree``: where a folder lay that was put into a tar, which takes the first slash off its names."""
        return "" if folder == self.root else f"/{folder.relative_to(self.root)}"

    @cached_property
    def _by_folder(self) -> dict[PurePath, list[PurePath]]:
        found: dict[PurePath, list[PurePath]] = {}
        for path in map(self.path, self.names):
            found.setdefault(path.parent, []).append(path)
        return found

    @cached_property
    def _folders(self) -> set[PurePath]:
        above = {self.path(name).parent for name in self.names}
        return {folder for one in above for folder in (one, *one.parents) if folder.is_relative_to(self.root)}


def unpacked_name(name: str) -> str:
    """Return where a member of a tar is unpacked, counted from the folder in which it is unpacked.

    >>> unpacked_name("/a/./0.jpg")
    'a/0.jpg'
    """
    return posixpath.normpath(name.lstrip("/"))
