"""What DuckDB may take of the memory, and where it puts what does not fit: every connection is opened with this.

What else spills holds a part of that, so that one number bounds both. Decides nothing about what is computed.
"""

import os
import re
import tempfile
from typing import IO

from diptych.errors import ConfigError
from diptych.shortage import MEMORY_LIMIT

AMOUNT = re.compile(r"(\d+(?:\.\d+)?) ?(?:([KMGT])(i?))?B", re.IGNORECASE)
HELD_BYTES = 256 * 2**20  # of records that could be in a file, at most
HELD_SHARE = 8  # of what DuckDB may take, one part in so many


def spill_settings() -> dict[str, str]:
    """Return settings of DuckDB: its own limit (80 % of the memory) or another, and the folder for temporary files.

    Raises:
        ConfigError: If ``DIPTYCH_MEMORY_LIMIT`` is no amount of memory.
    """
    # By itself it would make a folder .tmp where the command runs.
    folder = {"temp_directory": os.path.join(tempfile.gettempdir(), f"diptych-{os.getpid()}.tmp")}
    limit = _limit()
    return {**folder, "memory_limit": limit} if limit else folder


def held_bytes() -> int:
    """Return how many bytes of records are held in memory before they go to a temporary file.

    Raises:
        ConfigError: If ``DIPTYCH_MEMORY_LIMIT`` is no amount of memory.
    """
    found = AMOUNT.fullmatch(_limit())
    if found is None:
        return HELD_BYTES
    number, unit, binary = found.groups()
    power = " KMGT".index((unit or " ").upper())
    return min(HELD_BYTES, int(float(number) * (1024 if binary else 1000) ** power) // HELD_SHARE)


def spill_file() -> IO[bytes]:
    """Return a file without a name in the folder for temporary ones; closed, it is gone.

    Raises:
        OSError: If the disk refuses.
    """
    return tempfile.TemporaryFile(prefix="diptych-")


def _limit() -> str:
    """Return what DuckDB may take, as it was given; empty where nothing was."""
    limit = os.environ.get(MEMORY_LIMIT, "").strip()
    if limit and not AMOUNT.fullmatch(limit):
        raise ConfigError(f"{MEMORY_LIMIT}: {limit!r} is no amount of memory; give one such as 4GB or 512MB")
    return limit
