"""The two sides of a distance: a dataset directory, a folder of image files, or saved statistics, as vectors.

Vectors of a dataset are stored beside it by the floor's scoring and used again; those of a folder are computed anew,
or saved once with ``save_side``.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.assets import file_sha256
from diptych.config.identity import fingerprint
from diptych.data.dataset import open_dataset
from diptych.data.picture_files import is_image_name
from diptych.data.table import DatasetTable
from diptych.encoders import Encoder, make_encoder
from diptych.encoders.stored_vectors import as_stored
from diptych.errors import DataError
from diptych.evaluate.inputs.npz_members import read_members
from diptych.evaluate.inputs.scored_rows import ScoredRows, unit_name
from diptych.evaluate.inputs.set_images import SHORT, SetImages, set_images_of
from diptych.evaluate.statistics.moments import Floats, Moments, moments
from diptych.progress import track
from diptych.scores.loading import LoadedImage, Needs, load_image
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset
from diptych.storage.locks import only_one

LABEL = "encoder"
THREADS = 4
SIDECARS = frozenset({".caption", ".csv", ".json", ".jsonl", ".md", ".txt"})  # what lies beside images, and is none
TEXTS = ("units", "contents", "keys", "texts")  # of SetImages, as they are saved

NEGATIVE = 1e-4  # how far below zero, of the largest, an eigenvalue of a covariance may be rounded
UNEQUAL = 1e-5  # how far apart, of the largest number, the two halves of a covariance may be rounded


@dataclass(frozen=True)
class EncoderSpec:
    """Which encoder to use: its kind, its options, and how many images it sees at once."""

    kind: str
    options: Mapping[str, Any]
    batch_size: int = 64


@dataclass(frozen=True)
class DistanceSide:
    """Some images as vectors, or what was saved of them.

    Attributes:
        path: Where they came from.
        content: Hash of the images (or of the file of statistics).
        encoder: Identity of the encoder; None for statistics that do not say.
        images: None for statistics without vectors.
        moments: Mean and covariance, where that is all there is.
        is_size_known: Whether it is known of how many images the moments are.
        reasons: Images without a vector by reason.
    """

    path: Path
    content: str
    encoder: Mapping[str, Any] | None
    images: SetImages | None
    moments: Moments | None = None
    is_size_known: bool = True
    reasons: Mapping[str, int] = field(default_factory=dict)


def open_sides(paths: Sequence[Path], spec: EncoderSpec, *, progress: str = "auto") -> list[DistanceSide]:
    """Return the images at some paths as ``open_side`` does; what can be known to be wrong is said before any is seen.

    Raises:
        ConfigError: If the encoder does not fit.
        DataError: If there is nothing at a path that can be read.
    """
    saved = {path: read_statistics(path) for path in paths if path.is_file()}
    for path in paths:
        if path not in saved:
            _check_directory(path)
    return [saved[path] if path in saved else open_side(path, spec, progress=progress) for path in paths]


def open_side(path: Path, spec: EncoderSpec, *, progress: str = "auto") -> DistanceSide:
    """Return the images at a path as vectors, computing what is not stored.

    Raises:
        ConfigError: If the encoder does not fit.
        DataError: If there is nothing at the path that can be read.
    """
    if path.is_file():
        return read_statistics(path)
    _check_directory(path)
    return _dataset(path, spec, progress) if _is_dataset(path) else _folder(path, spec, progress)


def _check_directory(path: Path) -> None:
    """Refuse what is no dataset directory and no folder with files that may be images."""
    if not path.is_dir():
        raise DataError(f"{path}: no such dataset directory, folder of images or .npz file")
    if _is_dataset(path):
        open_dataset(path)
    elif next(_image_files(path), None) is None:
        raise DataError(f"{path}: no image files there")


def _is_dataset(path: Path) -> bool:
    return (path / "dataset.json").is_file() or (path / "data").is_dir()


def _image_files(path: Path) -> Iterator[Path]:
    files = (file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    return (file for file in files if file.suffix.lower() not in SIDECARS)


def save_side(side: DistanceSide, path: Path) -> None:
    """Write vectors, units, moments and identity as .npz; other programs read ``mu`` and ``sigma`` from it.

    Raises:
        DataError: If there are no vectors to save, fewer than two images, or the file cannot be written.
    """
    if side.images is None:
        raise DataError(f"{side.path}: holds statistics already")
    kept = side.images.known
    if len(kept.vectors) < 2:
        raise DataError(f"{side.path}: {len(kept.vectors)} images with vectors; statistics need at least 2")
    found = moments(kept.vectors)
    facts = {"encoder": side.encoder, "content": side.content, "reasons": dict(side.reasons)}
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(
                file,
                mu=found.mean,
                sigma=found.covariance,
                n=np.int64(found.n),
                vectors=kept.vectors,
                **{name: getattr(kept, name) for name in TEXTS},
                facts=np.array(json.dumps(facts)),
            )
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DataError(f"{path}: cannot be written: {error.strerror}; give another place") from error


def read_statistics(path: Path) -> DistanceSide:
    """Read saved statistics: those of ``save_side``, or ``mu`` and ``sigma`` as pytorch-fid and clean-fid save them.

    Raises:
        DataError: If the file holds something else.
    """
    names: list[str] = []

    def choose(found: Collection[str]) -> Iterator[str]:
        names.extend(sorted(found))
        is_own = {"facts", "vectors"} <= set(found)
        return (name for name in (("facts", "vectors", *TEXTS) if is_own else ("mu", "sigma", "n")) if name in found)

    arrays = read_members(path, choose)
    if "facts" in arrays and "vectors" in arrays:
        return _own_statistics(path, arrays)
    if "mu" not in arrays or "sigma" not in arrays:
        if any(map(is_image_name, names)):
            raise DataError(f"{path}: an archive of images; unpack it and give the folder")
        have = ", ".join(names) or "nothing"
        raise DataError(f"{path}: statistics are needed, as mu and sigma; it holds {have}")
    n = _size(path, arrays["n"]) if "n" in arrays and arrays["n"].shape == () else None
    found = _moments(path, arrays["mu"], arrays["sigma"], n)
    return DistanceSide(path, file_sha256(path), None, None, moments=found, is_size_known=n is not None)


def _own_statistics(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> DistanceSide:
    try:
        facts = json.loads(str(arrays["facts"]))
        vectors = np.asarray(arrays["vectors"], np.float32)
        texts = {name: arrays[name].astype(str) for name in TEXTS}
        fit = all(each.shape == (len(vectors),) for each in texts.values())
        if vectors.ndim != 2 or not np.isfinite(vectors).all() or not fit:
            raise ValueError("vectors and units do not fit")
        images, reasons = SetImages(vectors, **texts), dict(facts["reasons"])
        return DistanceSide(path, str(facts["content"]), facts["encoder"], images, reasons=reasons)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: damaged statistics of diptych, or statistics of an older one ({error}); save them again"
        ) from error


def _size(path: Path, n: npt.NDArray[Any]) -> int:
    is_number = np.issubdtype(n.dtype, np.integer) or np.issubdtype(n.dtype, np.floating)
    if not is_number or not np.isfinite(n) or n != np.floor(n):
        raise DataError(f"{path}: n is {n.item()!r}; the number of images is needed, or no n")
    return int(n)


def _moments(path: Path, mu: Floats, sigma: Floats, n: int | None) -> Moments:
    fits = mu.ndim == 1 and len(mu) and sigma.shape == (len(mu), len(mu))
    if not fits or not (np.issubdtype(mu.dtype, np.floating) and np.issubdtype(sigma.dtype, np.floating)):
        raise DataError(f"{path}: mu and sigma are {mu.shape} and {sigma.shape}; (D,) and (D, D) numbers are needed")
    mean, covariance = mu.astype(np.float64), sigma.astype(np.float64)
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise DataError(f"{path}: mu or sigma holds numbers that are not finite")
    if np.abs(covariance - covariance.T).max() > UNEQUAL * np.abs(covariance).max():
        raise DataError(f"{path}: sigma is not symmetric, so it is no covariance")
    eigenvalues = np.linalg.eigvalsh((covariance + covariance.T) / 2.0)
    if eigenvalues.min() < -NEGATIVE * np.abs(eigenvalues).max():
        raise DataError(
            f"{path}: sigma has the eigenvalue {eigenvalues.min():.3g}, so it is no covariance: none is negative there"
        )
    if n is not None and n < 2:
        raise DataError(f"{path}: n is {n}; statistics need at least 2 images")
    size = n or 2  # any number gives the same covariance back
    return Moments(size, mean, (covariance + covariance.T) / 2.0 * (size - 1), False)


def _dataset(path: Path, spec: EncoderSpec, progress: str) -> DistanceSide:
    dataset = open_dataset(path)
    plan = ScorePlan({LABEL: (spec.kind, spec.options)}, {}, (LABEL,))
    with only_one(dataset.written):
        stored = score_dataset(path, plan, batch_size=spec.batch_size, progress=progress).embeddings[LABEL]
    is_generated = dataset.manifest.get("kind") == "generated"
    rows = ScoredRows(path.name, "generated" if is_generated else "pairs", DatasetTable(dataset), {LABEL: stored})
    images = set_images_of(rows, LABEL)
    lost = len(images.vectors) - len(images.known.vectors)
    reasons = {"no_picture": lost} if lost else {}
    return DistanceSide(path, dataset.fingerprint, stored.manifest["identity"], images, reasons=reasons)


class _File(NamedTuple):
    sha256: str
    loaded: LoadedImage


def _folder(path: Path, spec: EncoderSpec, progress: str) -> DistanceSide:
    files = sorted(_image_files(path))
    encoder = make_encoder(spec.kind, spec.options)
    hashes, blocks, reasons = [], [], Counter[str]()
    with track(f"embed {path.name}", len(files), mode=progress, unit="images") as tracker:
        for batch in _load(files, encoder, spec.batch_size):
            blocks.append(_embed([file.loaded for file in batch], encoder))
            hashes += [file.sha256 for file in batch]
            outcome = Counter(file.loaded.reason or "ok" for file in batch)
            tracker.advance(len(batch), outcome)
            reasons.update(outcome)
    reasons.pop("ok", None)
    if reasons.total() == len(files):
        raise DataError(f"{path}: none of its {len(files)} files is an image ({', '.join(sorted(reasons))})")
    content, reasons_found = fingerprint(sorted(hashes)), dict(sorted(reasons.items()))
    contents = np.array([found[:SHORT] for found in hashes], np.str_)
    keys = np.array([file.relative_to(path).with_suffix("").as_posix() for file in files], np.str_)
    units, texts = np.array([unit_name(found) for found in hashes], np.str_), np.zeros(len(files), "U1")
    images = SetImages(np.concatenate(blocks), units, contents, keys, texts)
    return DistanceSide(path, content, encoder.identity, images, reasons=reasons_found)


def _load(files: list[Path], encoder: Encoder, batch_size: int) -> Iterator[list[_File]]:
    """Yield the files in batches, the next one being read and decoded meanwhile."""
    needs = Needs(encoders={LABEL: encoder})
    with ThreadPoolExecutor(THREADS, thread_name_prefix="decode") as pool:
        ahead: list[Future[_File]] = []
        for start in range(0, len(files), batch_size):
            behind, ahead = ahead, [pool.submit(_read, file, needs) for file in files[start : start + batch_size]]
            if behind:
                yield [future.result() for future in behind]
        yield [future.result() for future in ahead]


def _read(file: Path, needs: Needs) -> _File:
    try:
        data = file.read_bytes()
    except OSError:
        return _File(f"unreadable: {file.name}", LoadedImage(None, {}, "unreadable"))
    return _File(hashlib.sha256(data).hexdigest(), load_image(data, "ok", needs))


def _embed(loads: list[LoadedImage], encoder: Encoder) -> npt.NDArray[np.float32]:
    """Return float32 (N, dim), rounded as stored vectors are; NaN where there is no picture."""
    present = [row for row, load in enumerate(loads) if load.reason is None]
    vectors = np.full((len(loads), encoder.dim), np.nan, np.float32)
    if present:
        found = encoder.images([loads[row].prepared[id(encoder)] for row in present])
        vectors[present] = as_stored(encoder, found)
    return vectors
