"""A pickle that holds numbers, texts, lists, dicts and numpy arrays, read without running what else it may ask for.

A pickle is a program: it names functions, and who loads it calls them. Here it can name those alone by which numpy
writes an array, and gets none of them: what stands in their place only notes what it is given, and makes an array from
the bytes that the file holds once all of it is read. EDM2 keeps its reference statistics in such a file.
"""

import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from diptych.errors import DataError, one_line
from diptych.storage.store_path import ReadPath

PICKLE_ERRORS = (
    *(AttributeError, EOFError, ImportError, LookupError, MemoryError, NotImplementedError, OverflowError),
    *(RecursionError, TypeError, UnicodeError, ValueError, pickle.UnpicklingError),
)
NUMBERS = "biufc"  # kinds of dtype whose bytes are numbers, whatever they are


def read_plain_pickle(path: ReadPath) -> Any:
    """Return what a pickle holds.

    Raises:
        DataError: If it is none, is damaged, or names anything but a numpy array of numbers.
    """
    try:
        with path.open("rb") as file:
            return _made(_PlainUnpickler(file).load())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except PICKLE_ERRORS as error:
        raise DataError(f"{path}: no pickle of numbers and numpy arrays: {one_line(error)}") from error


class _PlainUnpickler(pickle.Unpickler):
    """Knows no class and no function but what notes arrays."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for one of numpy's."""
        found = _NAMED.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which could run anything, and is not opened")
        return found


class _Dtype:
    """``numpy.dtype``: the text of one and, behind it, its byte order."""

    def __init__(self, text: str, *_: object) -> None:
        self._text = text
        self._order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._order = state[1]

    def made(self) -> np.dtype[Any]:
        order: Any = "=" if self._order == "|" else self._order
        dtype = np.dtype(self._text).newbyteorder(order)
        if dtype.kind not in NUMBERS:
            raise ValueError(f"an array of {dtype}; numbers are needed")
        return dtype


class _Array:
    """An array as ``_reconstruct`` begins it and ``__setstate__`` fills it, or whole, as ``_frombuffer`` has it."""

    def __init__(self, *given: Any) -> None:
        whole = (given[2], given[1], given[3], given[0]) if len(given) == 4 else None
        self._parts: tuple[Any, Any, Any, Any] | None = whole

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, data = state
        self._parts = shape, dtype, "F" if is_fortran else "C", data

    def made(self) -> Any:
        if self._parts is None:
            raise ValueError("an array that is begun and not filled")
        shape, dtype, order, data = self._parts
        return np.frombuffer(data, dtype.made()).reshape(shape, order=order)


class _Scalar:
    """One number, of its dtype and bytes."""

    def __init__(self, dtype: _Dtype, data: bytes) -> None:
        self._dtype, self._data = dtype, data

    def made(self) -> Any:
        return np.frombuffer(self._data, self._dtype.made(), count=1)[0]


def _made(found: Any) -> Any:
    """Return what was read with arrays in place of what was noted of them."""
    if isinstance(found, Mapping):
        return {key: _made(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_made(value) for value in found]
    return found.made() if isinstance(found, _Array | _Scalar | _Dtype) else found


def _encoded(text: str, encoding: str) -> bytes:
    """Return bytes as protocols before the third have them: as a text of as many letters."""
    if encoding != "latin1":
        raise ValueError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin-1")


_NAMED: dict[tuple[str, str], Callable[..., Any] | str] = {
    ("_codecs", "encode"): _encoded,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): _Scalar,
    ("numpy.core.numeric", "_frombuffer"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): "numpy.ndarray",  # is named beside _reconstruct, and never called
}
