"""Files of weights: which belong to a component, whether they are whole, and their sha256.

Reads headers and bytes; loads nothing. It knows safetensors only; of pickled weights, see ``folder``.
"""

import hashlib
import json
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diptych.assets import file_sha256
from diptych.errors import DataError, one_line

WEIGHTS = re.compile(r"(?:diffusion_pytorch_model|model)(?:\.(?P<variant>\w+))?(?:-\d{5}-of-\d{5})?\.safetensors")
INDEX = re.compile(r"(?:diffusion_pytorch_model|model)\.safetensors\.index(?:\.(?P<variant>\w+))?\.json")
SHARD = re.compile(r"-\d{5}-of-\d{5}\.safetensors")
LENGTH_BYTES = 8  # of the length of the header, little-endian (format of safetensors)
AGAIN = "fetch it again"


def weight_files(folder: Path) -> dict[str | None, list[Path]]:
    """Return the files that hold the weights of a component, sorted, by variant; None is the one without."""
    found: dict[str | None, list[Path]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        if match := WEIGHTS.fullmatch(file.name):
            found.setdefault(match["variant"], []).append(file)
    return found


def check_weights(folder: Path, files: Sequence[Path], variant: str | None) -> None:
    """Check that files of weights are whole: their headers, their sizes, and that all that the index names are there.

    Args:
        folder: Of the component.
        files: Of the variant.
        variant: Which one.

    Raises:
        DataError: If one is cut, longer than it says, damaged in its header, or missing; names it.
    """
    indices = [(file, INDEX.fullmatch(file.name)) for file in sorted(folder.glob("*.index*.json"))]
    own = [index for index, match in indices if match is not None and match["variant"] == variant]
    if not own and all(SHARD.search(file.name) for file in files):
        raise DataError(f"{files[0]}: is one of several, and the index that names them is missing; {AGAIN}")
    for index in own:
        missing = sorted(_named_in(index) - {file.name for file in files})
        if missing:
            raise DataError(f"{folder / missing[0]}: is missing, though {index.name} names it; {AGAIN}")
    for file in files:
        _check_file(file)


def weights_sha256(files: Sequence[Path]) -> str:
    """Return the sha256 of a file of weights, or of the digests of several."""
    digests = [file_sha256(file.resolve()) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _check_file(file: Path) -> None:
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(LENGTH_BYTES)
            length = struct.unpack("<Q", start)[0] if len(start) == LENGTH_BYTES else 0
            if not 0 < length <= size - LENGTH_BYTES:
                raise DataError(f"{file}: has no whole header in its {size:,} bytes; {AGAIN}")
            header: dict[str, Any] = json.loads(stream.read(length))
        ends = [_whole(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{file}: its header is damaged: {one_line(error)}; {AGAIN}") from error
    whole = LENGTH_BYTES + length + max(ends, default=0)
    if size != whole:
        how = "is cut" if size < whole else "is too long"
        raise DataError(f"{file}: {how}: it has {size:,} bytes where its header says {whole:,}; {AGAIN}")


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is no place of a byte")
    return value


def _named_in(index: Path) -> set[str]:
    try:
        return {str(name) for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{index}: damaged: {one_line(error)}; {AGAIN}") from error
