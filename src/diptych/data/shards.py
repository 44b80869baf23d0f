"""THE row format and how it lies on disk: directories of Parquet shards that are written atomically and only once.

A dataset directory holds ``data/`` and, beside it, column sets (scores, embeddings, decisions) with the same shards,
the same rows and the same order, so that they are joined by position. What a directory holds is said by its manifest
(``dataset.json``, ``score.json``, ...), written last; while it grows, a journal names each finished shard, so that a
killed run goes on where it was. Decides nothing about what is in a column.
"""

import contextlib
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diptych.errors import ShardError

FORMAT_VERSION = 1
JOURNAL = "_shards.jsonl"

# Readers load whole row groups: the Hub viewer refuses over about 286 MiB, 100 rows is what it asks for images.
MAX_ROW_GROUP_BYTES = 64 * 2**20
MAX_ROW_GROUP_ROWS = 10_000

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
DATA_FIELDS: tuple[pa.Field, ...] = (
    pa.field("key", pa.string()),
    pa.field("image", IMAGE),
    pa.field("caption", pa.string()),
    pa.field("url", pa.string()),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    pa.field("format", pa.string()),
    pa.field("sha256", pa.string()),
    pa.field("status", pa.string()),
    pa.field("error", pa.string()),
)
DATA_COLUMNS = tuple(field.name for field in DATA_FIELDS)

# Column sets beside the data: folder -> (depth of its directories, name of their manifest).
MANIFEST_OF = {"scores": "score.json", "embeddings": "embedding.json", "decisions": "decision.json"}


@dataclass(frozen=True)
class ShardInfo:
    """One finished shard.

    Attributes:
        name: File name.
        rows: Number of rows.
        bytes: Size of the file.
        sha256: Of the file.
        keys: sha256 of its ``key`` column (UTF-8 bytes and a newline each), by which shards are known to line up.
        source: sha256 of the file it was computed from; empty for first-hand data.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    keys: str
    source: str = ""


def shard_name(index: int) -> str:
    """Return the file name of shard ``index``.

    >>> shard_name(7)
    '00007.parquet'
    """
    return f"{index:05d}.parquet"


def data_schema(extra: Sequence[pa.Field] = ()) -> pa.Schema:
    """Return the schema of ``data``: THE columns, then the extra ones, with the metadata that makes ``image`` an Image.

    Raises:
        ShardError: If an extra column has the name of one of THE columns.
    """
    for field in extra:
        if field.name in DATA_COLUMNS:
            raise ShardError(f"the column {field.name!r} belongs to diptych; rename it in the source")
    return with_huggingface_metadata(pa.schema([*DATA_FIELDS, *extra]))


def with_huggingface_metadata(schema: pa.Schema) -> pa.Schema:
    """Return the schema with the key ``huggingface``, by which ``datasets.load_dataset`` gives images, not structs."""
    features = {field.name: _feature(field.type) for field in schema}
    metadata = json.dumps({"info": {"features": features}}, sort_keys=True)
    return schema.with_metadata({**(schema.metadata or {}), b"huggingface": metadata.encode()})


def write_shard(tables: pa.Table | Iterable[pa.Table], path: Path, *, source: str = "") -> ShardInfo:
    """Write one shard: temporary name, flush, rename. The same rows give the same bytes, however cut into tables.

    Args:
        tables: The rows, with a string column ``key``; several tables of one schema are written one after the other,
            so that they need not be in memory at once. At least one.
        path: Where the shard belongs; replaced if it exists.
        source: See ``ShardInfo``.

    Raises:
        ShardError: If the disk refuses; what was there before is untouched.
    """
    parts = iter([tables] if isinstance(tables, pa.Table) else tables)
    first = next(parts)
    keys, rows = hashlib.sha256(), 0
    with _replacing(path) as file:
        sink = _HashingFile(file)
        with pq.ParquetWriter(sink, first.schema, **_writer_options(first.schema)) as writer:
            for group in _row_groups(itertools.chain([first], parts)):
                writer.write_table(group, row_group_size=max(1, group.num_rows))
                _update_keys(keys, group["key"])
                rows += group.num_rows
    return ShardInfo(path.name, rows, sink.size, sink.digest.hexdigest(), keys.hexdigest(), source)


def read_shard(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a shard, or some of its columns.

    Raises:
        ShardError: If the file is missing, is damaged or lacks a column.
    """
    try:
        # Through a plain file: the dataset layer of pyarrow would read a path such as name=value as a partition.
        with path.open("rb") as file:
            parquet = pq.ParquetFile(file)
            missing = [name for name in columns or () if name not in parquet.schema_arrow.names]
            if missing:
                have = ", ".join(parquet.schema_arrow.names)
                raise ShardError(f"{path}: no column {missing[0]!r}; it has {have}")
            return parquet.read(columns=list(columns) if columns is not None else None)
    except FileNotFoundError as error:
        raise ShardError(f"{path}: the shard is missing; run the step that wrote it again") from error
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path}: the shard is damaged ({error}); delete it and run again") from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file atomically, keys in the order given, one trailing newline."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically: temporary name, flush, rename.

    Raises:
        ShardError: If the disk refuses; what was there before is untouched.
    """
    with _replacing(path) as file:
        file.write(text.encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ShardError: If the file is missing, damaged or not an object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ShardError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise ShardError(f"{path}: damaged: {error}; restore it, or delete it and run what wrote it again") from error
    if not isinstance(value, dict):
        raise ShardError(f"{path}: damaged: holds no JSON object; restore it, or delete it and run what wrote it again")
    return value


class Journal:
    """Which shards of a growing directory are finished, and what it is being made from."""

    def __init__(self, directory: Path, fingerprint: str, *, what: str) -> None:
        """Open or begin the journal of a directory.

        Args:
            directory: Of the shards.
            fingerprint: Of everything that decides their content.
            what: Said in the error message, e.g. "another input".

        Raises:
            ShardError: If the directory is being made from something else.
        """
        self._path = directory / JOURNAL
        self._finished: dict[str, ShardInfo] = {}
        lines = _whole_lines(self._path)
        if not lines:
            write_text(self._path, json.dumps({"fingerprint": fingerprint}) + "\n")
            return
        if lines[0].get("fingerprint") != fingerprint:
            raise ShardError(f"{directory}: made from {what}; give another --out, or delete it to begin again")
        try:
            infos = [ShardInfo(**line) for line in lines[1:]]
        except TypeError as error:
            raise ShardError(f"{self._path}: damaged: {error}; delete the directory to begin again") from error
        self._finished = {info.name: info for info in infos}

    def finished(self, name: str, *, source: str = "") -> ShardInfo | None:
        """Return the entry of a finished shard that was computed from ``source`` and still lies there."""
        info = self._finished.get(name)
        return info if info and info.source == source and (self._path.parent / name).is_file() else None

    def commit(self, info: ShardInfo) -> None:
        """Note a shard as finished. Call it after ``write_shard``, from one process.

        Raises:
            ShardError: If the disk refuses.
        """
        with _naming(self._path), self._path.open("ab") as file:
            file.write(json.dumps(asdict(info)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._finished[info.name] = info

    def close(self) -> None:
        """Remove the journal, after the manifest has been written."""
        self._path.unlink(missing_ok=True)


def remove_temporary_files(directory: Path) -> None:
    """Remove what killed writers left in a directory."""
    for path in directory.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """Return the parsed lines of a journal; a torn last line is cut off the file."""
    if not path.exists():
        return []
    with _naming(path):
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            with path.open("r+b") as file:
                file.truncate(len(whole))
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError as error:
        raise ShardError(f"{path}: damaged: {error}; delete the directory to begin again") from error
    if not all(isinstance(line, dict) for line in lines):
        raise ShardError(f"{path}: damaged: a line is no JSON object; delete the directory to begin again")
    return lines


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a temporary file that takes the place of ``path`` once it is whole and on the disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _sync_directory(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn the refusal of a disk into an error that names the file."""
    try:
        yield
    except OSError as error:
        raise ShardError(f"{path}: cannot be written: {error}; finished shards are kept, run again to go on") from error


