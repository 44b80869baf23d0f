"""A table that names files and says of each what it is: CSV, TSV or JSON Lines."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from diptych.data.text_records import json_lines
from diptych.data.told_columns import IMAGE_NAMES, ColumnNames, likely_keys, plain_name
from diptych.errors import DataError
from diptych.generate.imported.config import ImportConfig
from diptych.generate.imported.found_images import FoundImage, PlaceReading, SourceFolder, ToldText
from diptych.generate.imported.named_files import find_named
from diptych.generate.prompts import read_text
from diptych.generate.prompts.csv_file import headed_rows
from diptych.lookup import describe_unknown
from diptych.storage.store_path import ReadPath

SUFFIXES = (".csv", ".tsv", ".jsonl")
# Key -> what its column may be called, the first that is there counts.
NAMES: Mapping[str, tuple[str, ...]] = {
    **IMAGE_NAMES,
    "category": ("category",),
    "seed": ("seed",),
    "sampler": ("sampler",),
    "steps": ("steps", "num_inference_steps"),
    "guidance": ("guidance", "guidance_scale", "cfg_scale"),
    "negative_prompt": ("negative_prompt", "negative"),
}
EVALSCOPE = frozenset({"id", "prompt", "image_path"})  # of its JSON Lines: there, the id is the prompt's
FILE_WORD = re.compile("file|path|image|img")  # in the name of a column that may be one of files
WHOLE = re.compile(r"(-?[0-9]+)\.0+")  # a whole number as a spreadsheet or pandas writes it beside empty cells
BITS = {"seed": 64, "sample": 32, "steps": 32}  # of the numbers that are whole


class TableRow(NamedTuple):
    """A row of a table: where it stands, and its cells by column."""

    where: str
    cells: Mapping[str, Any]


class TableImages(NamedTuple):
    """What a table says.

    Attributes:
        images: Those that it names, in its order.
        unused: Its columns that nothing reads, and for each the key whose name it nearly has; else empty.
    """

    images: list[FoundImage]
    unused: Mapping[str, str]


def images_of_table(source: SourceFolder, table: ReadPath, config: ImportConfig) -> TableImages:
    """Return the images that a table names, and what of it nothing reads.

    Raises:
        DataError: If it cannot be read, lacks a column or has two that are called alike, or a cell is not what its key
            needs.
    """
    found: list[FoundImage] = []
    names = ColumnNames({key: some for key, some in NAMES.items() if key not in config.columns})
    there, read, keys = dict[str, None](), {*config.carry}, set[str]()
    for row in table_rows(table):
        columns = _columns(row, names, config, table)
        there |= dict.fromkeys(row.cells)
        read.update(columns.values())
        keys.update(columns)
        given = {key: row.cells.get(name) for key, name in columns.items()}
        given = {key: value for key, value in given.items() if value not in (None, "")}
        carried = {name: _text(row.cells.get(name)) for name in config.carry}
        found.append(_image({**given, "file": _file(given.get("file"), row.where)}, carried, row.where))
    if not found:
        raise DataError(f"{table}: no rows there")
    files = find_named(source, (image.file for image in found))
    images = [replace(image, file=files[image.file]) for image in found]
    return TableImages(images, likely_keys([name for name in there if name and name not in read], NAMES, keys))


def names_files(path: ReadPath) -> bool:
    """Return whether a table can be read, and a column of it is called as one of files is."""
    try:
        row = next(table_rows(path), None)
    except DataError:
        return False
    return row is not None and any(plain_name(name) in NAMES["file"] for name in row.cells)


def table_rows(path: ReadPath) -> Iterator[TableRow]:
    """Yield the rows of a table.

    Raises:
        DataError: If it cannot be read or a row is broken.
    """
    is_json = path.suffix.lower() == ".jsonl"
    rows = json_lines(read_text(path), path) if is_json else headed_rows(path)
    yield from (TableRow(f"{path}:{line}", cells) for line, cells in rows)


def _columns(row: TableRow, names: ColumnNames, config: ImportConfig, table: ReadPath) -> dict[str, str]:
    """Return key -> column of a row."""
    for key in config.columns:
        if key not in NAMES:
            raise DataError(f"columns: {describe_unknown('key', key, NAMES)}")
    for name in (*config.columns.values(), *config.carry):
        if name not in row.cells and table.suffix.lower() != ".jsonl":
            raise DataError(f"{row.where}: {describe_unknown('column', name, row.cells)}")
    found = names.found_in(row.cells, row.where)
    own = {"prompt_id": "id"} if row.cells.keys() >= EVALSCOPE else {}
    used = {**own, **found, **config.columns}
    if "file" not in used:
        likely = next((name for name in row.cells if FILE_WORD.search(name.casefold())), "NAME")
        has = ", ".join(map(repr, row.cells))
        raise DataError(
            f"{row.where}: no column names a file (its columns are {has}); say which: --set columns.file={likely}"
        )
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
    told = ToldText("a table", text) if text is not None else None
    return FoundImage(given["file"], tuple(readings), alone, facts, told=told)


def _file(value: Any, where: str) -> str:
    """Return the path of a file as it was written."""
    name = value.get("path") if isinstance(value, Mapping) else value
    if not isinstance(name, str) or not name:
        raise DataError(f"{where}: file: must be the path of a file, got {value!r}")
    return name


def _number(value: Any, key: str, where: str) -> int | float:
    bits = BITS.get(key)
    if bits is not None and isinstance(value, str) and (whole := WHOLE.fullmatch(value.strip())):
        value = whole[1]
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
