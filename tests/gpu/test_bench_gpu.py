"""The script of the GPU runs, at a size for a CPU, so that it cannot rot; and on a card what is promised of bytes."""

import math

import pytest
import torch
from gpu import bench_gpu
from gpu.making import determinism
from gpu.shapes import REAL, TINY, Family

pytestmark = pytest.mark.usefixtures("one_thread")

RATES = [name for name in bench_gpu.PARTS if not name.startswith("bytes")]


@pytest.mark.parametrize("name", RATES)
def test_each_part_gives_rates(name: str) -> None:
    _, part = bench_gpu.PARTS[name]
    found = part(TINY)
    assert found
    assert all(math.isfinite(value) and value > 0 for value in found.values())
    assert bench_gpu.figures(found).count("\n") == len(found) - 1


@pytest.mark.parametrize("family", ["sdxl", "flux"])
def test_the_promises_of_bytes_hold_on_a_cpu(family: Family) -> None:
    assert set(determinism(family, TINY).values()) == {True}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("family", ["sdxl", "flux"])
def test_the_promises_of_bytes_hold_on_a_card(family: Family) -> None:
    assert set(determinism(family, REAL).values()) == {True}


def test_without_a_card_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench_gpu.py"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert bench_gpu.main() == 0
    assert capsys.readouterr().out.startswith("not measured: no CUDA device")
