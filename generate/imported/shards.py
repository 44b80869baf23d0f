"""Which rows go into which shard: what is there and still right stays, so that scores over it stay too."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from diptych.data.schema import FILE
from diptych.data.shards import shard_name, shard_number
from diptych.errors import ShardError
from diptych.generate.imported.rows import GRID, ImportedRow, rows_digest
from diptych.generate.imported.shard_job import ImportTask
from diptych.generate.stored import StoredShard
from diptych.storage.location import Location


class ImportShards(NamedTuple):
    """What has to be done to a directory: shards that stay, that go, and that are written."""

    kept: list[str]
    gone: list[str]
    tasks: list[ImportTask]

    @property
    def names(self) -> list[str]:
        """The names of all shards at the end, in order."""
        return sorted([*self.kept, *(task.name for task in self.tasks)], key=shard_number)


def lay_out_shards(rows: Sequence[ImportedRow], there: Sequence[StoredShard], rows_per_shard: int) -> ImportShards:
    """Return what has to be done so that a directory holds some rows.

    A shard of which every row is still wanted stays, and is written anew in its place where what is said of its images
    has changed. All other rows go into new shards, in order, so that a run that was killed ends as one that was not.
    """
    left = {row.key: row for row in rows}
    kept, gone, tasks = [], [], []
    for shard in there:
        name = shard.info.name
        if any(key not in left for key in shard.keys):
            gone.append(name)
            continue
        own = tuple(left.pop(key) for key in shard.keys)
        source = rows_digest(own)
        if source == shard.info.source:
            kept.append(name)
        else:
            tasks.append(ImportTask(name, source, own, replaces=True))
    used = {*kept, *(task.name for task in tasks)}
    free = (name for name in map(shard_name, count()) if name not in used)
    for part in _cut(list(left.values()), rows_per_shard):
        tasks.append(ImportTask(next(free), rows_digest(part), tuple(part), replaces=False))
    return ImportShards(kept, gone, tasks)


def check_nothing_is_lost(
    rows: Sequence[ImportedRow], there: Sequence[StoredShard], place: Location, *, source: str, former: str | None
) -> None:
    """Refuse a source that lacks pictures which the directory has, or has them as another model's.

    Pictures are lacked also where a table still names their files. A model may be told of those that had none. Files of
    the same names in another place are the same pictures only where some bytes are the same too; in the same place they
    may have been made anew.

    Args:
        rows: What the directory is to hold.
        there: What it holds.
        place: Of the directory.
        source: Where the rows come from.
        former: Where those that are there came from; None where that is not known.

    Raises:
        ShardError: If it does; names one.
    """
    models = _models_of(rows)
    lost, renamed, stored = [], [], list(_stored_images(there))
    is_elsewhere = former is not None and former != source
    if is_elsewhere and stored and not any(sha in models for _, sha, _ in stored):
        raise ShardError(
            f"{place}: holds {_images(len(stored))} of {former}, of which {source} has none, such as "
            f"{stored[0][0]}, which would be lost; give another --out"
        )
    for name, sha, model in stored:
        told = models.get(name, set()) | models.get(sha, set())
        if not told:
            lost.append(name)
        elif model is not None and model not in told:
            renamed.append((name, model))
    if lost:
        many = f"{len(lost):,} images there are" if len(lost) > 1 else "an image there is"
        raise ShardError(f"{place}: {many} no longer in the source, such as {lost[0]}; give another --out")
    if renamed:
        name, model = renamed[0]
        raise ShardError(
            f"{place}: holds {_images(len(renamed))} of another model, such as {name} of {model}, which would be lost; "
            "give another --out, or the same --model"
        )


def _images(count: int) -> str:
    return f"{count:,} images" if count > 1 else "an image"


def _models_of(rows: Sequence[ImportedRow]) -> dict[str, set[str | None]]:
    """Return the models that pictures are said to be of, by the names of their files and by their bytes."""
    models: dict[str, set[str | None]] = defaultdict(set)
    for row in rows:
        if row.sha256:
            for known in (row.file, row.sha256):
                models[str(known)].add(row.said.get("model"))
    return models


def _stored_images(there: Sequence[StoredShard]) -> Iterator[tuple[str, str, str | None]]:
    """Give the file, the hash of its bytes, and the model of each picture that was written."""
    for shard in there:
        bytes_of = GRID if GRID in shard.rows.column_names else "sha256"
        columns = (shard.rows[name].to_pylist() for name in (FILE, bytes_of, "model"))
        yield from ((name, sha, model) for name, sha, model in zip(*columns, strict=True) if sha)


def _cut(rows: Sequence[ImportedRow], most: int) -> Iterator[Sequence[ImportedRow]]:
    for start in range(0, len(rows), most):
        yield rows[start : start + most]
