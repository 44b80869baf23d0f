"""The Ray cluster that jobs are done on: one of this machine alone, started for this process, or one by its address.

One of our own listens on the loopback alone and asks for a token that nobody else knows; it keeps its files in a folder
that is gone with the process, and ends with it. No cluster is joined that was not asked for by its address, usage is
reported to nobody, and nothing of Ray's comes to our terminal. What this process has started or joined is kept until
another one is asked for; what somebody else has joined in this process is left to them.
"""

import atexit
import contextlib
import importlib
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from diptych.devices import count_gpus
from diptych.errors import ConfigError, DataError, one_line
from diptych.interrupts import end_as_well
from diptych.lookup import naming_extras
from diptych.processors import own_cpus

WHERE = "--engine-options address"
LOCAL = "local"
LOOPBACK = "127.0.0.1"
ANSWER_S = 10.0  # within which the head of a cluster takes a connection
OBJECT_STORE_BYTES = 100 * 2**20  # tasks and outcomes are small
LONGEST_TMP = 24  # letters: Ray's sockets lie 83 deeper, and their paths have 107 at most
QUIET = {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
# It stands for the loopback alone, by which Ray spares users of other systems a question of their firewall.
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}

_folders: list[str] = []  # of a cluster of our own
_joined: list[str] = []  # the address by which a cluster was joined, or started, here


def join(address: str, *, with_gpus: bool) -> Any:
    """Return Ray, joined to a cluster.

    Args:
        address: ``local`` for one of this machine and process, else as Ray has it: ``10.0.0.1:6379``, ``auto``.
        with_gpus: Whether one of our own is to have the GPUs of this machine; to count them, torch is imported.

    Raises:
        ConfigError: If the program itself has joined another one, by Ray's own means.
        DataError: If there is none, or none can be started.
        MissingExtra: If Ray is not installed.
    """
    _set_in_environment(address)
    with naming_extras():
        import ray
    gpus = count_gpus() if with_gpus and address == LOCAL else 0
    if ray.is_initialized() and _is_the_one(ray, address, gpus):
        return ray
    _silence()
    try:
        with _own_signals():
            _start(ray, gpus) if address == LOCAL else _connect(ray, address)
    except Exception as error:  # whatever it raises where it finds nobody, or may not do something
        what = "Ray cannot be started" if address == LOCAL else f"address: {address}: no Ray cluster answers there"
        raise DataError(f"--engine-options {what}: {one_line(error)}") from error
    _joined[:] = [address]
    return ray


def end() -> None:
    """Leave a cluster that was joined here, if there is one; one of our own ends, with all its processes and files."""
    while _joined or _folders:
        _joined.clear()
        with contextlib.suppress(Exception):  # a process that ends anyway
            sys.modules["ray"].shutdown()
        while _folders:
            shutil.rmtree(_folders.pop(), ignore_errors=True)


def _is_the_one(ray: Any, address: str, gpus: int) -> bool:
    """Return whether the cluster that this process has joined is what is asked for; if not, it is left.

    Raises:
        ConfigError: If it is not, and cannot be left: somebody else has joined it, or it is one of our own, whose token
            Ray shows to any other one that the process joins later.
    """
    there = ray.get_runtime_context().gcs_address
    if not _joined:
        if address in (there, "auto"):
            return True
        asked = "one of this machine alone" if address == LOCAL else address
        raise ConfigError(
            f"{WHERE}: this program has joined the Ray cluster at {there} by itself, and a process has one at a time: "
            f"give address={there}, or call ray.shutdown() before {asked} is joined"
        )
    if _joined == [LOCAL] != [address]:
        raise ConfigError(
            f"{WHERE}: this process has started a Ray cluster of its own, whose token no other one takes; "
            f"join {address} in a process of its own, or first"
        )
    if address == LOCAL:
        has_gpus = not gpus or bool(ray.cluster_resources().get("GPU"))  # else it was started for a job that uses none
        is_same = _joined == [LOCAL] and has_gpus
    else:
        is_same = address in (there, "auto", *_joined)
    if not is_same:
        end()
    return is_same


def _set_in_environment(address: str) -> None:
    is_ours = address == LOCAL and "RAY_AUTH_MODE" not in os.environ
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)} if is_ours else {}
    for name, value in {**QUIET, **token, **(ALONE if address == LOCAL else {})}.items():
        os.environ[name] = value


def _read_environment_again() -> None:
    """Let Ray take what was set where it was imported before, when it reads it; no part of its API."""
    constants: Any = importlib.import_module("ray._private.ray_constants")
    core: Any = importlib.import_module("ray._raylet")
    constants.ENABLE_RAY_CLUSTER = False
    core.Config.initialize("")


def _connect(ray: Any, address: str) -> None:
    host, _, port = address.rpartition(":")
    if port.isdecimal() and "://" not in address:  # else Ray tries for minutes, and tells of each time
        socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)


def _start(ray: Any, gpus: int) -> None:
    _read_environment_again()
    usual = tempfile.gettempdir()
    folder = tempfile.mkdtemp(prefix="diptych-", dir=usual if len(usual) <= LONGEST_TMP else "/tmp")
    _folders.append(folder)
    atexit.register(end)
    end_as_well(end)
    with _same_modules():
        ray.init(
            address=LOCAL,
            num_cpus=own_cpus(),
            num_gpus=gpus,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address=LOOPBACK,
            _temp_dir=folder,
        )
    heard = ray.util.get_node_ip_address()
    if heard != LOOPBACK:
        end()
        raise DataError(f"it listens on {heard}, not on {LOOPBACK} alone; install another version of Ray")


@contextlib.contextmanager
def _same_modules() -> Iterator[None]:
    """Let processes that begin meanwhile find the modules that this one finds."""
    former = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        yield
    finally:
        if former is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = former


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what a stop does: Ray would end the program at SIGTERM, with another exit code."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # not in the main thread, where Ray sets none either
            signal.signal(signal.SIGTERM, handler)


def _silence() -> None:
    """Leave what Ray says of workers that end to its logs; it has no switch for that, and it would be on stdout."""
    worker: Any = sys.modules.get("ray._private.worker")
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda data, ignore_prefix: None
