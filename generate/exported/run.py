"""The export: the pictures of a dataset as files, in the order of its rows; what is there is not written again."""

import os
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from diptych.addresses import Address
from diptych.data.claims import check_apart, check_writable
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.generated_columns import generated_columns
from diptych.data.schema import FILE
from diptych.data.shards import read_groups, read_shard
from diptych.data.table import DatasetTable
from diptych.errors import DataError
from diptych.generate.exported import EXPORTS, ExportLayout, ExportRow
from diptych.generate.exported.png_texts import as_png, with_texts
from diptych.generate.imported.tools.diptych import KEY, said_of_row
from diptych.generate.imported.tools.infotext import infotext_of
from diptych.generate.rows import OK
from diptych.lookup import resolve
from diptych.progress import track
from diptych.storage.location import Location
from diptych.storage.object_stores import StoreLocation

COLUMNS = ("key", "caption", "status", "width", "height", *generated_columns())
SHOWN = 3  # models and settings that a message names


class ExportChoice(NamedTuple):
    """Which images of a dataset: of which model and setting; None takes all, an empty text those that name none."""

    model: str | None = None
    setting: str | None = None


class ExportRun(NamedTuple):
    """What an export leaves.

    Attributes:
        images: That are there.
        written: Those of them that were written now.
        left_out: Rows without a picture, or set aside by an import, by status.
        placeless: Images, by file or key, that lack what the layout names files by, such as a prompt.
        unspoken: Files without ``parameters``, since A1111 would read another prompt from them.
        lacking: In words, what the scripts that read the files need and images do not have; empty for nothing.
    """

    images: int
    written: int
    left_out: dict[str, int]
    placeless: list[str]
    unspoken: list[str]
    lacking: str


def export_images(
    address: Address, layout_name: str, out: Address, choice: ExportChoice, *, progress: str = "auto"
) -> ExportRun:
    """Write the pictures of a dataset as files.

    Raises:
        DataError: If the dataset is none of generated images, images cannot be named so or are of several models, or
            another file lies where one belongs.
    """
    layout: ExportLayout = resolve(EXPORTS, "layout", layout_name)
    dataset, place = open_dataset(address), Location.at(out)
    if dataset.manifest.get("kind") != "generated":
        raise DataError(f"{dataset.location}: no dataset of generated images, which say what they were made from")
    check_writable(place)
    check_apart(place)
    if os.path.realpath(place) == os.path.realpath(dataset.location):
        raise DataError(f"{place}: is the dataset itself; give another --out")
    found, left_out = _rows(dataset, choice)
    rows = [row for row in found if layout.has_place(row)]
    placeless = [row.get(FILE) or row["key"] for row in found if not layout.has_place(row)]
    if not rows:
        lack = f"; {len(placeless):,} lack a prompt or sample, such as {placeless[0]}" if placeless else ""
        raise DataError(
            f"{dataset.location}: no picture there to export, of the model and setting that are given{lack}"
        )
    if layout.of_one_model:
        _check_one_model(rows, dataset)
    names = layout.names(rows)
    keys = frozenset(row["key"] for row in rows)
    there = frozenset(place.below()) if isinstance(place, StoreLocation) else None
    written, unspoken = 0, list[str]()
    with track("export", len(rows), mode=progress, unit="images") as tracker:
        for (row, name), data in zip(zip(rows, names, strict=True), _pictures(dataset, keys), strict=True):
            infotext = infotext_of(row)
            texts = {KEY: said_of_row(row)} if infotext is None else {"parameters": infotext, KEY: said_of_row(row)}
            unspoken += [name] if infotext is None else []
            written += _write(place, name, with_texts(as_png(data), texts), there)
            tracker.advance()
    for name, data in layout.beside(rows, names).items():
        _write(place, name, data, there)
    return ExportRun(len(rows), written, dict(left_out), placeless, unspoken, layout.lacking(rows))


def _rows(dataset: Dataset, choice: ExportChoice) -> tuple[list[ExportRow], Counter[str]]:
    """Return the rows with a picture, without it, and the others by status."""
    rows: list[ExportRow] = []
    left_out: Counter[str] = Counter()
    own = [FILE] if FILE in DatasetTable(dataset).columns else []
    for file in dataset.files:
        for row in read_shard(file, [*COLUMNS, *own]).to_pylist():
            if not _is_chosen(row, choice):
                continue
            if row["status"] == OK:
                rows.append(row)
            else:
                left_out[row["status"]] += 1
    return rows, left_out


def _pictures(dataset: Dataset, keys: Collection[str]) -> Iterator[bytes]:
    """Yield the pictures of the rows with some keys, a row group in memory at a time."""
    for file in dataset.files:
        for group in read_groups(file, ["key", "image"]):
            for number, key in enumerate(group["key"].to_pylist()):
                if key in keys:
                    yield group["image"][number].as_py()["bytes"]


def _is_chosen(row: ExportRow, choice: ExportChoice) -> bool:
    return choice.model in (None, row["model"] or "") and choice.setting in (None, row["setting"] or "")


def _check_one_model(rows: Sequence[ExportRow], dataset: Dataset) -> None:
    found: dict[tuple[Any, Any], None] = dict.fromkeys((row["model"], row["setting"]) for row in rows)
    if len(found) > 1:
        chosen = [(shlex.quote(model or ""), shlex.quote(setting or "")) for model, setting in list(found)[:SHOWN]]
        shown = "; ".join(f"--model {model} --setting {setting}" for model, setting in chosen)
        more = "; ..." if len(found) > SHOWN else ""
        raise DataError(
            f"{dataset.location}: images of {len(found)} models and settings, and this layout has a folder for one; "
            f"give one: {shown}{more}"
        )


def _write(place: Location, name: str, data: bytes, there: Collection[str] | None) -> bool:
    """Write a file, and return whether it was not there yet.

    Args:
        place: The folder.
        name: Of the file.
        data: Its bytes.
        there: Names of all that lies in the folder; None where each is looked for.

    Raises:
        DataError: If another one is.
    """
    target = place / name
    if target.exists() if there is None else name in there:
        if target.is_file() and target.read() == data:
            return False
        raise DataError(f"{target}: another file is there; give another --out")
    target.write(data)
    return True
