"""The machine's memory, on a made-up /proc and /sys: what there is, what is allowed and what is free of it."""

import resource
from pathlib import Path

import pytest
from made_up_system import GIB, MEMINFO, write_tree

from diptych.main_memory import free_main_memory, inspect_memory


@pytest.fixture(autouse=True)
def _no_limit_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_memory_is_read_in_bytes(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"proc/meminfo": MEMINFO})
    assert inspect_memory(root) == {"total_bytes": 16 * GIB, "available_bytes": 8 * GIB, "limit_bytes": None}


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": str(4 * GIB)}, 4 * GIB),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": str(8 * GIB),
                "sys/fs/cgroup/a/memory.max": str(2 * GIB),
            },
            2 * GIB,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/job\n2:cpuacct:/\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(3 * GIB),
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            },
            3 * GIB,
        ),
    ],
)
def test_memory_limit_is_the_smallest_of_the_control_groups(
    files: dict[str, str], limit: int | None, tmp_path: Path
) -> None:
    root = write_tree(tmp_path, {"proc/meminfo": MEMINFO, **files})
    assert inspect_memory(root)["limit_bytes"] == limit


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 8 * GIB),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 8 * GIB),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": str(6 * GIB),
                "sys/fs/cgroup/a/b/memory.current": str(GIB),
                "sys/fs/cgroup/a/memory.max": str(7 * GIB),
                "sys/fs/cgroup/a/memory.current": str(5 * GIB),
                "sys/fs/cgroup/a/memory.stat": f"anon {4 * GIB}\ninactive_file {GIB}\n",
            },
            3 * GIB,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/job\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(3 * GIB),
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": str(2 * GIB),
                "sys/fs/cgroup/memory/job/memory.stat": f"inactive_file 0\ntotal_inactive_file {GIB}\n",
            },
            2 * GIB,
        ),
    ],
    ids=["machine", "no_limit", "version_2", "version_1"],
)
def test_free_is_the_least_that_machine_and_control_groups_leave(
    files: dict[str, str], free: int, tmp_path: Path
) -> None:
    assert free_main_memory(write_tree(tmp_path, {"proc/meminfo": MEMINFO, **files})) == free


def test_limit_of_addresses_leaves_what_is_not_taken_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_tree(tmp_path, {"proc/meminfo": MEMINFO, "proc/self/status": "Name:\tpython\nVmSize:\t 2097152 kB\n"})
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (5 * GIB, resource.RLIM_INFINITY))
    assert free_main_memory(root) == 3 * GIB


@pytest.mark.parametrize("told", ["", "\n", "MemAvailable: much\n"])
def test_what_no_system_tells_is_not_guessed(tmp_path: Path, told: str) -> None:
    assert free_main_memory(write_tree(tmp_path, {"proc/meminfo": told})) is None
