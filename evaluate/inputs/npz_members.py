"""Arrays of an .npz file that somebody gives: those that are wanted, and none that its packing makes huge.

What an array takes stands in its header, which is compared with what lies in the file before a byte of it is inflated.
Decides nothing about what the arrays mean.
"""

import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError
from diptych.storage.store_path import ReadPath

# What numpy and zipfile throw at a file that is no .npz, or a damaged one.
NPZ_ERRORS = (
    *(AttributeError, EOFError, LookupError, NotImplementedError, OSError, OverflowError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
MOST_INFLATED = 100  # times; numbers measured on pictures shrink by less than ten
SMALL_BYTES = 64 * 2**20  # that are inflated however well they are packed
ENDING = ".npy"

Arrays = dict[str, npt.NDArray[Any]]


def read_members(path: ReadPath, choose: Callable[[Collection[str]], Iterable[str]]) -> Arrays:
    """Return arrays by name; others are not read.

    Args:
        path: The file.
        choose: Returns the names that are wanted of those that there are.

    Raises:
        DataError: If it is no .npz file, or one that is wanted takes far more memory than it has bytes in the file.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(ENDING): info for info in archive.infolist()}
            return {name: _read(path, archive, members[name]) for name in choose(members)}
    except DataError:
        raise
    except NPZ_ERRORS as error:
        raise DataError(f"{path}: no .npz file of statistics; give one with mu and sigma, or a folder") from error


def _read(path: ReadPath, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(info) as member:
        needed = _bytes_of(member)
    if needed != info.file_size or needed > max(SMALL_BYTES, MOST_INFLATED * info.compress_size):
        raise DataError(
            f"{path}: {info.filename} has {info.compress_size:,} bytes in the file, says that it has "
            f"{info.file_size:,}, and by its header takes {needed:,}; save the statistics again"
        )
    with archive.open(info) as member:
        return np.asarray(np.lib.format.read_array(member, allow_pickle=False))


def _bytes_of(member: Any) -> int:
    """Return how many bytes an array takes with its header, by its header."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    if dtype.hasobject:
        raise ValueError("an array of Python objects, which can be anything")
    return int(member.tell()) + prod(shape) * dtype.itemsize
