"""The pictures of a report: which there are, and which of them are new.

A file's name follows from the picture's sha256 and from how it is made, so a rebuild makes only what is new and no
name gives away the original. How one is made is in ``picture_job``.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diptych.data.damage import ShardFile
from diptych.data.dataset import open_dataset
from diptych.jobs import run_job
from diptych.jobs.engine import HERE, Engine
from diptych.progress import track
from diptych.reports.read.picture_job import PREVIEWS, THUMBNAILS, Picture, PictureJob, PicturesOfShard, Sizes, Task
from diptych.reports.read.rows import Floats, ReportRows

VERSION = 1  # of the recipe: another one gives other names
TASK_ROWS = 500  # whose pictures are made in one go


def make_pictures(
    rows: ReportRows, blurred: Sequence[bool], out: Path, sizes: Sizes, *, engine: Engine = HERE, progress: str
) -> list[Picture]:
    """Write the pictures of all rows that are not there yet and return one entry per row.

    Args:
        rows: The images.
        blurred: For each row whether its picture is flagged.
        out: The report.
        sizes: Of the copies.
        engine: Who makes them.
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
    with track("pictures", total, mode=progress) as tracker:
        for made in run_job(PictureJob(out, sizes), _cut(by_shard), engine=engine, report=tracker.advance):
            for row, picture in made:
                pictures[row] = picture
    return pictures


def _cut(by_shard: Mapping[ShardFile, list[Task]]) -> Iterator[PicturesOfShard]:
    """Yield what is to be made, a shard after the other, so many rows at a time that several workers have some."""
    for shard in sorted(by_shard):
        ordered = sorted(by_shard[shard], key=lambda task: task.shard_row)
        for start in range(0, len(ordered), TASK_ROWS):
            yield PicturesOfShard(shard, ordered[start : start + TASK_ROWS])


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
