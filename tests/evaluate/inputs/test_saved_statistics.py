"""Files of statistics of other programs, as they write them: what is read, what is written, what is refused."""

import contextlib
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from drawn import draw_folder
from inception_weights import save_random_weights
from PIL import Image

from diptych.cli import main
from diptych.errors import DataError
from diptych.evaluate.inputs.distance_side import EncoderSpec
from diptych.evaluate.inputs.image_arrays import is_image_array
from diptych.evaluate.inputs.saved_statistics import read_statistics
from diptych.evaluate.inputs.sides import open_side
from diptych.evaluate.statistics.moments import moments

pytestmark = pytest.mark.usefixtures("one_thread")

RANDOM = np.random.default_rng(7)
VECTORS = RANDOM.standard_normal((40, 6)).astype(np.float32)
MU, SIGMA = VECTORS.mean(0).astype(np.float64), np.cov(VECTORS.T.astype(np.float64))
INCEPTION, DINOV2 = EncoderSpec("inception", {}), EncoderSpec("dinov2", {})


def statistics(*arguments: object) -> Any:
    result = CliRunner().invoke(main, ["--progress", "none", "evaluate", "statistics", *map(str, arguments)])
    if result.exit_code:
        (line,) = result.output.splitlines()
        return line
    return result


def save_edm2(path: Path, protocol: int, found: Any = None) -> Path:
    """Save statistics as ``save_stats`` of EDM2's calculate_metrics.py does."""
    found = found or {"fid": {"mu": MU, "sigma": SIGMA}, "fd_dinov2": {"mu": MU + 1, "sigma": SIGMA}, "num_images": 40}
    path.write_bytes(pickle.dumps(found, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_edm2_has_a_pair_for_each_encoder(protocol: int, tmp_path: Path) -> None:
    path = save_edm2(tmp_path / "ref.pkl", protocol)
    fid, dino = (read_statistics(path, spec) for spec in (INCEPTION, DINOV2))
    assert fid.moments is not None
    assert dino.moments is not None
    np.testing.assert_array_equal(fid.moments.mean, MU)
    np.testing.assert_array_equal(dino.moments.mean, MU + 1)
    np.testing.assert_allclose(fid.moments.covariance, SIGMA, rtol=1e-12)
    assert (fid.moments.n, fid.is_size_known, fid.encoder) == (40, True, None)
    with pytest.raises(DataError, match="has fid, fd_dinov2; none is of the encoder 'open_clip'"):
        read_statistics(path, EncoderSpec("open_clip", {}))


def test_numbers_of_any_kind_come_as_they_were_saved(tmp_path: Path) -> None:
    for kind in (">f8", "<f4", "=f2"):
        pair = {"mu": MU.astype(kind), "sigma": np.asfortranarray(np.eye(6).astype(kind))}
        path = save_edm2(tmp_path / "ref.pkl", 2, {"fid": pair, "num_images": np.int64(40)})
        found = read_statistics(path, INCEPTION).moments
        assert found is not None
        np.testing.assert_array_equal(found.mean, MU.astype(kind).astype(np.float64))


class _Runs:
    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.made,)  # type: ignore[return-value]


def test_a_pickle_that_runs_something_is_not_opened(tmp_path: Path) -> None:
    made = tmp_path / "made"
    hostile = {"fid": {"mu": _Runs(made), "sigma": SIGMA}, "num_images": 40}
    (tmp_path / "ref.pkl").write_bytes(pickle.dumps(hostile))
    with pytest.raises(
        DataError, match=r"ref\.pkl: no pickle of numbers .* which could run anything, and is not opened"
    ):
        read_statistics(tmp_path / "ref.pkl", INCEPTION)
    assert not made.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cnumpy\nndarray\n(I1000000000000\ntR.",  # the type called, for an array as large as one likes
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I1000000000\ntVd\ntR.",  # begun large, never filled
        b"cnumpy.core.numeric\n_frombuffer\n(V12345678\ncnumpy\ndtype\n(VO\ntR(I1\ntVC\ntR.",  # addresses as objects
        b"cnumpy\ndtype\n(VV8\ntR.",
        b"cnumpy.f2py\ncompile\n.",
        b"cbuiltins\neval\n(Vexit()\ntR.",
        b"\x80\x04\x95\x10",
        b"",
        b"[" * 100_000,
    ],
    ids=["type", "large", "objects", "void", "numpy_s_own", "eval", "cut", "empty", "deep"],
)
def test_odd_pickles_are_one_line(code: bytes, tmp_path: Path) -> None:
    (tmp_path / "ref.pkl").write_bytes(code)
    with pytest.raises(DataError) as caught:
        read_statistics(tmp_path / "ref.pkl", INCEPTION)
    assert "\n" not in str(caught.value)


def test_a_damaged_pickle_is_one_line(tmp_path: Path) -> None:
    pair = {"mu": MU[:2], "sigma": SIGMA[:2, :2]}
    whole = save_edm2(tmp_path / "ref.pkl", 2, {"fid": pair, "num_images": 40}).read_bytes()
    assert any("numpy" in str(argument) for _, argument, _ in pickletools.genops(whole))
    for place in range(len(whole)):
        for flip in (0x01, 0x28, 0x80):
            (tmp_path / "bad.pkl").write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            with contextlib.suppress(DataError):
                read_statistics(tmp_path / "bad.pkl", INCEPTION)


