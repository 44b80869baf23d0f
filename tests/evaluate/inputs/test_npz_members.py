"""Statistics that somebody gives are read as far as they are wanted, and never inflated beyond what they weigh."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from diptych.errors import DataError
from diptych.evaluate.inputs.npz_members import read_members
from diptych.evaluate.inputs.saved_statistics import read_statistics


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def header(shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def pack(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def test_a_member_that_nobody_needs_is_not_read(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.npz", mu=npy(np.zeros(2)), sigma=npy(np.eye(2)), junk=b"no array at all")
    assert read_statistics(path).moments is not None


def test_an_array_that_its_packing_makes_huge_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    count = 30_000_000  # 240 MB of zeros, in 240 kB
    path = pack(tmp_path / "a.npz", mu=npy(np.zeros(2)), sigma=header((count,)) + bytes(8 * count))
    with pytest.raises(DataError, match=r"sigma\.npy has 233,\d+ bytes in the file, .* takes 240,000,128; save"):
        read_statistics(path)


def test_a_header_that_says_more_than_there_is_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.npz", mu=npy(np.zeros(2)), sigma=header((10**9, 10**9)) + bytes(80))
    with pytest.raises(DataError, match=r"by its header takes 8,000,000,000,000,000,128"):
        read_statistics(path)


def test_arrays_come_as_they_were_saved(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((300, 300))
    np.savez_compressed(tmp_path / "a.npz", mu=noise[0], sigma=noise, n=np.int64(7), other=noise)
    found = read_members(tmp_path / "a.npz", lambda names: [name for name in ("mu", "sigma", "n") if name in names])
    assert sorted(found) == ["mu", "n", "sigma"]
    assert np.array_equal(found["sigma"], noise)
    assert found["n"].shape == ()
