"""Files that somebody else wrote: which ones there are, and what is said when one cannot be read."""

import csv
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

import pyarrow as pa

from diptych.curate.sources.packings import ARCHIVES, packing
from diptych.data.text_records import no_text_problem
from diptych.errors import DataError, first_line
from diptych.storage.store_path import ReadPath

# What the libraries below throw at damaged or hostile files. EOFError: a cut gzip; KeyError: pyarrow's for a name that
# is there twice; RecursionError: nested JSON.
READ_ERRORS = (
    pa.ArrowException,
    ValueError,  # also UnicodeError
    TypeError,
    KeyError,
    RecursionError,
    EOFError,
    OSError,  # also gzip.BadGzipFile
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    csv.Error,
)


WORKBOOKS = (".xlsx", ".xlsm", ".ods")
GLOB = re.compile(r"[*?[]")
BRACES = re.compile(r"\{[^{}]*(\.\.|,)[^{}]*\}")  # as webdataset and shells expand them


def is_about_content(error: Exception) -> bool:
    """Return whether one of ``READ_ERRORS`` says that a file is damaged, and not that the disk did not give it.

    >>> is_about_content(OSError("Invalid data stream")), is_about_content(OSError(5, "Input/output error"))
    (True, False)
    """
    cause = error.__cause__ or error
    return not isinstance(cause, OSError) or cause.errno is None


@contextmanager
def readable(path: PurePath | str, kind: str) -> Iterator[None]:
    """Turn what a library says about a file that it cannot read into one line.

    Raises:
        DataError: Instead of any of ``READ_ERRORS``.
    """
    try:
        yield
    except READ_ERRORS as error:
        if isinstance(error, UnicodeDecodeError):
            raise DataError(f"{path}: {no_text_problem(error)}") from error
        raise DataError(f"{path}: cannot be read as {kind}: {first_line(error)}") from error


def _refuse_archives(file: ReadPath) -> None:
    """Raise for a file whose first bytes are those of an archive that is to be unpacked, or of a workbook."""
    with readable(file, "file"):
        kind = packing(str(file))
    if kind == "zip" and file.suffix.lower() in WORKBOOKS:
        raise DataError(f"{file}: a workbook; save the sheet as CSV UTF-8 and read that")
    if kind in ARCHIVES:
        raise DataError(f"{file}: a {kind} archive; unpack it, and read what is in it: pictures by the source folder")


def find_files(path: ReadPath, suffixes: tuple[str, ...]) -> list[ReadPath]:
    """Return the file, the files of a folder with one of the suffixes, or what a glob matches; sorted by name.

    A name that begins with a dot is left out where it is not asked for: macOS puts a ``._0.tar`` beside each ``0.tar``.

    Raises:
        DataError: If there is none, or the file is an archive that no source looks into.
    """
    if path.is_file():
        _refuse_archives(path)
        return [path]
    if path.is_dir():
        found: list[ReadPath] = [file for file in path.iterdir() if file.name.lower().endswith(suffixes)]
    else:
        found = list(path.parent.glob(path.name))
    is_asked_for = path.name.startswith(".") and not path.is_dir()
    found = [file for file in found if file.is_file() and (is_asked_for or not file.name.startswith("."))]
    if not found:
        raise DataError(f"source.path: {path}: {_why_none(path, suffixes)}")
    return sorted(found)


def _why_none(path: ReadPath, suffixes: tuple[str, ...]) -> str:
    """Return in words why a path leads to no file; packed files are not listed beside those that are not."""
    if path.is_dir():
        plain = [one for one in suffixes if not one.startswith(tuple(f"{other}." for other in suffixes))]
        return f"no file in that folder ends in {', '.join(plain)}"
    glob = BRACES.sub("*", path.name)
    hint = f"; braces are not expanded, a glob is: {glob}" if glob != path.name else ""
    return f"{'no file matches' if GLOB.search(path.name) else 'no file or folder there'}{hint}"
