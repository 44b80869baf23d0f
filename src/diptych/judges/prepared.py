"""Pictures as networks take them: prepared one by one, in groups of one shape, none padded to its neighbours."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import PIL.Image

from diptych.data.images import Image
from diptych.errors import DataError, one_line

ORDINARY = (64, 64)  # the size of a picture that any network can take


def prepared_by(processor: Callable[..., Mapping[str, Any]], image: Image, where: str) -> Mapping[str, Any] | None:
    """Return what a processor of transformers makes of one RGB picture; None where it cannot take this one.

    Some cannot take a strip of 2,000 by 3 pixels, of which nothing would be left. Where the processor cannot take an
    ordinary picture either, it is not the picture's fault.

    Raises:
        DataError: If it takes no picture at all.
    """
    try:
        return processor(images=image, return_tensors="pt")
    except Exception:  # whatever its arithmetic throws at such a picture
        try:
            processor(images=PIL.Image.new("RGB", ORDINARY), return_tensors="pt")
        except Exception as error:
            raise DataError(f"{where}: its processor takes no picture: {one_line(error)}") from error
        return None


def groups_of_one_shape(prepared: Mapping[int, Any], most: int) -> Iterator[list[int]]:
    """Yield the numbers of pictures that have one prepared shape, at most some at once, shapes as they come.

    Args:
        prepared: An array or tensor per number.
        most: How many belong together at most.

    >>> import numpy as np
    >>> list(groups_of_one_shape({0: np.zeros(2), 1: np.zeros(3), 3: np.zeros(2), 4: np.zeros(2)}, 2))
    [[0, 3], [4], [1]]
    """
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, array in prepared.items():
        by_shape.setdefault(tuple(array.shape), []).append(number)
    for numbers in by_shape.values():
        for start in range(0, len(numbers), most):
            yield numbers[start : start + most]
