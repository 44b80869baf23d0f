"""What counts as a place to read from or to write to: a path of this machine.

Opens nothing. An address with a scheme is refused wherever a path is taken, since as a path it would name a folder.
"""

import os
import re
from pathlib import Path

from diptych.errors import DataError

Address = str | os.PathLike[str]

COLUMNS_DIR = "DIPTYCH_COLUMNS_DIR"  # the variable that names a place for column sets, see diptych.data.columns_dir

# Two letters at least: C:/ is a drive. A Path has swallowed the second slash already.
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://?")
# Without any slash only the names of object stores are schemes (rclone writes s3:bucket/name); a:b is a good name of a
# folder. As a Path, ./s3:x reads the same.
STORE = re.compile(r"(?:abfss?|az|gcs|gs|hdfs|oss|s3[an]?|wasbs?):")


def local_path(address: Address, where: str = "") -> Path:
    """Return the path of a local address; a text that begins with ``~`` begins with a home. Variables stay as they are.

    Args:
        address: What a user wrote; what is a Path already is taken as it is.
        where: Who says so, such as ``file:line`` or a variable, for the message; empty where the user knows.

    Raises:
        DataError: If the address has a scheme, such as ``s3://bucket/name``, or the home of nobody.

    >>> local_path("runs/laion").as_posix()
    'runs/laion'
    """
    text = os.fspath(address)
    scheme = SCHEME.match(text) or (STORE.match(text) if isinstance(address, str) else None)
    if scheme is not None:
        said = f"{where}: {text}" if where else text
        raise DataError(f"{said}: diptych reads and writes local paths only, none of {scheme[0]}; give a local path")
    if not isinstance(address, str) or not text.startswith("~"):
        return Path(text)
    path = Path(os.path.expanduser(text))
    if path == Path(text):
        said = f"{where}: {text}" if where else text
        raise DataError(f"{said}: there is no such home; write a folder that is called so as ./{text}")
    return path
