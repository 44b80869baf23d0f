"""A writer of zipped SavedModels, for models whose numbers a test knows."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def message(*fields: tuple[int, int | bytes | str]) -> bytes:
    data = b""
    for number, value in fields:
        raw = value.encode() if isinstance(value, str) else value
        data += (
            varint(number << 3) + varint(raw)
            if isinstance(raw, int)
            else varint(number << 3 | 2) + varint(len(raw)) + raw
        )
    return data


def block(entries: Mapping[bytes, bytes]) -> bytes:
    data, before = b"", b""
    for key, value in entries.items():
        shared = next((at for at, pair in enumerate(zip(before, key, strict=False)) if pair[0] != pair[1]), 0)
        data += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return data + bytes(4) + (1).to_bytes(4, "little")


def bundle(
    variables: Mapping[str, Vectors], *, float_type: int = 1, shards: int = 1, compression: int = 0
) -> tuple[bytes, bytes]:
    entries, data = {b"": message((1, shards))}, b""
    for name in sorted(variables):
        values = np.asarray(variables[name], "<f4")
        shape = message(*((2, message((1, size))) for size in values.shape))
        entry = message((1, float_type), (2, shape), (4, len(data)), (5, values.nbytes))
        entries[f"{name}/.ATTRIBUTES/VARIABLE_VALUE".encode()] = entry
        data += values.tobytes()
    table = block(entries)
    index = block({b"\xff": varint(0) + varint(len(table))})
    handles = varint(0) + varint(0) + varint(len(table) + 5) + varint(len(index))
    footer = handles.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")
    return table + bytes([compression]) + bytes(4) + index + bytes(5) + footer, data


def graph(vocabularies: list[tuple[str, ...]], *, first_index: int = 1, unknown_index: int = 0) -> bytes:
    def constant(name: str, tensor: bytes) -> bytes:
        return message((1, name), (2, "Const"), (5, message((1, "value"), (2, message((8, tensor))))))

    served: list[tuple[int, int | bytes | str]] = [(1, "served"), (3, "serving_default_input_1")]
    nodes = []
    for number, vocabulary in enumerate(vocabularies):
        indices = np.arange(first_index, first_index + len(vocabulary), dtype="<i8").tobytes()
        nodes.append(constant(f"keys{number}", message(*((8, text) for text in vocabulary))))
        nodes.append(constant(f"indices{number}", message((4, indices))))
        nodes.append(constant(f"unknown{number}", message((10, varint(unknown_index)))))
        names = ((3, f"table{number}"), (3, f"keys{number}"), (3, f"indices{number}"))
        nodes.append(message((1, f"fill{number}"), *names))
        served += [(3, f"table{number}"), (3, f"unknown{number}")]
    definition = message(*((1, node) for node in [*nodes, message(*served)]))
    return message((2, message((2, definition))))


def members(
    variables: Mapping[str, Vectors],
    vocabularies: Mapping[int, tuple[str, ...]] | None = None,
    dim: int = 2,
    **options: int,
) -> dict[str, bytes]:
    known = vocabularies or {}
    encoding = ["int" if number in known else "none" for number in range(dim)]
    layer = json.dumps({"class_name": "Custom>MultiCategoryEncoding", "config": {"encoding": encoding}})
    index, data = bundle(variables)
    return {
        "model/saved_model.pb": graph([known[number] for number in sorted(known)], **options),
        "model/keras_metadata.pb": message((1, message((5, json.dumps({"name": "model"})))), (1, message((5, layer)))),
        "model/variables/variables.index": index,
        "model/variables/variables.data-00000-of-00001": data,
    }


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path
