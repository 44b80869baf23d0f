"""Files of statistics: what is read from them and written to them, those of other programs among them.

What a file holds tells of which program it is, and its ending only how it is packed. Those of ``statistics_formats``:

- ``diptych``: vectors by one encoder or several, what is known of each image, and ``mu`` and ``sigma`` (.npz)
- ``moments``: the same without vectors and images
- ``pytorch_fid``: ``mu`` and ``sigma`` (.npz), also clean-fid's for FID and EDM's
- ``clean_fid_kid``: the vectors, as ``feats`` (.npz)
- ``adm``: ``mu``, ``sigma`` and ``mu_s``, ``sigma_s`` of the spatial layer (.npz); its samples are images (``arr_0``)
- ``edm2``: ``mu`` and ``sigma`` under the name of a metric, and ``num_images`` (.pkl), read without running it
- ``cmmd``: the vectors alone (.npy)
"""

import pickle
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from diptych.addresses import Address
from diptych.assets import file_sha256
from diptych.data.picture_files import is_image_name
from diptych.errors import DataError, ShardError
from diptych.evaluate.inputs.distance_side import DistanceSide, EncoderSpec
from diptych.evaluate.inputs.given_moments import given_moments, given_size
from diptych.evaluate.inputs.npz_members import NPZ_ERRORS, read_members
from diptych.evaluate.inputs.own_statistics import LARGEST, are_features, read_own
from diptych.evaluate.inputs.plain_pickle import read_plain_pickle
from diptych.evaluate.inputs.scored_rows import unit_name
from diptych.evaluate.inputs.set_images import SetImages
from diptych.evaluate.inputs.statistics_formats import Format
from diptych.evaluate.statistics.moments import Moments, moments
from diptych.lookup import import_attribute
from diptych.storage.location import Location
from diptych.storage.store_path import ReadPath

Arrays = Mapping[str, npt.NDArray[Any]]
Writer = Callable[[IO[bytes], Sequence[DistanceSide]], None]

EDM2_NAMES = {"inception": "fid", "dinov2": "fd_dinov2"}  # its metric of an encoder of ours
SPATIAL = "spatial"  # the layer of Inception of which ADM saves a second pair


def save_sides(sides: Sequence[DistanceSide], path: Address, wanted: Format) -> None:
    """Write what distances need to know of some images.

    Args:
        sides: The images by each encoder, with vectors; where the format needs that, Inception and its spatial layer.
        path: The file, replaced if it is there.
        wanted: In which format.

    Raises:
        DataError: If there are no vectors to save, fewer than two images, or the file cannot be written.
    """
    write: Writer = import_attribute(wanted.writer)
    for each in sides:
        if each.images is None:
            raise DataError(f"{each.path}: holds statistics already")
        if len(each.images.known.vectors) < 2:
            count = len(each.images.known.vectors)
            raise DataError(f"{each.path}: {count} images with vectors; statistics need at least 2")
    place = Location.at(path)
    try:
        with place.publishing() as file:
            write(file, sides)
    except ShardError as error:
        why = getattr(error.__cause__, "strerror", None)
        raise DataError(f"{place}: cannot be written: {why}; give another place" if why else str(error)) from error


def read_statistics(path: ReadPath, spec: EncoderSpec | None = None) -> DistanceSide:
    """Read saved statistics of any format.

    Args:
        path: The file.
        spec: The encoder that is asked for, which chooses where a file holds statistics of several.

    Raises:
        DataError: If the file holds something else.
    """
    if path.suffix == ".pkl":
        return _edm2(path, spec)
    if path.suffix == ".npy":
        return _vectors_alone(path, _npy(path))
    names: list[str] = []
    wanted = ("mu", "sigma", "n", "feats")
    pair = ("mu_s", "sigma_s") if spec is not None and spec.options.get("layer") == SPATIAL else ("mu", "sigma")

    def choose(found: Collection[str]) -> Iterator[str]:
        names.extend(sorted(found))
        return (name for name in (("facts",) if "facts" in found else (*wanted, *pair)) if name in found)

    arrays = read_members(path, choose)
    if "facts" in arrays:
        return read_own(path, arrays["facts"], spec)
    if {"mu", "sigma"} <= set(arrays):
        return _two_moments(path, arrays, pair)
    if "feats" in arrays:
        return _vectors_alone(path, arrays["feats"])
    if any(map(is_image_name, names)):
        raise DataError(f"{path}: an archive of images; unpack it and give the folder")
    have = ", ".join(names) or "nothing"
    raise DataError(f"{path}: statistics are needed, as mu and sigma, or vectors as feats; it holds {have}")


