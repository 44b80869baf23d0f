"""Means of means: a node of a tree is the mean of its children, and only the leaves are means of numbers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def even_weights(groups: npt.NDArray[np.int64], counted: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return (N,) how much each number counts in a mean over groups, in each over its own.

    Args:
        groups: (N,), from 0: to which each belongs.
        counted: (N,): which have a number; of the others the weight says nothing.

    >>> even_weights(np.array([0, 0, 0, 1]), np.array([True, True, False, True])).tolist()
    [0.5, 0.5, 0.5, 1.0]
    """
    return np.asarray(1.0 / np.maximum(np.bincount(groups[counted], minlength=groups.max(initial=-1) + 1), 1)[groups])


def leaf_parts(paths: Sequence[tuple[str, ...]]) -> npt.NDArray[np.float64]:
    """Return (N,) how much the leaf counts, in the root, that each number lies in; over the leaves the sum is 1.

    Args:
        paths: (N,): the names of the nodes from below the root to the leaf of each number; a name stands once in the
            tree.

    >>> leaf_parts([("a", "a1"), ("a", "a1"), ("a", "a2"), ("b",)]).tolist()
    [0.25, 0.25, 0.25, 0.5]
    """
    children: dict[tuple[str, ...], set[str]] = {}
    for path in set(paths):
        for depth, name in enumerate(path):
            children.setdefault(path[:depth], set()).add(name)
    own = {path: np.prod([1.0 / len(children[path[:depth]]) for depth in range(len(path))]) for path in set(paths)}
    return np.array([own[path] for path in paths], np.float64)
