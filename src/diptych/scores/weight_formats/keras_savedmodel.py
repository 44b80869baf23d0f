"""Reads the numbers of a zipped Keras SavedModel, without TensorFlow: variables and string-lookup vocabularies.

Nothing is executed and nothing is unpacked to disk; the graph is not interpreted beyond the constants that fill the
lookup tables. Formats, as far as they are needed here:

- protocol buffer wire format, https://protobuf.dev/programming-guides/encoding;
- ``SavedModel``, ``GraphDef``, ``TensorProto``, ``BundleEntryProto``: field numbers as in tensorflow 2.8,
  ``tensorflow/core/protobuf/{saved_model,meta_graph,tensor_bundle}.proto``, ``tensorflow/core/framework/*.proto``;
- ``variables.index``: a LevelDB table (``tensorflow/core/lib/io/table_format.txt``) of names to bundle entries.

The checksums inside the bundle are not verified: the zip's own CRC-32 covers the same bytes.
"""

import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.errors import DataError, named_line

MEMBERS = (
    "saved_model.pb",
    "keras_metadata.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
)
MAX_MEMBER_BYTES = 64 << 20  # the largest member of LAION's files has 4 MB
# What damaged bytes raise on the way: in the zip, in the formats inside it, and in JSON of another shape.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError),
    *(LookupError, ValueError, OverflowError),
    *(AttributeError, TypeError),
)
TABLE_MAGIC = bytes.fromhex("57fb808b247547db")
TABLE_FOOTER_BYTES = 48
DT_FLOAT = 1
VALUE_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


class SavedModel(NamedTuple):
    """What was learnt, without the graph.

    Attributes:
        variables: Float32 arrays by checkpoint name, such as ``layer_with_weights-2/kernel``.
        vocabularies: By input dimension of an AutoKeras ``MultiCategoryEncoding``: the known strings, the most
            frequent first. The string at position i stands for the index i + 1; index 0 means not in the vocabulary.
    """

    variables: Mapping[str, npt.NDArray[np.float32]]
    vocabularies: Mapping[int, tuple[str, ...]]


def read_savedmodel(path: Path) -> SavedModel:
    """Read a zip that holds one SavedModel folder.

    Raises:
        DataError: If the file is missing, damaged or not such a model.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            graph, metadata, index, data = _read_members(archive)
        vocabularies = dict(zip(read_categorical_dims(metadata), read_vocabularies(graph), strict=True))
        return SavedModel(read_bundle(index, data), vocabularies)
    except DAMAGE as error:
        raise DataError(
            f"{path}: cannot be read as a zipped Keras SavedModel ({named_line(error)}); download it again"
        ) from error


def read_bundle(index: bytes, data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Return the float32 variables of a one-shard checkpoint by name; variables of other types are left out.

    Args:
        index: Bytes of ``variables.index``.
        data: Bytes of ``variables.data-00000-of-00001``.

    Raises:
        ValueError: If the bytes are not such a checkpoint (or LookupError, OverflowError, depending on the damage).
    """
    entries = _read_table(index)
    header = entries.pop(b"")
    if _integer(header, 1) != 1 or _integer(header, 2) != 0:
        raise ValueError("the variables are in several files or big-endian")
    variables = {}
    for name, entry in entries.items():
        if _integer(entry, 1) != DT_FLOAT:
            continue
        shape = [_integer(size, 1) for dims in _messages(entry, 2) for size in _messages(dims, 2)]
        offset, size = _integer(entry, 4), _integer(entry, 5)
        if size != 4 * math.prod(shape) or offset + size > len(data):
            raise ValueError(f"the variable {name!r} does not fit its shape {shape} or its file")
        values = np.frombuffer(data, "<f4", math.prod(shape), offset)
        variables[name.decode().removesuffix(VALUE_SUFFIX)] = values.reshape(shape)
    return variables


