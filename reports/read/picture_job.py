"""The job of a report's pictures: to make those that lie in one shard, one small WebP each, and larger copies of some.

Metadata is dropped; nothing is made larger than it is. What is blurred has been shrunk to a few pixels first, so that
nothing brings it back. Decides nothing about which pictures a report has, nor about their names.
"""

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from PIL import ImageFilter
from PIL.Image import Resampling

from diptych.data import images
from diptych.data.damage import REPAIR, ShardFile, check_content
from diptych.data.images import Image
from diptych.data.pixel_limit import MAX_PIXELS, pixels_allowed
from diptych.data.shards import reading
from diptych.errors import DecodeError, ShardError
from diptych.jobs.contract import Report
from diptych.processors import own_cpus

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


class _StoredPicture(NamedTuple):
    """A picture as it is stored, None where it is not read or not there, and how many pixels it may have."""

    data: bytes | None = None
    max_pixels: int = MAX_PIXELS

    @classmethod
    def of(cls, row: pa.Table) -> "_StoredPicture":
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


class PicturesOfShard(NamedTuple):
    """Rows of one shard whose pictures are to be made, in the order in which they lie there."""

    shard: ShardFile
    tasks: Sequence[Task]


@dataclass(frozen=True)
class PictureJob:
    """Makes the pictures of one shard after the other.

    Attributes:
        out: The report.
        sizes: Of the copies.
    """

    out: Path
    sizes: Sizes
    uses_gpu: ClassVar[bool] = False

    def open(self, report: Report) -> Callable[[PicturesOfShard], list[tuple[int, Picture]]]:
        """Return the function that makes the pictures of rows of one shard, and returns what there is of each row."""

        def make(given: PicturesOfShard) -> list[tuple[int, Picture]]:
            made: list[tuple[int, Picture]] = []
            with ThreadPoolExecutor(own_cpus(), thread_name_prefix="picture") as pool:
                for tasks, data in _groups(given.shard, given.tasks, self.out):
                    done = list(pool.map(lambda task, stored: _make(task, stored, self.out, self.sizes), tasks, data))
                    made += zip((task.row for task in tasks), done, strict=True)
                    report(len(tasks), Counter(picture.problem or "ok" for picture in done))
            return made

        return make


def _groups(shard: ShardFile, tasks: Sequence[Task], out: Path) -> Iterator[tuple[list[Task], list[_StoredPicture]]]:
    """Yield the tasks of one row group after the other with the bytes of their pictures, None where made already.

    Of a large pool a report shows few pictures. So all but the pictures of a shard is looked at, and of the pictures
    those that are shown: by the checks of their pages, and by their own hash.
    """
    if all(_is_made(task, out) for task in tasks):
        yield list(tasks), [_StoredPicture()] * len(tasks)
        return
    check_content([shard], "columns")
    with reading(shard.file) as parquet:
        start = 0
        for group in range(parquet.num_row_groups):
            stop = start + parquet.metadata.row_group(group).num_rows
            chosen = [task for task in tasks if start <= task.shard_row < stop]
            missing = [task for task in chosen if not _is_made(task, out)]
            data: dict[int, _StoredPicture] = {}
            if missing:
                found = parquet.read_row_group(group, columns=["image.bytes", "width", "height"])
                for task in missing:
                    data[task.row] = _StoredPicture.of(found.slice(task.shard_row - start, 1))
                    _check_picture(shard, task, data[task.row].data)
            if chosen:
                yield chosen, [data.get(task.row, _StoredPicture()) for task in chosen]
            start = stop


def _check_picture(shard: ShardFile, task: Task, data: bytes | None) -> None:
    if data is not None and task.sha256 is not None and hashlib.sha256(data).hexdigest() != task.sha256:
        raise ShardError(f"{shard.file}: is damaged: the picture of row {task.shard_row} has another sha256; {REPAIR}")


def _is_made(task: Task, out: Path) -> bool:
    return (out / file_of(THUMBNAILS, task.name)).is_file()


def _make(task: Task, stored: _StoredPicture, out: Path, sizes: Sizes) -> Picture:
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
