"""Files of statistics of diptych's own: images by one encoder or several, as vectors, or as mean and covariance alone.

The first encoder's arrays are ``mu``, ``sigma``, ``n`` and ``vectors``, which other programs read; those of further
encoders have a number in front (``1.mu``). What is known of each image stands there once: all saw the same ones.
"""

import json
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from diptych.encoders import make_encoder
from diptych.errors import DataError
from diptych.evaluate.inputs.distance_side import DistanceSide, EncoderSpec
from diptych.evaluate.inputs.file_traits import FileTraits
from diptych.evaluate.inputs.given_moments import given_moments, given_size
from diptych.evaluate.inputs.npz_members import read_members
from diptych.evaluate.inputs.set_images import SetImages
from diptych.evaluate.statistics.moments import moments
from diptych.storage.store_path import ReadPath

TEXTS = ("units", "contents", "keys", "texts")  # of SetImages, as they are saved
LARGEST = 1e12  # of a number in a vector: features of pictures are far smaller, and squares of these still fit float32
DAMAGED = "damaged statistics of diptych, or statistics of an older one ({}); save them again"


def read_own(path: ReadPath, said: npt.NDArray[Any], spec: EncoderSpec | None) -> DistanceSide:
    """Return what a file holds of the images by an encoder.

    Args:
        path: The file.
        said: Its ``facts``.
        spec: The encoder that is asked for, which chooses where the file holds several.

    Raises:
        DataError: If it is damaged, or holds none of that encoder.
    """
    try:
        facts = json.loads(str(said))
        encoders = [facts["encoder"], *facts.get("further", [])]
        if not all(isinstance(each, dict) and "encoder" in each for each in encoders[1:] and encoders):
            raise TypeError("its encoders are none")
        reasons, content = dict(facts["reasons"]), str(facts["content"])
        traits = FileTraits.from_json(facts["files"]) if facts.get("files") else None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: {DAMAGED.format(error)}") from error
    number = _chosen(path, encoders, spec)
    wanted = [_name(number, name) for name in ("mu", "sigma", "n", "vectors")]
    arrays = read_members(path, lambda found: [name for name in (*wanted, *TEXTS) if name in found])
    mu, sigma, n, vectors = (arrays.get(name) for name in wanted)
    identity = encoders[number]
    if vectors is not None:
        images = _images(path, vectors, arrays)
        return DistanceSide(path, content, identity, images, reasons=reasons, traits=traits)
    if mu is None or sigma is None or n is None:
        raise DataError(f"{path}: {DAMAGED.format('neither vectors nor mu, sigma and n')}")
    found = given_moments(str(path), mu, sigma, given_size(str(path), n))
    return DistanceSide(path, content, identity, None, moments=found, reasons=reasons, traits=traits)


def write_own(file: IO[bytes], sides: Sequence[DistanceSide]) -> None:
    """Write vectors, units, moments and identities; other programs read ``mu`` and ``sigma`` of the first encoder."""
    kept = _kept(sides[0])
    assert all(np.array_equal(_kept(side).units, kept.units) for side in sides), "the sides have the same images"
    vectors = {_name(number, "vectors"): _kept(side).vectors for number, side in enumerate(sides)}
    texts = {name: getattr(kept, name) for name in TEXTS}
    arrays: dict[str, Any] = {**_moments_of(sides), **vectors, **texts, "facts": _facts(sides)}
    np.savez(file, **arrays)


def write_moments(file: IO[bytes], sides: Sequence[DistanceSide]) -> None:
    """Write moments and identities alone, so that the file tells nothing of a single image."""
    arrays: dict[str, Any] = {**_moments_of(sides), "facts": _facts(sides)}
    np.savez(file, **arrays)


def are_features(vectors: npt.NDArray[Any]) -> bool:
    """Return whether numbers are finite and of a size that features of pictures have."""
    return bool(np.isfinite(vectors).all() and np.abs(vectors).max(initial=0.0) <= LARGEST)


def _name(number: int, name: str) -> str:
    return f"{number}.{name}" if number else name


def _kept(side: DistanceSide) -> SetImages:
    assert side.images is not None
    return side.images.known


def _facts(sides: Sequence[DistanceSide]) -> npt.NDArray[np.str_]:
    first = sides[0]
    files = first.traits.to_json() if first.traits is not None else None
    facts = {"encoder": first.encoder, "content": first.content, "reasons": dict(first.reasons), "files": files}
    further = [side.encoder for side in sides[1:]]
    return np.array(json.dumps({**facts, "further": further} if further else facts))


def _moments_of(sides: Sequence[DistanceSide]) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {}
    for number, side in enumerate(sides):
        found = moments(_kept(side).vectors)
        own = {"mu": found.mean, "sigma": found.covariance, "n": np.array(found.n, np.int64)}
        arrays |= {_name(number, name): array for name, array in own.items()}
    return arrays


def _chosen(path: ReadPath, encoders: Sequence[Mapping[str, Any]], spec: EncoderSpec | None) -> int:
    """Return the number of the encoder that is asked for; the only one that there is, whatever is asked for.

    Whether that is the one shows when vectors are compared.
    """
    if spec is None or len(encoders) == 1:
        return 0
    found = [number for number, each in enumerate(encoders) if each["encoder"] == spec.kind]
    if len(found) > 1:  # what an identity says of an option is not how it is asked for
        identity = json.loads(json.dumps(make_encoder(spec.kind, spec.options).identity))
        found = [number for number in found if encoders[number] == identity]
    if not found:
        have = " and ".join(str(each["encoder"]) for each in encoders)
        said = "".join(f", {name}={value}" for name, value in spec.options.items())
        raise DataError(f"{path}: holds vectors of {have}, none of {spec.kind}{said}; save them by that encoder, too")
    return found[0]


def _images(path: ReadPath, vectors: npt.NDArray[Any], arrays: Mapping[str, npt.NDArray[Any]]) -> SetImages:
    try:
        found = np.asarray(vectors, np.float32)
        texts = {name: arrays[name].astype(str) for name in TEXTS}
        fit = all(each.shape == (len(found),) for each in texts.values())
        if found.ndim != 2 or not are_features(found) or not fit:
            raise ValueError("vectors and units do not fit")
        return SetImages(found, **texts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: {DAMAGED.format(error)}") from error