def test_adm_has_a_second_pair_for_the_spatial_layer(tmp_path: Path) -> None:
    np.savez(tmp_path / "ref.npz", mu=MU, sigma=SIGMA, mu_s=MU[:3] + 1, sigma_s=SIGMA[:3, :3])
    spatial = EncoderSpec("inception", {"layer": "spatial"})
    pooled, layer = (read_statistics(tmp_path / "ref.npz", spec).moments for spec in (INCEPTION, spatial))
    assert pooled is not None
    assert layer is not None
    assert (pooled.dim, layer.dim) == (6, 3)
    np.testing.assert_array_equal(layer.mean, MU[:3] + 1)
    np.savez(tmp_path / "one.npz", mu=MU, sigma=SIGMA)
    with pytest.raises(DataError, match="layer spatial needs mu_s and sigma_s"):
        read_statistics(tmp_path / "one.npz", spatial)


@pytest.mark.parametrize("name", ["kid.npz", "cmmd.npy"])
def test_vectors_alone_make_every_metric(name: str, tmp_path: Path) -> None:
    if name.endswith(".npz"):
        np.savez(tmp_path / name, feats=VECTORS)
    else:
        np.save(tmp_path / name, VECTORS)
    side = read_statistics(tmp_path / name)
    assert side.images is not None
    np.testing.assert_array_equal(side.images.vectors, VECTORS)
    assert len(set(side.images.units)) == 40


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(3), "vectors are needed, as float"),
        (np.zeros((3, 2), int), "int64"),
        (np.full((3, 2), np.nan), "finite"),
        (np.full((3, 2), 1e18), r"above 1e\+12"),
    ],
)
def test_what_is_no_vectors_is_refused(array: np.ndarray, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=said):
        read_statistics(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(DataError, match=r"no \.npy file of vectors"):
        read_statistics(tmp_path / "x.npy")


def test_images_in_an_array_are_those_of_a_folder(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (9, 20, 24, 3), np.uint8)
    np.savez_compressed(tmp_path / "samples.npz", pixels, np.arange(9))
    (tmp_path / "folder").mkdir()
    for number, each in enumerate(pixels):
        Image.fromarray(each).save(tmp_path / "folder" / f"{number}.png")
    assert is_image_array(tmp_path / "samples.npz")
    spec = EncoderSpec("projection", {"dim": 6}, 4)
    array, folder = (open_side(tmp_path / name, spec).images for name in ("samples.npz", "folder"))
    assert array is not None
    assert folder is not None
    np.testing.assert_array_equal(array.vectors, folder.vectors)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 4, 4, 3)), "images are needed, as uint8"),
        (np.zeros((2, 4, 4), np.uint8), "images are needed, as uint8"),
        (np.zeros((0, 4, 4, 3), np.uint8), "images are needed, as uint8"),
    ],
)
def test_an_array_that_is_no_images_is_refused(array: np.ndarray, said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", array)
    with pytest.raises(DataError, match=said):
        open_side(tmp_path / "x.npz", EncoderSpec("projection", {"dim": 6}, 4))


def test_each_format_is_written_as_its_program_reads_it(tmp_path: Path) -> None:
    folder, encoder = draw_folder(tmp_path / "a", 5), ["--encoder", "projection", "--set", "dim=6"]
    side = open_side(folder, EncoderSpec("projection", {"dim": 6}, 4))
    assert side.images is not None
    vectors, found = side.images.vectors, moments(side.images.vectors)
    for name, ending in (("pytorch_fid", "npz"), ("clean_fid_kid", "npz"), ("cmmd", "npy")):
        statistics(folder, "--out", tmp_path / f"{name}.{ending}", "--format", name, *encoder)
    with np.load(tmp_path / "pytorch_fid.npz") as saved:
        assert sorted(saved.files) == ["mu", "sigma"]
        np.testing.assert_array_equal(saved["sigma"], found.covariance)
    with np.load(tmp_path / "clean_fid_kid.npz") as saved:
        np.testing.assert_array_equal(saved["feats"], vectors)
    np.testing.assert_array_equal(np.load(tmp_path / "cmmd.npy"), vectors)
    said = "EDM2 knows the encoders inception, dinov2, not 'projection'"
    assert said in statistics(folder, "--out", tmp_path / "x.pkl", *encoder)
    assert "a file of adm ends in .npz" in statistics(folder, "--out", tmp_path / "x.pkl", "--format", "adm", *encoder)
    assert "files of statistics end in .npz, .npy, .pkl" in statistics(folder, "--out", tmp_path / "x.txt", *encoder)
    assert "of Inception" in statistics(folder, "--out", tmp_path / "x.npz", "--format", "adm", *encoder)


def test_what_is_written_of_inception_is_read_again(tmp_path: Path) -> None:
    folder, weights = draw_folder(tmp_path / "a", 4), save_random_weights(tmp_path / "inception.pth")
    statistics(folder, "--out", tmp_path / "adm.npz", "--format", "adm", "--encoder", weights)
    statistics(folder, "--out", tmp_path / "edm2.pkl", "--encoder", weights)
    with (tmp_path / "edm2.pkl").open("rb") as file:
        plain = pickle.load(file)
    assert (sorted(plain), plain["num_images"]) == (["fid", "num_images"], 4)
    adm, edm2 = (read_statistics(tmp_path / name, INCEPTION).moments for name in ("adm.npz", "edm2.pkl"))
    assert adm is not None
    assert edm2 is not None
    np.testing.assert_array_equal(adm.mean, plain["fid"]["mu"])
    np.testing.assert_array_equal(edm2.mean, plain["fid"]["mu"])
    spatial = read_statistics(tmp_path / "adm.npz", EncoderSpec("inception", {"layer": "spatial"})).moments
    assert spatial is not None
    assert spatial.dim == 2023
