"""Files that configs name: downloads (weights, prompt sets), local paths, and files that diptych brings along.

A name stands for exactly one content: the sha256 is checked on each download and a changed upstream file is an error,
never a silently different number. Nothing is downloaded when a variable of ``OFFLINE_VARIABLES`` is set.
"""

import functools
import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from diptych.addresses import local_path
from diptych.errors import ConfigError, DataError, MissingExtra, one_line
from diptych.lookup import describe_unknown

PACKAGE_PREFIX = "package:"
PACKAGE_NAME = re.compile(r"diptych(\.\w+)*")  # nothing else is looked up: that would import what a config names
_MAY_DOWNLOAD = ContextVar("may_download", default=True)
TRUTHY = frozenset({"1", "on", "yes", "true"})
OFFLINE_VARIABLES = (
    "DIPTYCH_OFFLINE",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
)  # the hub's library heeds the last too


@dataclass(frozen=True)
class Asset:
    """One file that diptych can download.

    Attributes:
        url: Where upstream publishes it, at a fixed revision.
        sha256: Of its bytes.
        bytes: Its size.
        licence: Of the file, as upstream states it.
    """

    url: str
    sha256: str
    bytes: int
    licence: str


_AESTHETIC_V1 = (
    "https://raw.githubusercontent.com/LAION-AI/aesthetic-predictor/6d122adad522ab246644d9dc1c6d7a3810ee255f"
)
_AESTHETIC_V2 = (
    "https://raw.githubusercontent.com/christophschuhmann/improved-aesthetic-predictor"
    "/6934dd81792f086e613a121dbce43082cb8be85e"
)
_DSG = "https://raw.githubusercontent.com/j-min/DSG/7330119a39f76ff90e619a8bd3ff321e71aa986b/dsg/data"
_GENEVAL = "https://raw.githubusercontent.com/djghosh13/geneval/af4902f24d3ca90ebbb446dd9891a59e0f82725f/prompts"
_LAION_NSFW = (
    "https://raw.githubusercontent.com/LAION-AI/CLIP-based-NSFW-Detector/d6bb8fe31fd4aecbfed7dfb62df4fe5858bfc014"
)
_NSFWJS = (
    "https://raw.githubusercontent.com/infinitered/nsfwjs/d55a54c51f14380670064cc129b2ea51029c5e46/models/mobilenet_v2"
)
_PARTI = "https://raw.githubusercontent.com/google-research/parti/5a657978134374ce28973948331b319adef164bd"

