"""Joins several Ray clusters of this machine in one process; in a private network name space only."""

import os
import subprocess
import sys
from pathlib import Path

from local_jobs import Square

from diptych.errors import DiptychError
from diptych.jobs import ray_cluster
from diptych.jobs.ray import ray_executor

ADDRESSES = {"first": "127.0.0.1:7001", "second": "127.0.0.1:7002", "own": ray_cluster.LOCAL, "auto": "auto"}
OPEN = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
BYTES = 100 * 2**20


def start_head(name: str, folder: Path) -> None:
    """Start a cluster of one processor, in processes of its own, that asks for no token."""
    port = ADDRESSES[name].rpartition(":")[2]
    options = {"port": port, "node-ip-address": ray_cluster.LOOPBACK, "num-cpus": 1, "temp-dir": folder / name}
    options |= {"include-dashboard": "false", "object-store-memory": BYTES}
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--disable-usage-stats"]
    said = [f"--{option}={value}" for option, value in options.items()]
    subprocess.run([*command, *said], env={**os.environ, **OPEN}, check=True, capture_output=True)


def main(folder: Path, ways: list[str]) -> None:
    """Do a job by each of the addresses, and say where it was done, or why not; ``+first`` joins by Ray's own means."""
    import ray

    for name in ("first", "second"):
        start_head(name, folder)
    for way in ways:
        if way.startswith("+"):
            ray.init(address=ADDRESSES[way[1:]], log_to_driver=False, logging_level="ERROR")
            continue
        run = ray_executor(address=ADDRESSES[way])(Square(folder / "o"), range(2), workers=1, report=lambda *_: None)
        try:
            done = sorted(task for task, _, _ in run)
            there = ray.get_runtime_context().gcs_address
            known = [name for name, address in ADDRESSES.items() if address == there]
            print(way, done, *known or ["own"])
        except DiptychError as error:
            print(way, error)
    ray_cluster.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
