"""What counts as a place to read from or to write to: a path of this machine.

Opens nothing. An address with a scheme is refused wherever a path is taken, since as a path it would name a folder.
"""

import os
import re
from pathlib import Path

from diptych.errors import DataError

Address = str | os.PathLike[str]

# Two letters at least: C:/ is a drive. A Path has swallowed the second slash already.
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://?")


def local_path(address: Address) -> Path:
    """Return the path of a local address.

    Raises:
        DataError: If the address has a scheme, such as ``s3://bucket/name``.

    >>> local_path("runs/laion").as_posix()
    'runs/laion'
    """
    text = os.fspath(address)
    scheme = SCHEME.match(text)
    if scheme is not None:
        raise DataError(f"{text}: diptych reads and writes local paths only, none of {scheme[0]}; give a local path")
    return Path(text)
