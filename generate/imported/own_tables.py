"""The tables that lie in a folder of images and name its files: at its top, or in its folders, as of each model.

Hugging Face's imagefolder calls such a table ``metadata.csv`` or ``metadata.jsonl``. One of that name goes before
others, and in folders below the top it alone is read; of others there it is said that they are not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

from diptych.data.text_records import whole_json
from diptych.errors import DataError
from diptych.generate.imported.config import ImportConfig
from diptych.generate.imported.found_images import FoundImage, SourceFolder
from diptych.generate.imported.tables import (
    NAMES,
    SUFFIXES,
    TableImages,
    images_of_table,
    names_files,
    table_rows,
)
from diptych.generate.prompts import read_text
from diptych.storage.store_path import ReadPath

METADATA = "metadata"
ONE = "of several tables give the one that counts as the source"
SHOWN = 3  # tables that a message names


class OwnTables(NamedTuple):
    """Tables of a folder.

    Attributes:
        read: Names, within the folder, of those that say what its images are.
        unread: Names of those that name files too, and are not read.
    """

    read: tuple[str, ...]
    unread: tuple[str, ...]


def own_tables(source: SourceFolder) -> OwnTables:
    """Return the tables of a folder.

    Raises:
        DataError: If one at the top that is called ``metadata`` cannot be read, or names no files and no other does, or
            is one JSON array.
    """
    top = _top_tables(source)
    lower = [name for name in source.names if "/" in name and _is_table(name) and names_files(source.path(name))]
    called = _preferred(lower)
    read = top or tuple(name for name in called if PurePosixPath(name).stem == METADATA)
    return OwnTables(read, tuple(name for name in lower if name not in read))


def images_of_tables(source: SourceFolder, names: Sequence[str], config: ImportConfig) -> TableImages:
    """Return the images that tables of a folder name, each within its own, and the pictures that none of them names.

    Raises:
        DataError: If one cannot be read, or two name one file, or one of several at the top none that is there.
    """
    told = {name: _images_of(source, name, config) for name in names}
    if len(told) > 1:
        _check_several({name: {image.file for image in one.images} for name, one in told.items()}, source)
    images = [image for one in told.values() for image in one.images]
    named = {image.file for image in images}
    whose = f"{PurePosixPath(names[0]).name} does not name it" if len(names) == 1 else "no table names it"
    images += [FoundImage(name, misnamed=whose) for name in source.pictures if name not in named]
    return TableImages(images, {column: key for one in told.values() for column, key in one.unused.items()})


def shown_tables(names: Sequence[str]) -> str:
    """Return the names of some tables in words."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _images_of(source: SourceFolder, name: str, config: ImportConfig) -> TableImages:
    folder = PurePosixPath(name).parent.as_posix()
    if folder == ".":
        return images_of_table(source, source.path(name), config)
    below = SourceFolder(
        source.path(name).parent,
        tuple(one.removeprefix(f"{folder}/") for one in source.names if one.startswith(f"{folder}/")),
    )
    told = images_of_table(below, source.path(name), config)
    model = PurePosixPath(folder).name
    return told._replace(images=[replace(one, file=f"{folder}/{one.file}", folder=model) for one in told.images])


def _check_several(files: Mapping[str, set[str]], source: SourceFolder) -> None:
    """Raise where two tables name one file, or one is of no file here, so that nobody can tell which of them counts."""
    first: dict[str, str] = {}
    for table, named in files.items():
        if "/" not in table and not named & source.known:
            raise DataError(f"{source.root}: {table} names no file that is there; {ONE}")
        for file in sorted(named):
            other = first.setdefault(file, table)
            if other != table:
                raise DataError(f"{source.root}: {other} and {table} both name {file}; {ONE}")


def _top_tables(source: SourceFolder) -> tuple[str, ...]:
    tables = [name for name in source.names if "/" not in name and _is_table(name)]
    naming = [name for name in tables if names_files(source.path(name))]
    called = [name for name in tables if PurePosixPath(name).stem == METADATA]
    if called and not naming:
        row = next(table_rows(source.path(called[0])), None)
        columns = f"its columns are {', '.join(map(repr, row.cells))}" if row is not None else "no rows there"
        how = "call it file_name, with commas between columns, or do without the table by --layout any"
        raise DataError(f"{source.path(called[0])}: no column names a file ({columns}); {how}")
    if "metadata.json" in source.names and not naming:
        _refuse_json(source.path("metadata.json"))
    return tuple(_preferred(naming))


def _preferred(names: Iterable[str]) -> list[str]:
    """Return the tables of each folder that are called ``metadata``, or all of it where none is."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_folder[PurePosixPath(name).parent.as_posix()].append(name)
    called = {folder: [one for one in own if PurePosixPath(one).stem == METADATA] for folder, own in by_folder.items()}
    return [one for folder, own in by_folder.items() for one in called[folder] or own]


def _is_table(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _refuse_json(path: ReadPath) -> None:
    """Raise for a table in one JSON array, which is read in no other form than JSON Lines."""
    try:
        rows = whole_json(read_text(path))
    except (DataError, ValueError):  # something else of that name
        return
    if isinstance(rows, list) and any(isinstance(row, dict) and set(NAMES["file"]) & set(row) for row in rows):
        how = "save it as metadata.jsonl, an object in each line, or do without the table by --layout any"
        raise DataError(f"{path}: a table as one JSON array is not read; {how}")
