"""The pictures of a report: one small WebP per image, larger copies of generated ones, flagged ones blurred on disk.

A file's name follows from the picture's sha256 and from how it is made, so a rebuild makes only what is new and no
name gives away the original. Metadata is dropped; nothing is made larger than it is. What is blurred has been shrunk to
a few pixels first, so that nothing brings it back.
"""

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import ImageFilter
from PIL.Image import Resampling

from diptych.data import images
from diptych.data.damage import REPAIR, ShardFile, check_content
from diptych.data.dataset import open_dataset
from diptych.data.images import Image
from diptych.data.pixel_limit import MAX_PIXELS, pixels_allowed
from diptych.data.shards import reading
from diptych.errors import DecodeError, ShardError
from diptych.processors import own_cpus
from diptych.progress import track
from diptych.reports.read.rows import Floats, ReportRows

VERSION = 1  # of the recipe: another one gives other names
THUMBNAILS, PREVIEWS = "thumbs", "previews"
THUMBNAIL_QUALITY, PREVIEW_QUALITY = 60, 88
BLURRED_SIDE = 7  # pixels that a blurred picture is made of


class Picture(NamedTuple):
    """What there is of the picture of a row.

    Attributes:
        thumbnail: Name of the small copy without folder and suffix; empty where there is none.
        has_preview: Whether there is a larger copy, under the same name.
        is_blurred: Whether it is flagged.
        problem: Why there is none.
    """

    thumbnail: str = ""
    has_preview: bool = False
    is_blurred: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Sizes:
    """Long sides in pixels."""

    thumbnail: int
    preview: int


class _Stored(NamedTuple):
    """A picture as it is stored, None where it is not read or not there, and how many pixels it may have."""

    data: bytes | None = None
    max_pixels: int = MAX_PIXELS

    @classmethod
    def of(cls, row: pa.Table) -> "_Stored":
        """Return the picture of a table of one row."""
        width, height = (row[name][0].as_py() for name in ("width", "height"))
        return cls(pc.struct_field(row["image"], "bytes")[0].as_py(), pixels_allowed(width, height))


class Task(NamedTuple):
    """A row whose picture is to be made; with the sha256 of the picture, where it is known."""

    row: int
    shard_row: int
    name: str
    is_blurred: bool
    wants_preview: bool
    sha256: str | None


def file_of(folder: str, name: str) -> str:
    """Return the path of a picture within the report.

    >>> file_of("thumbs", "ab12")
    'thumbs/ab/ab12.webp'
    """
    return f"{folder}/{name[:2]}/{name}.webp"


def make_pictures(
    rows: ReportRows, blurred: Sequence[bool], out: Path, sizes: Sizes, *, progress: str
) -> list[Picture]:
    """Write the pictures of all rows that are not there yet and return one entry per row.

    Args:
        rows: The images.
        blurred: For each row whether its picture is flagged.
        out: The report.
        sizes: Of the copies.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ShardError: If a shard is missing or damaged, or the disk refuses.
    """
    pictures = [Picture(problem=status or "no_image") for status in rows.columns["status"]]
    files = _shard_files(rows)
    by_shard: dict[ShardFile, list[Task]] = {}
    for row in range(len(rows)):
        if rows.columns["status"][row] == "ok" and rows.columns["shard"][row] is not None:
            task = _task(rows, row, blurred[row], sizes)
            shard = files[rows.columns["dataset"][row], rows.columns["shard"][row]]
            by_shard.setdefault(shard, []).append(task)
    total = sum(len(tasks) for tasks in by_shard.values())
    with track("pictures", total, mode=progress) as tracker, ThreadPoolExecutor(own_cpus()) as pool:
        for shard in sorted(by_shard):
            for tasks, data in _groups(shard, by_shard[shard], out):
                done = list(pool.map(lambda pair: _make(pair[0], pair[1], out, sizes), zip(tasks, data, strict=True)))
                for task, picture in zip(tasks, done, strict=True):
                    pictures[task.row] = picture
                tracker.advance(len(tasks), Counter(picture.problem or "ok" for picture in done))
    return pictures


def made_before(out: Path) -> frozenset[str]:
    """Return the names of the pictures that an earlier build of the report left."""
    return frozenset(path.stem for path in (out / THUMBNAILS).glob("??/*.webp"))


def remove_others(out: Path, pictures: Sequence[Picture]) -> None:
    """Remove pictures that an earlier build of the report left and this one does not show."""
    wanted = {
        THUMBNAILS: {picture.thumbnail for picture in pictures if picture.thumbnail},
        PREVIEWS: {picture.thumbnail for picture in pictures if picture.has_preview},
    }
    for folder, names in wanted.items():
        for path in (out / folder).glob("??/*"):
            if path.stem not in names or path.suffix != ".webp":
                path.unlink()


def _task(rows: ReportRows, row: int, is_blurred: bool, sizes: Sizes) -> Task:
    # Without a hash of its bytes a picture is known by its place.
    what = rows.columns["sha256"][row] or "/".join(str(rows.columns[name][row]) for name in ("dataset", "key"))
    wants_preview = rows.columns["model"][row] is not None and not is_blurred
    how = "blurred" if is_blurred else "with preview" if wants_preview else "plain"
    recipe = f"{VERSION}/{sizes.thumbnail}/{sizes.preview}/{how}/{what}"
    name = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    return Task(row, rows.columns["shard_row"][row], name, is_blurred, wants_preview, rows.columns["sha256"][row])


