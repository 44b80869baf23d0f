"""What set metrics say of each image of a dataset, as columns of the images in the store."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED
from diptych.data.column_names import full_name
from diptych.evaluate.collected import ImageColumn, ImageValues
from diptych.evaluate.metrics.contract import ImageNumbers
from diptych.evaluate.metrics.distances import MeasuredDataset, MeasuredGroup

KEY = "_key"  # behind the name of a number: the key of the image of the reference that it is about
NO_PICTURE = "no_picture"


def image_columns(
    measures: MeasuredDataset, groups: Sequence[MeasuredGroup], prefix: Sequence[str]
) -> Iterator[ImageColumn]:
    """Yield a column for each number that the metric has of an image: NaN with a reason where it has none.

    Args:
        measures: The dataset and its reference.
        groups: Of the dataset, each image in one of them.
        prefix: What stands before the name: labels of the encoder and, of several references, of that.
    """
    compute, reference = measures.reference.metric.of_images, measures.reference.statistics
    if compute is None:
        return
    each = [(measures.known(group.group.rows), compute(group.statistics, reference)) for group in groups]
    names = dict.fromkeys(numbers.name for _, found in each for numbers in found)
    for name in names:
        own = [(rows, numbers) for rows, found in each for numbers in found if numbers.name == name]
        yield from _columns(measures, groups, own, full_name(".".join(prefix), name))


def _columns(
    measures: MeasuredDataset,
    groups: Sequence[MeasuredGroup],
    own: Sequence[tuple[npt.NDArray[np.int64], ImageNumbers]],
    name: str,
) -> Iterator[ImageColumn]:
    count = len(measures.judged)
    values, reasons = np.full(count, np.nan), [NOT_ASKED] * count
    for group in groups:
        for row in group.group.rows.tolist():
            reasons[row] = NO_PICTURE
    keys: list[str | None] = [None] * count
    for rows, numbers in own:
        values[rows] = numbers.numbers
        for row in rows.tolist():
            reasons[row] = numbers.reason
        if numbers.nearest is not None:
            for row, key in zip(rows.tolist(), measures.reference.keys(numbers.nearest), strict=True):
                keys[row] = key
    first = own[0][1]
    identity = {"metric": measures.reference.metric.name, "number": first.name, **measures.identity}
    told = [None if np.isfinite(value) else why for value, why in zip(values, reasons, strict=True)]
    label = measures.judged.label
    yield ImageColumn(label, name, first.description, identity, ImageValues(values, None, told))
    if first.nearest is not None:
        what = f"{first.description}: the key of that image of the reference"
        lost = [None if key is not None else why for key, why in zip(keys, reasons, strict=True)]
        nothing = np.full(count, np.nan)
        yield ImageColumn(label, name + KEY, what, identity, ImageValues(nothing, keys, lost))
