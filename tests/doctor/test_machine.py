"""What this machine offers: on a made-up /proc and /sys, and a stand-in torch."""

import importlib.machinery
import importlib.util
import re
import sys
import types
from pathlib import Path

import pytest
from made_up_system import GIB

from diptych.doctor.inspection import inspect_machine
from diptych.doctor.machine import inspect_devices, inspect_disk
from diptych.doctor.wording import format_report


def pretend_torch(monkeypatch: pytest.MonkeyPatch, cuda: types.SimpleNamespace, *, mps: bool = False) -> None:
    torch = types.ModuleType("torch")
    torch.__spec__ = importlib.machinery.ModuleSpec("torch", None)
    backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps))
    vars(torch).update(cuda=cuda, backends=backends)
    monkeypatch.setitem(sys.modules, "torch", torch)


def test_free_space_of_a_folder_to_be_made_is_that_of_its_parent(tmp_path: Path) -> None:
    found = inspect_disk("cache", tmp_path / "not" / "there")
    assert found["free_bytes"] > 0
    assert not (tmp_path / "not").exists()


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
