"""A dataset directory as one object: its manifest, its shards, the column sets beside them, its card.

The layout is DATASET/dataset.json, data/, scores/<name>-<id>/, embeddings/<name>-<id>/, decisions/<name>/, README.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.config.identity import fingerprint
from diptych.data.shards import (
    FORMAT_VERSION,
    JOURNAL,
    MANIFEST_OF,
    Journal,
    ShardInfo,
    read_json,
    remove_temporary_files,
    write_json,
    write_text,
)
from diptych.errors import ShardError


@dataclass(frozen=True)
class ColumnSet:
    """A finished directory of columns with the rows of ``data`` in the same order.

    Attributes:
        path: The directory.
        manifest: Its manifest without the shard table.
        shards: Its shards, in the order of the dataset's.
    """

    path: Path
    manifest: Mapping[str, Any]
    shards: tuple[ShardInfo, ...]

    @property
    def name(self) -> str:
        """The name of its directory, e.g. ``aesthetic-1a2b3c4d``."""
        return self.path.name

    @property
    def files(self) -> list[Path]:
        """Its shard files, in order."""
        return [self.path / shard.name for shard in self.shards]


@dataclass(frozen=True)
class Dataset:
    """A finished dataset directory.

    Attributes:
        path: The directory.
        manifest: ``dataset.json`` without the shard table.
        shards: The shards of ``data``.
    """

    path: Path
    manifest: Mapping[str, Any]
    shards: tuple[ShardInfo, ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(shard.rows for shard in self.shards)

    @property
    def files(self) -> list[Path]:
        """The shard files of ``data``, in order."""
        return [self.path / "data" / shard.name for shard in self.shards]

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) over the sha256 of all shards: the identity of the content."""
        return fingerprint([shard.sha256 for shard in self.shards])

    def column_set(self, folder: str, name: str) -> ColumnSet | None:
        """Return a finished column set that lines up with the data, or None."""
        path = self.path / folder / name
        manifest_path = path / MANIFEST_OF[folder]
        if not manifest_path.is_file():
            return None
        manifest = read_json(manifest_path)
        shards = _shard_table(manifest, manifest_path)
        lines_up = [(shard.name, shard.keys, shard.source) for shard in shards] == [
            (shard.name, shard.keys, shard.sha256) for shard in self.shards
        ]
        complete = lines_up and all((path / shard.name).is_file() for shard in shards)
        return ColumnSet(path, manifest, shards) if complete else None

    def column_sets(self, folder: str) -> list[ColumnSet]:
        """Return all finished column sets of a folder (``scores``, ``embeddings``, ``decisions``), by name."""
        names = sorted(path.name for path in (self.path / folder).glob("*") if path.is_dir())
        found = (self.column_set(folder, name) for name in names)
        return [column_set for column_set in found if column_set is not None]


