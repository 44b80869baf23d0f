"""Which number was meant by one that is stored in single precision, as scores are.

A float32 keeps 7 digits or so, and as a float64 it is another number than the one that was stored: 0.9 becomes
0.8999999762, which a line at 0.9 leaves out, and the mean of 1/3 and 2/3 is not that of 1/2 and 1/2. What is compared
or added up is therefore the number that was meant, where that can be told. SQL needs nothing of this: DuckDB compares a
FLOAT with a decimal as two FLOATs.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MOST_PARTS = 100  # of a share
LARGEST = 1000.0  # beyond, two shares of so many parts may be one float32


def as_meant(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Return float64 (N,): the numbers that float32 (N,) stand for; NaN and infinities stay.

    That is k / n with n of 100 at most, below 1,000, where one is stored as this float32, and otherwise the shortest
    decimal that is. Two such fractions are at least 1 / 100^2 apart, and one of them and a decimal of five digits by
    more than float32 rounds: so each is given back to the last bit, and neither is taken for the other. Any other
    number changes by less than float32 can tell.

    >>> as_meant(np.float32([0.9, 2 / 3, 27.531, np.nan])).tolist()
    [0.9, 0.6666666666666666, 27.531, nan]
    """
    single = np.asarray(values, np.float32)
    wide = single.astype(np.float64)
    meant = pa.array(single).cast(pa.string()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    for parts in range(MOST_PARTS, 0, -1):
        share = np.rint(wide * parts) / parts
        is_meant = (share.astype(np.float32) == single) & (np.abs(single) < LARGEST)
        meant = np.where(is_meant, share, meant)
    return np.asarray(meant, np.float64)


def meant_column(column: pa.Array) -> pa.Array:
    """Return a column with the numbers that were meant as float64; one that is not float32 is as it was.

    >>> meant_column(pa.array([7.1, None], pa.float32())).to_pylist()
    [7.1, None]
    """
    if not pa.types.is_float32(column.type):
        return column
    return pa.array(as_meant(column.to_numpy(zero_copy_only=False)), from_pandas=True)
