"""The images of a set as vectors, with what tells which of them depend on each other or are in another set."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.spatial import KDTree

from diptych.data.same_prompt import texts_apart
from diptych.data.same_text import plain_text
from diptych.data.schema import FILE, MEMBER
from diptych.evaluate.inputs.scored_rows import ScoredRows, unit_name

Texts = npt.NDArray[np.str_]
Vectors = npt.NDArray[np.float32]

SHORT = 16  # digits of a hash by which contents are told apart
SHADOW_DIM = 6


@dataclass(frozen=True)
class SetImages:
    """Some images, each with what is known of it.

    Attributes:
        vectors: float32 (N, D), NaN where there is no picture.
        units: Text (N,), equal for images that depend on each other; see ``SetMetric.statistics``.
        contents: Text (N,): the first digits of the sha256 of the bytes; empty where it is not known.
        keys: Text (N,): the path within a folder, or within the source of a pool, without its ending; else the key.
        texts: Text (N,): of a hash of the prompt's text, where the dataset tells of the prompt's set; else empty.
    """

    vectors: Vectors
    units: Texts
    contents: Texts
    keys: Texts
    texts: Texts

    def take(self, rows: npt.NDArray[np.int64]) -> "SetImages":
        """Return some of the images."""
        texts = (self.units, self.contents, self.keys, self.texts)
        return SetImages(self.vectors[rows], *(each[rows] for each in texts))

    @cached_property
    def known(self) -> "SetImages":
        """Those that have a vector."""
        return self.take(np.flatnonzero(np.isfinite(self.vectors).all(axis=1)))

    @cached_property
    def shadows(self) -> npt.NDArray[np.float64]:
        """float64 (N, SHADOW_DIM): projections, in which vectors that are near each other are near each other."""
        directions = np.random.default_rng(0).standard_normal((self.vectors.shape[1], SHADOW_DIM))
        return (self.vectors @ directions.astype(np.float32)).astype(np.float64)

    @cached_property
    def tree(self) -> Any:
        """The shadows, to be searched."""
        return KDTree(self.shadows)


def set_images_of(rows: ScoredRows, encoder: str) -> SetImages:
    """Return the vectors that a dataset has of an encoder by its label, with what is known of each image."""
    contents = [(found or "")[:SHORT] for found in rows.values("sha256").to_pylist()]
    texts = ["" if text is None else unit_name(plain_text(text)) for text in rows.told_texts]
    known = (np.array(each, np.str_) for each in (contents, _picture_names(rows), texts))
    return SetImages(rows.vectors(encoder), rows.units, *known)


def told_apart_from(first: SetImages, images: SetImages) -> SetImages:
    """Return images of which the prompts that ``first`` has with another text are other units, as in a run."""
    known: dict[str, str] = {}
    texts_apart(_units_and_texts(first), known)
    apart = texts_apart(_units_and_texts(images), known)
    if not any(apart):
        return images
    both = zip(images.units.tolist(), apart, strict=True)
    units = [unit_name(unit, text) if text else unit for unit, text in both]
    return replace(images, units=np.array(units, np.str_))


def _units_and_texts(images: SetImages) -> list[tuple[str, str | None]]:
    both = zip(images.units.tolist(), images.texts.tolist(), strict=True)
    return [(unit, text or None) for unit, text in both]


def _picture_names(rows: ScoredRows) -> list[str]:
    """Return what each picture is called: its file without the ending, as in a folder, where the source had files.

    A key follows from the content, so that versions of one picture never have the same; their files often do.
    """
    named = next((name for name in (FILE, MEMBER) if rows.has(name)), None)
    files = rows.values(named).cast(pa.string()).to_pylist() if named else [None] * len(rows)
    both = zip(rows.values("key").to_pylist(), files, strict=True)
    return [key if not file else PurePosixPath(file).with_suffix("").as_posix() for key, file in both]
