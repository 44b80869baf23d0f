"""What counts as a place to read from or to write to: a path of this machine, or an address in an object store.

Opens nothing. Where only a path will do, an address with a scheme is refused, since as a path it would name a folder.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from diptych.errors import DataError

Address = str | os.PathLike[str]

COLUMNS_DIR = "DIPTYCH_COLUMNS_DIR"  # the variable that names a place for column sets, see diptych.data.columns_dir

# Two letters at least: C:/ is a drive. A Path has swallowed the second slash already.
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://?")
# Without any slash only the names of object stores are schemes (rclone writes s3:bucket/name); a:b is a good name of a
# folder. As a Path, ./s3:x reads the same.
STORE = re.compile(r"(?:abfss?|az|gcs|gs|hdfs|oss|s3[an]?|wasbs?):")
# What some tools take in an address: user:password@ before its name, or a signature behind it.
SECRET = re.compile(r"[^/@]*:[^/@]*@|.*[?&]sig=")


class StoreKind(NamedTuple):
    """A kind of object store that addresses may name.

    Attributes:
        module: What reaches it, with fsspec.
        extra: With which that comes.
        is_read_only: Whether nothing is written there.
    """

    module: str
    extra: str
    is_read_only: bool = False


# By the scheme of an address. To add one: what fsspec knows it by, a line here, an extra, a test.
STORES: dict[str, StoreKind] = {
    "abfs": StoreKind("adlfs", "azure"),
    "az": StoreKind("adlfs", "azure"),
    "gs": StoreKind("gcsfs", "gcs"),
    "hf": StoreKind("huggingface_hub", "hf", is_read_only=True),
    "memory": StoreKind("fsspec", "s3"),  # of one process, for tests
    "s3": StoreKind("s3fs", "s3"),
}
SHOWN = ("s3://", "gs://", "az://", "hf://")


def store_of(address: Address) -> str | None:
    """Return the scheme of an address in an object store; None where it is a path, or what takes it for one refuses it.

    >>> store_of("s3://bucket/runs/laion"), store_of("runs/laion"), store_of("s3:x")
    ('s3', None, None)
    """
    scheme, separator, _ = os.fspath(address).partition("://")
    return scheme if separator and scheme in STORES else None


def odd_part(key: str) -> str | None:
    """Return what in a key of a store no path could say, as ``pathlib`` drops it; None of an ordinary key.

    >>> odd_part("bucket/a//b"), odd_part("bucket/./a"), odd_part("bucket/a")
    ('an empty part', "the part '.'", None)
    """
    parts = key.split("/")
    if "" in parts:
        return "an empty part"
    return next((f"the part {part!r}" for part in parts if part in (".", "..")), None)


def place_of(address: Address, where: str = "") -> Address:
    """Return an address in an object store as it is, any other as ``local_path`` does.

    Args:
        address: What a user wrote.
        where: As for ``local_path``.

    Raises:
        DataError: If it has another scheme, no bucket, a part that a path would drop, or a secret that would be
            written wherever the address is; or is the home of nobody.

    >>> place_of("s3://bucket/runs/laion/")
    's3://bucket/runs/laion'
    """
    text = os.fspath(address)
    store = store_of(text)
    if store is not None:
        if SECRET.match(text.partition("://")[2]):
            said = f"an address of {store}:// has a password or a signature in it; give that by the environment"
            raise DataError(f"{where}: {said}" if where else said)
        if not text.partition("://")[2].partition("/")[0]:
            said = f"{where}: {text}" if where else text
            raise DataError(f"{said}: names no bucket; give {store}://BUCKET/NAME")
        place = text.rstrip("/")
        part = odd_part(place.partition("://")[2])
        if part is not None:
            said = f"{where}: {text}" if where else text
            raise DataError(f"{said}: has {part}, as which no path reads; rename what lies there")
        return place
    scheme = SCHEME.match(text)
    if scheme is not None:
        said = f"{where}: {text}" if where else text
        raise DataError(f"{said}: no place of {scheme[0]} can be used; give a local path, or one of {', '.join(SHOWN)}")
    return local_path(address, where)


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
        raise DataError(f"{said}: only a local path can be used here, none of {scheme[0]}; give a local path")
    if not isinstance(address, str) or not text.startswith("~"):
        return Path(text)
    path = Path(os.path.expanduser(text))
    if path == Path(text):
        said = f"{where}: {text}" if where else text
        raise DataError(f"{said}: there is no such home; write a folder that is called so as ./{text}")
    return path
