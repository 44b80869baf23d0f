import subprocess
import sys
from pathlib import Path

import pytest
from made_up_system import write_tree

from diptych.doctor import caches
from diptych.doctor.caches import hub_cache_dir, inspect_cache
from diptych.doctor.inspection import inspect_machine
from diptych.doctor.wording import format_report


def test_size_of_a_cache_counts_each_file_once(tmp_path: Path) -> None:
    write_tree(tmp_path, {"blobs/abc": "x" * 1000, "refs/main": "y" * 40})
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "model").symlink_to("../blobs/abc")
    found = inspect_cache("hub cache", tmp_path)
    assert 1040 <= found["bytes"] < 1100  # a link counts with the length of its own text
    assert (found["exists"], found["complete"]) == (True, True)


def test_size_of_a_huge_cache_is_a_lower_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "SIZE_TIME_S", -1.0)
    monkeypatch.setenv("HF_HUB_CACHE", str(write_tree(tmp_path, {"a": "x", "b/c": "x"})))
    report = inspect_machine(devices=False)
    assert report["caches"][0] == {
        "name": "hub cache", "path": str(tmp_path), "exists": True, "bytes": 1, "complete": False,
    }  # fmt: skip
    assert "at least 1 B at " in format_report(report)


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
