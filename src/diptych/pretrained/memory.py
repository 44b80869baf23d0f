"""Whether a model fits a device, said before any of its weights is read.

An estimate: its weights in the precision asked for, and a fifth more for what it computes. What several workers, or
other programs, take meanwhile is not foreseen.
"""

import json
import math
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diptych.errors import DataError
from diptych.pretrained.weights import LENGTH_BYTES, weight_files

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}  # of one weight
TO_WORK_WITH = 1.2
MEMINFO = Path("/proc/meminfo")
GB = 1e9


def check_fits(place: Path, precision: str, device: Any, where: str) -> None:
    """Check that a model's weights fit what is free of a device's memory; passes where either is not known.

    Args:
        place: Of its weights in safetensors: the folder of the model, or one file.
        precision: ``fp32``, ``fp16`` or ``bf16``.
        device: A ``torch.device``.
        where: Whose model it is, for errors.

    Raises:
        DataError: If they do not; names the smallest setting that would.
    """
    files = [place] if place.is_file() else weight_files(place).get(None, [])
    count, free = count_weights(files), free_memory(device)
    need = {name: count * size * TO_WORK_WITH for name, size in BYTES.items()}
    if free is None or need[precision] <= free:
        return
    least = need["bf16"]
    if need[precision] > least and least <= free:
        advice = f"say precision: bf16, which needs about {least / GB:,.1f} GB"
    else:
        advice = f"take a smaller model, or a device with {least / GB:,.1f} GB free and precision: bf16"
    raise DataError(
        f"{where}: {place} needs about {need[precision] / GB:,.1f} GB of memory in {precision} for its {count:,} "
        f"weights, and {device} has {free / GB:,.1f} GB free; {advice}"
    )


def count_weights(files: Sequence[Path]) -> int:
    """Return how many numbers files of safetensors hold, by their headers; 0 for no files."""
    count = 0
    for file in files:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(LENGTH_BYTES))
            header = json.loads(stream.read(length))
        count += sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
    return count


def free_memory(device: Any) -> int | None:
    """Return the free bytes of a device, of this machine for the CPU; None where it is not to be known."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    try:
        told = re.search(r"^MemAvailable:\s*(\d+) kB$", MEMINFO.read_text("ascii", "replace"), re.MULTILINE)
    except OSError:  # a system that has none, or a sandbox that hides it
        return None
    return int(told[1]) * 1024 if told else None