def _two_moments(path: ReadPath, arrays: Arrays, pair: tuple[str, str]) -> DistanceSide:
    if not set(pair) <= set(arrays):
        raise DataError(
            f"{path}: mu and sigma of pooled features; layer spatial needs mu_s and sigma_s, as ADM has them"
        )
    n = given_size(str(path), arrays["n"]) if "n" in arrays and arrays["n"].shape == () else None
    found = given_moments(str(path), arrays[pair[0]], arrays[pair[1]], n)
    return _of_moments(path, found, n)


def _of_moments(path: ReadPath, found: Moments, n: int | None) -> DistanceSide:
    return DistanceSide(path, file_sha256(path), None, None, moments=found, is_size_known=n is not None)


def _vectors_alone(path: ReadPath, vectors: npt.NDArray[Any]) -> DistanceSide:
    """Return vectors of which nobody knows the pictures: each stands alone, and none is known to be in another set."""
    if vectors.ndim != 2 or not vectors.size or not np.issubdtype(vectors.dtype, np.floating):
        raise DataError(f"{path}: vectors are needed, as float (N, D); it holds {vectors.dtype} {vectors.shape}")
    if not are_features(vectors):
        raise DataError(f"{path}: vectors with numbers that are not finite or above {LARGEST:g}; compute them again")
    content = file_sha256(path)
    units = np.array([unit_name(content, row) for row in range(len(vectors))], np.str_)
    nothing = np.zeros(len(vectors), "U1")
    images = SetImages(np.asarray(vectors, np.float32), units, nothing, units, nothing)
    return DistanceSide(path, content, None, images)


def _npy(path: ReadPath) -> npt.NDArray[Any]:
    try:
        with path.open("rb") as file:
            return np.asarray(np.load(file, mmap_mode=None, allow_pickle=False))
    except NPZ_ERRORS as error:
        raise DataError(f"{path}: no .npy file of vectors; give one as CMMD saves them") from error


def _edm2(path: ReadPath, spec: EncoderSpec | None) -> DistanceSide:
    """Return what a file of EDM2 has of the encoder that is asked for."""
    found = read_plain_pickle(path)
    metrics = {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}
    metrics = {name: one for name, one in metrics.items() if {"mu", "sigma"} <= set(one)}
    if not metrics:
        raise DataError(f"{path}: no statistics of EDM2, which has mu and sigma under the name of a metric")
    name = EDM2_NAMES.get(spec.kind) if spec is not None else None
    if name not in metrics:
        have = ", ".join(map(str, metrics))
        raise DataError(f"{path}: has {have}; none is of the encoder {spec.kind if spec else 'that is meant'!r}")
    where = f"{path}: {name}"
    n = given_size(where, np.asarray(found["num_images"])) if "num_images" in found else None
    mu, sigma = (np.asarray(metrics[name][part]) for part in ("mu", "sigma"))
    return _of_moments(path, given_moments(where, mu, sigma, n), n)


def _kept(side: DistanceSide) -> SetImages:
    assert side.images is not None
    return side.images.known


def write_pytorch_fid(file: IO[bytes], sides: Sequence[DistanceSide]) -> None:
    """Write ``mu`` and ``sigma``."""
    found = moments(_kept(sides[0]).vectors)
    np.savez(file, mu=found.mean, sigma=found.covariance)


def write_clean_fid_kid(file: IO[bytes], sides: Sequence[DistanceSide]) -> None:
    """Write ``feats``."""
    np.savez(file, feats=_kept(sides[0]).vectors)


def write_adm(file: IO[bytes], sides: Sequence[DistanceSide]) -> None:
    """Write the moments of the pooled and of the spatial layer."""
    pooled, layer = (moments(_kept(each).vectors) for each in sides)
    np.savez(file, mu=pooled.mean, sigma=pooled.covariance, mu_s=layer.mean, sigma_s=layer.covariance)


def write_edm2(file: IO[bytes], sides: Sequence[DistanceSide]) -> None:
    """Write the moments under EDM2's name of the encoder.

    Raises:
        DataError: If it has none.
    """
    side = sides[0]
    kind = str((side.encoder or {}).get("encoder"))
    if kind not in EDM2_NAMES:
        raise DataError(
            f"{side.path}: EDM2 knows the encoders {', '.join(EDM2_NAMES)}, not {kind!r}; take another format"
        )
    found = moments(_kept(side).vectors)
    pickle.dump({EDM2_NAMES[kind]: {"mu": found.mean, "sigma": found.covariance}, "num_images": found.n}, file)


def write_cmmd(file: IO[bytes], sides: Sequence[DistanceSide]) -> None:
    """Write the vectors, float32 (N, D)."""
    np.save(file, _kept(sides[0]).vectors)
