"""The two sides of a distance as vectors: a dataset directory, a folder or an array of images, or saved statistics.

Vectors of a dataset are stored beside it by the floor's scoring and used again; those of a folder are computed anew,
or saved once, see ``saved_statistics``.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.config.identity import fingerprint
from diptych.data.dataset import open_dataset
from diptych.data.table import DatasetTable
from diptych.device_batches import in_fitting_parts
from diptych.encoders import Encoder, make_encoder
from diptych.encoders.stored_vectors import as_stored
from diptych.errors import DataError
from diptych.evaluate.inputs.dataset_traits import dataset_traits
from diptych.evaluate.inputs.distance_side import DistanceSide, EncoderSpec
from diptych.evaluate.inputs.file_traits import FileTraits
from diptych.evaluate.inputs.image_arrays import is_image_array, opened_images
from diptych.evaluate.inputs.saved_statistics import read_statistics
from diptych.evaluate.inputs.scored_rows import ScoredRows, unit_name
from diptych.evaluate.inputs.set_images import SHORT, SetImages, set_images_of
from diptych.progress import track
from diptych.scores.loading import LoadedImage, Needs, load_image
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.storage.locks import only_one
from diptych.storage.store_path import ReadPath, StorePath

LABEL = "encoder"
THREADS = 4
SIDECARS = frozenset({".caption", ".csv", ".json", ".jsonl", ".md", ".txt"})  # what lies beside images, and is none


def open_sides(
    paths: Sequence[ReadPath], specs: Sequence[EncoderSpec], *, progress: str = "auto"
) -> list[list[DistanceSide]]:
    """Return the images at some paths as ``open_side`` does, for each path once by each encoder, from one decode.

    What can be known to be wrong is said before any image is seen.

    Raises:
        ConfigError: If an encoder does not fit.
        DataError: If there is nothing at a path that can be read.
    """
    saved = {path: _saved(path, specs) for path in paths if path.is_file() and not is_image_array(path)}
    for path in paths:
        if path not in saved and not path.is_file():
            _check_directory(path)
    return [saved[path] if path in saved else _opened(path, specs, progress) for path in paths]


def open_side(path: ReadPath, spec: EncoderSpec, *, progress: str = "auto") -> DistanceSide:
    """Return the images at a path as vectors, computing what is not stored.

    Raises:
        ConfigError: If the encoder does not fit.
        DataError: If there is nothing at the path that can be read.
    """
    return open_sides([path], [spec], progress=progress)[0][0]


def _saved(path: ReadPath, specs: Sequence[EncoderSpec]) -> list[DistanceSide]:
    return [read_statistics(path, spec) for spec in specs]


def _opened(path: ReadPath, specs: Sequence[EncoderSpec], progress: str) -> list[DistanceSide]:
    if path.is_file():
        return _array(path, specs, progress)
    return _dataset(path, specs, progress) if _is_dataset(path) else _folder(path, specs, progress)


def _check_directory(path: ReadPath) -> None:
    """Refuse what is no dataset directory and no folder with files that may be images."""
    if not path.is_dir():
        raise DataError(f"{path}: no such dataset directory, folder of images or .npz file")
    if _is_dataset(path):
        open_dataset(path)
    elif next(_image_files(path), None) is None:
        raise DataError(f"{path}: no image files there")


def _is_dataset(path: ReadPath) -> bool:
    return (path / "dataset.json").is_file() or (path / "data").is_dir()


def _image_files(path: ReadPath) -> Iterator[ReadPath]:
    found = path.everything_below() if isinstance(path, StorePath) else path.rglob("*")
    files = (file for file in found if file.is_file() and not file.name.startswith("."))
    return (file for file in files if file.suffix.lower() not in SIDECARS)


def _dataset(path: ReadPath, specs: Sequence[EncoderSpec], progress: str) -> list[DistanceSide]:
    dataset = open_dataset(path)
    encoders = {f"{LABEL}_{number}": (spec.kind, spec.options) for number, spec in enumerate(specs)}
    plan = ScorePlan(encoders, {}, tuple(encoders))
    with only_one(dataset.written):
        stored = score_dataset(path, plan, batch_size=specs[0].batch_size, progress=progress).embeddings
    is_generated = dataset.manifest.get("kind") == "generated"
    rows = ScoredRows(path.name, "generated" if is_generated else "pairs", DatasetTable(dataset), stored)
    found, traits = [], dataset_traits(rows)
    for label in encoders:
        images = set_images_of(rows, label)
        lost = len(images.vectors) - len(images.known.vectors)
        reasons = {"no_picture": lost} if lost else {}
        identity = stored[label].manifest["identity"]
        found.append(DistanceSide(path, dataset.fingerprint, identity, images, reasons=reasons, traits=traits))
    return found


def _folder(path: ReadPath, specs: Sequence[EncoderSpec], progress: str) -> list[DistanceSide]:
    files = sorted(_image_files(path))
    keys = [file.relative_to(path).with_suffix("").as_posix() for file in files]
    found = _embedded(path, [file.read_bytes for file in files], keys, specs, progress)
    reasons = found[0].reasons
    if reasons and sum(reasons.values()) == len(files):
        raise DataError(f"{path}: none of its {len(files)} files is an image ({', '.join(reasons)})")
    return found


def _array(path: ReadPath, specs: Sequence[EncoderSpec], progress: str) -> list[DistanceSide]:
    with opened_images(path) as (rows, pictures):
        keys = [f"{path.name}/{number:06d}" for number in range(rows)]
        return _embedded(path, pictures, keys, specs, progress)


def _embedded(
    path: ReadPath,
    pictures: Iterable[Callable[[], bytes]],
    keys: Sequence[str],
    specs: Sequence[EncoderSpec],
    progress: str,
) -> list[DistanceSide]:
    """Return the images that some functions read, each known by its key, by each encoder."""
    encoders = [make_encoder(spec.kind, spec.options) for spec in specs]
    hashes: list[str] = []
    blocks = [[np.empty((0, encoder.dim), np.float32)] for encoder in encoders]
    reasons, traits = Counter[str](), FileTraits()
    with track(f"embed {path.name}", len(keys), mode=progress, unit="images") as tracker:
        for batch in _load(zip(keys, pictures, strict=True), encoders, specs[0].batch_size):
            loads = [picture.loaded for picture in batch]
            for mine, encoder in zip(blocks, encoders, strict=True):
                mine.append(_embed(loads, encoder))
            hashes += [picture.sha256 for picture in batch]
            for picture in batch:
                traits.add(picture.traits)
            outcome = Counter(load.reason or "ok" for load in loads)
            tracker.advance(len(batch), outcome)
            reasons.update(outcome)
    reasons.pop("ok", None)
    content, left_out = fingerprint(sorted(hashes)), dict(sorted(reasons.items()))
    contents = np.array([found[:SHORT] for found in hashes], np.str_)
    units, texts = np.array([unit_name(found) for found in hashes], np.str_), np.zeros(len(hashes), "U1")
    known = (units, contents, np.array(keys, np.str_), texts)
    return [
        DistanceSide(
            path, content, encoder.identity, SetImages(np.concatenate(mine), *known), reasons=left_out, traits=traits
        )
        for mine, encoder in zip(blocks, encoders, strict=True)
    ]


class _ReadPicture(NamedTuple):
    sha256: str
    loaded: LoadedImage
    traits: FileTraits


def _load(
    pictures: Iterable[tuple[str, Callable[[], bytes]]], encoders: Sequence[Encoder], batch_size: int
) -> Iterator[list[_ReadPicture]]:
    """Yield pictures in batches, the next one being read and decoded meanwhile."""
    needs, coming = Needs(encoders={str(number): encoder for number, encoder in enumerate(encoders)}), iter(pictures)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="decode") as pool:
        ahead: list[Future[_ReadPicture]] = []
        while True:
            behind, ahead = ahead, [pool.submit(_read, *each, needs) for each in islice(coming, batch_size)]
            if behind:
                yield [future.result() for future in behind]
            if not ahead:
                return


def _read(key: str, read: Callable[[], bytes], needs: Needs) -> _ReadPicture:
    try:
        data = read()
    except OSError:
        return _ReadPicture(f"unreadable: {key}", LoadedImage(None, {}, "unreadable"), FileTraits())
    loaded, traits = load_image(data, "ok", needs), FileTraits()
    if loaded.reason is None:
        traits.look(data)
    return _ReadPicture(hashlib.sha256(data).hexdigest(), loaded, traits)


def _embed(loads: list[LoadedImage], encoder: Encoder) -> npt.NDArray[np.float32]:
    """Return float32 (N, dim), rounded as stored vectors are; NaN where there is no picture."""
    present = [row for row, load in enumerate(loads) if load.reason is None]
    vectors = np.full((len(loads), encoder.dim), np.nan, np.float32)
    if present:
        found = in_fitting_parts(encoder.images, [loads[row].prepared[id(encoder)] for row in present], encoder)
        vectors[present] = as_stored(encoder, np.concatenate(found))
    return vectors
