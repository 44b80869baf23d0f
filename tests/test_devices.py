import numpy as np
import pytest
import torch

from diptych.devices import FIRST, VISIBLE, Precision, gpu_first, seen_as, stacked_on, torch_device, torch_dtype
from diptych.errors import ConfigError


def as_worker(monkeypatch: pytest.MonkeyPatch, worker: int, gpus: int) -> None:
    for name, value in gpu_first(worker, gpus).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.delenv(FIRST, raising=False)


def test_each_worker_sees_the_next_gpu_first_and_more_workers_begin_again() -> None:
    seen = [gpu_first(worker, 3)[VISIBLE] for worker in range(4)]
    assert seen == ["0,1,2", "1,2,0", "2,0,1", "0,1,2"]


@pytest.mark.parametrize("gpus", [0, 1])
def test_nothing_is_told_where_there_is_no_choice(gpus: int) -> None:
    assert gpu_first(1, gpus) == {}


def test_gpus_that_the_user_made_visible_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "GPU-a,GPU-b")
    assert gpu_first(1, 2)[VISIBLE] == "GPU-b,GPU-a"


@pytest.mark.parametrize("worker", range(4))
def test_a_gpu_that_a_config_names_by_its_number_is_the_same_for_every_worker(
    worker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = gpu_first(worker, 4)[VISIBLE].split(",")
    as_worker(monkeypatch, worker, 4)
    for number in range(4):
        assert order[int(seen_as(f"cuda:{number}").partition(":")[2])] == str(number)


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "mps", "cuda:9"])
def test_other_names_and_gpus_that_are_not_there_stay_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_worker(monkeypatch, 1, 2)
    assert seen_as(name) == name


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_arrays_come_to_a_device_as_one_tensor_of_the_precision_asked_for(precision: Precision) -> None:
    arrays = [np.full((3, 2), number / 3, np.float32) for number in range(4)]
    found = stacked_on(torch.device("cpu"), arrays, torch_dtype(precision))
    assert torch.equal(found, torch.from_numpy(np.stack(arrays)).to(torch_dtype(precision)))
    assert found.is_contiguous()


@pytest.mark.parametrize("name", ["cuda:99", "quantum"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"device '{name}': cannot be used here"):
        torch_device(name)
