"""Whether models fit a device, said before any of their weights is read.

An estimate: the weights in the precision asked for, and a fifth more for what is computed with them. What several
workers, or other programs, take meanwhile is not foreseen.
"""

import json
import math
import struct
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from diptych.devices import torch_device
from diptych.errors import DataError
from diptych.main_memory import free_main_memory
from diptych.pretrained.weights import LENGTH_BYTES

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}  # of one weight
ANY_PRECISION = tuple(BYTES)
TO_WORK_WITH = 1.2
CPU = "cpu"
GB = 1e9
HALVES = (b"HalfStorage", b"BFloat16Storage")  # how a pickle of torch calls what holds weights of two bytes


class HeldWeights(NamedTuple):
    """Weights that something will hold in memory.

    Attributes:
        files: In which they lie: safetensors, checkpoints of torch, ONNX.
        precision: ``fp32``, ``fp16`` or ``bf16``, in which they will be held.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        where: Whose they are, for errors.
        precisions: Those that a user may choose from.
    """

    files: tuple[Path, ...]
    precision: str
    device: str
    where: str
    precisions: tuple[str, ...] = ("fp32",)

    def need(self, precision: str) -> float:
        """Return the bytes that it takes to work with them in a precision."""
        return count_weights(self.files) * BYTES[precision] * TO_WORK_WITH


def check_all_fit(held: Iterable[HeldWeights]) -> None:
    """Check that weights fit what is free of their devices, each and all together; what is not known passes.

    Raises:
        ConfigError: If there is no such device.
        DataError: If they do not; names the smallest setting that would do.
    """
    by_device: dict[str, list[HeldWeights]] = defaultdict(list)
    devices: dict[str, Any] = {}
    for one in dict.fromkeys(held):
        device = check_fits(one)
        devices[str(device)] = device
        by_device[str(device)].append(one)
    for device, some in by_device.items():
        need, free = sum(one.need(one.precision) for one in some), free_memory(devices[device])
        if free is not None and need > free:
            raise DataError(
                f"{', '.join(one.where for one in some)}: together need about {need / GB:,.1f} GB of memory, and "
                f"{device} has {free / GB:,.1f} GB free; run with fewer of them at a time, what they saw is kept"
            )


def check_fits(held: HeldWeights) -> Any:
    """Check that weights fit what is free of their device, and return that; passes where either is not known.

    For the CPU that is its name: networks in ONNX run where torch is not installed.

    Raises:
        ConfigError: If there is no such device.
        DataError: If they do not; names the smallest setting that would.
    """
    device = CPU if held.device == CPU else torch_device(held.device)
    need, free = held.need(held.precision), free_memory(device)
    if free is None or need <= free:
        return device
    smallest = min(held.precisions, key=lambda name: (BYTES[name], name == "fp16"))  # bf16 has the range of fp32
    least = held.need(smallest)
    said = f" and precision: {smallest}" if len(held.precisions) > 1 else ""
    if need > least and least <= free:
        advice = f"say precision: {smallest}, which needs about {least / GB:,.1f} GB"
    else:
        advice = f"take a smaller model, or a device with {least / GB:,.1f} GB free{said}"
    raise DataError(
        f"{held.where}: {_place(held.files)} needs about {need / GB:,.1f} GB of memory in {held.precision} for its "
        f"{count_weights(held.files):,} weights, and {device} has {free / GB:,.1f} GB free; {advice}"
    )


def count_weights(files: Sequence[Path]) -> int:
    """Return how many numbers files hold; 0 for no files.

    Those of safetensors say it in their headers. Of others, and of damaged ones, it is what fits into their bytes, in
    half precision where a checkpoint of torch has any weights so.
    """
    return sum(_in_headers(file) if file.suffix == ".safetensors" else _in_bytes(file) for file in files)


def _in_headers(file: Path) -> int:
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(LENGTH_BYTES))
            header = json.loads(stream.read(min(length, file.stat().st_size)))
        return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
    except (struct.error, ValueError, LookupError, TypeError, AttributeError, RecursionError):  # told when it is loaded
        return _in_bytes(file)


def _in_bytes(file: Path) -> int:
    size = file.stat().st_size
    try:
        with zipfile.ZipFile(file) as archive:
            pickles = [archive.read(name) for name in archive.namelist() if name.endswith("data.pkl")]
    except (OSError, zipfile.BadZipFile):  # an older checkpoint, ONNX, or none of either: told when it is loaded
        pickles = []
    return size // (2 if any(half in pickle for pickle in pickles for half in HALVES) else 4)


def _place(files: Sequence[Path]) -> Path:
    """Return the file, or the folder of several."""
    return files[0] if len(files) == 1 else files[0].parent


def free_memory(device: Any) -> int | None:
    """Return the free bytes of a device, a ``torch.device`` or ``cpu`` for this machine; None where nobody knows."""
    kind = getattr(device, "type", device)
    if kind == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    if kind != CPU:
        return None
    return free_main_memory()
