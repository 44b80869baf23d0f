"""A table that names files and says of each what it is: CSV, TSV or JSON Lines, beside the images or above them."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from diptych.data.text_records import json_lines, whole_json
from diptych.errors import DataError
from diptych.generate.imported.config import ImportConfig
from diptych.generate.imported.found_images import FoundImage, PlaceReading, SourceFolder
from diptych.generate.prompts import read_text
from diptych.generate.prompts.csv_file import headed_rows
from diptych.lookup import describe_unknown, nearest

SUFFIXES = (".csv", ".tsv", ".jsonl")
# Key -> what its column may be called, the first that is there counts.
NAMES: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "file_name", "filename", "image", "image_path", "img_path", "path"),
    "prompt": ("prompt", "text", "caption"),
    "prompt_id": ("prompt_id", "item_id"),
    "category": ("category",),
    "model": ("model", "t2i_model"),
    "setting": ("setting",),
    "seed": ("seed",),
    "sample": ("sample", "sample_id"),
    "sampler": ("sampler",),
    "steps": ("steps", "num_inference_steps"),
    "guidance": ("guidance", "guidance_scale", "cfg_scale"),
    "negative_prompt": ("negative_prompt", "negative"),
}
EVALSCOPE = frozenset({"id", "prompt", "image_path"})  # of its JSON Lines: there, the id is the prompt's
LIKELY = 0.75  # how much a column looks like one that is read, of which it may be a misspelling
BITS = {"seed": 64, "sample": 32, "steps": 32}  # of the numbers that are whole


class TableRow(NamedTuple):
    """A row of a table: where it stands, and its cells by column."""

    where: str
    cells: Mapping[str, Any]


def own_table(source: SourceFolder) -> Path | None:
    """Return the table of a folder: the one that lies in it and names files; None where none does, or several do.

    Hugging Face's imagefolder calls it ``metadata.csv`` or ``metadata.jsonl``, which goes before others.

    Raises:
        DataError: If a table of that name cannot be read, or names no files and no other does, or is one JSON array.
    """
    tables = [name for name in source.names if "/" not in name and PurePosixPath(name).suffix.lower() in SUFFIXES]
    naming = [name for name in tables if _names_files(source.path(name))]
    called = [name for name in tables if PurePosixPath(name).stem == "metadata"]
    if called and not naming:
        row = next(_rows(source.path(called[0])), None)
        columns = f"its columns are {', '.join(map(repr, row.cells))}" if row is not None else "no rows there"
        how = "call it file_name, with commas between columns, or do without the table by --layout any"
        raise DataError(f"{source.path(called[0])}: no column names a file ({columns}); {how}")
    if "metadata.json" in source.names and not naming:
        _refuse_json(source.path("metadata.json"))
    own = [name for name in called if name in naming] or naming
    return source.path(own[0]) if len(own) == 1 else None


def _refuse_json(path: Path) -> None:
    """Raise for a table in one JSON array, which is read in no other form than JSON Lines."""
    try:
        rows = whole_json(read_text(path))
    except (DataError, ValueError):  # something else of that name
        return
    if isinstance(rows, list) and any(isinstance(row, dict) and set(NAMES["file"]) & set(row) for row in rows):
        how = "save it as metadata.jsonl, an object in each line, or do without the table by --layout any"
        raise DataError(f"{path}: a table as one JSON array is not read; {how}")


def _names_files(path: Path) -> bool:
    try:
        row = next(_rows(path), None)
    except DataError:
        return False
    return row is not None and any(known in row.cells for known in NAMES["file"])


class TableImages(NamedTuple):
    """What a table says.

    Attributes:
        images: Those that it names, in its order, and those in the folder that it does not name.
        unused: Its columns that nothing reads, and for each the key whose name it nearly has; else empty.
    """

    images: list[FoundImage]
    unused: Mapping[str, str]


def images_of_table(source: SourceFolder, table: Path, config: ImportConfig) -> TableImages:
    """Return the images that a table names, and what of it nothing reads.

    Raises:
        DataError: If it cannot be read, lacks a column, or a cell is not what its key needs.
    """
    found: list[FoundImage] = []
    there, read, keys = dict[str, None](), {*config.carry}, set[str]()
    for row in _rows(table):
        columns = _columns(row, config, table)
        there |= dict.fromkeys(row.cells)
        read.update(columns.values())
        keys.update(columns)
        given = {key: row.cells.get(name) for key, name in columns.items()}
        given = {key: value for key, value in given.items() if value not in (None, "")}
        carried = {name: _text(row.cells.get(name)) for name in config.carry}
        found.append(_image({**given, "file": _file(given.get("file"), source, row.where)}, carried, row.where))
    if not found:
        raise DataError(f"{table}: no rows there")
    named = {image.file for image in found}
    others = (name for name in source.pictures if name not in named)
    found += [FoundImage(name, misnamed=f"{table.name} does not name it") for name in others]
    return TableImages(found, _likely_keys([name for name in there if name and name not in read], keys))


def _likely_keys(unused: Sequence[str], keys: Set[str]) -> dict[str, str]:
    """Return for each of some columns the key, of those that no column has, whose name it nearly has; else empty."""
    free = {name: key for key, names in NAMES.items() if key not in keys for name in names}
    likely = {name: nearest(name, free, count=1, cutoff=LIKELY) for name in unused}
    return {name: free[close[0]] if close else "" for name, close in likely.items()}


def _columns(row: TableRow, config: ImportConfig, table: Path) -> dict[str, str]:
    """Return key -> column of a row."""
    for key in config.columns:
        if key not in NAMES:
            raise DataError(f"columns: {describe_unknown('key', key, NAMES)}")
    for name in (*config.columns.values(), *config.carry):
        if name not in row.cells and table.suffix.lower() != ".jsonl":
            raise DataError(f"{row.where}: {describe_unknown('column', name, row.cells)}")
    found = {key: next((name for name in names if name in row.cells), None) for key, names in NAMES.items()}
    if found["prompt_id"] is None and row.cells.keys() >= EVALSCOPE:
        found["prompt_id"] = "id"
    used = {key: name for key, name in {**found, **config.columns}.items() if name is not None}
    if "file" not in used:
        raise DataError(f"{row.where}: no column names a file; say which with columns: {{file: NAME}}")
    return used


def _image(given: Mapping[str, Any], carried: Mapping[str, str | None], where: str) -> FoundImage:
    numbers = {key: _number(given[key], key, where) for key in (*BITS, "guidance") if key in given}
    texts = {key: _text(given[key]) for key in ("model", "setting", "sampler", "negative_prompt") if key in given}
    facts: dict[str, Any] = {**carried, **texts, **{key: value for key, value in numbers.items() if key != "sample"}}
    if "category" in given:
        value = given["category"]
        facts["category"] = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    prompt_id, text, sample = _text(given.get("prompt_id")), _text(given.get("prompt")), numbers.get("sample")
    number = int(sample) if sample is not None else None
    readings = [PlaceReading(prompt_id=prompt_id, sample=number)] if prompt_id is not None else []
    readings += [PlaceReading(text=text, sample=number)] if text is not None else []
    alone = PlaceReading(prompt_id, text, number) if readings else None
    return FoundImage(given["file"], tuple(readings), alone, facts)


def _file(value: Any, source: SourceFolder, where: str) -> str:
    """Return the path of a file within the folder; one that leads elsewhere is that of another machine."""
    name = value.get("path") if isinstance(value, Mapping) else value
    if not isinstance(name, str) or not name:
        raise DataError(f"{where}: file: must be the path of a file, got {value!r}")
    path = PurePosixPath(name.replace("\\", "/"))
    if path.as_posix() in source.known:
        return path.as_posix()
    is_outside = path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":")
    return source.find(name) if is_outside else path.as_posix()


def _number(value: Any, key: str, where: str) -> int | float:
    bits = BITS.get(key)
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            found = float(value) if bits is None else int(value)
            is_same = not isinstance(value, float) or found == value
            if is_same and (math.isfinite(found) if bits is None else abs(found) < 2 ** (bits - 1)):
                return found
    what = "a number" if bits is None else f"a whole number of {bits} bits"
    raise DataError(f"{where}: {key}: must be {what}, got {value!r}")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _rows(path: Path) -> Iterator[TableRow]:
    """Yield the rows of a table.

    Raises:
        DataError: If it cannot be read or a row is broken.
    """
    is_json = path.suffix.lower() == ".jsonl"
    rows = json_lines(read_text(path), path) if is_json else headed_rows(path)
    yield from (TableRow(f"{path}:{line}", cells) for line, cells in rows)