def read_vocabularies(saved_model: bytes) -> list[tuple[str, ...]]:
    """Return the vocabularies of the string lookups, in the order in which the served function takes their tables.

    A static Keras table is filled at load time by a node with the inputs (table, keys, indices); the served function
    takes (input, table, index of unknown strings, table, ...).

    Args:
        saved_model: Bytes of ``saved_model.pb``.

    Raises:
        ValueError: If the bytes are not a SavedModel or its tables do not count from 1 with 0 for unknown strings.
    """
    graph = _message(_message(saved_model, 2), 2)
    nodes = {_text(node, 1): node for node in _messages(graph, 1)}
    inputs = {name: [text.decode() for text in _messages(node, 3)] for name, node in nodes.items()}
    keys_of_table = {names[0]: names[1:] for names in inputs.values() if len(names) == 3}
    served = next((names for names in inputs.values() if names and names[0].startswith("serving_default_")), [])
    vocabularies = []
    for table, unknown in pairwise(served[1:]):
        if table not in keys_of_table:
            continue
        keys, indices = (_constant(nodes[name]) for name in keys_of_table[table])
        tokens = _messages(keys, 8)
        if _message(indices, 4) != np.arange(1, len(tokens) + 1).astype("<i8").tobytes():
            raise ValueError(f"the indices of the vocabulary {table} do not count from 1")
        if any(_messages(_constant(nodes[unknown]), 10)[0]):
            raise ValueError(f"strings that are not in the vocabulary {table} do not have the index 0")
        vocabularies.append(tuple(token.decode() for token in tokens))
    return vocabularies


def read_categorical_dims(metadata: bytes) -> list[int]:
    """Return the input dimensions that AutoKeras took for categories, ascending; empty if there are none.

    Args:
        metadata: Bytes of ``keras_metadata.pb``: one JSON text per Keras object.

    Raises:
        ValueError: If the bytes are not such metadata.
    """
    for node in _messages(metadata, 1):
        described = json.loads(_text(node, 5))
        if described.get("class_name", "").endswith("MultiCategoryEncoding"):
            return [dim for dim, encoding in enumerate(described["config"]["encoding"]) if encoding != "none"]
    return []


def _read_members(archive: zipfile.ZipFile) -> list[bytes]:
    """Return the bytes of the graph, the metadata, the index and the data; the folder may have any name."""
    roots = [name for name in archive.namelist() if name.rpartition("/")[2] == "saved_model.pb"]
    folder = (roots[0] if roots else "saved_model.pb").removesuffix("saved_model.pb")
    members = []
    for name in MEMBERS:
        info = archive.getinfo(folder + name)
        if info.file_size > MAX_MEMBER_BYTES:
            raise ValueError(f"{info.filename} would unpack to {info.file_size} bytes")
        members.append(archive.read(info))  # reads file_size bytes at most, whatever the compressed data holds
    return members


def _constant(node: bytes) -> bytes:
    """Return the TensorProto of a Const node."""
    attributes = {_text(pair, 1): _message(pair, 2) for pair in _messages(node, 5)}
    return _message(attributes["value"], 8)


def _read_table(table: bytes) -> dict[bytes, bytes]:
    """Return keys and values of a LevelDB table, in order."""
    if len(table) < TABLE_FOOTER_BYTES or not table.endswith(TABLE_MAGIC):
        raise ValueError("variables.index is not a LevelDB table")
    position = len(table) - TABLE_FOOTER_BYTES
    handle = []
    for _ in range(4):  # offset and size of the metaindex block, then of the index block
        number, position = _varint(table, position)
        handle.append(number)
    entries = {}
    for block in _read_block(table, *handle[2:]).values():
        offset, end = _varint(block, 0)
        entries.update(_read_block(table, offset, _varint(block, end)[0]))
    return entries


def _read_block(table: bytes, offset: int, size: int) -> dict[bytes, bytes]:
    """Return keys and values of one block; a key stores only what differs from the one before."""
    if table[offset + size] != 0:
        raise ValueError("variables.index is compressed")
    block = table[offset : offset + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    entries = {}
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        unshared, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + unshared]
        position += unshared
        entries[key] = block[position : position + length]
        position += length
    return entries


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number that starts at ``position`` and the position behind it."""
    number = 0
    for shift in range(0, 70, 7):  # ten bytes at most
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise ValueError("a number has more than 64 bits")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield field numbers and values of a protocol buffer message: numbers, or bytes for everything with a length."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire_type == 2:
            size, position = _varint(message, position)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"wire type {wire_type} is not in use")
        if position + size > len(message):
            raise ValueError("a field ends behind its message")
        yield number, message[position : position + size]
        position += size


def _messages(message: bytes, number: int) -> list[bytes]:
    """Return the values of a repeated field of messages, strings or bytes."""
    return [value for found, value in _fields(message) if found == number and isinstance(value, bytes)]


def _message(message: bytes, number: int) -> bytes:
    values = _messages(message, number)
    if not values:
        raise ValueError(f"the field {number} is missing")
    return values[0]


def _text(message: bytes, number: int) -> str:
    return _message(message, number).decode()


def _integer(message: bytes, number: int) -> int:
    """Return a number field; protocol buffers leave out what is zero."""
    return next((value for found, value in _fields(message) if found == number and isinstance(value, int)), 0)