def _shard_files(rows: ReportRows) -> dict[tuple[str, str], ShardFile]:
    """Return the shards of all datasets by label and name."""
    datasets = {label: open_dataset(folder) for label, folder in rows.folders.items()}
    return {
        (label, info.name): ShardFile(file, info)
        for label, dataset in datasets.items()
        for file, info in zip(dataset.files, dataset.shards, strict=True)
    }


def _groups(shard: ShardFile, tasks: Sequence[Task], out: Path) -> Iterator[tuple[list[Task], list[_Stored]]]:
    """Yield the tasks of one row group after the other with the bytes of their pictures, None where made already.

    Of a large pool a report shows few pictures. So all but the pictures of a shard is looked at, and of the pictures
    those that are shown: by the checks of their pages, and by their own hash.
    """
    if all(_is_made(task, out) for task in tasks):
        yield list(tasks), [_Stored()] * len(tasks)
        return
    ordered = sorted(tasks, key=lambda task: task.shard_row)
    check_content([shard], "columns")
    with reading(shard.file) as parquet:
        start = 0
        for group in range(parquet.num_row_groups):
            stop = start + parquet.metadata.row_group(group).num_rows
            chosen = [task for task in ordered if start <= task.shard_row < stop]
            missing = [task for task in chosen if not _is_made(task, out)]
            data: dict[int, _Stored] = {}
            if missing:
                found = parquet.read_row_group(group, columns=["image.bytes", "width", "height"])
                for task in missing:
                    data[task.row] = _Stored.of(found.slice(task.shard_row - start, 1))
                    _check_picture(shard, task, data[task.row].data)
            if chosen:
                yield chosen, [data.get(task.row, _Stored()) for task in chosen]
            start = stop


def _check_picture(shard: ShardFile, task: Task, data: bytes | None) -> None:
    if data is not None and task.sha256 is not None and hashlib.sha256(data).hexdigest() != task.sha256:
        raise ShardError(f"{shard.file}: is damaged: the picture of row {task.shard_row} has another sha256; {REPAIR}")


def _is_made(task: Task, out: Path) -> bool:
    return (out / file_of(THUMBNAILS, task.name)).is_file()


def _make(task: Task, stored: _Stored, out: Path, sizes: Sizes) -> Picture:
    """Make what is missing of one picture. The thumbnail is written last, so that it says that all is there."""
    data = stored.data
    if data is None and not _is_made(task, out):
        return Picture(problem="no_image")
    if data is not None:
        try:
            image = images.decode(data, max_pixels=stored.max_pixels)
        except DecodeError as error:
            return Picture(problem=error.code)
        if task.wants_preview and max(image.size) > sizes.thumbnail:
            _save(_shrunk(image, sizes.preview), out / file_of(PREVIEWS, task.name), PREVIEW_QUALITY)
        small = _shrunk(image, sizes.thumbnail)
        # A generated picture that is small already is looked at enlarged.
        quality = PREVIEW_QUALITY if task.wants_preview and small is image else THUMBNAIL_QUALITY
        _save(_blurred(small) if task.is_blurred else small, out / file_of(THUMBNAILS, task.name), quality)
    has_preview = task.wants_preview and (out / file_of(PREVIEWS, task.name)).is_file()
    return Picture(task.name, has_preview, task.is_blurred)


def _shrunk(image: Image, side: int) -> Image:
    """Return a copy whose long side is at most ``side``; thin pictures keep at least one pixel of width."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Resampling.LANCZOS, reducing_gap=2.0)


def _blurred(image: Image) -> Image:
    scale = BLURRED_SIDE / max(image.size)
    few = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Resampling.BOX)
    return few.resize(image.size, Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(max(image.size) / 16))


def _save(image: Image, path: Path, quality: int) -> None:
    # Two rows may have the same picture at the same time.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(temporary, "WEBP", quality=quality, method=4)
        os.replace(temporary, path)
    except OSError as error:
        raise ShardError(
            f"{path}: cannot be written: {error}; make room or give another --out, then run again"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def flags(rows: ReportRows, rule: Any) -> list[bool]:
    """Return for each row whether its picture is to be blurred.

    Args:
        rows: The images.
        rule: A ``config.Flagged``; None blurs nothing.
    """
    if rule is None:
        return [False] * len(rows)
    values = flag_values(rows, rule)
    is_flagged = (values > rule.above) | (np.isnan(values) & (rule.missing == "blur"))  # in the precision of the score
    return [
        bool(flag) and (rule.datasets is None or dataset in rule.datasets)
        for dataset, flag in zip(rows.columns["dataset"], is_flagged, strict=True)
    ]


def flag_values(rows: ReportRows, rule: Any) -> Floats:
    """Return (N,): the score that pictures are flagged by, the highest where several labels have it; or NaN."""
    columns = [rows.numbers[name] for name in rows.numbers_named(rule.score)]
    found = np.full(len(rows), np.nan, np.result_type(*columns))
    for column in columns:
        found = np.fmax(found, column)
    return found
