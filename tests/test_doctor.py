"""doctor: on a made-up /proc and /sys, a stand-in torch, and the machine that runs the tests."""

import importlib.machinery
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from diptych import doctor as doctor_module
from diptych.doctor import (
    BASE,
    EXTRAS,
    SUPPORTED_PYTHON,
    format_report,
    hub_cache_dir,
    inspect_cache,
    inspect_devices,
    inspect_disk,
    inspect_machine,
    inspect_memory,
    usable_cpus,
)
from diptych.doctor import doctor as command

ROOT = Path(__file__).resolve().parents[1]
GIB = 1024**3
MEMINFO = (
    "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\nHugePages_Total:       0\n"
)


def write_tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names_of(requirements: list[str]) -> list[str]:
    return sorted(re.split(r"[^A-Za-z0-9-]", requirement)[0] for requirement in requirements)


def pretend_torch(monkeypatch: pytest.MonkeyPatch, cuda: types.SimpleNamespace, *, mps: bool = False) -> None:
    torch = types.ModuleType("torch")
    torch.__spec__ = importlib.machinery.ModuleSpec("torch", None)
    backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps))
    vars(torch).update(cuda=cuda, backends=backends)
    monkeypatch.setitem(sys.modules, "torch", torch)


def test_tables_of_packages_are_those_of_the_project_file() -> None:
    facts = project()
    assert list(BASE) == names_of(facts["dependencies"])
    optional = facts["optional-dependencies"]
    assert {name: list(packages) for name, packages in EXTRAS.items()} == {
        name: names_of(requirements) for name, requirements in optional.items() if name not in {"all", "bench", "dev"}
    }


def test_supported_pythons_are_those_of_the_project_file() -> None:
    lowest, too_high = SUPPORTED_PYTHON[0], (SUPPORTED_PYTHON[-1][0], SUPPORTED_PYTHON[-1][1] + 1)
    assert project()["requires-python"] == f">={lowest[0]}.{lowest[1]},<{too_high[0]}.{too_high[1]}"


def test_json_has_the_documented_keys() -> None:
    result = CliRunner().invoke(command, ["--json", "--no-devices"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["schema_version"] == 1
    documented = re.findall(r"``(\w+)``", (inspect_machine.__doc__ or "").partition("Returns:")[2])
    assert list(report) == documented
    assert report["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert report["devices"] == {"checked": False, "problem": None, "found": []}
    assert report["telemetry"]["diptych"] is False


def test_report_imports_no_field_package_without_the_device_check() -> None:
    script = "import sys; from diptych.doctor import doctor; doctor(['--no-devices'], standalone_mode=False)\n"
    script += "print(*sys.modules, file=sys.stderr)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stderr.split()}
    assert loaded & {"torch", "numpy", "pyarrow", "duckdb", "PIL", "pydantic", "huggingface_hub", "pooch"} == set()


@pytest.mark.parametrize("options", [["--no-devices"], ["--no-devices", "--json"]])
def test_tokens_are_never_printed(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_verysecret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:verysecret@proxy.invalid")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    text = CliRunner().invoke(command, options).output
    assert "verysecret" not in text
    assert re.search(r'HF_TOKEN"?:? +(set|true)', text)
    assert re.search(r'WANDB_API_KEY"?:? +(not set|false)', text)


def test_missing_parts_come_with_their_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = {name: "1.0" for packages in EXTRAS.values() for name in packages}
    lacking = {name: version for name, version in everything.items() if name not in {"diffusers", "transformers"}}
    monkeypatch.setattr(doctor_module, "package_versions", lambda names: lacking)
    report = inspect_machine(devices=False)
    assert report["packages"]["diffusers"] is None
    assert report["extras"]["heic"] == {"present": True, "missing": [], "install": "pip install 'diptych[heic]'"}
    assert re.search(
        r"^  generate +missing diffusers, transformers: pip install 'diptych\[generate\]'$", format_report(report), re.M
    )


def test_text_is_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "package_versions", lambda names: dict.fromkeys(names, "1.0"))
    rows = [line for line in format_report(inspect_machine(devices=False)).splitlines() if line.startswith("  ")]
    starts = {len(match[0]) for line in rows if (match := re.match(r"  \S+(?: \S+)* {2,}", line))}
    assert len(rows) > 30
    assert len(starts) == 1


def test_flags_are_read_as_the_hub_client_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "YES")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "0")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    report = inspect_machine(devices=False)
    assert report["offline"]["HF_HUB_OFFLINE"]
    assert not report["offline"]["TRANSFORMERS_OFFLINE"]
    assert report["telemetry"]["DO_NOT_TRACK"]


def test_python_that_is_not_supported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "SUPPORTED_PYTHON", ((2, 6), (2, 7)))
    assert "; diptych needs 2.6 or 2.7" in format_report(inspect_machine(devices=False))


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


