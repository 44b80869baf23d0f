"""Files that configs name: downloads (weights, prompt sets), local paths, and files that diptych brings along.

A name stands for exactly one content: its digest is checked on each download and a changed upstream file is an error,
never a silently different number. Nothing is downloaded when a variable of ``OFFLINE_VARIABLES`` is set.
"""

import functools
import hashlib
import importlib.util
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path, PurePosixPath

from diptych.addresses import local_path, place_of, store_of
from diptych.asset_table import ASSETS, Asset
from diptych.errors import ConfigError, DataError, MissingExtra, one_line
from diptych.lookup import describe_unknown
from diptych.storage.kept_copies import kept_copy
from diptych.storage.store_path import ReadPath

PACKAGE_PREFIX = "package:"
PACKAGE_NAME = re.compile(r"diptych(\.\w+)*")  # nothing else is looked up: that would import what a config names
_MAY_DOWNLOAD = ContextVar("may_download", default=True)
TRUTHY = frozenset({"1", "on", "yes", "true"})
OFFLINE_VARIABLES = (
    "DIPTYCH_OFFLINE",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
)  # the hub's library heeds the last too


def cache_dir() -> Path:
    """Return diptych's own cache: ``$DIPTYCH_CACHE``, else ``$XDG_CACHE_HOME/diptych``, else ``~/.cache/diptych``.

    A user without a home, as in a container, has it among the temporary files, closed to others.

    Raises:
        DataError: If the variable holds an address with a scheme, such as ``s3://bucket/name``; if there is no home and
            the folder among the temporary files is somebody else's.
    """
    if own := os.environ.get("DIPTYCH_CACHE"):
        return local_path(own, "DIPTYCH_CACHE")
    if base := os.environ.get("XDG_CACHE_HOME"):
        return local_path(base, "XDG_CACHE_HOME") / "diptych"
    home = os.path.expanduser("~")
    return _temporary_cache() if home == "~" else Path(home, ".cache", "diptych")


def _temporary_cache() -> Path:
    place = Path(tempfile.gettempdir(), f"diptych-cache-{os.getuid()}")
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise DataError(f"{place}: not a folder of this user alone, who has no home; set DIPTYCH_CACHE to another")
    return place


@contextmanager
def without_downloads() -> Iterator[None]:
    """Refuse within the block what would be downloaded, as where the environment forbids it."""
    token = _MAY_DOWNLOAD.set(False)
    try:
        yield
    finally:
        _MAY_DOWNLOAD.reset(token)


def is_offline() -> bool:
    """Return whether the environment, or who asks, forbids downloads."""
    return not _MAY_DOWNLOAD.get() or bool(_offline_variables())


def why_offline() -> str:
    """Return the half of a sentence that says that downloads are off, and by what; see ``is_offline``."""
    said = [f"{name}={os.environ[name]}" for name in _offline_variables()]
    return f"downloads are off ({said[0] if said else 'nothing is fetched for a look ahead'})"


def _offline_variables() -> list[str]:
    return [name for name in OFFLINE_VARIABLES if os.environ.get(name, "").lower() in TRUTHY]


def fetch(name: str) -> Path:
    """Return the verified local file of a named asset, downloading it on first use.

    Raises:
        ConfigError: If the name is unknown.
        DataError: If it is not cached and may not or cannot be downloaded, or its digest differs.
        MissingExtra: If pooch is not installed.
    """
    if name not in ASSETS:
        raise ConfigError(describe_unknown("asset", name, ASSETS))
    asset = ASSETS[name]
    target = cache_dir() / "assets" / f"{asset.digest[:16]}-{asset.url.rpartition('/')[2]}"
    if target.is_file() and is_asset(target, asset):
        return target
    if is_offline():
        raise DataError(
            f"{name} is not in the cache ({target}), and {why_offline()}; "
            f"download {asset.url} elsewhere and give the path of the file in the place of the name"
        )
    return _download(name, asset, target)


def named_path(reference: str) -> Path:
    """Return the file or folder that a config names; it need not exist.

    Args:
        reference: A path, ``~`` for the home directory; an address in a store, such as ``s3://bucket/name``, of which
            the cache keeps a copy; or ``package:diptych.NAME/PATH`` for what lies in a package of
            diptych, wherever that is installed: ``package:diptych.demo/models/clip``.

    Raises:
        ConfigError: If it names no package of diptych, or leads out of it.
        DataError: If it is an address of no store, or of one where nothing lies, or cannot be read; if there is no copy
            yet and nothing is fetched for a look ahead.

    >>> named_path("weights/head.pth").as_posix()
    'weights/head.pth'
    """
    if store_of(reference) is not None:
        found = kept_copy(place_of(reference), cache_dir() / "stores", may_fetch=_MAY_DOWNLOAD.get())
        if found is None:
            raise DataError(f"{reference}: there is no copy of it in the cache, and {why_offline()}")
        return found
    if not reference.startswith(PACKAGE_PREFIX):
        return local_path(reference)
    name, _, inside = reference.removeprefix(PACKAGE_PREFIX).partition("/")
    parts = PurePosixPath(inside).parts
    if not PACKAGE_NAME.fullmatch(name) or not parts or ".." in parts or inside.startswith("/"):
        raise ConfigError(f"{reference!r}: write it as {PACKAGE_PREFIX}diptych.NAME/PATH, or give a path")
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"{reference!r}: there is no package {name!r}")
    return Path(spec.submodule_search_locations[0], *parts)


def is_asset(path: ReadPath, asset: Asset) -> bool:
    """Return whether a file has the bytes of an asset."""
    if asset.sha256:
        return file_sha256(path) == asset.sha256
    data = path.read_bytes()
    named = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)  # as git names the bytes of a file
    return named.hexdigest() == asset.git_blob


def file_sha256(path: ReadPath) -> str:
    """Return the sha256 (hex) of a file's bytes; not read again in this process while the file stands as it is."""
    stat = path.stat()
    return _file_sha256(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@functools.lru_cache(maxsize=256)
def _file_sha256(path: ReadPath, stamp: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(name: str, asset: Asset, target: Path) -> Path:
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise MissingExtra("curate", "pooch") from error
    known = f"sha256:{asset.sha256}" if asset.sha256 else None
    try:
        pooch.retrieve(asset.url, known, fname=target.name, path=target.parent)
        if not is_asset(target, asset):
            target.unlink()
            raise ValueError(f"its hash in git is not {asset.git_blob}")
    except (OSError, ValueError) as error:
        raise DataError(
            f"{name}: {asset.url} cannot be downloaded and verified: {one_line(error)}; "
            f"download it elsewhere and give the path of the file in the place of the name"
        ) from error
    return target
