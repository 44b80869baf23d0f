"""Columns that hold several values a row, such as the categories of a prompt: a row belongs to the group of each.

It counts in full in each of these groups, and once where groups are put together.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


class Members(NamedTuple):
    """The values of a column, one by one.

    Attributes:
        positions: int64 (M,): the row that each belongs to, ascending.
        values: (M,): the values.
    """

    positions: npt.NDArray[np.int64]
    values: pa.Array


def members(column: pa.Array) -> Members:
    """Return every value of a column with its row; a row whose list is empty has one null.

    >>> found = members(pa.array([["a", "b"], [], ["a"]]))
    >>> found.positions.tolist(), found.values.to_pylist()
    ([0, 0, 1, 2], ['a', 'b', None, 'a'])
    """
    if not pa.types.is_list(column.type):
        return Members(np.arange(len(column), dtype=np.int64), column)
    lengths = pc.list_value_length(column).fill_null(0)
    filled = pc.if_else(pc.greater(lengths, 0), column, pa.scalar([None], column.type))
    return Members(pc.list_parent_indices(filled).to_numpy(), pc.list_flatten(filled))


def holds(column: pa.Array, value: Any) -> npt.NDArray[np.bool_]:
    """Return which rows of a column have a value, alone or among others: (N,).

    >>> holds(pa.array([["a", "b"], [], ["a"]]), "b").tolist(), holds(pa.array(["a", None]), "a").tolist()
    ([True, False, False], [True, False])
    """
    found = members(column)
    mask = np.zeros(len(column), bool)
    mask[found.positions[pc.equal(found.values, value).fill_null(False).to_numpy(zero_copy_only=False)]] = True
    return mask


def distinct(column: pa.Array) -> set[Any]:
    """Return the different values of a column, null left out."""
    return {value for value in members(column).values.unique().to_pylist() if value is not None}