# To add one: a line here (alphabetical), with the revision in the URL.
ASSETS: dict[str, Asset] = {
    "aesthetic-v1-b16": Asset(
        f"{_AESTHETIC_V1}/sa_0_4_vit_b_16_linear.pth",
        "8ad3923d7ecf019df20ecd2ab5542a3075fbba0278d239c0371345f3d7fcbde0",
        3047,
        "MIT",
    ),
    "aesthetic-v1-b32": Asset(
        f"{_AESTHETIC_V1}/sa_0_4_vit_b_32_linear.pth",
        "c7b14cead230694acc7b9447974d3cad78003c72da032e402a303b6c2429e85f",
        3047,
        "MIT",
    ),
    "aesthetic-v1-l14": Asset(
        f"{_AESTHETIC_V1}/sa_0_4_vit_l_14_linear.pth",
        "2cd4e60f4f24ae3bcd57b847b13c1f3ba27edc28cc1a7f9ce74ee9f421243cba",
        4071,
        "MIT",
    ),
    "aesthetic-v2-l14": Asset(
        f"{_AESTHETIC_V2}/sac%2Blogos%2Bava1-l14-linearMSE.pth",
        "21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
        3714759,
        "Apache-2.0",
    ),
    "dsg-1k": Asset(
        f"{_DSG}/dsg-1k-anns.csv",
        "b7ce06ea8a0478ccfd8fba105ecd26d7d301eb99d5c412987546c4cc8e08917a",
        1906040,
        "Apache-2.0",
    ),
    "geneval-metadata": Asset(
        f"{_GENEVAL}/evaluation_metadata.jsonl",
        "5c48e0813e812e3c373fa5c8ed07a8f0a483be30272b4427b0559c8048e67c13",
        85209,
        "MIT",
    ),
    "inception-2015-12-05": Asset(
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        95628359,
        "Apache-2.0",
    ),
    "laion-nsfw-b32": Asset(
        f"{_LAION_NSFW}/clip_autokeras_nsfw_b32.zip",
        "78715ab9d64485167e8c9ade3b8e6761a17a16c24d114bd47431ac1dab46462b",
        231831,
        "MIT",
    ),
    "laion-nsfw-l14": Asset(
        f"{_LAION_NSFW}/clip_autokeras_binary_nsfw.zip",
        "905520bb0336accc73ee282c605d926aef90cf14248889d44b9cee50eef71f8a",
        1094585,
        "MIT",
    ),
    "nsfwjs-mobilenet-v2": Asset(
        f"{_NSFWJS}/model.json",
        "11846416217e68bf1eb7b0e651bcfd305973566453c63275bbd16766ab089979",
        128945,
        "MIT",
    ),
    "nsfwjs-mobilenet-v2-weights": Asset(
        f"{_NSFWJS}/group1-shard1of1",
        "8e7dddbb16acacc1bf1601b1b8a761e730ff934b7f2d7771312b2f000e5f5f13",
        2619461,
        "MIT",
    ),
    "partiprompts": Asset(
        f"{_PARTI}/PartiPrompts.tsv",
        "fab29e41bb512a169b56acab4cf2a41dcb675e285df2efcde6640c7dd3c440eb",
        123107,
        "Apache-2.0",
    ),
}


def cache_dir() -> Path:
    """Return diptych's own cache: ``$DIPTYCH_CACHE``, else ``$XDG_CACHE_HOME/diptych``, else ``~/.cache/diptych``.

    Raises:
        DataError: If the variable holds an address with a scheme, such as ``s3://bucket/name``.
    """
    if own := os.environ.get("DIPTYCH_CACHE"):
        return local_path(own, "DIPTYCH_CACHE")
    return local_path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "XDG_CACHE_HOME") / "diptych"


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
        DataError: If it is not cached and may not or cannot be downloaded, or its sha256 differs.
        MissingExtra: If pooch is not installed.
    """
    if name not in ASSETS:
        raise ConfigError(describe_unknown("asset", name, ASSETS))
    asset = ASSETS[name]
    target = cache_dir() / "assets" / f"{asset.sha256[:16]}-{asset.url.rpartition('/')[2]}"
    if target.is_file() and file_sha256(target) == asset.sha256:
        return target
    if is_offline():
        raise DataError(
            f"{name} is not in the cache ({target}), and {why_offline()}; "
            f"download {asset.url} elsewhere and give its path in the config"
        )
    return _download(name, asset, target)


def named_path(reference: str) -> Path:
    """Return the file or folder that a config names; it need not exist.

    Args:
        reference: A path, ``~`` for the home directory; or ``package:diptych.NAME/PATH`` for what lies in a package of
            diptych, wherever that is installed: ``package:diptych.demo/models/clip``.

    Raises:
        ConfigError: If it names no package of diptych, or leads out of it.
        DataError: If it is an address with a scheme, such as ``s3://bucket/name``.

    >>> named_path("weights/head.pth").as_posix()
    'weights/head.pth'
    """
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


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes; not read again in this process while the file stands as it is."""
    stat = path.stat()
    return _file_sha256(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@functools.lru_cache(maxsize=256)
def _file_sha256(path: Path, stamp: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(name: str, asset: Asset, target: Path) -> Path:
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise MissingExtra("curate", "pooch") from error
    try:
        pooch.retrieve(asset.url, f"sha256:{asset.sha256}", fname=target.name, path=target.parent)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{name}: {asset.url} cannot be downloaded and verified: {one_line(error)}; "
            f"download it elsewhere and give its path in the config"
        ) from error
    return target
