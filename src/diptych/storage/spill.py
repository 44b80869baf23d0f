"""What DuckDB may take of the memory, and where it puts what does not fit: every connection is opened with this.

Decides nothing about what is computed.
"""

import os
import re
import tempfile

from diptych.errors import ConfigError
from diptych.shortage import MEMORY_LIMIT

AMOUNT = re.compile(r"\d+(\.\d+)? ?([KMGT]i?)?B", re.IGNORECASE)


def spill_settings() -> dict[str, str]:
    """Return settings of DuckDB: its own limit (80 % of the memory) or another, and the folder for temporary files.

    Raises:
        ConfigError: If ``DIPTYCH_MEMORY_LIMIT`` is no amount of memory.
    """
    # By itself it would make a folder .tmp where the command runs.
    folder = {"temp_directory": os.path.join(tempfile.gettempdir(), f"diptych-{os.getpid()}.tmp")}
    limit = os.environ.get(MEMORY_LIMIT, "").strip()
    if not limit:
        return folder
    if not AMOUNT.fullmatch(limit):
        raise ConfigError(f"{MEMORY_LIMIT}: {limit!r} is no amount of memory; give one such as 4GB or 512MB")
    return {**folder, "memory_limit": limit}
