"""How many processors are a process's own: on a made-up /proc and /sys."""

import os
import re
from pathlib import Path

import pytest
from made_up_system import write_tree

from diptych.processors import SHARE, own_cpus, share_of_cpus, usable_cpus

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 64),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
        (
            {
                "proc/self/cgroup": "1:cpu,cpuacct:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            64,
        ),
    ],
)
def test_usable_processors_follow_the_control_group(
    files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    assert usable_cpus(write_tree(tmp_path, files)) == expected


def test_a_worker_has_its_share_and_one_processor_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARE, "12")
    assert [share_of_cpus(workers) for workers in (1, 5, 100)] == [12, 2, 1]
    monkeypatch.setenv(SHARE, "0")
    assert own_cpus() == 1


def test_who_is_told_nothing_has_all_processors_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARE, raising=False)
    assert own_cpus() == usable_cpus() >= 1


def test_whoever_counts_processors_asks_here_so_that_control_groups_and_shares_count() -> None:
    counting = re.compile(r"\bos\.(cpu_count|process_cpu_count|sched_getaffinity)\(|multiprocessing\.cpu_count\(")
    folders = ("src/diptych", "curate", "evaluate", "generate", "reports")
    files = {path.resolve() for folder in folders for path in (ROOT / folder).rglob("*.py")}
    found = {path.relative_to(ROOT).as_posix() for path in files if counting.search(path.read_text(encoding="utf-8"))}
    assert found == {"src/diptych/processors.py", "src/diptych/doctor/inspection.py"}  # the latter says what there is