def test_size_of_a_cache_counts_each_file_once(tmp_path: Path) -> None:
    write_tree(tmp_path, {"blobs/abc": "x" * 1000, "refs/main": "y" * 40})
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "model").symlink_to("../blobs/abc")
    found = inspect_cache("hub cache", tmp_path)
    assert 1040 <= found["bytes"] < 1100  # a link counts with the length of its own text
    assert (found["exists"], found["complete"]) == (True, True)


def test_size_of_a_huge_cache_is_a_lower_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "SIZE_TIME_S", -1.0)
    monkeypatch.setenv("HF_HUB_CACHE", str(write_tree(tmp_path, {"a": "x", "b/c": "x"})))
    report = inspect_machine(devices=False)
    assert report["caches"][0] == {
        "name": "hub cache", "path": str(tmp_path), "exists": True, "bytes": 1, "complete": False,
    }  # fmt: skip
    assert "at least 1 B at " in format_report(report)


def test_free_space_of_a_folder_to_be_made_is_that_of_its_parent(tmp_path: Path) -> None:
    found = inspect_disk("cache", tmp_path / "not" / "there")
    assert found["free_bytes"] > 0
    assert not (tmp_path / "not").exists()


def test_home_folder_is_not_spelled_out_in_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "DIPTYCH_CACHE"):
        monkeypatch.delenv(name, raising=False)
    text = format_report(inspect_machine(devices=False))
    assert "none yet at ~/.cache/huggingface/hub" in text
    assert "none yet at ~/.cache/diptych" in text
    assert str(tmp_path) not in text


@pytest.mark.reference
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"XDG_CACHE_HOME": "/x"},
        {"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"},
        {"HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"},
        {"HF_HUB_CACHE": "/new", "HUGGINGFACE_HUB_CACHE": "/old"},
    ],
)
def test_hub_cache_is_where_the_hub_client_looks(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    script = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert str(hub_cache_dir()) == result.stdout.strip()


def test_gpus_are_listed_with_name_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    device = types.SimpleNamespace(name="Tesla T4", total_memory=16 * GIB)
    cuda = types.SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 2, get_device_properties=lambda index: device
    )
    pretend_torch(monkeypatch, cuda)
    report = inspect_machine()
    assert report["devices"]["found"] == [
        {"device": f"cuda:{index}", "name": "Tesla T4", "memory_bytes": 16 * GIB} for index in range(2)
    ]
    assert re.search(r"^  cuda:1 +Tesla T4, 16\.0 GiB$", format_report(report), re.M)


def test_apple_gpu_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_torch(monkeypatch, types.SimpleNamespace(is_available=lambda: False), mps=True)
    assert [found["device"] for found in inspect_devices()["found"]] == ["mps"]


def test_machine_without_a_gpu_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_torch(monkeypatch, types.SimpleNamespace(is_available=lambda: False))
    assert re.search(r"^  GPU +none$", format_report(inspect_machine()), re.M)


def test_torch_that_does_not_work_is_reported_and_does_not_end_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise RuntimeError("driver too old")

    pretend_torch(monkeypatch, types.SimpleNamespace(is_available=fail))
    assert re.search(r"^  GPU +torch does not work: driver too old$", format_report(inspect_machine()), re.M)


def test_missing_torch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert inspect_devices() == {"checked": False, "problem": "torch is not installed", "found": []}
