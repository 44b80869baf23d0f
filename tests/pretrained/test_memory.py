from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from diptych.errors import DataError
from diptych.pretrained import memory
from diptych.pretrained.memory import check_fits, count_weights, free_memory

CPU = torch.device("cpu")


def save(folder: Path) -> Path:
    """Save 1,500 weights in two files, half of them in half precision."""
    save_file({"a": np.zeros((10, 75), np.float32)}, folder / "model-00001-of-00002.safetensors")
    save_file(
        {"b": np.zeros(749, np.float16), "c": np.array(1, np.float16)}, folder / "model-00002-of-00002.safetensors"
    )
    return folder


def test_weights_are_counted_by_their_headers(tmp_path: Path) -> None:
    assert count_weights(sorted(save(tmp_path).iterdir())) == 1500
    assert count_weights([]) == 0


@pytest.mark.parametrize(
    ("free", "precision", "advice"),
    [
        (7200, "fp32", None),
        (7199, "fp32", "say precision: bf16, which needs about 0.0 GB"),
        (3600, "bf16", None),
        (3599, "fp32", "take a smaller model, or a device with 0.0 GB free and precision: bf16"),
        (3599, "fp16", "take a smaller model, or a device with"),
        (None, "fp32", None),
    ],
)
def test_model_that_does_not_fit_names_the_smallest_setting_that_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int | None, precision: str, advice: str | None
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: free)
    if advice is None:
        check_fits(save(tmp_path), precision, CPU, "judge 'x'")
    else:
        with pytest.raises(
            DataError, match=f"judge 'x': .* GB of memory in {precision} for its 1,500 weights.*{advice}"
        ):
            check_fits(save(tmp_path), precision, CPU, "judge 'x'")


def test_free_memory_is_the_machines_for_the_cpu_and_unknown_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "meminfo"
    told.write_text("MemTotal: 10 kB\nMemAvailable:    7 kB\n", "ascii")
    monkeypatch.setattr(memory, "MEMINFO", told)
    assert free_memory(CPU) == 7 * 1024
    assert free_memory(torch.device("mps")) is None


@pytest.mark.parametrize("told", ["", "\n", "MemAvailable: much\n", "\xff\n"])
def test_free_memory_is_unknown_where_the_system_does_not_tell_it(
    told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text(told, "latin-1")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    assert free_memory(CPU) is None


def test_free_memory_is_unknown_where_the_system_hides_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "none")
    assert free_memory(CPU) is None
    monkeypatch.setattr(memory, "MEMINFO", tmp_path)
    monkeypatch.setattr(Path, "read_text", refuse)
    assert free_memory(CPU) is None