class GrowingSet:
    """A column set while its shards are being written; shards that are finished already are known as such."""

    def __init__(self, dataset: Dataset, folder: str, name: str, identity: Mapping[str, Any]) -> None:
        """Open or begin the column set ``folder/name`` with an identity that decides its content."""
        self.path = dataset.path / folder / name
        self._dataset = dataset
        self._folder = folder
        self._name = name
        self._identity = dict(identity)
        self._sealed = dataset.column_set(folder, name)
        # By fingerprint: what comes back from JSON has lists where the identity may have tuples.
        if self._sealed and fingerprint(self._sealed.manifest.get("identity")) != fingerprint(self._identity):
            self._sealed = None
        if self._sealed is not None:
            tidy(self.path)
        self._journal: Journal | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do."""
        return self._sealed is not None

    def begin(self) -> None:
        """Make the directory ready for writing: no manifest, no leftovers, a journal."""
        remove_temporary_files(self.path)
        (self.path / MANIFEST_OF[self._folder]).unlink(missing_ok=True)
        identity = fingerprint(self._identity)
        if (self.path / JOURNAL).exists() and not _journal_fits(self.path, identity):
            (self.path / JOURNAL).unlink()
        self._journal = Journal(self.path, identity, what="another configuration")

    def has(self, shard: ShardInfo) -> bool:
        """Return whether the part that belongs to a shard of the data is finished."""
        if self._sealed is not None:
            return True
        return self._journal is not None and self._journal.finished(shard.name, source=shard.sha256) is not None

    def commit(self, info: ShardInfo) -> None:
        """Note a shard as finished."""
        assert self._journal is not None
        self._journal.commit(info)

    def seal(self, facts: Mapping[str, Any]) -> ColumnSet:
        """Write the manifest, which makes the set a finished one, and return it.

        Args:
            facts: Further entries of the manifest, e.g. the documentation of the columns.

        Raises:
            ShardError: If a shard is missing or does not line up with the data; what is finished is kept.
        """
        if self._sealed is None:
            assert self._journal is not None
            shards = [self._journal.finished(shard.name, source=shard.sha256) for shard in self._dataset.shards]
            table = [asdict(shard) for shard in shards if shard is not None]
            for data, shard in zip(self._dataset.shards, shards, strict=True):
                if shard is None or shard.keys != data.keys:
                    raise ShardError(f"{self.path / data.name}: is missing or has other rows than the data; run again")
            manifest = {"format_version": FORMAT_VERSION, "identity": self._identity, **facts}
            write_json(self.path / MANIFEST_OF[self._folder], {**manifest, "shards": table})
            self._journal.close()
            self._sealed = self._dataset.column_set(self._folder, self._name)
        assert self._sealed is not None, f"{self.path} does not line up with the data right after it was sealed"
        return self._sealed


def open_dataset(path: Path) -> Dataset:
    """Open a finished dataset directory.

    Raises:
        ShardError: If there is none at ``path``, it is unfinished, or of a newer format.
    """
    if not (path / "dataset.json").is_file():
        hint = "its ingest has not finished; run it again" if (path / "data").is_dir() else "there is no dataset.json"
        raise ShardError(f"{path}: not a finished dataset directory: {hint}")
    manifest = read_json(path / "dataset.json")
    if manifest.get("format_version") != FORMAT_VERSION:
        version = manifest.get("format_version")
        raise ShardError(f"{path}: format version {version}; this diptych reads {FORMAT_VERSION}: install a newer one")
    shards = _shard_table(manifest, path / "dataset.json")
    for shard in shards:
        if not (path / "data" / shard.name).is_file():
            raise ShardError(
                f"{path}/data/{shard.name}: the shard is missing though dataset.json names it; "
                f"restore it, or delete dataset.json and run again to begin anew"
            )
    return Dataset(path, manifest, shards)


def seal_dataset(path: Path, shards: Iterable[ShardInfo], facts: Mapping[str, Any]) -> Dataset:
    """Write the card and ``dataset.json``, which make a directory of finished shards a dataset, and open it.

    Args:
        path: The dataset directory.
        shards: The shards of ``data``, in order.
        facts: ``kind`` (pairs, generated or images), ``name``, ``licence``, ``made_by``.
    """
    remove_temporary_files(path)
    table = [asdict(shard) for shard in shards]
    write_text(path / "README.md", _card(facts, sum(shard["rows"] for shard in table)))
    write_json(path / "dataset.json", {"format_version": FORMAT_VERSION, **facts, "shards": table})
    return open_dataset(path)


def tidy(directory: Path) -> None:
    """Remove what a run that was killed at its very end leaves in a finished directory."""
    remove_temporary_files(directory)
    (directory / JOURNAL).unlink(missing_ok=True)


def _card(facts: Mapping[str, Any], rows: int) -> str:
    """Return the dataset card; its header tells ``datasets.load_dataset`` and the Hub where the data is."""
    return (
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/*.parquet\n---\n\n"
        f"# {facts.get('name') or 'dataset'}\n\n"
        f"{rows:,} rows ({facts.get('kind')}), made by diptych. One row per image: bytes as they came, text, columns.\n"
        "How it was made stands in `dataset.json`.\n"
    )


def _shard_table(manifest: dict[str, Any], path: Path) -> tuple[ShardInfo, ...]:
    try:
        entries: Sequence[Mapping[str, Any]] = manifest.pop("shards")
        return tuple(ShardInfo(**entry) for entry in entries)
    except (KeyError, TypeError) as error:
        raise ShardError(
            f"{path}: damaged: its shard table cannot be read; run the step that wrote it again"
        ) from error


def _journal_fits(directory: Path, identity: str) -> bool:
    try:
        Journal(directory, identity, what="another configuration")
    except ShardError:
        return False
    return True
