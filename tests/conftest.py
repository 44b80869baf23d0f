"""What all tests share: where the real data lies, and no network but loopback."""

import hashlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from object_store import Bucket, S3Server

from diptych.storage.store_clients import connected

settings.register_profile("untimed", deadline=None)  # a machine that is busy fails no test
settings.load_profile("untimed")

# A shell lets what it runs in the background ignore Ctrl-C, and the tests of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.update(
    NO_ALBUMENTATIONS_UPDATE="1",
    WANDB_MODE="disabled",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    # No test asks a real store: one that takes no ``bucket`` finds nobody there.
    AWS_ENDPOINT_URL="http://127.0.0.1:9",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_MAX_ATTEMPTS="1",
)

collect_ignore = ["benchmarks"]  # programs of make bench; doctest collection would import them

SHARED = Path(os.environ.get("DIPTYCH_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real prompts, photographs and weights; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the folder of real test data at {SHARED} (set DIPTYCH_SHARED)")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Remember nothing about test files in the cache of whoever runs the tests, and find nothing of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIPTYCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def threads_as_before() -> Iterator[None]:
    """Leave torch to the next file of tests with the threads that this one found: last bits depend on them."""
    torch = sys.modules.get("torch")
    usual = torch.get_num_threads() if torch is not None else 0
    yield
    if torch is not None:
        torch.set_num_threads(usual)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Spare small pictures and models the threads that would only wait for each other."""
    import torch

    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(usual)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail loudly when anything under test looks up or connects to an address outside the machine."""
    real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo
    allowed = {"localhost", "127.0.0.1", "::1", "", None}

    def connect(self: socket.socket, address: object) -> object:
        if isinstance(address, tuple) and str(address[0]) not in allowed and not str(address[0]).startswith("127."):
            raise AssertionError(f"a test tried to connect to {address!r}")
        return real_connect(self, address)  # type: ignore[arg-type]

    def getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in allowed and not str(name).startswith("127."):
            raise AssertionError(f"a test tried to look up {host!r}")
        return real_lookup(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server on loopback; tests take a ``bucket`` of it. Nobody waits before they ask it again."""
    import s3fs

    with S3Server() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.retryhandler.delay_exponential", lambda **_: 0)
        connected.cache_clear()  # whoever asked before it was there, asked nobody
        s3fs.S3FileSystem.clear_instance_cache()
        yield server


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Bucket:
    """An empty bucket of the test's own, at a server that nobody has asked for anything yet."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    made = Bucket(s3_server, f"b-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]}")
    made.make()
    s3_server.clear()
    return made
