from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from diptych.errors import DataError
from diptych.pretrained import memory
from diptych.pretrained.memory import ANY_PRECISION, HeldWeights, check_all_fit, check_fits, count_weights, free_memory

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


@pytest.mark.parametrize(("dtype", "zipped"), [(torch.float32, True), (torch.float16, True), (torch.float32, False)])
def test_weights_of_a_checkpoint_are_what_fits_into_its_bytes(tmp_path: Path, dtype: torch.dtype, zipped: bool) -> None:
    file = tmp_path / "model.pt"
    torch.save({"a": torch.zeros(50_000, dtype=dtype)}, file, _use_new_zipfile_serialization=zipped)
    assert count_weights([file]) == pytest.approx(50_000, rel=0.03)


@pytest.mark.parametrize("data", [b"", b"\xff" * 400, b"\x02" + bytes(7) + b"[]", b"\x06" + bytes(7) + b'{"a":1'])
def test_a_damaged_file_is_told_by_what_loads_it_and_counts_as_its_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    assert count_weights([tmp_path / "a.safetensors"]) == len(data) // 4


def held(folder: Path, precision: str = "fp32", *, where: str = "judge 'x'") -> HeldWeights:
    return HeldWeights(tuple(sorted(folder.iterdir())), precision, "cpu", where, ANY_PRECISION)


def test_what_fits_by_itself_and_not_together_is_told_with_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 10_000)
    one, other = held(save(tmp_path)), held(tmp_path, where="encoder 'y'")
    check_all_fit([one, one])
    with pytest.raises(DataError, match=r"judge 'x', encoder 'y': together need about 0.0 GB of memory, and cpu has"):
        check_all_fit([one, other, one])


def test_networks_in_onnx_are_checked_where_torch_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reads.onnx").write_bytes(bytes(4_000))
    monkeypatch.setattr("diptych.pretrained.memory.torch_device", lambda name: pytest.fail("torch was asked"))
    for free, fits in ((5_000, True), (4_000, False)):
        monkeypatch.setattr(memory, "free_main_memory", lambda free=free: free)
        networks = HeldWeights((tmp_path / "reads.onnx",), "fp32", "cpu", "judge 'reads'")
        if fits:
            check_all_fit([networks])
        else:
            with pytest.raises(DataError, match=r"^judge 'reads': .* for its 1,000 weights, and cpu has 0.0 GB free"):
                check_all_fit([networks])


def test_what_has_no_choice_of_precision_is_not_told_to_take_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 7_199)
    only = held(save(tmp_path))._replace(precisions=("fp32",))
    with pytest.raises(DataError, match=r"take a smaller model, or a device with 0.0 GB free$"):
        check_fits(only)


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
        check_fits(held(save(tmp_path), precision))
    else:
        with pytest.raises(
            DataError, match=f"judge 'x': .* GB of memory in {precision} for its 1,500 weights.*{advice}"
        ):
            check_fits(held(save(tmp_path), precision))


def test_free_memory_is_this_process_s_for_the_cpu_and_unknown_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_main_memory", lambda: 7 * 1024)
    assert free_memory(CPU) == free_memory("cpu") == 7 * 1024
    assert free_memory(torch.device("mps")) is None