class _HashingFile:
    """A write-only file that hashes and counts what passes, for pyarrow."""

    def __init__(self, file: IO[bytes]) -> None:
        self.closed = False
        self.digest = hashlib.sha256()
        self.size = 0
        self._file = file

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.digest.update(view)
        self.size += view.nbytes
        self._file.write(view)
        return view.nbytes

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True  # the owner closes the file, after fsync

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


def _update_keys(digest: Any, keys: pa.ChunkedArray) -> None:
    digest.update(b"".join(f"{key}\n".encode() for key in keys.to_pylist()))


def _writer_options(schema: pa.Schema) -> dict[str, Any]:
    # Image bytes are compressed already; everything else gains from zstd.
    leaves = [leaf for field in schema for leaf in _leaves(field.name, field.type)]
    compression = {leaf: "NONE" if leaf.endswith("image.bytes") else "ZSTD" for leaf in leaves}
    return {
        "compression": compression,
        "use_dictionary": [leaf for leaf in leaves if leaf in ("caption", "format", "status", "reason")],
        # Least and greatest bytes of a picture help nobody, and finding them costs as much as writing them.
        "write_statistics": [leaf for leaf in leaves if not leaf.endswith("image.bytes")],
        "write_page_index": True,
        "version": "2.6",
    }


def _leaves(prefix: str, kind: pa.DataType) -> Iterable[str]:
    if pa.types.is_struct(kind):
        return [leaf for field in kind for leaf in _leaves(f"{prefix}.{field.name}", field.type)]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        return [f"{prefix}.list.element"]
    return [prefix]


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut rows into groups of bounded bytes and rows; at least one, so that an empty table is a valid file.

    The groups, and the chunks in them, do not depend on how the rows were cut into tables: both decide bytes.
    """
    waiting: list[pa.Table] = []
    rows, total = 0, 0
    for table in tables:
        start = 0
        for row, size in enumerate(_row_sizes(table)):
            if rows and (total + size > MAX_ROW_GROUP_BYTES or rows >= MAX_ROW_GROUP_ROWS):
                yield pa.concat_tables([*waiting, table.slice(start, row - start)]).combine_chunks()
                waiting, start, rows, total = [], row, 0, 0
            rows += 1
            total += size
        waiting.append(table.slice(start))
    yield pa.concat_tables(waiting).combine_chunks()


def _row_sizes(table: pa.Table) -> list[int]:
    """Return the bytes of the pictures and texts in each row, which are what can make a row group large."""
    sizes = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        values = pc.struct_field(column, "bytes") if column.type == IMAGE else column
        if any(is_kind(values.type) for is_kind in _BYTES_TYPES):
            sizes += pc.fill_null(pc.binary_length(values), 0).to_numpy()
    return [int(size) for size in sizes]


_BYTES_TYPES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_string, pa.types.is_large_string)


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_dictionary(kind):
        return _feature(kind.value_type)
    if pa.types.is_fixed_size_list(kind):
        return {"feature": _feature(kind.value_type), "length": kind.list_size, "_type": "List"}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": _dtype_name(kind), "_type": "Value"}


def _dtype_name(kind: pa.DataType) -> str:
    names = {"double": "float64", "float": "float32", "halffloat": "float16"}
    names |= {"date32[day]": "date32", "date64[ms]": "date64"}
    return names.get(str(kind), str(kind))


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
